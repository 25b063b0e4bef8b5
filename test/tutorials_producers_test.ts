/**
 * Runs tutorial 17, many producers and one doorbell, and checks its output.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { pageSize } from "../src/os/page.ts";
import { TURN } from "../src/lane/fan_in.ts";
import { isMessage, messageOf } from "../tutorials/10_four_rings/rings.ts";
import { explore } from "../tutorials/13_doorbell/machine.ts";
import { Lanes } from "../tutorials/17_many_producers/lanes.ts";
import {
  clearsThenLooks,
  LANE_WORDS,
  looksThenClears,
  producer,
} from "../tutorials/17_many_producers/parties.ts";
import { sharedFiles, uniqueName } from "./program.ts";
import { assertShows, checkQuiz, results, tell, testStopped } from "./tutorial_run.ts";

Deno.test("tutorial 17 shows lanes, hints, turns and generations", async () => {
  const name = uniqueName();
  const out = await tell("17_many_producers", "--name", name);
  const film = out.split("head  one  two\n")[1]!.split("\n\n")[0]!.split("\n");
  assertEquals(film.map((line) => /(?: +\d+){3}$/.exec(line)![0].trim().replace(/ +/g, " ")), [
    "0 0 0",
    "0 0 0",
    "0 65 0",
    "0 66 0",
    "1 66 0",
    "1 66 0",
  ]);
  assertMatch(out, /→ RoleTakenError: Cannot open ring "\w+" as its producer/);
  assertEquals(results(out, "passOn(lanes, 5, 1000, lanes.readFirst)"), ["1000"]);
  assertEquals(results(out, "passOn(lanes, 5, 1000, lanes.readNext)"), ["1000"]);
  const looks = results(out, "lanes.laneLooks")[0];
  assertMatch(out, new RegExp(`every lane {2,}${looks} +0\n`));
  assertMatch(out, /by hints {2,}2000 +2000\n/);
  assertEquals(Number(looks), 1000 * (6 + 32)); // lane 5, and a last round
  const missed = out.split("head  hint\n")[1]!.split("\n\n")[0]!;
  assertMatch(missed, /hint\.store\(0\) +2 +0\n/);
  assertMatch(missed, /sleepWhile\(0\): asleep +2 +0$/);
  assertMatch(out, /→ \{ states: \d+, lost: undefined \}/);
  assertEquals(results(out, "orderOf((lanes) => lanes.readFirst)"), [`"${"0".repeat(30)}"`]);
  assertEquals(results(out, "orderOf((lanes) => lanes.readNext)"), [
    `"${"012".repeat(3)}${"0".repeat(21)}"`,
  ]);
  assertEquals(sharedFiles(name), []);
});

Deno.test("tutorial 17 has the library serve in turns, and pass a lane on when it is empty", async () => {
  const name = uniqueName();
  const out = await tell("17_many_producers", "--name", name);
  const sent = Number(results(out, "sent")[0]);
  assert(sent > 100, `${sent} messages fill the lane`);
  const rows = out.split("producer  messages\n")[1]!.split("\n\n")[0]!.split("\n")
    .map((row) => row.trim().split(/ +/).map(Number) as [number, number]);
  const of = (id: number) => rows.flatMap(([producer, count]) => producer === id ? [count] : []);
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
  assertEquals([sum(of(0)), sum(of(2))], [sent, 40]);
  const lastOfCalm = rows.findLastIndex(([producer]) => producer === 2);
  for (const [, count] of rows.slice(0, lastOfCalm)) assert(count <= TURN, `${count} in a row`);
  assertShows(
    out,
    /"one more", sequence: 41, lost: 0, redelivered: false, producer: 2, generation: 1/,
  );
  assertShows(out, /as producer 0: its last messages are still unread/);
  assertShows(
    out,
    /"thirty coins", sequence: 1, lost: 0, redelivered: false, producer: 0, generation: 1/,
  );
  assertShows(
    out,
    /"five coins", sequence: 2, lost: 0, redelivered: false, producer: 0, generation: 2/,
  );
  assertEquals(sharedFiles(name), []);
});

Deno.test("tutorial 17 --break leaves a message without a hint, and passes a lane on too soon", async () => {
  const out = await tell("17_many_producers", "--break");
  assertMatch(out, /head\.add\(1\) → 0 +1 +0\n.*is killed +1 +0\n/);
  assertEquals(results(out, "lanes.readNext(target)"), ["undefined"]);
  assertEquals(results(out, "lanes.readFirst(target)"), ["3"]);
  assertEquals(results(out, "read()"), ['"thirty coins from Ben"', '"five coins from Ben"']);
});

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
testStopped(
  "17_many_producers",
  "\na\n\n\n\n\na\n\n\n\nq\n",
  /Step 5 of 6.*consumer = ring\.consumer(?!.*Step 6 of 6)/,
);

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
