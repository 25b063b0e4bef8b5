/**
 * Counts what each hot operation costs, and compares that with the table in cost/table.md: the
 * accesses to shared memory, the native calls, and the bytes that the engine allocates. None of
 * this depends on time, so a regression shows on any machine.
 *
 * `deno run --allow-all test/cost_test.ts --write` writes the table again. Its difference shows what
 * a change costs.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Cost } from "./cost/child.ts";

const FOLDER = new URL("cost/", import.meta.url);
const TABLE = new URL("table.md", FOLDER);
const VERSION = Deno.version.deno;

/** The engine compiles on the thread that runs, and never collects: the bytes are the same each time. */
const STEADY = "--v8-flags=--single-threaded,--min-semi-space-size=64,--max-semi-space-size=64";

const INTRODUCTION = `# What each operation costs

\`test/cost_test.ts\` compares this table with the code, and writes it again when it is run with
\`--write\`. Both ends of each operation are handles of one process, and nothing has to be awaited. A
fraction counts work that happens once in many operations.

- Words: the operations of \`Word32\` and \`Word64\`, by their names there. Each is atomic.
- Plain: copies, numbers and views that are no atomic operations. A \`view\` is a new array over
  shared memory.
- Native: calls of the native library, by their names without \`vring_\`. Some words are native calls,
  and count there too.
- Bytes: the memory that the engine allocates, in Deno `;

/** Bytes more that are chance: the engine may box a number or two .. */
const SPARE_BYTES = 16;

/** .. and may compile a long operation otherwise. */
const SPARE_SHARE = 1 / 8;

/** The cells of an operation after its name: words, plain, native, bytes. */
type Row = [words: string, plain: string, native: string, bytes: string];

const HEAD = ["operation", "words", "plain", "native", "bytes"];

/** Runs the child, and returns the costs by the names of the operations. */
async function costs(what: string, ...flags: string[]): Promise<Map<string, Cost>> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", ...flags, new URL("child.ts", FOLDER).href, what],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new Map(JSON.parse(new TextDecoder().decode(stdout)));
}

async function measuredRows(): Promise<Map<string, Row>> {
  const map = new URL("import_map.json", FOLDER).href;
  const [counts, bytes] = await Promise.all([
    costs("count", `--import-map=${map}`),
    costs("bytes", STEADY),
  ]);
  return new Map(
    [...counts].map(([name, cost]): [string, Row] => {
      assert(typeof cost === "object");
      const allocated = bytes.get(name);
      return [name, [
        inWords(cost.words),
        inWords(cost.plain),
        inWords(cost.native),
        allocated === undefined ? "" : String(allocated),
      ]];
    }),
  );
}

/** Such as `load 2, store`, in the order of the alphabet. */
function inWords(numbers: Record<string, number>): string {
  return Object.entries(numbers).sort(([a], [b]) => a < b ? -1 : 1).map(([name, number]) =>
    number === 1 ? name : `${name} ${Number(number.toFixed(2))}`
  ).join(", ");
}

function readTable(): { rows: Map<string, Row>; version: string } {
  const text = Deno.readTextFileSync(TABLE);
  const lines = text.split("\n").filter((line) => line.startsWith("| ")).slice(2);
  const rows = lines.map((line): [string, Row] => {
    const [name, ...cells] = line.split("|").slice(1, -1).map((cell) => cell.trim());
    return [name!, cells as Row];
  });
  return { rows: new Map(rows), version: /Deno ([\d.]+\d)/.exec(text)?.[1] ?? "" };
}

async function writeTable(): Promise<void> {
  const lines = [...await measuredRows()].map(([name, row]) => `| ${[name, ...row].join(" | ")} |`);
  const rule = `| ${HEAD.map((_, i) => i === 4 ? "--:" : "---").join(" | ")} |`;
  const table = [`| ${HEAD.join(" | ")} |`, rule, ...lines].join("\n");
  Deno.writeTextFileSync(TABLE, `${INTRODUCTION}${VERSION}.\n\n${table}\n`);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", TABLE.pathname] }).output();
}

/** The differences, one a line; bytes count if they are more, in the version of the table. */
function differences(
  table: Map<string, Row>,
  measured: Map<string, Row>,
  countsBytes: boolean,
): string[] {
  const names = new Set([...table.keys(), ...measured.keys()]);
  return [...names].flatMap((name) => {
    const [before, after] = [table.get(name), measured.get(name)];
    if (before === undefined || after === undefined) {
      return [`${name}: ${before === undefined ? "not in the table" : "only in the table"}`];
    }
    return HEAD.slice(1).flatMap((kind, i) => {
      const [old, now] = [before[i]!, after[i]!];
      const differs = kind === "bytes"
        ? countsBytes &&
          Number(now) > Number(old) + Math.max(SPARE_BYTES, Number(old) * SPARE_SHARE)
        : old !== now;
      return differs ? [`${name}, ${kind}: ${old || "nothing"} -> ${now || "nothing"}`] : [];
    });
  });
}

Deno.test("each operation costs what the table says", async () => {
  const { rows, version } = readTable();
  const found = differences(rows, await measuredRows(), version === VERSION);
  const remedy = "if this is intended, run: deno run --allow-all test/cost_test.ts --write";
  assertEquals(found, [], remedy);
});

Deno.test("a difference is a word more or less, a missing row, or many bytes more", () => {
  const table = new Map<string, Row>([
    ["same", ["load", "", "", "0"]],
    ["word", ["load", "", "", "0"]],
    ["few bytes", ["load", "", "", "100"]],
    ["many bytes", ["load", "", "", "100"]],
    ["gone", ["load", "", "", "0"]],
  ]);
  const measured = new Map<string, Row>([
    ["same", ["load", "", "", "0"]],
    ["word", ["", "", "", "0"]],
    ["few bytes", ["load", "", "", "110"]],
    ["many bytes", ["load", "", "", "200"]],
    ["new", ["load", "", "", "0"]],
  ]);
  assertEquals(differences(table, measured, true), [
    "word, words: load -> nothing",
    "many bytes, bytes: 100 -> 200",
    "gone: only in the table",
    "new: not in the table",
  ]);
});

/** What moves no byte of shared memory, or only for tests. */
const UNCOUNTED = [
  "commitView",
  "commitData",
];

Deno.test("every function of word.ts is counted, or costs nothing", async () => {
  const shipped = await import("../src/memory/word.ts?real"); // as the import map names it
  const counting = await import("./cost/word.ts");
  const functions = Object.entries(shipped).filter(([name, value]) =>
    typeof value === "function" && !name.startsWith("Word")
  );
  const uncounted = functions.filter(([name, value]) =>
    (counting as Record<string, unknown>)[name] === value
  );
  assertEquals(uncounted.map(([name]) => name).sort(), UNCOUNTED.toSorted());
});

if (import.meta.main && Deno.args.includes("--write")) await writeTable();
