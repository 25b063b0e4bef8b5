/**
 * All regions at two moments, and what happened between them.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import type { RegionInfo } from "../region/list.ts";
import { observe, type RegionObserver } from "../region/region_observer.ts";
import {
  type Activity,
  activityOf,
  controlLayoutOf,
  hasActivity,
  meanSampleBytes,
} from "./activity.ts";
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

/** Observers that stay open from one survey to the next, for those who look often. */
export class KeptObservers implements Disposable {
  #open = new Map<string, RegionObserver>();

  /** Returns the observer of a region, which it keeps; undefined if it cannot be opened. */
  of(region: RegionInfo): RegionObserver | undefined {
    const key = keyOf(region);
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const observer = observerOf(region);
    if (observer !== undefined) this.#open.set(key, observer);
    return observer;
  }

  /** Closes the observers of all other regions. */
  retain(regions: readonly RegionInfo[]): void {
    const keys = new Set(regions.map(keyOf));
    for (const [key, observer] of this.#open) {
      if (keys.has(key)) continue;
      observer.close();
      this.#open.delete(key);
    }
  }

  /** Closes all. */
  [Symbol.dispose](): void {
    this.retain([]);
  }
}

const keyOf = ({ path, details }: RegionInfo) => `${path} ${details?.id}`;

/** Uses an observer of a region, which is closed then unless it is kept. */
function withObserver<T>(
  region: RegionInfo,
  kept: KeptObservers | undefined,
  use: (observer: RegionObserver) => T,
): T | undefined {
  using stack = new DisposableStack();
  const observer = kept === undefined ? observerOf(region) : kept.of(region);
  if (observer === undefined) return undefined;
  if (kept === undefined) stack.use(observer);
  return use(observer);
}

/** Reads the activity of a region; undefined if it is gone, or of a kind that nobody knows. */
export function activityIn(
  region: RegionInfo,
  kept?: KeptObservers,
): (Activity & { members: number }) | undefined {
  try {
    return withObserver(region, kept, (observer) => {
      const activity = activityOf(observer);
      return activity && { ...activity, members: observer.members };
    });
  } catch (error) {
    if (error instanceof VringError) return undefined; // shortened, or changed by a peer
    throw error;
  }
}

/** Says why the activity of a region cannot be read; undefined if it can be, or its kind has none. */
export function problemOf(region: RegionInfo): string | undefined {
  const { kind, name, details } = region;
  if (details === undefined) return region.problem;
  if (!hasActivity(kind)) return undefined;
  try {
    using observer = observe(kind, name, { anyOwner: true });
    if (controlLayoutOf(observer) === undefined) {
      return "another version of vring made it (its layout is " +
        `${details.abiHash.toString(16)}); use one version, or unlink it`;
    }
    return activityOf(observer) === undefined ? "its control block is damaged" : undefined;
  } catch (error) {
    if (error instanceof VringError) return error.message;
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
export function survey(
  regions: readonly RegionInfo[],
  kept?: KeptObservers,
): Map<string, Seen> {
  return new Map(regions.flatMap((region): [string, Seen][] => {
    const activity = activityIn(region, kept);
    const time = performance.now();
    return activity === undefined ? [] : [[region.path, { region, look: { activity, time } }]];
  }));
}

/** Compares two surveys. A region that was not in the first has no row yet. */
export function rowsBetween(
  before: Map<string, Seen>,
  after: Map<string, Seen>,
  kept?: KeptObservers,
): Row[] {
  return [...after].flatMap(([path, seen]): Row[] => {
    const old = before.get(path);
    if (old === undefined || old.region.details?.id !== seen.region.details?.id) return [];
    const { region, look: { activity } } = seen;
    const rates = ratesBetween(old.look, seen.look);
    const bytes = rates.bytes ?? bytesOfSamples(region, rates.messages, kept);
    return [{ region, rates: { ...rates, bytes }, activity, fullest: fullestOf(activity) }];
  });
}

/** Estimates the bytes of a topic's samples from those that it describes now. */
function bytesOfSamples(
  region: RegionInfo,
  messages: number | undefined,
  kept?: KeptObservers,
): number | undefined {
  if (region.kind !== "topic" || messages === undefined) return undefined;
  try {
    const mean = withObserver(region, kept, meanSampleBytes);
    return mean === undefined ? undefined : mean * messages;
  } catch (error) {
    if (error instanceof VringError) return undefined; // shortened, or changed by a peer
    throw error;
  }
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
