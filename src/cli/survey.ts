/**
 * All regions at two moments, and what happened between them.
 *
 * @module
 */

import { type Activity, meanSampleBytes } from "../inspect/activity.ts";
import { type Look, type Rates, ratesBetween } from "../inspect/rates.ts";
import type { RegionInfo } from "../region/list.ts";
import { activityIn, observerOf } from "./found.ts";
import { barOf, bytesInWords, type Cell, harmless, rateInWords } from "./output.ts";

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

/** The columns of a table of rates, each with its cell and the number to sort by. */
export const COLUMNS: readonly {
  readonly title: string;
  cell(row: Row): Cell;
  order(row: Row): number | string;
}[] = [
  { title: "KIND", cell: ({ region }) => region.kind, order: ({ region }) => region.kind },
  {
    title: "NAME",
    cell: ({ region }) => harmless(region.name),
    order: ({ region }) => region.name,
  },
  {
    title: "MSG/S",
    cell: ({ rates: { messages } }) => messages === undefined ? "?" : rateInWords(messages),
    order: ({ rates }) => rates.messages ?? -1,
  },
  {
    title: "BYTES/S",
    cell: ({ rates: { bytes } }) => bytes === undefined ? "" : bytesInWords(bytes),
    order: ({ rates }) => rates.bytes ?? -1,
  },
  {
    title: "BACKLOG",
    cell: ({ fullest }) => fullest === undefined ? "" : barOf(fullest.backlog, fullest.room),
    order: ({ fullest }) => fullest === undefined ? -1 : fullest.backlog / fullest.room,
  },
  {
    title: "LOST/S",
    cell: ({ rates: { lost } }) => lost === undefined ? "" : rateInWords(lost),
    order: ({ rates }) => rates.lost ?? -1,
  },
  {
    title: "ASLEEP",
    cell: ({ activity }) => activity.sleepers,
    order: ({ activity }) => activity.sleepers,
  },
  {
    title: "WAKES/S",
    cell: ({ rates }) => rateInWords(rates.wakeUps),
    order: ({ rates }) => rates.wakeUps,
  },
];

/** A row as an object for programs. */
export function factsIn({ region: { kind, name }, rates, activity }: Row): object {
  return { kind, name, ...rates, sleepers: activity.sleepers, flows: activity.flows };
}
