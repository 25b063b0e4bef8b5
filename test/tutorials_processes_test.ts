/**
 * Runs tutorials 8 and 15, in which processes share memory and die, and checks their output.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { pageSize } from "../src/os/page.ts";
import { Program, sharedFiles, sideBySide, uniqueName } from "./program.ts";
import {
  assertShows,
  column,
  crash,
  mapsLines,
  results,
  rows,
  shown,
  tell,
  testStopped,
  texts,
} from "./tutorial_run.ts";

const test = sideBySide("tutorials: processes");

const page = pageSize();

test("tutorial 8 shows two handles on one memory, a lost update, a lock and an heir", async () => {
  const name = uniqueName();
  const out = await tell("08_shared_memory", "--name", name);
  assertEquals(results(out, "first.references"), ["1", "2"]);
  assertEquals(results(out, "second.references"), ["1"]);
  const [first, second] = mapsLines(out);
  assertNotEquals(first!.start, second!.start);
  assertEquals([first!.place, first!.permissions], [second!.place, "rw-s"]);
  assertShows(out, /→ LayoutMismatchError: .* its size is 16, and this definition says 64/);
  assertEquals(results(out, "here.ann"), ["110", "130"]);
  assertEquals(rows(out, 0).map(({ bytes }) => bytes.slice(0, 2)), ["01", "00", "00"]);
  assertEquals(results(out, "other.tryLock()"), ["undefined"]);
  assertEquals(results(out, "permit = mine.tryLock()"), ["{ recovered: false }"]);
  assertEquals(results(out, "permit = other.lockSync()"), ["{ recovered: true }"]);
  assertEquals(results(out, "there.ann + there.ben"), ["200", "170"]);
  assertEquals(results(out, "there.ann"), ["70"]);
  assertStringIncludes(out, `no file in /dev/shm is called ${name}`);
  assertEquals(sharedFiles(name), []);
});

test("tutorial 8 --break lets two into one lock and loses coins", async () => {
  const name = uniqueName();
  const out = await tell("08_shared_memory", "--break", "--name", name);
  assertMatch(out, /→ TimeoutError: .* 100\s+ms\s+have\s+passed/);
  assertNotEquals(shown(out, "before"), shown(out, "after"));
  assertEquals(results(out, "here.ann"), ["150", "70"]);
  assertEquals(sharedFiles(name), []);
});

/** Starts the first or the second process of tutorial 8, beside the test. */
function tellParty(party: "first" | "second", name: string): Program {
  return new Program("tutorials/08_shared_memory/step.ts", party, "--name", name);
}

/** Fails unless both counted, the tutorial shows the loss, and the lock prevented any. */
function assertCounts(out: string): void {
  const of = (row: string) => column(out, new RegExp(row));
  const [mine, others, together, counter] = [
    of("counted by this process"),
    of("counted by the other"),
    of("together"),
    of("the counter"),
  ];
  assertEquals([mine[1], others[1], together[1], counter[1]], [2000, 2000, 4000, 4000]);
  assertEquals(together[0], mine[0]! + others[0]!);
  const lost = together[0]! - counter[0]!; // 0 if both had to share a processor
  assertEquals([lost, 0], of("lost"));
  assertShows(out, lost > 0 ? /in between is gone/ : /Nothing was lost this time/);
  assert(counter[0]! > 0);
}

test("tutorial 8 with two processes: the second inherits from the first, which is killed", async () => {
  const name = uniqueName();
  await using second = tellParty("second", name);
  await second.until(/step\.ts first\n/);
  await using first = tellParty("first", name);
  const [, pid] = await first.until(/kill -9 (\d+)\n/);
  assertEquals(Number(pid), first.pid);
  await second.until(new RegExp(`Process ${pid} acquired the lock`));
  await second.until(/permit = mine\.lockSync\(\)\n/);
  await first.killed();
  await second.well();
  for (const { out } of [first, second]) assertCounts(out);
  assertEquals(results(second.out, "memory.references").slice(-2), ["2", "1"]);
  assertEquals(results(second.out, "permit = mine.lockSync()"), ["{ recovered: true }"]);
  assertEquals(results(second.out, "purses.ann + purses.ben"), ["170", "200"]);
  assertEquals(sharedFiles(name), []);
});

