/**
 * A check of the tests themselves: changes one place of `src` at a time, as a mistake would, and
 * counts how many of these mutants the tests notice.
 *
 * Run as `deno task mutate`; `--help` lists the options. The places are chosen by seed, so two runs
 * with one seed on one tree try the same mutants. Each mutant runs in a copy of the tree, only
 * against the tests of its room and of the rooms that import it, and without type checks.
 *
 * @module
 */

import { parseArgs } from "node:util";

const HELP = `deno task mutate [--seed N] [--count N] [--room NAME] [--list]

  --seed N      which mutants are chosen (1)
  --count N     how many (60)
  --room NAME   only from src/NAME
  --list        print the mutants without running a test`;

/**
 * The tests of the rooms that import a room. A change in it runs the tests of the room itself, and
 * then these, one after the other until one fails.
 */
const TESTS_ABOVE: Record<string, readonly string[]> = {
  os: ["test/memory", "test/region"],
  memory: ["test/mirror_ring", "test/spsc", "test/circular", "test/region"],
  region: ["test/shared", "test/contract", "test/explore_test.ts"],
  wait: ["test/spsc", "test/contract", "test/explore_test.ts"],
  lane: ["test/spsc", "test/mpsc", "test/calls", "test/contract", "test/explore_test.ts"],
  layout: ["test/codec_test.ts", "test/region"],
  "codec.ts": ["test/spsc", "test/calls"],
  "streams.ts": ["test/spsc", "test/vdds"],
  "arguments.ts": ["test/misuse_test.ts", "test/contract"],
  "arrays.ts": ["test/misuse_test.ts", "test/contract"],
};

/** The time limit of each of them. */
const MINUTES_MAX = 6;

/** A mutant: one line of a file, and its replacement. */
interface Mutant {
  readonly path: string;
  readonly line: number;
  readonly before: string;
  readonly after: string;
}

