/**
 * Runs the tutorials as a learner would, with no permission but `--allow-ffi`, and checks their
 * output: the addresses, the bytes, the kernel's lines.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { circular } from "../mod.ts";
import { pageSize } from "../src/os/page.ts";
import { checksOf as checksOfPages } from "../tutorials/01_pages/check.ts";
import { RingWindow } from "../tutorials/15_overwriting_buffer/ring_window.ts";
import { failureOf } from "../tutorials/check.ts";
import { CHAPTERS } from "../tutorials/stage/chapters.ts";
import { hasTerminal, sharedFiles, uniqueName } from "./program.ts";
import {
  assertWell,
  checkQuiz,
  column,
  crash,
  mapsLines,
  quiz,
  results,
  ROOT,
  rows,
  run,
  shown,
  tell,
  texts,
} from "./tutorial_run.ts";

const FOLDERS = CHAPTERS.map(({ folder }) => folder);
const page = pageSize();

Deno.test("tutorial 1 shows a page, its address and when its memory comes", async () => {
  const out = await tell("01_pages");
  assertEquals(shown(out, "page"), page);
  const address = shown(out, "address");
  assertEquals(address % page, 0);
  const split = (name: string, offset: number, further = 0) =>
    assertMatch(
      out,
      new RegExp(
        `^    ${name} +0x${(address + offset + further * page).toString(16)} +` +
          `0x${(address / page + further).toString(16)} +${offset}$`,
        "m",
      ),
    );
  split("byte 0", 0);
  split("byte 300", 300);
  split("the last byte", page - 1);
  split("one further", 0, 1);
  const [line] = mapsLines(out);
  assert(line!.start <= address && address + page <= line!.end);
  assertEquals([line!.permissions, line!.inode], ["rw-p", 0]);
  assertEquals(texts(out, address), ["", "hello, page"]);
  assertEquals(rows(out, address + page - 16).map(({ bytes }) => bytes.slice(-2)), ["ff"]);
  assertEquals(column(out, /(?:nothing|read|wrote)/), [0, 0, page, page, 2 * page]);
  assertEquals(results(out, "canBeRead(last)"), ["true"]);
  assertEquals(results(out, "canBeRead(last + 1)"), ["false"]);
  assertEquals(results(out, "bytes.length"), ["0"]);
  assertEquals(results(out, "bytes[0]"), ["undefined"]);
});

Deno.test("tutorial 1 --break loses a neighbour's bytes without an error", async () => {
  const out = await tell("01_pages", "--break");
  assertEquals(texts(out, shown(out, "left") + page), ["Ben: 100 coins", ""]);
});

Deno.test("tutorial 3 shows holes, first touches and the holders of a file", async () => {
  const before = sharedFiles("tutorial.");
  const out = await tell("03_memory_file");
  const inode = Number(/inode +(\d+)/.exec(out)![1]);
  assertEquals(column(out, /(?:mapped|wrote|read)/), [0, page, 2 * page, 3 * page]);
  assertMatch(out, new RegExp(`size +${8 * page} .*\n    allocated +0 `));
  assertMatch(out, new RegExp(`^    allocated +${8 * page}$`, "m"));
  const address = shown(out, "address");
  const [line] = mapsLines(out);
  assertEquals([line!.start, line!.end, line!.inode], [address, address + 8 * page, inode]);
  assertEquals(line!.permissions, "rw-s");
  assertEquals(results(out, "stat(fd)"), ["-9, which is EBADF"]);
  // once when it is written, once after the fd was closed
  assertEquals(texts(out, address + 2 * page), ["the first note", "the first note"]);
  assertMatch(
    out,
    /opened +0 links .* is not listed\n.*linked +1 link .* is listed\n.*0 links .* not/,
  );
  assertEquals(results(out, "allocate(fd, 0, limit + page)"), ["-28, which is ENOSPC"]);
  assertEquals(sharedFiles("tutorial.").filter((name) => !before.includes(name)), []);
});

Deno.test("tutorial 3 --break loses what a shorter file no longer holds", async () => {
  const out = await tell("03_memory_file", "--break");
  const verdicts = Array.from(out.matchAll(/^ {4}page \d +(can be read|must not be touched)$/gm));
  const [yes, no] = ["can be read", "must not be touched"];
  assertEquals(verdicts.map(([, verdict]) => verdict), [yes, no, no, no, yes, yes, yes, yes]);
  const [line] = mapsLines(out);
  assertEquals(line!.end - line!.start, 4 * page);
  assertEquals(texts(out, line!.start), ["page 0"]);
  assertEquals(texts(out, line!.start + page), [""]);
});

Deno.test("tutorial 4 shows one page at two addresses", async () => {
  const out = await tell("04_two_addresses");
  const [first, second] = [shown(out, "first"), shown(out, "second")];
  assertNotEquals(first, second);
  const lines = mapsLines(out);
  assertEquals(lines.map(({ start, end }) => [start, end - start]), [[first, page], [
    second,
    page,
  ]]);
  assertEquals(lines.map(({ permissions }) => permissions), ["rw-s", "rw-s"]);
  assertEquals(lines[0]!.place, lines[1]!.place);
  assertEquals(rows(out, first), rows(out, second));
  assertEquals(texts(out, first), ["written here", "written changed "]);
  assertEquals(texts(out, second + 16), ["there"]);
  assertEquals(column(out, /memory (?:of|behind)/), [page, page, page]);
  assertEquals(shown(out, "found"), first + 64);
  assertEquals(texts(out, second + 64), ["a message", "a message"]);
});

Deno.test("tutorial 4 --break parts a private mapping from the file", async () => {
  const out = await tell("04_two_addresses", "--break");
  const [first, second] = [shown(out, "first"), shown(out, "second")];
  const lines = mapsLines(out);
  assertEquals(lines.map(({ permissions }) => permissions), ["rw-s", "rw-p"]);
  assertEquals(lines[0]!.place, lines[1]!.place);
  assertEquals(texts(out, first), ["hello", "hello", "HELLO"]);
  assertEquals(texts(out, second), ["hello", "hello···thanks", "hello···thanks"]);
});

Deno.test("tutorial 5 shows a ring whose end is followed by its beginning", async () => {
  const out = await tell("05_mirror_ring");
  const [base, first, second] = ["base", "first", "second"].map((name) => shown(out, name));
  assertEquals([first, second], [base, base! + page]);
  const lines = mapsLines(out);
  assertEquals(lines.length, 4); // two for the ring by hand, two for the MirrorRing
  for (const [one, other] of [lines.slice(0, 2), lines.slice(2)]) {
    assertEquals([one!.end, one!.place], [other!.start, other!.place]);
  }
  assertEquals(texts(out, first!), ["·····AB", "across the seam"]);
  assertEquals(texts(out, second!), ["·····AB", "across the seam"]);
  assertEquals(texts(out, second! - 16), ["······a message "]);
  assertEquals(results(out, "text(ring.subarray(at, at + message.length))"), ['"a message "']);
  const whole = '"a message across the seam"';
  assertEquals(results(out, "text(bytes.subarray(at, at + message.length))"), [whole]);
  assertEquals(results(out, "piece.length"), ["0"]);
});

Deno.test("tutorial 5 draws both windows and the real positions", async () => {
  const out = await tell("05_mirror_ring");
  const picture = /^ {4}│([^│]{32})│([^│]{32})│\n.*\n {4}( *R─*[^W]*W)$/gm;
  const drawn = Array.from(out.matchAll(picture), ([, first, second, marks]) => {
    assertEquals(first, second);
    return [first, marks!.indexOf("R"), marks!.indexOf("W")];
  });
  assertEquals(drawn, [
    ["ABCDEFGHIJKLMNOPQRSTUVWX········", 1, 25],
    ["····················UVWX········", 21, 25],
    ["ijklmnopqr··········UVWXabcdefgh", 21, 44], // 22 cells and the seam
    ["································", 11, 12], // both at 11, drawn side by side
    ["WXYZabcdefABCDEFGHIJKLMNOPQRSTUV", 11, 44],
  ]);
});

Deno.test("tutorial 5 --break writes over what is unread and leaves a gap", async () => {
  const out = await tell("05_mirror_ring", "--break");
  const [first, second] = mapsLines(out);
  assertEquals([first!.end, first!.inode], [second!.start, second!.inode]);
  assertNotEquals(first!.place, second!.place);
  const whole = '"a message across the seam"';
  assertEquals(results(out, "text(bytes.subarray(at, at + message.length))"), [whole]);
  assertStringIncludes(out, `→ "a message ${"\\x00".repeat(15)}"`);
  assertEquals(texts(out, first!.start), [""]);
  assertEquals(texts(out, first!.start + page), ["across the seamd"]);
});

const CRASHES = [
  ["01_pages", "SIGSEGV", "bytes[0]"],
  ["03_memory_file", "SIGBUS", "bytes[page]"],
  ["04_two_addresses", "SIGSEGV", "viaSecond[0] = 1;"],
  ["05_mirror_ring", "SIGSEGV", "bytes[0]"],
] as const;

Deno.test("--crash ends the program with the signal that it names, at the line it shows", async () => {
  await Promise.all(CRASHES.map((told) => crash(told)));
});

Deno.test("each exercise fails unsolved, and says why", async () => {
  await Promise.all(FOLDERS.map(async (folder) => {
    const { code, out, err } = await run([`tutorials/${folder}/exercise.ts`]);
    assertEquals([code, err], [1, ""], folder);
    assertEquals(out.match(/✗/g)?.length, 1);
    assertMatch(out, /✗ [^]+\n {6}Hint: .{10}/);
    assertMatch(out, /Not yet: \d+ of \d+ checks pass/);
    assertStringIncludes(out, `tutorials/answers/${folder}.ts`);
  }));
});

Deno.test("each exercise passes solved", async () => {
  await Promise.all(FOLDERS.map(async (folder) => {
    const result = await run([`tutorials/answers/${folder}.ts`]);
    assertWell(result);
    const passed = result.out.match(/✓/g)?.length;
    assertStringIncludes(result.out, `Solved. All ${passed} checks pass.`);
  }));
});

Deno.test("a failed check explains what the reader's code throws", () => {
  const [check] = checksOfPages(() => {
    throw new RangeError("no idea");
  });
  assertEquals(failureOf(check!), "Your code throws: RangeError: no idea");
});

Deno.test("the quiz gives a seed's questions again, and answers when asked to", async () => {
  await Promise.all(["0", "1", "3", "4", "5", "8", "10", "13", "15", "17"].map(async (tutorial) => {
    const [first, again, other, answered] = await Promise.all([
      quiz(tutorial, "--seed", "5"),
      quiz(tutorial, "--seed", "5"),
      quiz(tutorial, "--seed", "6"),
      quiz(tutorial, "--seed", "5", "--answers"),
    ]);
    for (const result of [first, again, other, answered]) assertWell(result);
    assertEquals(first, again);
    assertNotEquals(first.out, other.out);
    assert(!first.out.includes("→"));
    const questions = first.out.match(/^\d\. /gm)!.length;
    assertEquals(answered.out.match(/^→ /gm)?.length, questions);
  }));
  assertEquals((await quiz("99")).code, 2);
});

Deno.test("the quiz answers right", async () => {
  await checkQuiz(0, 8, (shared) => {
    const [, from, times, said] = /is (\d+)\. .*? (\d+) times.*?→ (\d+):/.exec(shared)!;
    const byte = new Uint8Array([Number(from)]);
    for (let i = 0; i < Number(times); i++) byte[0]!++;
    assertEquals(Number(said), byte[0]);
  });
  await checkQuiz(1, 8, (pages) => {
    const [, length, from, said] = /(\d+) bytes are written from (0x\w+) .*?→ (\d+):/.exec(pages)!;
    const bytes = Array.from({ length: Number(length) }, (_, i) => Number(from) + i);
    assertEquals(Number(said), new Set(bytes.map((byte) => Math.floor(byte / 4096))).size);
  });
  await checkQuiz(5, 8, (ring) => {
    const [, size, at, copies] = /of (\d+) bytes take, .*?offset (\d+) .*?→ (one|two)/.exec(ring)!;
    assertEquals(copies, Number(at) + Number(size) > 4096 ? "two" : "one");
    const [, base, here, there] = /begins at (0x\w+)\. .*?byte at (0x\w+)\? → (0x\w+)/.exec(ring)!;
    const offsets = [here, there].map((address) => Number(address) - Number(base));
    assertEquals(Math.abs(offsets[0]! - offsets[1]!), 4096);
    assert(offsets.every((offset) => offset >= 0 && offset < 2 * 4096));
  });
  await checkQuiz(8, 8, (shared) => {
    const updates =
      / is (\d+)\. The first process adds (\d+) .* the second adds (\d+), without a lock: (.*?)\. .*?→ (\d+):/;
    const [, start, one, two, story, value] = updates.exec(shared)!;
    let number = Number(start);
    const read: Record<string, number> = {};
    for (const [, who, what] of story!.matchAll(/the (first|second) (reads|writes)/g)) {
      if (what === "reads") read[who!] = number;
      else number = read[who!]! + Number(who === "first" ? one : two);
    }
    assertEquals(Number(value), number);
  });
  await checkQuiz(15, 8, (lossy, seed) => {
    const [, payload, taken, most] = /message of (\d+) take.*?→ (\d+); at most (\d+):/.exec(lossy)!;
    const name = `${uniqueName()}-${seed}`;
    using writer = circular(name, { capacity: 4096 }).writer();
    if (writer.capacity !== 4096) return; // larger pages
    using look = new RingWindow(name);
    let largest = 0;
    for (let i = 0; i < 300; i++) {
      writer.trySend(new Uint8Array(Number(payload)));
      largest = Math.max(largest, (look.published - look.oldest) * 8 / Number(taken));
    }
    assertEquals(largest, Number(most));
  });
});

Deno.test("play.ts writes letters, reads them in one piece and refuses what does not fit", async () => {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  const result = await run(["tutorials/05_mirror_ring/play.ts"], {
    input: `hello\n3\n${letters}\n40\n`,
  });
  assertWell(result);
  const cell = page / 32;
  assertEquals(result.out.match(/^(?:> )?(?:wrote|read) .*$/gm), [
    "> wrote 5 of 5 cells",
    `> read "hel" in one piece, bytes 0 to ${3 * cell}`,
    "> wrote 30 of 36 cells; the ring is full",
    `> read "lo${letters.slice(0, 30)}" in one piece, bytes ${3 * cell} to ${35 * cell}`,
  ]);
  assertMatch(result.out, /\nacross the seam\n/);
});

Deno.test("an unknown option is refused", async () => {
  const { code, out, err } = await run(["tutorials/01_pages/step.ts", "--brake"]);
  assertEquals([code, out], [2, ""]);
  assertStringIncludes(err, "--brake");
  assertStringIncludes(err, "--break");
});

Deno.test("an option or a process that a tutorial does not have is refused", async () => {
  for (const [folder, argument] of [["01_pages", "--name"], ["08_shared_memory", "third"]]) {
    const result = await run([
      `tutorials/${folder}/step.ts`,
      argument!,
      ...argument === "third" ? [] : ["x"],
    ]);
    assertEquals([result.code, result.out], [2, ""]);
    assertStringIncludes(result.err, argument!);
  }
});

Deno.test("without a terminal a tutorial says that it does not wait", async () => {
  const result = await run(["tutorials/01_pages/step.ts", "--break"]);
  assertWell(result);
  assertStringIncludes(result.out, "The input is not a terminal");
});

Deno.test({
  name: "on a terminal Enter steps and q stops",
  ignore: !hasTerminal,
  fn: async () => {
    const line = `'${Deno.execPath()}' run --allow-ffi tutorials/04_two_addresses/step.ts`;
    const command = ["/usr/bin/script", "-qec", line, "/dev/null"];
    const { code, out } = await run([], { command, input: "\n\nq\n" });
    assertEquals(code, 0);
    const steps = Array.from(out.matchAll(/Step (\d) of 6/g), ([, number]) => number);
    assertEquals(steps, ["1", "2"]);
    assertStringIncludes(out, "Enter: next step");
  },
});

Deno.test("each tutorial has its program, exercise, answer and prose, and the prose is right", () => {
  const folders = Array.from(Deno.readDirSync(new URL("tutorials/", ROOT)), ({ name }) => name)
    .filter((name) => /^\d/.test(name));
  assertEquals(folders.sort(), [...FOLDERS]);
  const pages = ["tutorials/README.md", ...FOLDERS.map((name) => `tutorials/${name}/README.md`)];
  for (const path of pages) {
    const text = Deno.readTextFileSync(new URL(path, ROOT));
    const links = Array.from(
      text.matchAll(/\]\(([^)]+)\)/g),
      ([, link]) => new URL(link!, new URL(path, ROOT)),
    );
    const commands = Array.from(
      text.matchAll(/tutorials\/[\w/]+\.ts/g),
      ([file]) => new URL(file, ROOT),
    );
    for (const target of [...links, ...commands]) Deno.statSync(target);
  }
  for (const path of pages.slice(1)) {
    const text = Deno.readTextFileSync(new URL(path, ROOT));
    const questions = text.match(/^\d\. .*(?:\n.*)*?\n\n? {3}<details><summary>Answer/gm)?.length ??
      0;
    assert(questions >= 3, `${path} has ${questions} questions with answers`);
  }
});
