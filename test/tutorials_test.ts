/**
 * The exercises and the quiz as a learner runs them, and the prose beside them. test/stage tells the
 * chapters.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { circular } from "../mod.ts";
import { checksOf as checksOfPages } from "../tutorials/01_pages/check.ts";
import { RingWindow } from "../tutorials/15_overwriting_buffer/ring_window.ts";
import { failureIn } from "../tutorials/check.ts";
import { CHAPTERS } from "../tutorials/stage/chapters.ts";
import { uniqueName } from "./program.ts";
import { assertWell, checkQuiz, quiz, ROOT, run } from "./tutorial_run.ts";

const FOLDERS = CHAPTERS.map(({ folder }) => folder);

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
  await Promise.all(CHAPTERS.map(async ({ folder, allow = [] }) => {
    const result = await run([...allow, `tutorials/answers/${folder}.ts`]);
    assertWell(result);
    const passed = result.out.match(/✓/g)?.length;
    assertStringIncludes(result.out, `Solved. All ${passed} checks pass.`);
  }));
});

Deno.test("a failed check explains what the reader's code throws", () => {
  const [check] = checksOfPages(() => {
    throw new RangeError("no idea");
  });
  assertEquals(failureIn(check!)?.message, "Your code throws: RangeError: no idea");
});

Deno.test("the quiz gives a seed's questions again, and answers when asked to", async () => {
  await Promise.all(
    ["0", "1", "3", "4", "5", "7", "8", "9", "10", "13", "15", "17"].map(async (tutorial) => {
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
    }),
  );
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

Deno.test("no answer, judge or hint says the number of a chapter: another order would break it", () => {
  const said = /\b(?:chapter|exercise|tutorial)s? \d|\brunChecks\("\d/i;
  const judges = FOLDERS.flatMap((folder) =>
    Array.from(Deno.readDirSync(new URL(`tutorials/${folder}/`, ROOT)), ({ name }) => name)
      .filter((name) => /^(?:check.*|wrong|exercise)\.ts$/.test(name))
      .map((name) => `tutorials/${folder}/${name}`)
  );
  const answers = Array.from(
    Deno.readDirSync(new URL("tutorials/answers/", ROOT)),
    ({ name }) => `tutorials/answers/${name}`,
  );
  for (const path of [...judges, ...answers, "tutorials/stage/hints.ts"]) {
    assertEquals(said.exec(Deno.readTextFileSync(new URL(path, ROOT))), null, path);
  }
});

Deno.test("each chapter has its exercise, answer and prose, and the prose is right", () => {
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
      text.matchAll(/tutorials\/(?!mine)[\w/]+\.ts/g),
      ([file]) => new URL(file, ROOT),
    );
    for (const target of [...links, ...commands]) Deno.statSync(target);
  }
  const list = Deno.readTextFileSync(new URL(pages[0]!, ROOT));
  for (const folder of FOLDERS) assert(list.includes(`](${folder}/README.md)`), folder);
  for (const path of pages.slice(1)) {
    const text = Deno.readTextFileSync(new URL(path, ROOT));
    const questions = text.match(/^\d\. .*(?:\n.*)*?\n\n? {3}<details><summary>Answer/gm)?.length ??
      0;
    assert(questions >= 3, `${path} has ${questions} questions with answers`);
  }
});
