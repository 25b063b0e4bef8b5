/**
 * Rates: what has changed between two looks at a region.
 *
 * @module
 */

import type { Activity, Flow } from "./activity.ts";

/** An activity, and the moment when it was read. */
export interface Look {
  readonly activity: Activity;
  /** In milliseconds, of any clock that only goes forward. */
  readonly time: number;
}

/** What happened between two looks, per second. */
export interface Rates {
  readonly seconds: number;
  /** Messages, over all flows of one direction; undefined if nobody counts them. */
  readonly messages: number | undefined;
  readonly bytes: number | undefined;
  readonly wakeUps: number;
  readonly lost: number | undefined;
}

/** Returns the rates between two looks at the same region. */
export function ratesBetween(before: Look, after: Look): Rates {
  const seconds = (after.time - before.time) / 1000;
  const each = (sum: number | undefined) => sum === undefined ? undefined : sum / seconds;
  const [old, now] = [before.activity, after.activity];
  return {
    seconds,
    messages: each(sumOf(old, now, messagesIn)),
    bytes: each(sumOf(old, now, bytesIn)),
    wakeUps: (now.wakeUps - old.wakeUps) / seconds,
    lost: each(difference(old.lost, now.lost)),
  };
}

/** Adds a difference up over all flows; a flow that is new has begun at 0. */
function sumOf(
  old: Activity,
  now: Activity,
  grown: (before: Flow | undefined, after: Flow) => number | undefined,
): number | undefined {
  if (sharesOne(now)) return grown(old.flows[0], now.flows[0]!);
  const before = new Map(old.flows.map((flow) => [flow.label, flow]));
  let sum = 0;
  for (const flow of now.flows) {
    const growth = grown(before.get(flow.label), flow);
    if (growth === undefined) return undefined;
    sum += growth;
  }
  return sum;
}

/** Whether all flows carry the same messages, as those to the subscribers of a topic do. */
function sharesOne({ flows }: Activity): boolean {
  return flows[0]?.unit === "samples";
}

function messagesIn(before: Flow | undefined, after: Flow): number | undefined {
  return difference(before === undefined ? 0 : before.messages, after.messages);
}

function bytesIn(before: Flow | undefined, after: Flow): number | undefined {
  if (after.bytes === undefined) return undefined;
  const growth = after.bytes - (before?.bytes ?? 0);
  return growth < 0 ? growth + after.bytesWrap : growth;
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : Math.max(0, after - before);
}
