/**
 * Chapter 11 for the stage: memory order.
 *
 * @module
 */

import type { Story } from "../stage/story.ts";
import { ACTORS, counting, otherSide } from "./counting.ts";
import { fourJobs } from "./four_jobs.ts";
import { overwriting, publishing, removeOne } from "./message.ts";

/** The story of chapter 11. */
export const story: Story = {
  cast: { [ACTORS.store]: otherSide("store"), [ACTORS.exchange]: otherSide("exchange") },
  steps: () => [...counting(), ...publishing(), ...overwriting(), fourJobs(), removeOne()],
};