/** Small wrong changes; each returns the mutated line, or undefined where it does not apply. */
const CHANGES: readonly ((line: string, previous: string) => string | undefined)[] = [
  (line) => replaced(line, / < /, " <= ") ?? replaced(line, / <= /, " < "),
  (line) => replaced(line, / > /, " >= ") ?? replaced(line, / >= /, " > "),
  (line) => replaced(line, / === /, " !== ") ?? replaced(line, / !== /, " === "),
  (line) => replaced(line, / && /, " || ") ?? replaced(line, / \|\| /, " && "),
  (line) => replaced(line, / \+ (?=[\w(])/, " - ") ?? replaced(line, / - (?=[\w(])/, " + "),
  (line) => replaced(line, / >>> 0/, ""),
  (line) => replaced(line, /\breturn true\b/, "return false"),
  (line) => replaced(line, /\breturn false\b/, "return true"),
  // a store, a ring or a release that never happens
  (line) =>
    /^\s+[\w.#!?[\]]+\.(store|storeFirst|ring|release|announce|close|add)\(.*\);/.test(line)
      ? ""
      : undefined,
  // a ring or a store that happens too early
  (line, previous) =>
    /^\s+[\w.#!?[\]]+\.(ring|store)\(.*\);/.test(line) && /;\s*(\/\/.*)?$/.test(previous)
      ? `${line}\n${previous}`
      : undefined,
];

function replaced(line: string, pattern: RegExp, by: string): string | undefined {
  return pattern.test(line) ? line.replace(pattern, by) : undefined;
}

const ROOT = new URL("../", import.meta.url);

/** Every possible mutant, in the order of the files. */
function allMutants(room: string | undefined): Mutant[] {
  const mutants: Mutant[] = [];
  const walk = (folder: string) => {
    for (const { name, isDirectory } of sorted(folder)) {
      if (isDirectory) walk(`${folder}${name}/`);
      else if (name.endsWith(".ts") && name !== "prebuilt.ts") addFrom(`${folder}${name}`, mutants);
    }
  };
  walk(room === undefined ? "src/" : `src/${room}/`);
  return mutants;
}

function sorted(folder: string): Deno.DirEntry[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].sort((a, b) => a.name < b.name ? -1 : 1);
}

function addFrom(path: string, mutants: Mutant[]): void {
  const lines = Deno.readTextFileSync(new URL(path, ROOT)).split("\n");
  for (const [index, text] of lines.entries()) {
    const isCode = !/^\s*(\*|\/\*|\/\/|import\b|export \{|export type\b|\})/.test(text);
    if (!isCode || /["`].* [<>&|=+-]+ .*["`]/.test(text)) continue; // operators in messages
    for (const change of CHANGES) {
      const after = change(text, lines[index - 1] ?? "");
      if (after !== undefined) mutants.push({ path, line: index + 1, before: text, after });
    }
  }
}

/** A small generator of numbers from 0 to 1 (mulberry32), the same on every machine. */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

function choose(mutants: Mutant[], count: number, seed: number): Mutant[] {
  const next = numbersFrom(seed);
  const chosen: Mutant[] = [];
  while (chosen.length < count && mutants.length > 0) {
    chosen.push(...mutants.splice(Math.floor(next() * mutants.length), 1));
  }
  return chosen;
}

function testsFor(path: string): string[] {
  const [, room = ""] = path.split("/");
  const own = `test/${room.replace(".ts", "_test.ts")}`;
  const above = TESTS_ABOVE[room] ?? ["test/contract", "test/explore_test.ts"];
  return [own, ...above].filter((test) => exists(test));
}

function exists(path: string): boolean {
  const [folder, name] = path.split("/");
  return [...Deno.readDirSync(new URL(folder!, ROOT))].some((entry) => entry.name === name);
}

/** How tests end: they pass, they fail, or they are still running at the limit. */
type Outcome = "pass" | "fail" | "hang";

async function runTests(tree: string, test: string): Promise<Outcome> {
  const { code } = await new Deno.Command("timeout", {
    args: [
      "--kill-after=10",
      `${MINUTES_MAX}m`,
      Deno.execPath(),
      "test",
      "--allow-all",
      "--no-check",
      "--fail-fast",
      test,
    ],
    cwd: tree,
    stdout: "null",
    stderr: "null",
  }).output();
  if (code === 0) return "pass";
  return code === 124 || code === 137 ? "hang" : "fail";
}

/** Puts the mutant into the tree, runs the tests of its room, and takes it out again. */
async function tryMutant(tree: string, mutant: Mutant): Promise<Outcome> {
  const file = `${tree}/${mutant.path}`;
  const original = Deno.readTextFileSync(file);
  const lines = original.split("\n");
  // A change that includes the line before it replaces both.
  const [first, count] = mutant.after.includes("\n") ? [mutant.line - 2, 2] : [mutant.line - 1, 1];
  lines.splice(first, count, mutant.after);
  Deno.writeTextFileSync(file, lines.join("\n"));
  try {
    for (const test of testsFor(mutant.path)) {
      const outcome = await runTests(tree, test);
      if (outcome !== "pass") return outcome;
    }
    return "pass";
  } finally {
    Deno.writeTextFileSync(file, original);
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      count: { type: "string", default: "60" },
      room: { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const all = allMutants(values.room);
  const chosen = choose(all.slice(), Number(values.count), Number(values.seed));
  console.log(`${chosen.length} of ${all.length} mutants, seed ${values.seed}`);
  const counts = { pass: 0, fail: 0, hang: 0 };
  const tree = Deno.makeTempDirSync({ prefix: "vring-mutants-" });
  try {
    await copyTree(tree);
    if (!values.list) await checkUnchanged(tree, chosen);
    for (const [index, mutant] of chosen.entries()) {
      const outcome = values.list ? undefined : await tryMutant(tree, mutant);
      if (outcome !== undefined) counts[outcome]++;
      const word = outcome && { pass: " survived", fail: " caught", hang: " hung" }[outcome];
      console.log(`${index + 1}.${word ?? ""} ${mutant.path}:${mutant.line}`);
      if (outcome === "fail") continue;
      for (const line of mutant.before.split("\n")) console.log(`   - ${line.trim()}`);
      for (const line of mutant.after.split("\n")) console.log(`   + ${line.trim()}`);
    }
  } finally {
    Deno.removeSync(tree, { recursive: true });
  }
  if (!values.list) {
    console.log(`${counts.fail} caught, ${counts.hang} hung, ${counts.pass} survived`);
  }
  return 0;
}

/** A mutant is caught only if the same tests pass without it. */
async function checkUnchanged(tree: string, mutants: readonly Mutant[]): Promise<void> {
  for (const test of new Set(mutants.flatMap(({ path }) => testsFor(path)))) {
    if (await runTests(tree, test) === "pass") continue;
    throw new Error(`Cannot judge mutants: ${test} does not pass without one; mend that first`);
  }
}

/** Copies the files of the working tree that git tracks. */
async function copyTree(tree: string): Promise<void> {
  const command = 'git ls-files -z | xargs -0 cp --parents -t "$0"';
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-c", command, tree],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

if (import.meta.main) Deno.exit(await main());
