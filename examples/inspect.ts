/**
 * Looks at shared memory of programs that it does not know: it lists every region with its sizes,
 * and shows the type and the samples of a topic. Every region describes itself. With `--sweep` it
 * removes what killed programs have left.
 *
 * Run it beside any program, such as the publisher of scans:
 *
 *     deno run --allow-ffi examples/vdds_pub.ts
 *     deno run --allow-ffi examples/inspect.ts
 *     deno run --allow-ffi examples/inspect.ts --topic NAME
 *     deno run --allow-ffi examples/inspect.ts --sweep
 *
 * @module
 */

import { describedType, type RegionInfo, regions, sweep, topic, VringError } from "../mod.ts";
import { endAfter, options } from "./terminal.ts";

async function main(): Promise<void> {
  const { topic: name, seconds, sweep: sweeps } = options({ topic: "", seconds: 3, sweep: false });
  if (sweeps) return sweep().forEach(({ kind, name }) => console.log(`removed ${kind} ${name}`));
  if (name !== "") return await show(name, endAfter(seconds));
  for (const region of regions()) console.log(`${region.kind} ${region.name}\n${about(region)}`);
}

/** The description of a region, line by line. */
function about({ details, problem, inUse }: RegionInfo): string {
  if (details === undefined) return `  ${problem}`;
  const { type, geometry = {}, policy = {} } = details;
  const settings = Object.entries({ ...geometry, ...policy });
  return [
    `  ${inUse ? "in use" : "not in use"}, ${type?.name ?? "no message type"}`,
    ...settings.map(([name, value]) => `  ${name} ${value}`),
  ].join("\n");
}

/** Prints the definition of a topic's type, and the samples that arrive until the end. */
async function show(name: string, end: AbortSignal): Promise<void> {
  const details = topic(name).info()?.details;
  if (details?.type === undefined) {
    throw new VringError(`Cannot show topic "${name}": it does not exist; start its publisher`);
  }
  const type = describedType(details.type);
  console.log(type.layout?.toDefinition() ?? `Its messages are "${type.type.name}".\n`);
  using subscriber = topic(name, { type, ...details.geometry, ...details.policy }).subscriber();
  for await (const sample of subscriber.samples({ until: end })) {
    console.log(type.layout?.inspect(sample.bytes) ?? sample.value);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, all the subscribers that the topic has room for
  Deno.exitCode = 1;
}
