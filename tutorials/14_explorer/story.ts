/**
 * Chapter 14 for the stage: the explorer.
 *
 * @module
 */

import type { Story } from "../stage/story.ts";
import { fromOrdersToStates, verdicts } from "./orders.ts";

/** The story of chapter 14. */
export const story: Story = {
  steps: () => [...fromOrdersToStates(), ...verdicts()],
};
