/**
 * A check of the judges: changes one place of each solution at a time, as a mistake would, and counts
 * how many of these mutants the checks of the exercise refuse.
 *
 * Run as `deno task mutate:answers`; numbers after it choose chapters, `--seed N` chooses the mutants,
 * and `--count N` how many of each solution (all by default). A mutant that is as right as the
 * solution survives: SURVIVORS lists those, each with the argument. The exit status is 0 only if the
 * judges refuse 95 % or more of all others, and 1 otherwise.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { type Chapter, CHAPTERS } from "../tutorials/stage/chapters.ts";
import { judgeFile } from "../tutorials/stage/judge.ts";

/** What a mutant must reach: the share that is refused. */
const SHARE = 0.95;
const LIMIT_MS = 2500;

const ANSWERS = new URL("../tutorials/answers/", import.meta.url);

/** A solution with one line changed. */
interface Mutant {
  readonly folder: string;
  readonly before: string;
  readonly after: string;
  readonly text: string;
}

const FD = "fd 0 is the standard input, so memfd() never returns it";
const OWN = "both are the bridge's own, and nothing is called in between";
const PRIVATE = "nobody else sees this ring between the two statements";
const ZERO = "the kernel maps nothing at address 0";

/** Mutants that are right, by their changed lines, and why. */
const SURVIVORS: readonly (readonly [mutant: string, argument: string])[] = [
  ["03_memory_file: const reserved = allocate(fd, 1, length);", "reserves one byte too many"],
  ["03_memory_file: if (fd <= 0) return fd;", FD],
  ["03_memory_file: if (fd < 1) return fd;", FD],
  [
    "04_two_addresses: return first.inode !== 1 && first.inode === second.inode &&",
    "without an inode memory is anonymous and private, and the permissions are compared too",
  ],
  ["05_mirror_ring: if (mapped >= 1) return base;", ZERO],
  ["05_mirror_ring: if (mapped > 0) {", ZERO],
  ["05_mirror_ring: if (mapped >= 1) {", ZERO],
  ["05_mirror_ring: if (base <= 0) return base;", ZERO],
  ["05_mirror_ring: if (base < 1) return base;", ZERO],
  ["05_mirror_ring: if (mapped > 0) return base;", ZERO],
  [
    "08_shared_memory: purses.ben = purses.note2; purses.ann = purses.note1;",
    "the note is valid, so both purses can be stored in either order",
  ],
  [
    "08_shared_memory: purses.note2 = purses.ben + coins; purses.note1 = purses.ann - coins;",
    "the note is not valid yet, so its halves can be stored in either order",
  ],
  [
    "14_explorer: if (isLost(game, state)) return { states: seen.size, lost: path }; seen.add(key);",
    "how many states were seen before a loss is not told to anyone",
  ],
  ["16_leapfrog_ring: ring.show(start); ring.left = first + capacity;", PRIVATE],
  ["16_leapfrog_ring: ring.show(start + capacity); ring.show(start);", PRIVATE],
  ["16_leapfrog_ring: ring.first = start; ring.head -= ring.left - start;", PRIVATE],
  ["16_leapfrog_ring: if (ring.left !== 0) ring.hide(ring.left); ring.hide(first);", PRIVATE],
  ["16_leapfrog_ring: ring.tail -= ring.left - start; ring.show(start + capacity);", PRIVATE],
  ["16_leapfrog_ring: ring.head -= ring.left - start; ring.tail -= ring.left - start;", PRIVATE],
  ["16_leapfrog_ring: ring.first = first + capacity; ring.show(first + 2 * capacity);", PRIVATE],
  ["16_leapfrog_ring: ring.left = 0; ring.first = first + capacity;", PRIVATE],
  [
    "17_many_producers: for (let i = 1; i <= ring.lanes || mind.bits !== 0; i++) {",
    "goes round until no bit is left, which is after the first round",
  ],
  [
    "19_vdds: screen.draw(sample.bytes); if (sample.lost > 0) screen.missed(sample.lost);",
    "the task does not say which comes first",
  ],
  [
    "20_any_of_many: news |= 1 << slot; mind.seen[slot] = sequence;",
    "both are the listener's own",
  ],
  ["22_calls: failed.push(number); call.waits = false;", "both are the client's own"],
  [
    "22_calls: mind.calls[number] = undefined; if (call.waits) failed.push(number);",
    "the call is read before, so its place can be emptied first",
  ],
  ["23_bridge: mind.published = number; account.published++;", OWN],
  [
    "23_bridge: account.before += before; " +
    "account.wire += first - mind.last - 1 - before - inside;",
    OWN,
  ],
  ["23_bridge: account.inside += inside; account.before += before;", OWN],
  ["23_bridge: mind.last = end; account.inside += inside;", OWN],
  [
    "23_bridge: if (end < mind.last) return;",
    "a message that ends at the last number has nothing new, and changes no total",
  ],
  ["24_your_ring: if (mapped >= 1) return base;", ZERO],
  ["24_your_ring: if (mapped > 0) {", ZERO],
  ["24_your_ring: if (mapped >= 1) {", ZERO],
  ["24_your_ring: if (base <= 0) return base;", ZERO],
  ["24_your_ring: if (base < 1) return base;", ZERO],
  ["24_your_ring: if (mapped > 0) return base;", ZERO],
  ["24_your_ring: #last = 1;", "any lane may be the first"],
  ...[
    'this.#bell = bell; this.#tail = memory.word("tail");',
    'this.#head = memory.word("head"); this.#memory = memory;',
    'this.#tail = memory.word("tail"); this.#head = memory.word("head");',
    'this.#rings = lanes.map((lane) => new Ring(lane)); this.#bell = lanes[0]!.word("bell");',
  ].map((lines) => [`24_your_ring: ${lines}`, "fields of a new object, in another order"] as const),
];

