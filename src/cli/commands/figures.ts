/**
 * `vring hz`, `bw`, `lag` and `delay`: one figure of one region, a line a second.
 *
 * @module
 */

import { VringError } from "../../errors.ts";
import type { RegionInfo } from "../../region/list.ts";
import { sleep } from "../../os/clock.ts";
import {
  againOptions,
  type Command,
  countIn,
  Exit,
  KIND_OPTION,
  millisecondsIn,
  type Option,
  UsageError,
} from "../command.ts";
import { detailsOf, exactly, found, needed } from "../found.ts";
import { observerFor, typeOf } from "../../inspect/messages.ts";
import { bytesInWords, harmless, rateInWords } from "../output.ts";
import { problemOf, type Row, rowsBetween, survey } from "../../inspect/survey.ts";

const OPTIONS: Readonly<Record<string, Option>> = {
  ...KIND_OPTION,
  ...againOptions("line", 1),
};

/** Says why none of these regions can be counted. */
function cannotCount(all: readonly RegionInfo[]): string {
  const [first] = all as [RegionInfo];
  const reason = all.map(problemOf).find((problem) => problem !== undefined);
  return `Cannot count what passes through ${first.kind} ${harmless(first.name)}: ` +
    harmless(reason ?? "nothing counts it");
}

/** Makes a command that prints a figure of each matching region. */
function figure(
  name: string,
  summary: string,
  tell: (row: Row) => { facts: object; words: string },
): Command {
  return {
    name,
    summary,
    usage: "PATTERN...",
    options: OPTIONS,
    examples: [`vring ${name} cam/left`, `vring ${name} '/cam/**' --every 0.2 --count 10 --json`],
    async run(call) {
      const { out, end, names } = call;
      if (names.length === 0) throw new UsageError(`Cannot run ${name}: pass a name or a pattern`);
      const [everyMs, count] = [millisecondsIn(call, "every", 1), countIn(call)];
      const all = needed(call);
      let before = survey(all);
      if (before.size === 0) throw new VringError(cannotCount(all));
      for (let i = 0; i < count && await sleep(everyMs, end); i++) {
        const after = survey(found(call));
        for (const [path, { region }] of before) {
          if (!after.has(path)) out.remark(`${harmless(region.name)} is gone`);
        }
        for (const row of rowsBetween(before, after)) {
          const { kind, name } = row.region;
          const { facts, words } = tell(row);
          out.object({ kind, name, ...facts });
          out.line(`${harmless(name)}  ${words}`);
        }
        before = after;
      }
      return Exit.ok;
    },
  };
}

export const hz: Command = figure(
  "hz",
  "Shows messages per second, as the region's own counters say.",
  ({ rates: { messages, seconds } }) => ({
    facts: { messages, seconds },
    words: messages === undefined ? "nobody counts" : `${rateInWords(messages)} messages/s`,
  }),
);

export const bw: Command = figure(
  "bw",
  "Shows bytes per second; of topics estimated from the samples in memory.",
  ({ rates: { bytes, seconds } }) => ({
    facts: { bytes, seconds },
    words: bytes === undefined ? "nobody counts" : `${bytesInWords(bytes)}/s`,
  }),
);

export const lag: Command = figure(
  "lag",
  "Shows how much waits for each receiver, and for how long.",
  ({ activity: { flows } }) => {
    const now = performance.timeOrigin + performance.now();
    const waiting = flows.filter(({ room }) => room !== undefined);
    const all = waiting.map(({ label, backlog, room, unit, oldest }) => ({
      flow: label || "all",
      backlog,
      room,
      unit,
      waitsMs: oldest === undefined ? undefined : Math.max(0, now - oldest),
    }));
    const words = all.map(({ flow, backlog, room, unit, waitsMs }) =>
      (backlog === undefined
        ? `${flow}: ${unit === "samples" ? "nobody receives" : "unknown"}`
        : `${flow}: ${backlog} of ${room} ${unit}`) +
      (waitsMs === undefined ? "" : `, the oldest for ${waitsMs.toFixed(1)} ms`)
    );
    return { facts: { flows: all }, words: words.join("; ") || "nothing can wait" };
  },
);

/** The longest wait of an observer that looks at once again. */
const LOOK_MS = 1;

/** The kinds of regions whose messages have times. */
const WITH_TIMES = ["topic", "sources", "slot"];

export const delay: Command = {
  name: "delay",
  summary:
    "Shows the time from a publish until an observer sees the message, which adds up to 1 ms.",
  usage: "NAME",
  options: OPTIONS,
  examples: ["vring delay cam/left", "vring delay imu --once --json"],
  async run(call) {
    const { out, end, names } = call;
    if (names.length !== 1) throw new UsageError("Cannot measure delays: pass one name");
    const [everyMs, count] = [millisecondsIn(call, "every", 1), countIn(call)];
    const region = exactly(names[0]!, needed(call)).find(({ kind }) => WITH_TIMES.includes(kind));
    if (region === undefined) {
      throw new VringError(
        `Cannot measure delays of ${names[0]}: only topics and slots have times`,
      );
    }
    const { name } = region;
    for (let i = 0; i < count && !end.aborted; i++) {
      const delays = await delaysOf(region, everyMs, end);
      const sorted = delays.sort((a, b) => a - b);
      const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))];
      const [min, median, most] = [at(0), at(0.5), at(1)];
      out.object({ name, messages: sorted.length, minMs: min, medianMs: median, maxMs: most });
      out.line(
        min === undefined
          ? `${harmless(name)}  nothing arrived`
          : `${harmless(name)}  min ${min.toFixed(3)} ms, median ${median!.toFixed(3)} ms, max ` +
            `${most!.toFixed(3)} ms, ${sorted.length} messages`,
      );
    }
    return Exit.ok;
  },
};

/** Measures the delays of the messages that arrive within a time. */
async function delaysOf(region: RegionInfo, ms: number, end: AbortSignal): Promise<number[]> {
  const type = typeOf(detailsOf(region).type, true).codec;
  using observer = observerFor(region, type, 0);
  const signal = AbortSignal.any([end, AbortSignal.timeout(ms)]);
  const began = performance.timeOrigin + performance.now();
  const delays: number[] = [];
  try {
    for (;;) {
      const message = await observer.receive({ signal });
      const now = performance.timeOrigin + performance.now();
      if (message === undefined) return delays;
      if (message.time! >= began) delays.push(Math.max(0, now - message.time!));
      await sleep(LOOK_MS, signal); // an observer's own wait grows with the silence
    }
  } catch (error) {
    if (signal.aborted) return delays;
    throw error;
  }
}
