/**
 * Chapter 11 for the stage: memory order.
 *
 * @module
 */

import type { Story } from "../stage/story.ts";
import { ACTORS, counting, otherSide } from "./counting.ts";
import { overwriting, publishing } from "./message.ts";

/** The story of chapter 11. */
export const story: Story = {
  cast: { [ACTORS.store]: otherSide("store"), [ACTORS.exchange]: otherSide("exchange") },
  steps: () => [...counting(), ...publishing(), ...overwriting()],
};
