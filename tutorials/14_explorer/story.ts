/**
 * Chapter 14 for the stage: the explorer.
 *
 * @module
 */

import type { Story } from "../stage/story.ts";
import { fromOrdersToStates, verdicts } from "./orders.ts";

/** The story of chapter 14. */
export const story: Story = {
  chapter: 14,
  folder: "14_explorer",
  title: "The explorer",
  lead: "How a program tries every order of operations, and every death.",
  steps: () => [...fromOrdersToStates(), ...verdicts()],
};
