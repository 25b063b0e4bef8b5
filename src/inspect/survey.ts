/**
 * All regions at two moments, and what happened between them.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import type { RegionInfo } from "../region/list.ts";
import { observe, type RegionObserver } from "../region/region_observer.ts";
import { type Activity, activityOf, meanSampleBytes } from "./activity.ts";
import { type Look, type Rates, ratesBetween } from "./rates.ts";

/** Opens an observer of a region; undefined if it is gone, or cannot be read. */
export function observerOf({ kind, name }: RegionInfo): RegionObserver | undefined {
  try {
    return observe(kind, name, { anyOwner: true });
  } catch (error) {
    if (error instanceof VringError) return undefined; // `problem` of its listing says why
    throw error;
  }
}

/** Reads the activity of a region; undefined if it is gone, or of a kind that nobody knows. */
export function activityIn(region: RegionInfo): (Activity & { members: number }) | undefined {
  using observer = observerOf(region);
  try {
    const activity = observer && activityOf(observer);
    return activity && { ...activity, members: observer.members };
  } catch (error) {
    if (error instanceof VringError) return undefined; // shortened, or changed by a peer
    throw error;
  }
}

/** A region at one moment. */
export interface Seen {
  readonly region: RegionInfo;
  readonly look: Look;
}

/** What happened in a region between two moments. */
export interface Row {
  readonly region: RegionInfo;
  readonly rates: Rates;
  readonly activity: Activity;
  /** The fullest of its flows. */
  readonly fullest: { readonly backlog: number; readonly room: number } | undefined;
}

/** Reads regions, by path. */
export function survey(regions: readonly RegionInfo[]): Map<string, Seen> {
  return new Map(regions.flatMap((region): [string, Seen][] => {
    const activity = activityIn(region);
    const time = performance.now();
    return activity === undefined ? [] : [[region.path, { region, look: { activity, time } }]];
  }));
}

/** Compares two surveys. A region that was not in the first has no row yet. */
export function rowsBetween(before: Map<string, Seen>, after: Map<string, Seen>): Row[] {
  return [...after].flatMap(([path, seen]): Row[] => {
    const old = before.get(path);
    if (old === undefined || old.region.details?.id !== seen.region.details?.id) return [];
    const { region, look: { activity } } = seen;
    const rates = ratesBetween(old.look, seen.look);
    const bytes = rates.bytes ?? bytesOfSamples(region, rates.messages);
    return [{ region, rates: { ...rates, bytes }, activity, fullest: fullestOf(activity) }];
  });
}

/** Estimates the bytes of a topic's samples from those that it describes now. */
function bytesOfSamples(region: RegionInfo, messages: number | undefined): number | undefined {
  if (region.kind !== "topic" || messages === undefined) return undefined;
  using observer = observerOf(region);
  const mean = observer && meanSampleBytes(observer);
  return mean === undefined ? undefined : mean * messages;
}

/** Returns the flow that is nearest to its limit. */
export function fullestOf({ flows }: Activity): Row["fullest"] {
  let fullest: Row["fullest"];
  for (const { backlog, room } of flows) {
    if (backlog === undefined || !room) continue;
    if (fullest === undefined || backlog / room > fullest.backlog / fullest.room) {
      fullest = { backlog, room };
    }
  }
  return fullest;
}
