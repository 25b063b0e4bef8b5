/**
 * Every barrier in the sources: the pair that it belongs to, and the scenario that goes wrong in a
 * search of weak memory once it is removed. The fences of the native library are those of
 * `storeFirst` and `loadLast`.
 *
 * @module
 */

/** The operations that are barriers, and what is left of each once the barrier is removed. */
const WEAKER = {
  storeFirst: "store",
  storeInOrder: "store",
  loadLast: "load",
  copyOutThenLoad: "copyOutThenAcquire",
  storeThenLoad: "storePlainlyThenLoad",
  storeThenGlance: "storePlainlyThenGlance",
  orderOthers: "Boolean", // does nothing
} as const;

/** A place in src where the order of memory is asked for. */
export interface Barrier {
  /** The file in src. */
  readonly file: string;
  /** The operation, in enough of its line to be the only such place. */
  readonly code: string;
  /** The pair that it belongs to, in its file. */
  readonly pair: string;
  /** The scenario that goes wrong without it. */
  readonly scenario: string;
  /** More than one preemption or reordering, if it needs them. */
  readonly options?: readonly string[];
}

/** All of them. */
export const BARRIERS: readonly Barrier[] = [
  {
    file: "circular/writer.ts",
    code: "ring.oldest.storeFirst(",
    pair: "P1: `oldest` moves before a byte is overwritten",
    scenario: "circular-lap",
  },
  {
    file: "circular/cursor.ts",
    code: "copyOutThenLoad(mapping, start",
    pair: "P1: `oldest` is read after the copy",
    scenario: "circular-lap",
  },
  {
    file: "circular/cursor.ts",
    code: "const oldest = this.ring.oldest.loadLast()",
    pair: "P1: `oldest` is read after the bytes in place",
    scenario: "circular-poll",
  },
  {
    file: "circular/cursor.ts",
    code: "return ring.oldest.loadLast()",
    pair: "P1: `oldest` is read after the head of a record to begin with",
    scenario: "circular-join",
  },
  {
    file: "babus/slot_words.ts",
    code: "]!.storeFirst(0)",
    pair: "P1: no byte is changed before the stamp is 0",
    scenario: "babus-copy",
    options: ["--preemptions", "2"],
  },
  {
    file: "babus/slot_words.ts",
    code: "copyOutThenLoad(mapping, this.messageAt",
    pair: "P1: the stamp is read after the copy",
    scenario: "babus-copy",
  },
  {
    file: "babus/slot_words.ts",
    code: "]!.loadLast() === sequence",
    pair: "P1: the stamp is read after the bytes in place",
    scenario: "babus-view",
    options: ["--preemptions", "2", "--reorderings", "2"], // it is read twice
  },
  {
    file: "vdds/vring_reader.ts",
    code: "this.words.first.loadLast()",
    pair: "a row is searched after the newest sequence is known",
    scenario: "vdds-lap",
  },
  {
    file: "vdds/descriptors.ts",
    code: "this.#number(d).storeFirst(0)",
    pair: "P6: no byte of a sample is changed before its number is 0",
    scenario: "vdds-observer-drop",
  },
  {
    file: "vdds/vring_writer.ts",
    code: "ring.latest.storeInOrder(",
    pair: "P6: that order for a descriptor that is taken just before",
    scenario: "twin-topic-one-look",
    options: ["--preemptions", "1", "--reorderings", "2"], // the number and the store itself
  },
  {
    file: "vdds/descriptors.ts",
    code: "this.#number(d).loadLast()",
    pair: "P6: the number is read after the copy",
    scenario: "vdds-observer-drop",
    options: ["--preemptions", "1", "--reorderings", "2"], // it is read twice
  },
  {
    file: "wait/doorbell.ts",
    code: "word.storeThenGlance(value, this.word)",
    pair: "the pair of each ring: a published message is visible first",
    scenario: "spsc-bytes",
  },
  {
    file: "wait/doorbell.ts",
    code: "orderOthers(); // P1",
    pair: "P1 of the bell: raised before the look, and published before the load",
    scenario: "doorbell-publish",
  },
  {
    file: "wait/doorbell.ts",
    code: "this.answer(word.storeThenLoad(value, this.word))",
    pair: "P1 of a bell with a fence, and the pair of topics: a sample is visible first",
    scenario: "vdds-wait",
  },
  {
    file: "lane/fan_in.ts",
    code: "head.storeThenLoad(value, this.#hint)",
    pair: "a message is visible before the head of its lane",
    scenario: "mpsc-flow",
  },
];

