/**
 * The quizzes on chapters 20 to 23.
 */

import { assert, assertEquals } from "@std/assert";
import { checkQuiz } from "./tutorial_run.ts";

Deno.test("the quizzes on chapters 20 to 23 answer right", async () => {
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
  await checkQuiz(22, 6, (words) => {
    const [, taken, up, retry, answer] =
      /it has (taken|not yet taken) a call\. (Another|No other) .* definition (says|does not say) .*?→ (.*?) +2\./
        .exec(words)!;
    const mayMove = taken !== "taken" || retry === "says";
    const moves = mayMove && up === "Another";
    assertEquals(answer!.startsWith("it is sent"), moves);
    assertEquals(answer!.startsWith("it fails at once"), !mayMove);
    assertEquals(answer!.endsWith("twice"), taken === "taken" && retry === "says");
    const [, calls, free] = /numbers 0 to 3, (.*)\. Which .*→ (.*?):/.exec(words)!;
    const usable = Array.from(calls!.matchAll(/(\d) (?:was answered|was lost)/g), ([, n]) => n);
    assertEquals(free, usable.join(", ") || "none");
  });
  await checkQuiz(23, 6, (words) => {
    const [, last, published, before, inside, here, wire, lost] =
      /last sample is (\d+)\. .*published (\d+); (\d+) were .*?, (\d+) inside it, and (\d+) .*→ (\d+) on the wire; (\d+)/
        .exec(words)!.map(Number);
    assertEquals(last, published! + before! + inside! + here! + wire!);
    assertEquals(lost, last! - published!);
    const [, known, first, end, answer] =
      /knows is (\d+)\. .*samples (\d+) to (\d+)\. .*→ (none|\d+ to \d+; \d+)/.exec(words)!;
    const numbers = Array.from({ length: 99 }, (_, n) => n)
      .filter((n) => n > Number(known) && n >= Number(first) && n <= Number(end));
    const gap = (numbers[0] ?? 0) - Number(known) - 1;
    assertEquals(
      answer,
      numbers.length === 0 ? "none" : `${numbers[0]} to ${numbers.at(-1)}; ${gap}`,
    );
  });
});