test("tutorial 8 with two processes: nothing is to be repaired if the first one lives", async () => {
  const name = uniqueName();
  await using first = tellParty("first", name);
  await using second = tellParty("second", name);
  await first.until(/\[or Enter here/);
  await second.until(/permit = mine\.lockSync\(\)\n/);
  await first.type("\n");
  for (const program of [first, second]) await program.well();
  assertEquals(results(second.out, "permit = mine.lockSync()"), ["{ recovered: false }"]);
  assertEquals(results(second.out, "purses.ann + purses.ben"), ["200"]);
  assertEquals(sharedFiles(name), []);
});

test("tutorial 8 with two processes: the one that is left alone reports it and leaves nothing", async () => {
  const name = uniqueName();
  await using second = tellParty("second", name);
  await using first = tellParty("first", name);
  await first.until(/\[or Enter here/);
  await using third = tellParty("second", name);
  assertEquals((await third.end()).code, 1);
  assertStringIncludes(third.out, "Two have been here before");
  await second.killed();
  await first.type("\n");
  assertEquals((await first.end()).code, 0);
  assertEquals(sharedFiles(name), []);
});

/** Every picture of a ring: the letters, and the marked positions. */
function rings(out: string): [letters: string, pointers: Record<string, number>][] {
  const picture = /│([^│]{32})│\n.*┘\n((?: +\^ .+\n)+)/g;
  return Array.from(out.matchAll(picture), ([, letters, lines]) => {
    const pointers = Array.from(lines!.matchAll(/^ {4}( +)\^ (.+) (\d+)$/gm), (pointer) => {
      const [, indent, label, position] = pointer;
      assertEquals(indent!.length - 1, Number(position) / (page / 8 / 32) % 32, label!);
      return [label!, Number(position) / (page / 8 / 32)] as const;
    });
    return [letters!, Object.fromEntries(pointers)];
  });
}

test("tutorial 15 shows a lap, its exact loss, and a torn read that is caught", async () => {
  const name = uniqueName();
  const out = await tell("15_overwriting_buffer", "--name", name);
  assertEquals(rings(out), [
    ["ABC" + "·".repeat(29), { oldest: 0, published: 3 }],
    ["ABCDEFGHIJKLMNOPQRSTUVWXYZabcde·", { oldest: 0, published: 31, "the reader": 1 }],
    ["·BCDEFGHIJKLMNOPQRSTUVWXYZabcdef", { oldest: 1, published: 32, "the reader": 1 }],
    ["ghijklmn·JKLMNOPQRSTUVWXYZabcdef", { oldest: 9, published: 40, "the reader": 1 }],
  ]);
  const size = page / 32 - 32;
  const heads = Array.from({ length: 4 }, (_, i) => {
    const [previous, length] = [i === 0 ? -1 : (i - 1) * page / 256, i === 3 ? "-" : `${size}`];
    return `    ${i * page / 256} ${i} ${i * size} ${previous} ${length}`;
  });
  assertStringIncludes(out.replace(/(?<=\S) +/g, " "), heads.join("\n"));
  assertEquals(results(out, "received = reader.tryReceive()"), [
    `{ value: ${size} bytes, sequence: 1, lost: 0 }`,
    `{ value: ${size} bytes, sequence: 10, lost: 8 }`,
  ]);
  assertEquals(column(out, /(?:read|lost|together|written)/), [33, 9967, 10_000, 10_000]);
  assertMatch(out, /\n {4}}, 1\)\n {4}→ 0\n/);
  assertEquals(results(out, "seen"), ['"SALT at 80.00"']);
  assertEquals(results(out, "reader.lost - before"), ["1"]);
  assertEquals(results(out, "reader.ended"), ["true"]);
  assertEquals(texts(out, 0), ["PEPPER  80.00   "]); // lost, and still there
  assertStringIncludes(out, "→ RoleTakenError: ");
  assertEquals(results(out, "read"), ["29"]);
  assertEquals(results(out, "next.sequence"), ["10063"]);
  assertEquals(results(out, "textOf(reader.tryReceive())"), ['"PEPPER 80.00"', '"H is number 7"']);
  assertEquals(sharedFiles(name), []);
});

test("tutorial 15 --break accepts a torn message, and catches it with a second look", async () => {
  const name = uniqueName();
  const out = await tell("15_overwriting_buffer", "--break", "--name", name);
  assertEquals(results(out, "copy"), ['"SALT at 80.00"']);
  assertEquals(results(out, "window.oldest <= position"), ["true", "false"]);
  assertEquals(sharedFiles(name), []);
});

test("tutorial 8 --crash dies with the lock in hand, and the next run repairs", async () => {
  const name = uniqueName();
  await crash(["08_shared_memory", "SIGSEGV", "bytes[0] = 1;"], "--name", name);
  assertEquals(sharedFiles(name).sort(), [`sem.${name}-crash`, `vring.shm.${name}-crash`]);
  const out = await tell("08_shared_memory", "--crash", "--name", name);
  assertEquals(results(out, "permit.recovered"), ["true"]);
  assertEquals(results(out, "memory.references"), ["1"]);
  assertEquals(results(out, "purses.ann + purses.ben"), ["170"]);
  assertEquals(sharedFiles(name), []);
});

test("tutorial 15 --crash dies within a message, and the next run continues before it", async () => {
  const name = uniqueName();
  await crash(
    ["15_overwriting_buffer", "SIGSEGV", "new Uint8Array(bufferAt(16, 1))[0]"],
    "--name",
    name,
  );
  assertEquals(sharedFiles(name), [`vring.circular.${name}-crash`]);
  const out = await tell("15_overwriting_buffer", "--crash", "--name", name);
  assertEquals(rings(out), [["ABC" + "·".repeat(29), { oldest: 0, published: 3 }]]);
  assertEquals(texts(out, 0), ["D is"]);
  assertMatch(out, /→ \[ "A is number 0", "B is number 1", "C is number 2", undefined \]/);
  assertEquals(results(out, "textOf(reader.tryReceive())"), ['"D is number 3"']);
  assertEquals(sharedFiles(name), []);
});

testStopped("08_shared_memory", "\n\n\n\n\n\nq\n", /Step 4 of/);
testStopped("15_overwriting_buffer", "\n\n\n\n\n\nq\n", /Step 4 of/);
