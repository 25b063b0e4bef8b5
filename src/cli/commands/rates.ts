/**
 * `vring rates`: what moves, once a second or as often as you ask.
 *
 * @module
 */

import { meanSampleBytes } from "../../inspect/activity.ts";
import { type Look, ratesBetween } from "../../inspect/rates.ts";
import type { RegionInfo } from "../../region/list.ts";
import { type Command, Exit, numberIn } from "../command.ts";
import { activityIn, found, nothingFound, observerOf } from "../found.ts";
import { barOf, bytesInWords, harmless, rateInWords } from "../output.ts";
import { pause } from "../pause.ts";

/** A region at two moments. */
interface Seen {
  readonly region: RegionInfo;
  readonly look: Look;
}

export const rates: Command = {
  name: "rates",
  summary: "Shows messages and bytes per second, backlog, losses, sleepers and wake-ups.",
  usage: "[PATTERN...]",
  options: {
    kind: { value: "KIND", summary: "only this kind, such as topic or spsc" },
    every: { value: "SECONDS", summary: "the time between two looks; 1 by default" },
    count: { value: "N", summary: "end after so many tables" },
  },
  examples: ["vring rates", "vring rates '/cam/**' --every 0.2 --count 10", "vring rates --json"],
  async run(call) {
    const { out, end } = call;
    const everyMs = (numberIn(call, "every", 0.01) ?? 1) * 1000;
    const count = numberIn(call, "count", 1) ?? Infinity;
    let before = lookAt(found(call));
    if (before.size === 0 && call.names.length > 0) {
      out.line(nothingFound(call));
      return Exit.problem;
    }
    for (let i = 0; i < count && await pause(everyMs, end); i++) {
      const after = lookAt(found(call));
      const rows = [...after].flatMap(([path, seen]) => {
        const old = before.get(path);
        return old === undefined ? [] : [rowOf(old, seen, (value) => out.object(value))];
      });
      if (i > 0) out.line();
      out.table(
        ["KIND", "NAME", "MSG/S", "BYTES/S", "BACKLOG", "LOST/S", "ASLEEP", "WAKES/S"],
        rows,
      );
      before = after;
    }
    return Exit.ok;
  },
};

/** Reads all regions, by path. */
function lookAt(regions: readonly RegionInfo[]): Map<string, Seen> {
  return new Map(regions.flatMap((region): [string, Seen][] => {
    const activity = activityIn(region);
    const time = performance.now();
    return activity === undefined ? [] : [[region.path, { region, look: { activity, time } }]];
  }));
}

function rowOf(before: Seen, after: Seen, tell: (value: object) => void) {
  const { region: { kind, name } } = after;
  const { messages, bytes, lost, wakeUps, seconds } = ratesBetween(before.look, after.look);
  const { flows, sleepers } = after.look.activity;
  const perSecond = bytes ?? bytesOfSamples(after.region, messages);
  tell({ kind, name, seconds, messages, bytes: perSecond, lost, wakeUps, sleepers, flows });
  const fullest = flows.flatMap(({ backlog, room }) =>
    backlog === undefined || !room ? [] : [
      [
        backlog,
        room,
      ] as const,
    ]
  ).sort((a, b) => b[0] / b[1] - a[0] / a[1])[0];
  return [
    kind,
    harmless(name),
    messages === undefined ? "?" : rateInWords(messages),
    perSecond === undefined ? "" : bytesInWords(perSecond),
    fullest === undefined ? "" : barOf(...fullest),
    lost === undefined ? "" : rateInWords(lost),
    sleepers,
    rateInWords(wakeUps),
  ];
}

/** Estimates the bytes of a topic's samples from those that it holds now. */
function bytesOfSamples(region: RegionInfo, messages: number | undefined): number | undefined {
  if (region.kind !== "topic" || messages === undefined) return undefined;
  using observer = observerOf(region);
  const mean = observer && meanSampleBytes(observer);
  return mean === undefined ? undefined : mean * messages;
}
