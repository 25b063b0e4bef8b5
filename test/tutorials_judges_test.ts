/**
 * The judges of the exercises: each refuses every wrong answer that its exercise ships, at the check
 * that is about the mistake, and with an explanation that no other mistake gets.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Failure, failureIn } from "../tutorials/check.ts";
import { JUDGED, type Judged } from "../tutorials/judged.ts";
import { keyOf } from "../tutorials/stage/chapters.ts";
import { judgeFile } from "../tutorials/stage/judge.ts";
import { sharedFiles } from "./program.ts";

const ALL = /^/;

/**
 * The checks that are about an order of operations: a failure of them shows it. The others of
 * chapter 24 run a ring alone, or kill real processes, whose order nobody sees.
 */
const DRAWN: Readonly<Record<string, RegExp>> = {
  shared_memory: ALL,
  semaphore_lock: ALL,
  overwriting_buffer: ALL,
  many_producers: ALL,
  vring: ALL,
  any_of_many: ALL,
  slots: ALL,
  calls: ALL,
  bridge: ALL,
  your_ring: /every order|on a processor that reorders|^many producers: two|^the explorer/,
};

const PROGRAM = new URL("../tutorials/judged.ts", import.meta.url);

/** Judges an answer in this process. */
function judgedHere({ checks }: Judged): { what: string; message: string } {
  for (const check of checks()) {
    const failure = failureIn(check);
    if (failure !== undefined) return { what: check.what, message: seenIn(failure) };
  }
  return { what: "no check", message: "accepted" };
}

/** What a reader sees of a failure. */
function seenIn({ message, picture }: Failure): string {
  return picture === undefined ? message : `${message} ${JSON.stringify(picture)}`;
}

/** Judges an answer as the stage does, in a child with a limit. */
async function judgedInChild(
  folder: string,
  index: number,
): Promise<{ what: string; message: string }> {
  const options = { types: false, limitMs: 2000, args: [folder, `${index}`] };
  const { verdict, checks, failure, text } = await judgeFile(PROGRAM, options);
  const what = checks.find(({ passed }) => !passed)?.what ?? "no check";
  return { what, message: (failure && seenIn(failure)) ?? `${verdict}: ${text}` };
}

for (const [folder, answers] of Object.entries(JUDGED)) {
  Deno.test(`the checks of ${folder} refuse each wrong answer, with a reason of its own`, async () => {
    const wrong = answers();
    const drawn = DRAWN[keyOf({ folder })];
    assert(wrong.length >= 6, `only ${wrong.length} wrong answers`);
    const reasons = new Map<string, string>();
    for (const [index, answer] of wrong.entries()) {
      const { mistake, fails, inChild } = answer;
      const seen = inChild === true ? await judgedInChild(folder, index) : judgedHere(answer);
      assert(seen.what.startsWith(fails), `${mistake}: ${seen.what}: ${seen.message}`);
      if (drawn?.test(seen.what)) assertStringIncludes(seen.message, '"kind":"tracks"', mistake);
      const reason = seen.what + seen.message.replaceAll(/0x[0-9a-f]+|\b[0-9a-f]{8,}\b/g, "");
      assertEquals(reasons.get(reason), undefined, `${mistake} is explained like this: ${reason}`);
      reasons.set(reason, mistake);
    }
    assertEquals(sharedFiles(`exercise-`).filter((name) => name.endsWith(`.${Deno.pid}`)), []);
  });
}

Deno.test("an endless answer is refused in a child, and named", async () => {
  const index = JUDGED["01_pages"]!().findIndex(({ mistake }) => mistake.includes("for ever"));
  const { message } = await judgedInChild("01_pages", index);
  assertStringIncludes(message, "endless");
});
