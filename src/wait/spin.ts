/**
 * Looking at conditions for a moment before a thread sleeps: a wake-up costs tens of microseconds,
 * and a peer that runs on another processor often needs less.
 *
 * @module
 */

import { now } from "../os/clock.ts";
import type { Condition } from "./condition.ts";

/** Returns the first condition that is true. */
export function firstReady(all: readonly Condition[]): Condition | undefined {
  for (let i = 0; i < all.length; i++) if (all[i]!.ready()) return all[i];
  return undefined;
}

/** Looks for up to `budgetNs`, once at least, and returns the first condition that is true. */
export function spin(all: readonly Condition[], budgetNs: number): Condition | undefined {
  if (all.length === 1 && budgetNs > 0) return spinOn(all[0]!, budgetNs) ? all[0] : undefined;
  let ready = firstReady(all);
  if (ready !== undefined || budgetNs <= 0) return ready;
  const end = now() + budgetNs;
  while (ready === undefined && now() < end) ready = firstReady(all);
  return ready;
}

/** Spins on one word in one native call; true if the condition became true. */
function spinOn(condition: Condition, budgetNs: number): boolean {
  const { watch, glanceNs = Infinity } = condition;
  let left = budgetNs;
  let end = 0;
  while (left > 0) {
    const seen = watch.load();
    if (condition.ready()) return true;
    if (!watch.spinWhile(seen, Math.min(left, glanceNs)) && left <= glanceNs) break;
    if (condition.ready()) return true;
    const time = now(); // the condition is still false
    end ||= time + budgetNs;
    left = end - time;
  }
  return condition.ready();
}
