/**
 * Checks the four rings of chapter 10.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Word32 } from "../src/memory/word.ts";
import { pageSize } from "../src/os/page.ts";
import { MirroredRing } from "../tutorials/10_four_rings/ring4_mirrored.ts";
import { HEAD, makeMemory, type RingMemory, TAIL } from "../tutorials/10_four_rings/ring_memory.ts";
import { ringOf, STAGES } from "../tutorials/10_four_rings/rings.ts";
import { assertWell, checkQuiz, ROOT, run } from "./tutorial_run.ts";

const page = pageSize();

/** Sends messages of every length through a ring, a few at a time; fails if a byte is wrong. */
function checkTraffic(stage: (typeof STAGES)[number], memory: RingMemory): void {
  const ring = ringOf(stage, memory);
  const byteOf = (number: number, i: number) => (number * 7 + i * 13) & 0xff;
  const target = new Uint8Array(page);
  let [written, read] = [0, 0];
  const lengthOf = (number: number) => (number * 29) % 61;
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i <= round % 90; i++, written++) {
      const message = Uint8Array.from(
        { length: lengthOf(written) },
        (_, i) => byteOf(written, i),
      );
      if (!ring.write(message)) break;
    }
    const most = round % 7 === 0 ? Infinity : round % 50;
    for (let i = 0; i < most; i++) {
      const length = ring.read(target);
      if (length === undefined) break;
      assertEquals(length, lengthOf(read));
      const wrong = target.subarray(0, length).findIndex((byte, i) => byte !== byteOf(read, i));
      assertEquals(wrong, -1, `${stage}: message ${read}`);
      read++;
    }
  }
  while (ring.read(target) !== undefined) read++;
  assertEquals(read, written);
  assert(read > 2000, `${stage}: ${read}`);
}

Deno.test("the four rings carry every byte, also across the end and when positions wrap", () => {
  for (const stage of STAGES) {
    checkTraffic(stage, makeMemory());
    if (stage === "1 slots") continue; // which has no positions
    const memory = makeMemory();
    for (const place of [HEAD, TAIL]) new Word32(memory, place).store(2 ** 32 - 2 * page);
    checkTraffic(stage, memory);
    assert(new Word32(memory, HEAD).load() < 2 ** 31);
  }
});

Deno.test("readInPlace() shows a message in one piece and gives it back afterwards", () => {
  const memory = makeMemory();
  for (const place of [HEAD, TAIL]) new Word32(memory, place).store(page - 8);
  const ring = new MirroredRing(memory);
  assertEquals(ring.readInPlace(() => {}), false);
  ring.write(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9));
  assertEquals(
    ring.readInPlace((message) => {
      assertEquals([...message], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
      assertEquals(new Word32(memory, TAIL).load(), page - 8);
    }),
    true,
  );
  assertEquals(new Word32(memory, TAIL).load(), page + 8);
});

Deno.test("measure.ts of tutorial 10 lets every ring run between two threads", async () => {
  const command = [Deno.execPath(), "run", "--no-prompt", "--allow-ffi", "--allow-read"];
  const result = await run(["tutorials/10_four_rings/measure.ts", "2"], { command });
  assertWell(result);
  const row = /^ *(\d .*?) {2,}(\d+) {2,}[-\d]+ {2,}[-\d]+ to [-\d]+ {2,}\d {2,}[\d.]+, [\d.]+$/gm;
  const rows = Array.from(result.out.matchAll(row), ([, stage, messages]) => {
    assert(Number(messages) > 0, stage);
    return stage;
  });
  assertEquals(rows, [...STAGES]);
  assertStringIncludes(result.out, "floor");
  assertEquals(result.out.match(/: Too\s+few\s+rounds/g)?.length, 3);
});

Deno.test("exercise 10 has a mistake in each of its four functions", () => {
  const text = Deno.readTextFileSync(new URL("tutorials/10_four_rings/exercise.ts", ROOT));
  const answer = Deno.readTextFileSync(new URL("tutorials/answers/10_four_rings.ts", ROOT));
  for (const name of ["fillSlot", "free", "hasRoom", "readInPlace"]) {
    const bodyOf = (source: string) =>
      new RegExp(`function ${name}[^]*?\n}\n`).exec(source)![0].replace(/ *\/\/.*/g, "");
    assert(bodyOf(text) !== bodyOf(answer), name);
  }
});

Deno.test("the quiz on tutorial 10 answers right", async () => {
  await checkQuiz(10, 6, (words) => {
    const [, head, tail, free, place] = /head is (\d+) and its tail is (\d+)\..*?→ (\d+); at (\d+)/
      .exec(words)!.map(Number);
    const used = Number(BigInt.asUintN(32, BigInt(head! - tail!)));
    assertEquals([free, place], [4096 - used, head! % 4096]);
    const [, at, seen, each, count] = /is at (\d+), .* tail at (\d+)\. .* takes (\d+)\. .*?→ (\d+);/
      .exec(words)!.map(Number);
    let position = at!;
    while (position + each! - seen! <= 4096) position += each!;
    assertEquals(position, at! + count! * each!);
  });
});
