/**
 * `vring record`: topics into a file that other tools open.
 *
 * @module
 */

import { record as recordTopics } from "../../record/mod.ts";
import { type Command, Exit, matcher, UsageError } from "../command.ts";
import { newFile } from "../files.ts";
import { found, nothingFound } from "../found.ts";
import { bytesInWords, harmless } from "../output.ts";

export const record: Command = {
  name: "record",
  summary: "Records topics into an MCAP file, which Foxglove, Rerun, PlotJuggler and ROS 2 open.",
  usage: "PATTERN... --output FILE",
  options: {
    output: { value: "FILE", summary: "the file to write; needs --allow-write=FILE" },
    observe: { summary: "leave no trace, and lose what is overwritten meanwhile" },
    foxglove: { summary: "write images and point clouds in Foxglove's schemas" },
    compression: { value: "NAME", summary: "zstd, the default, or none" },
  },
  examples: [
    "vring record '/cam/**' --output run.mcap",
    "vring record imu --output imu.mcap --timeout 60 --observe",
  ],
  async run({ names, options, out, end }) {
    const { output, observe, compression = "zstd" } = options;
    if (names.length === 0) throw new UsageError("Cannot record: pass a name or a pattern");
    if (typeof output !== "string") throw new UsageError("Cannot record: pass --output FILE");
    if (compression !== "zstd" && compression !== "none") {
      throw new UsageError(`Cannot use --compression ${compression}: pass zstd or none`);
    }
    const patterns = names.map(matcher);
    using file = newFile(output);
    out.line(`Recording into ${output}; Ctrl-C ends it.`);
    const matched = found({ names, options: {} });
    const [first] = matched;
    if (first === undefined) {
      out.remark(`${nothingFound({ names, options: {} })}; it may come later`);
    } else if (!matched.some(({ kind }) => kind === "topic")) {
      out.remark(`Only topics are recorded; ${harmless(first.name)} is of kind ${first.kind}`);
    }
    const report = await recordTopics(file.sink, {
      matches: (name) => patterns.some((isMatch) => isMatch(name)),
      until: end,
      observe: observe === true,
      foxglove: options.foxglove === true,
      compress: compression === "zstd",
    });
    for (const account of report.topics) out.object(account);
    out.table(
      ["TOPIC", "RECORDED", "LOST"],
      report.topics.map(({ topic, recorded, lost }) => [harmless(topic), recorded, lost]),
    );
    for (const { topic, reason } of report.refused) {
      out.object({ topic, reason });
      out.remark(`${harmless(topic)} was not recorded to the end: ${harmless(reason)}`);
    }
    out.line(`${output}: ${bytesInWords(report.bytes)}`);
    if (report.isFull) out.remark("The disk is full: the recording ended, and its file is whole");
    return report.isFull || report.refused.length > 0 ? Exit.problem : Exit.ok;
  },
};