/** Small wrong changes; each returns the changed line, or undefined where it does not apply. */
const CHANGES: readonly ((line: string) => string | undefined)[] = [
  (line) => replaced(line, / < /, " <= ") ?? replaced(line, / <= /, " < "),
  (line) => replaced(line, / >= /, " > ") ?? replaced(line, / > /, " >= "),
  (line) => replaced(line, / === /, " !== ") ?? replaced(line, / !== /, " === "),
  (line) => replaced(line, / && /, " || ") ?? replaced(line, / \|\| /, " && "),
  (line) => replaced(line, / \+ (?=[\w(])/, " - ") ?? replaced(line, / - (?=[\w(])/, " + "),
  (line) => replaced(line, / >>> 0/, "") ?? replaced(line, />>> 2/, ">> 2"),
  (line) => replaced(line, /\b1\b/, "2") ?? replaced(line, /\b0\b/, "1"),
  (line) => replaced(line, / \| /, " & ") ?? replaced(line, / & /, " | "),
  (line) => replaced(line, /\btrue\b/, "false") ?? replaced(line, /\bfalse\b/, "true"),
  (line) => replaced(line, /Math\.floor/, "Math.ceil"),
  // a statement that is left out; declarations stay, since without them nothing runs
  (line) => /^ +(?!const|let|return|\}|using|for|try)\S.*;/.test(line) ? "" : undefined,
  (line) => /^ +if \(.*\) return .*;$/.test(line) ? "" : undefined,
];

function replaced(line: string, pattern: RegExp, by: string): string | undefined {
  return pattern.test(line) ? line.replace(pattern, by) : undefined;
}

/** Every mutant of a solution: one changed line each, and two neighbours that change places. */
function mutantsOf(folder: string): Mutant[] {
  const text = Deno.readTextFileSync(new URL(`${folder}.ts`, ANSWERS))
    .replaceAll(/from "(\.\.?\/[^"]+)"/g, (_, path) => `from "${new URL(path, ANSWERS).href}"`);
  const lines = text.split("\n");
  // Types are not run, and fields are only declared.
  const isHead = (line: string) => /^(export )?(function|class) |^ +readonly |\): .*\{$/.test(line);
  const first = lines.findIndex(isHead);
  const mutants: Mutant[] = [];
  const add = (at: number, count: number, after: string) => {
    const changed = lines.toSpliced(at, count, after).join("\n");
    const before = lines.slice(at, at + count).join("\n").trim();
    mutants.push({ folder, before, after: after.trim(), text: changed });
  };
  for (let at = first; at < lines.length - 2; at++) {
    if (isHead(lines[at]!)) continue;
    for (const change of CHANGES) {
      const after = change(lines[at]!);
      if (after !== undefined) add(at, 1, after);
    }
    const [one, other] = [lines[at]!, lines[at + 1]!];
    const isStatement = (line: string) =>
      /^ +(?!const|let|return|using|readonly|#)[\w.#]+.*;/.test(line);
    if (isStatement(one) && isStatement(other)) add(at, 2, `${other}\n${one}`);
  }
  return mutants;
}

/** Chooses so many by a seed. */
function chosen(mutants: Mutant[], count: number, seed: number): Mutant[] {
  let state = seed >>> 0;
  const weight = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
  const weighted = mutants.map((mutant) => ({ mutant, weight: weight() }));
  return weighted.sort((a, b) => a.weight - b.weight).slice(0, count).map(({ mutant }) => mutant);
}

function nameOf({ folder, after }: Mutant): string {
  return `${folder}: ${after.replaceAll(/\s+/g, " ")}`;
}

async function isRefused({ text }: Mutant, folder: string, chapter: Chapter): Promise<boolean> {
  const file = new URL(`file://${folder}/mutant.ts`);
  await Deno.writeTextFile(file, text);
  const { limitMs = LIMIT_MS, allow = [] } = chapter;
  const { verdict } = await judgeFile(file, { types: false, limitMs, allow });
  return verdict !== "solved";
}

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: { seed: { type: "string" }, count: { type: "string" } },
});
const { seed = "1", count = "1000" } = values;
const folder = await Deno.makeTempDir();
let [tried, refused, right] = [0, 0, 0];
for (const chapter of CHAPTERS) {
  if (positionals.length > 0 && !positionals.includes(`${chapter.number}`)) continue;
  const mutants = chosen(mutantsOf(chapter.folder), Number(count), Number(seed));
  let own = 0;
  for (const mutant of mutants) {
    if (await isRefused(mutant, folder, chapter)) {
      own++;
      continue;
    }
    const argument = SURVIVORS.find(([name]) => name === nameOf(mutant))?.[1];
    if (argument !== undefined) right++;
    console.log(`survives  ${nameOf(mutant)}\n    in place of ${mutant.before}`);
    console.log(`    ${argument ?? "not argued"}`);
  }
  tried += mutants.length;
  refused += own;
  console.log(`${chapter.folder}: ${own} of ${mutants.length} refused`);
}
await Deno.remove(folder, { recursive: true });
const share = refused / (tried - right);
console.log(
  `${refused} of ${tried} refused; ${right} of the others are right. ` +
    `That is ${(100 * share).toFixed(1)} % of the wrong ones.`,
);
Deno.exit(share >= SHARE ? 0 : 1);
