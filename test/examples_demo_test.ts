/**
 * Runs the demo as `deno task demo` does, with the permissions that the task names: to its end, and
 * ended at several moments. It must leave no process and no memory.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { until } from "./os/until.ts";
import { hasTerminal, Program, sharedFiles, sideBySide, TerminalProgram } from "./program.ts";
import { isGone } from "./os/process_state.ts";

const test = sideBySide("the demo");

/** The program and the options of its task; every Program has the others. */
function words(): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("../deno.json", import.meta.url)));
  const words: string[] = tasks.demo.command.split(" ");
  assertEquals(words.splice(0, 3), ["deno", "run", "--allow-ffi"]); // as every Program is
  return words;
}

/** The demo, started as its task says. */
function demo(): Program {
  return new Program(...words());
}

/** The processes that its tables name. */
function pidsOf({ out }: Program): string[] {
  const rows = out.matchAll(/^(?:publisher|subscriber \d) +(\d+) /gm);
  return [...new Set(Array.from(rows, ([, pid]) => pid!))];
}

function isRunning(pid: string): boolean {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes("/examples/vdds_");
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

function assertNothingLeft(program: Program): void {
  assertEquals(pidsOf(program).filter(isRunning), []);
  const name = `.demo~${program.pid}`;
  assertEquals(sharedFiles(name).filter((file) => file.endsWith(name)), []);
}

const TIME = /^ *\d+\.\d s {2}in flight \d+ of 64, subscribers \d$/m;
const PUBLISHER = /^publisher +\d+ {2}publishes +[\d,]+ +[1-9][\d,]*$/m;
const SUBSCRIBER_1 = row("subscriber 1", "keeps up");
const SUBSCRIBER_2 = row("subscriber 2", "is slow");
const KILLED = /^subscriber 3 +\d+ {2}was killed +- +[\d,]+ +[\d,]+ +- +-$/m;
const BACK = row("subscriber 3", "is back");

/** A row of the table; a value that was not measured yet is a dash. */
function row(name: string, fate: string): RegExp {
  const age = String.raw`(?:-|[\d.]+ (?:us|ms))`;
  const figures = String.raw`(?:-|[\d,]+) +[\d,]+ +[\d,]+ +${age} +${age}`;
  return new RegExp(String.raw`^${name} +\d+ {2}${fate} +${figures}$`, "m");
}

const SENTENCES = new RegExp([
  String.raw` Nothing was copied: [1-9][\d,]* scans of 64 KiB \([1-9][\d,]* MB\) were written ` +
  String.raw`once, and read [1-9][\d,]* times in place \([1-9][\d,]* MB\)\.`,
  String.raw`Subscriber 1 kept up: it received [1-9][\d,]*, lost [\d,]+, and had half of them ` +
  String.raw`within [\d.]+ [um]s and 99 % within [\d.]+ [um]s\.`,
  String
    .raw`Subscriber 2 was slow: it received [1-9][\d,]* and learned that it lost [\d,]+; .+`,
  String.raw`Subscriber 3 was killed after [1-9][\d,]*: [\d,]+ more were published until it ` +
  String.raw`was back, and then it received [1-9][\d,]* and lost [\d,]+\.`,
  String.raw`Left behind in /dev/shm: nothing; all processes have ended\. $`,
].join(" "));

test("demo: shows its scene, sums it up and leaves nothing", async () => {
  await using program = demo();
  for (const pattern of [SUBSCRIBER_2, KILLED, BACK]) await program.until(pattern);
  await program.well();
  for (const pattern of [TIME, PUBLISHER, SUBSCRIBER_1]) assertMatch(program.out, pattern);
  assertMatch(program.words, SENTENCES);
  assert(!program.out.includes("\x1b"), "there are escape codes, and no terminal");
  assertEquals(pidsOf(program).length, 5);
  assertNothingLeft(program);
});

if (hasTerminal) {
  test("demo: on a terminal of 80 columns and 24 lines its table changes in place", async () => {
    await using program = new TerminalProgram(...words());
    await program.until(/subscriber 3 .* keeps up /);
    await program.until(/subscriber 3 .* keeps up /); // drawn over the first table
    await program.type("\x03");
    assertEquals((await program.end()).code, 0); // and no line was too wide
    const [, ...tables] = program.out.split("\x1b[6A"); // up to where the table begins
    assert(tables.length > 0);
    for (const table of tables.slice(0, -1)) assertEquals(table.split("\n").length, 7);
  });
}

const MOMENTS = {
  "begins": /Ctrl-C ends all\n/,
  "has begun to publish": PUBLISHER,
  "has killed": KILLED,
};

for (const [moment, pattern] of Object.entries(MOMENTS)) {
  test(`demo: is ended by Ctrl-C when it ${moment}`, async () => {
    await using program = demo();
    await program.until(pattern);
    program.kill("SIGINT");
    await program.well();
    assertMatch(program.out, /^Stopped\.\n$/m);
    assertNothingLeft(program);
  });
}

test("demo: its processes end when it is killed itself", async () => {
  await using program = demo();
  await program.until(PUBLISHER);
  await program.killed();
  const pids = pidsOf(program);
  assertEquals(pids.length, 4);
  await until("its processes have ended", () => !pids.some(isRunning));
  assertNothingLeft(program);
});
