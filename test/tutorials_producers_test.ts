/**
 * Checks the lanes and the hints of chapter 17.
 */

import { assert, assertEquals } from "@std/assert";
import { pageSize } from "../src/os/page.ts";
import { isMessage, messageOf } from "../tutorials/10_four_rings/rings.ts";
import { explore } from "../tutorials/13_doorbell/machine.ts";
import { Lanes } from "../tutorials/17_many_producers/lanes.ts";
import {
  clearsThenLooks,
  LANE_WORDS,
  looksThenClears,
  producer,
} from "../tutorials/17_many_producers/parties.ts";
import { checkQuiz } from "./tutorial_run.ts";

Deno.test("hints are lost if they are cleared after the look, and not if before", () => {
  assert(explore([looksThenClears, producer()], LANE_WORDS).lost !== undefined);
  assertEquals(explore([clearsThenLooks, producer()], LANE_WORDS).lost, undefined);
});

Deno.test("Lanes carry every message of each lane in order, in turns, also from the last lane", () => {
  const lanes = new Lanes(32);
  const target = new Uint8Array(pageSize());
  const senders = [0, 7, 31];
  const [sent, got] = [new Map<number, number>(), new Map<number, number>()];
  for (let round = 0; round < 50; round++) {
    for (const lane of senders) {
      for (let i = 0; i <= (round + lane) % 5; i++) {
        const number = sent.get(lane) ?? 0;
        if (lanes.write(lane, messageOf(number + lane))) sent.set(lane, number + 1);
      }
    }
    for (let i = 0; i < 9; i++) {
      const lane = lanes.readNext(target);
      if (lane === undefined) break;
      const number = got.get(lane) ?? 0;
      assert(isMessage(target, 20, number + lane), `message ${number} of lane ${lane}`);
      got.set(lane, number + 1);
    }
  }
  for (let lane = lanes.readNext(target); lane !== undefined; lane = lanes.readNext(target)) {
    got.set(lane, got.get(lane)! + 1);
  }
  assertEquals([...got].sort(), [...sent].sort());
  assertEquals(lanes.hint.load(), 0);
});

// The first question, all of the film, the next step; and in the third the film once more.
Deno.test("the quiz on tutorial 17 answers right", async () => {
  const verdicts = new Set<string>();
  await checkQuiz(17, 12, (words) => {
    const [, last, bits, order] =
      /lane (\d) was served last\..* hints: (\d+), .*? served\? → ([\d, ]+?) *2\./.exec(words)!;
    const expected = Array.from({ length: 8 }, (_, i) => (Number(last) + 1 + i) % 8)
      .filter((lane) => Number(bits) >> lane & 1);
    assertEquals(order, expected.join(", "));
    const [, story, verdict] = /but its bit is set\. Then (.*?)\. Does .*?→ (yes|not yet|no),/.exec(
      words,
    )!;
    let [head, bit, seen] = [0, 1, 0];
    for (const what of story!.split(", ")) {
      if (what.endsWith("stores its head")) head = 1;
      if (what.endsWith("sets its bit")) bit = 1;
      if (what.endsWith("clears the bit")) bit = 0;
      if (what.endsWith("looks into the lane")) seen = head;
    }
    assertEquals(verdict, seen === 1 ? "yes" : bit === 1 ? "not yet" : "no");
    verdicts.add(verdict!);
  });
  assert(verdicts.size > 1, "all questions have the same answer");
});
