/**
 * `vring replay`: a recording, published again.
 *
 * @module
 */

import { VringError } from "../../errors.ts";
import { McapReader, Pace, replay as replayFile } from "../../record/mod.ts";
import { type Call, type Command, Exit, matcher, numberIn, UsageError } from "../command.ts";
import { oldFile } from "../files.ts";
import { harmless } from "../output.ts";

export const replay: Command = {
  name: "replay",
  summary: "Publishes the topics of a recording again, in their order and times.",
  usage: "FILE",
  options: {
    rate: { value: "FACTOR", summary: "the speed: 2 is twice as fast, 0 does not pause" },
    loop: { summary: "begin again at the end" },
    start: { value: "TIME", summary: "skip the beginning, such as 12s, 500ms or 2m" },
    topic: { value: "A[:=B]", summary: "only topic A (a pattern), or A as B; several with commas" },
    paused: { summary: "begin paused: Space or Enter goes on, and the right arrow steps" },
    wait: { value: "N", summary: "wait for so many subscribers of each topic" },
  },
  examples: [
    "vring replay run.mcap",
    "vring replay run.mcap --rate 2 --start 12s --topic /cam/left:=/test/left",
    "vring replay run.mcap --paused --topic '/cam/**,/imu'",
  ],
  async run(call) {
    const { names: [path, ...more], options, out } = call;
    if (path === undefined || more.length > 0) throw new UsageError("Cannot replay: pass one file");
    const factor = numberIn(call, "rate") ?? 1;
    const pace = new Pace(options.paused === true);
    const quit = new AbortController();
    const until = AbortSignal.any([call.end, quit.signal]);
    const startMs = millisecondsIn(options.start);
    const nameOf = namesIn(options.topic);
    const waitFor = numberIn(call, "wait") ?? 0;
    using file = oldFile(path);
    const reader = new McapReader(file.readAt, path);
    let seen = 0;
    const screen = showScreen(call, path, pace, quit, () => seen);
    let count = 0;
    try {
      count = await replayFile(reader, {
        rate: factor === 0 ? Infinity : factor,
        startMs,
        loop: options.loop === true,
        nameOf,
        waitFor,
        until,
        pace,
        onMessage: (offsetMs) => void (seen = offsetMs),
      });
    } catch (error) {
      if (!until.aborted) throw error; // the signal ended a wait
    } finally {
      screen[Symbol.dispose]();
    }
    if (count === 0 && !until.aborted) throw new VringError(whyNothing(reader, path, nameOf));
    out.object({ path, messages: count });
    out.line(`${path}: ${count} messages`);
    return Exit.ok;
  },
};

/** Says why no message of a recording was published. */
function whyNothing(
  { channels }: McapReader,
  path: string,
  nameOf: (name: string) => string | undefined,
): string {
  const cannot = `Cannot replay ${harmless(path)}: `;
  if (channels.length === 0) return `${cannot}it has no messages`;
  const names = channels.flatMap(({ metadata }) => metadata["vring.name"] ?? []);
  if (names.length === 0) {
    return `${cannot}no topic in it can be replayed: it was recorded with --foxglove, or by another ` +
      "program";
  }
  if (names.some((name) => nameOf(name) !== undefined)) {
    return `${cannot}it ends before --start; vring info shows how long it is`;
  }
  const there = names.slice(0, MOST_NAMES).join(", ") + (names.length > MOST_NAMES ? ", ..." : "");
  return `${cannot}it has no such topic; it has ${harmless(there)}`;
}

/** The most topics that an error lists. */
const MOST_NAMES = 8;

/** Shows the progress in a terminal, and lets keys pause it; elsewhere, lines of input do. */
function showScreen(
  { terminal, out, options }: Call,
  path: string,
  pace: Pace,
  quit: AbortController,
  seen: () => number,
): Disposable {
  if (terminal === undefined || out.json) {
    if (options.paused) readLines(pace);
    return { [Symbol.dispose]: () => {} };
  }
  const show = () =>
    terminal.show([
      `${harmless(path)}  ${(seen() / 1000).toFixed(1)} s  ${pace.isPaused ? "paused" : "playing"}`,
      "",
      "Space pauses or goes on   Right arrow publishes one message   q quits",
    ]);
  const opened = terminal.open((key) => {
    if (key === " " || key === "\r") pace.toggle();
    else if (key === "\x1b[C" || key === "l" || key === ".") pace.step();
    else if (key === "q" || key === "\x03") quit.abort();
    show();
  });
  show();
  const timer = setInterval(show, 100);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      opened[Symbol.dispose]();
    },
  };
}

/** Pauses or goes on at each line of standard input. */
async function readLines(pace: Pace): Promise<void> {
  const bytes = new Uint8Array(256);
  for (let count; (count = await Deno.stdin.read(bytes)) !== null;) {
    for (const byte of bytes.subarray(0, count)) if (byte === 10) pace.toggle();
  }
}

/** The milliseconds in a time such as `12s`, `500ms`, `2m` or `12`, which are seconds. */
function millisecondsIn(given: string | true | undefined): number {
  if (given === undefined) return 0;
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(String(given)) ?? [];
  if (number !== undefined) return Number(number) * { ms: 1, s: 1000, m: 60_000 }[unit]!;
  throw new UsageError(`Cannot start at ${given}: pass a time, such as 12s, 500ms or 2m`);
}

/** Takes `/a:=/b,/cam/**` apart; returns the name to publish a topic under, if it is wanted. */
function namesIn(given: string | true | undefined): (name: string) => string | undefined {
  if (typeof given !== "string") return (name) => name;
  const rules = given.split(",").map((part) => {
    const [from, to, ...more] = part.split(":=").map((name) => name.replace(/^\//, ""));
    if (!from || to === "" || more.length > 0) {
      throw new UsageError(
        `Cannot replay topic ${part}: pass a name, or two, such as cam:=test/cam`,
      );
    }
    return { isMatch: matcher(from), to };
  });
  return (name) => {
    const rule = rules.find(({ isMatch }) => isMatch(name));
    return rule && (rule.to ?? name);
  };
}
