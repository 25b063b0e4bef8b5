/**
 * Removes one barrier from the reader of the library's circular buffer, and lets the explorer search
 * for the harm in weak memory, as on Arm.
 *
 *     deno run --allow-read --allow-write --allow-run tutorials/11_memory_order/torn_read.ts
 *
 * Or remove it yourself: `copy` writes the reader's source to tutorials/mine/cursor.ts, you edit it,
 * and `mine` searches.
 *
 *     deno run --allow-read --allow-write --allow-run tutorials/11_memory_order/torn_read.ts copy
 *     deno run --allow-read --allow-write --allow-run tutorials/11_memory_order/torn_read.ts mine
 *
 * @module
 */

import { anywhere, BARRIERS, replaceFile, SRC, without } from "../../test/explore/barriers.ts";

/** The scenario: a writer overtakes a reader that copies a message. */
const SCENARIO = "circular-lap";

/** The barrier: after its copy, the reader looks whether the writer has overtaken it. */
const BARRIER = BARRIERS.find(({ file, code }) =>
  file === "circular/cursor.ts" && code.startsWith("copyOutThenLoad(")
)!;

const MINE = "tutorials/mine/cursor.ts";

async function main(): Promise<void> {
  const [way = "all", file = MINE, ...others] = Deno.args;
  const ways: Record<string, (file: string) => Promise<void>> = { all, copy, mine, broken };
  if (others.length > 0 || !Object.hasOwn(ways, way)) {
    console.error("Cannot run: pass copy or mine, perhaps with a file, or broken, or nothing");
    Deno.exit(2);
  }
  await ways[way]!(file);
}

/** The shipped reader, and then the same without the barrier. */
async function all(): Promise<void> {
  console.log(`The shipped reader (src/${BARRIER.file}), in every order of weak memory:\n`);
  const { summary } = await explore(anywhere(await shippedSource(), BARRIER.file));
  console.log(`  ${summary}\n`);
  await broken();
}

/** The reader without the barrier. */
async function broken(): Promise<void> {
  const source = await shippedSource();
  const weaker = without(source, BARRIER);
  console.log("The reader without the barrier between its copy and its look:\n");
  console.log(`  - ${lineWith(source, "copyOutThenLoad(mapping, start")}`);
  console.log(`  + ${lineWith(weaker, "copyOutThenAcquire(mapping, start")}\n`);
  tell(await explore(weaker));
}

/** Writes the shipped reader to a file of yours, unless the file exists. */
async function copy(file: string): Promise<void> {
  await Deno.mkdir(file.replace(/[^/]*$/, "") || ".", { recursive: true });
  await Deno.writeTextFile(file, await shippedSource(), { createNew: true });
  console.log(`Written to ${file}.\n`);
  console.log("In its method copy(), replace copyOutThenLoad() by a copy and a load, as if the");
  console.log("order did not matter:\n");
  console.log("  copyOut(mapping, start, target, length);\n  const oldest = word.load();\n");
  console.log("Import copyOut in place of copyOutThenLoad. Then run this program with mine.");
}

/** Searches with your reader. */
async function mine(file: string): Promise<void> {
  console.log(`Your reader, in every order of weak memory:\n\n  ${file}\n`);
  tell(await explore(anywhere(await Deno.readTextFile(file), BARRIER.file)));
}

function shippedSource(): Promise<string> {
  return Deno.readTextFile(new URL(BARRIER.file, SRC));
}

function lineWith(source: string, text: string): string {
  const line = source.split("\n").find((line) => line.includes(text)) ?? "";
  return line.trim().replace(/ *\/\/.*/, "");
}

/** What the explorer has printed. */
interface Search {
  /** How much was searched, and whether a defect was found. */
  readonly summary: string;
  /** The steps of the run that went wrong; none if all went well. */
  readonly trace: readonly string[];
  /** How to replay that run. */
  readonly replay: string | undefined;
}

/** Searches the scenario in weak memory, with another source of the reader. */
async function explore(source: string): Promise<Search> {
  const folder = await Deno.makeTempDir();
  try {
    const map = await replaceFile(folder, BARRIER.file, source);
    const explorer = new URL("../../test/explore/main.ts", import.meta.url).pathname;
    const args = ["run", "--no-check", "--no-config", "--no-lock", "--import-map", map, explorer];
    const command = new Deno.Command(Deno.execPath(), {
      args: [...args, "--weak", "--bail", SCENARIO],
      env: { NO_COLOR: "1" },
      stderr: "inherit",
    });
    const { code, stdout } = await command.output();
    const search = searchOf(new TextDecoder().decode(stdout));
    if (code > 1 || search === undefined) {
      throw new Error("Cannot search: the explorer has failed; it says above why");
    }
    return search;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function searchOf(output: string): Search | undefined {
  const lines = output.split("\n");
  const summary = lines.find((line) => line.startsWith(`${SCENARIO} `));
  if (summary === undefined) return undefined;
  const trace = lines.filter((line) => /^ {4}\w+ {2}/.test(line)).map((line) => line.trim());
  const replay = lines.find((line) => line.includes("--replay"))?.trim();
  const [, runs, states] = summary.split(/ +/);
  const found = summary.endsWith("exhausted") ? "no defect" : "a defect";
  return { summary: `${runs} runs, ${states} states: ${found}`, trace, replay };
}

/** Prints the part of a run in which a message tears. */
function tell({ summary, trace, replay }: Search): void {
  console.log(`  ${summary}\n`);
  if (trace.length === 0) {
    console.log("No torn message was found: the barrier is still there.");
    return;
  }
  const early = trace.findIndex((line) => line.includes("(served early)"));
  const look = early === -1 ? trace.length - 1 : early;
  const halves = trace.flatMap((line, i) =>
    i < look && line.startsWith("reader") && line.includes("copy out") ? [i] : []
  );
  const begin = halves.at(-2) ?? 0;
  console.log(
    "The reader was given bytes of two messages. This is where it happens:\n",
  );
  for (const line of trace.slice(begin, look + 1).filter(matters)) {
    console.log(`  ${line.replaceAll("circular_buffer_control.", "")}`);
  }
  if (early !== -1) {
    console.log("\nThe last line is the reader's look whether it was overtaken. Its processor has");
    console.log("served that load early, before the second half was copied. So it saw the old");
    console.log("value, and believed bytes that were being overwritten.");
  }
  if (replay !== undefined) console.log(`\nTo replay it, on this source only:\n\n  ${replay}`);
}

/** Whether a step touches messages or the word `oldest`. */
function matters(step: string): boolean {
  return /copy (in|out)|\.oldest /.test(step);
}

await main();
