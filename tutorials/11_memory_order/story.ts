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
  chapter: 11,
  folder: "11_memory_order",
  title: "Memory order",
  lead: "Why publishing comes last, and what a processor may do to it.",
  cast: { [ACTORS.store]: otherSide("store"), [ACTORS.exchange]: otherSide("exchange") },
  steps: () => [...counting(), ...publishing(), ...overwriting()],
};
