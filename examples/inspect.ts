/**
 * Looks at shared memory of programs that it does not know: it lists every region with its sizes,
 * and shows the type and the samples of a topic. Every region describes itself.
 *
 * Run it beside any program, such as the publisher of scans:
 *
 *     deno run --allow-ffi examples/vdds_pub.ts
 *     deno run --allow-ffi examples/inspect.ts
 *     deno run --allow-ffi examples/inspect.ts --topic NAME
 *
 * @module
 */

import { describedType, type RegionInfo, regions, Subscriber, VringError } from "../mod.ts";
import { endAfter, options } from "./ticker.ts";

async function main(): Promise<void> {
  const { topic, seconds } = options({ topic: "", seconds: 3 });
  if (topic !== "") return await show(topic, endAfter(seconds));
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
async function show(topic: string, end: AbortSignal): Promise<void> {
  const found = regions().find(({ kind, name }) => kind === "topic" && name === topic);
  const type = found?.details?.type;
  if (type === undefined) {
    throw new VringError(`Cannot show topic "${topic}": it does not exist; start its publisher`);
  }
  const codec = describedType(type);
  console.log(codec.layout?.toDefinition() ?? `Its messages are "${type.name}".\n`);
  using subscriber = Subscriber.open(topic, { codec, history: 1, keepOpen: true });
  while (!end.aborted) {
    const outcome = await subscriber.take({ signal: end }).catch(() => undefined); // at the end
    if (outcome?.state !== "ok") continue;
    using sample = outcome.sample;
    console.log(codec.layout?.inspect(sample.bytes) ?? sample.value);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, all the subscribers that the topic has room for
  Deno.exitCode = 1;
}
