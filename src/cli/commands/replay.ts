/**
 * `vring replay`: a recording, published again.
 *
 * @module
 */

import { McapReader, replay as replayFile } from "../../record/mod.ts";
import { type Command, Exit, matcher, numberIn, UsageError } from "../command.ts";
import { oldFile } from "../files.ts";

export const replay: Command = {
  name: "replay",
  summary: "Publishes the topics of a recording again, in their order and times.",
  usage: "FILE",
  options: {
    rate: { value: "FACTOR", summary: "the speed: 2 is twice as fast, 0 does not pause" },
    loop: { summary: "begin again at the end" },
    start: { value: "SECONDS", summary: "skip the beginning" },
    only: { value: "PATTERN", summary: "only these topics" },
    rename: { value: "A:=B", summary: "publish topic A as B" },
    wait: { value: "N", summary: "wait for so many subscribers of each topic" },
  },
  examples: [
    "vring replay run.mcap",
    "vring replay run.mcap --rate 2 --start 12 --rename cam/left:=test/left",
  ],
  async run(call) {
    const { names: [path, ...more], options, out, end } = call;
    if (path === undefined || more.length > 0) throw new UsageError("Cannot replay: pass one file");
    const factor = numberIn(call, "rate") ?? 1;
    const [from, to] = renaming(options.rename);
    const isWanted = typeof options.only === "string" ? matcher(options.only) : () => true;
    using file = oldFile(path);
    let count = 0;
    do {
      const reader = new McapReader(file.readAt, path);
      const replayed = await replayFile(reader, {
        rate: factor === 0 ? Infinity : factor,
        startMs: (numberIn(call, "start") ?? 0) * 1000,
        nameOf: (name) => isWanted(name) ? name === from ? to : name : undefined,
        waitFor: numberIn(call, "wait") ?? 0,
        until: end,
      });
      count += replayed;
      if (replayed === 0) break;
    } while (options.loop && !end.aborted);
    out.object({ path, messages: count });
    out.line(`${path}: ${count} messages`);
    return Exit.ok;
  },
};

/** Takes `/a:=/b` apart. */
function renaming(given: string | true | undefined): [from?: string, to?: string] {
  if (typeof given !== "string") return [];
  const [from, to, ...more] = given.split(":=").map((name) => name.replace(/^\//, ""));
  if (from && to && more.length === 0) return [from, to];
  throw new UsageError(`Cannot rename ${given}: pass two names, such as cam:=test/cam`);
}
