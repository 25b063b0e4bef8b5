/**
 * The quizzes on tutorials 20 and 21.
 */

import { assert, assertEquals } from "@std/assert";
import { checkQuiz } from "./tutorial_run.ts";

Deno.test("the quiz on tutorials 20 and 21 answers right", async () => {
  const verdicts = new Set<string>();
  await checkQuiz(20, 6, (words) => {
    const [, list, event, woken, nothing] =
      /the slots ([\d, ]+), each .* slot (\d+)\. .*→ woken: (.+?); needlessly: (.+?) +2\./
        .exec(words)!;
    const bit = (slot: number) => 1 << (slot - 1);
    const awake = list!.split(", ").filter((slot) => bit(Number(slot)) === bit(Number(event)));
    assertEquals(woken, awake.join(", ") || "nobody");
    assertEquals(nothing, awake.filter((slot) => slot !== event).join(", ") || "nobody");
    verdicts.add(nothing!);
    const [, up, messages, calls] = /bells are up: ([^.]+)\. .* the slots ([\d, ]+), and .*→ (\d):/
      .exec(words)!;
    const bells = new Set(up!.split(", "));
    const rung = messages!.split(", ").filter((slot) => bells.delete(slot));
    assertEquals(Number(calls), rung.length);
  });
  assert(verdicts.size > 1, "all questions have the same answer");
  await checkQuiz(21, 6, (words) => {
    const [, depth, last, seen, answer] =
      /keeps (\d+) messages.* number (\d+)\. .*since\((\d+)\)` .*?→ (.*?) lost/.exec(words)!;
    const kept = Array.from({ length: Number(last) }, (_, i) => i + 1).slice(-Number(depth))
      .filter((number) => number > Number(seen));
    const lost = Number(last) - Number(seen) - kept.length;
    const range = kept.length === 0 ? "none" : `${kept[0]} to ${kept.at(-1)}`;
    assertEquals(answer, `${range}; ${lost}`);
    const [, entries, number, entry, after] =
      /has (\d+) entries.*is number (\d+), .*→ entry (\d+); when number (\d+)/.exec(words)!;
    assertEquals(Number(number) % Number(entries), Number(entry));
    assertEquals(Number(after) - Number(number), Number(entries));
  });
});