const SITE = new RegExp(`\\b(${Object.keys(WEAKER).join("|")})\\(`);

/** Returns the operation of a barrier. */
export function operationOf({ code }: Barrier): keyof typeof WEAKER {
  return SITE.exec(code)![1] as keyof typeof WEAKER;
}

/** Returns the lines of a source that ask for order. */
export function sitesIn(source: string): string[] {
  return source.split("\n").map((line) => line.trim()).filter((line) =>
    SITE.test(line) && !line.startsWith("import") && !/^storeFirst\(|new Head\(\)/.test(line)
  );
}

/** The sources. */
export const SRC = new URL("../../src/", import.meta.url);

/** Returns the source of a file without a barrier, to be run from anywhere. */
export function without(source: string, barrier: Barrier): string {
  const operation = operationOf(barrier);
  const weaker = source.replace(barrier.code, (code) => code.replace(operation, WEAKER[operation]));
  const words = new URL("memory/word.ts", SRC);
  const added = operation === "copyOutThenLoad"
    ? `import { ${WEAKER[operation]} } from "${words}";\n`
    : "";
  return added + anywhere(weaker, barrier.file);
}

/** Returns a source of src with imports that hold anywhere. */
export function anywhere(source: string, file: string): string {
  const url = new URL(file, SRC);
  return source.replaceAll(/ from "(\..*?)"/g, (_, path) => ` from "${new URL(path, url)}"`);
}

/** Writes what the explorer needs to run without a barrier; returns the path of an import map. */
export async function prepare(folder: string, barrier: Barrier): Promise<string> {
  const source = await Deno.readTextFile(new URL(barrier.file, SRC));
  return await replaceFile(folder, barrier.file, without(source, barrier));
}

/** Writes another source of a file, and an import map of the explorer with it; returns its path. */
export async function replaceFile(folder: string, file: string, source: string): Promise<string> {
  const weaker = `${folder}/weaker.ts`;
  await Deno.writeTextFile(weaker, source);
  const map = new URL("import_map.json", import.meta.url);
  const { imports } = JSON.parse(await Deno.readTextFile(map)) as {
    imports: Record<string, string>;
  };
  const absolute = Object.entries(imports).map((pair) =>
    pair.map((path) => `${new URL(path, map)}`)
  );
  const replaced = {
    ...Object.fromEntries(absolute),
    [`${new URL(file, SRC)}`]: `file://${weaker}`,
  };
  const path = `${folder}/import_map.json`;
  await Deno.writeTextFile(path, JSON.stringify({ imports: replaced }));
  return path;
}

/** Searches scenarios in weak memory by an import map, and returns the first that goes wrong. */
export async function firstFinding(
  map: string,
  args: readonly string[],
): Promise<{ name: string; kind: string } | undefined> {
  const main = new URL("main.ts", import.meta.url).pathname;
  const deno = ["run", "--no-check", "--no-config", "--no-lock", "--import-map", map, main];
  const command = new Deno.Command(Deno.execPath(), {
    args: [...deno, "--weak", "--bail", "--json", ...args],
    stderr: "inherit",
  });
  const { code, stdout } = await command.output();
  if (code > 1) throw new Error(`the explorer failed for ${args.join(" ")}`);
  const told = new TextDecoder().decode(stdout).trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  const wrong = told.find(({ expected }) => !expected);
  return wrong && { name: wrong.name, kind: wrong.finding?.kind ?? wrong.result };
}

/** Returns the table of the README. */
export function tableOf(barriers: readonly Barrier[]): string {
  const rows = barriers.map((barrier) =>
    `| ${barrier.file} | \`${operationOf(barrier)}\` | ${barrier.pair} | \`${barrier.scenario}\` |`
  );
  return rows.join("\n");
}
