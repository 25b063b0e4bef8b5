/**
 * Runs tutorial 13, sleeping without losing a wake-up, and checks the operations of its parties.
 */

import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import {
  type Bell,
  BELLS,
  onPosition,
  sequence,
  sleeper,
  waker,
} from "../tutorials/13_doorbell/bells.ts";
import { explore, Machine } from "../tutorials/13_doorbell/machine.ts";
import { hasTerminal, TerminalProgram } from "./program.ts";
import { assertWell, checkQuiz, results, run, shown, tell } from "./tutorial_run.ts";

/** Each film: the operations by party, and the words after the last. */
function films(out: string): { told: string[]; words: string }[] {
  return out.split(/\n {4}(?=.*count {2}bell\n)/).slice(1).map((text) => {
    const [head, ...lines] = text.split("\n\n")[0]!.split("\n    ");
    const columns = Array.from(
      head!.matchAll(/(reader \d|\w+)( +)/g),
      ({ 1: name, index }) => ({ name: name!, index }),
    );
    const words = head!.indexOf("count");
    const told = lines.map((line) => {
      const at = /\S/.exec(line)!.index;
      const { name } = columns.findLast(({ index }) => index === at)!;
      return `${name}: ${line.slice(0, words).trim()}`;
    });
    return { told, words: lines.at(-1)!.slice(words).trim().replace(/ +/, " ") };
  });
}

const asleep = "-110, which is ETIMEDOUT";
const differs = "-11, which is EAGAIN";

Deno.test("tutorial 13 shows the losses operation by operation, and the bell without any", async () => {
  const out = await tell("13_doorbell");
  assert(Number(results(out, "looks")[0]) > 0);
  assertEquals(results(out, "calls"), ["1000"]);
  assertEquals(results(out, "wait(count.address, 6, now() + 50 * MS)"), [differs]);
  assertEquals(results(out, "wait(count.address, 7, now() + 50 * MS)"), [asleep]);
  const [onCount, first, two, bell, ...more] = films(out);
  assertEquals(more, []);
  assertEquals(onCount!.told.filter((line) => line.includes("sleepWhile")), [
    "reader: count.sleepWhile(0): differs",
  ]);
  assertEquals(first, {
    told: [
      "reader: count.load() → 0",
      "writer: count.add(1) → 0",
      "writer: bell.exchange(0) → 0",
      "reader: bell.store(1)",
      "reader: bell.sleepWhile(1): asleep",
    ],
    words: "1 1",
  });
  assertEquals(two!.words, "1 1");
  const writer = two!.told.filter((line) => line.startsWith("writer"));
  assertEquals(writer, [
    "writer: count.add(1) → 0",
    "writer: bell.exchange(0) → 1",
    "writer: bell.wakeAll(): nobody",
  ]);
  assertEquals(two!.told.at(-1), "reader 0: bell.sleepWhile(1): asleep");
  assert(bell!.told.includes("reader 0: bell.sleepWhile(1): differs"));
  assertEquals(results(out, "words.count.load()"), ["1", "1"]);
  assertEquals(results(out, "wait(words.bell.address, 1, now() + 100 * MS)"), [asleep, asleep]);
  const found = Array.from(out.matchAll(/→ \{ states: \d+, lost: (\w+) \}/g), ([, lost]) => lost);
  assertEquals(found, Array(4).fill("undefined"));
  assertEquals([shown(out, "before"), shown(out, "after")], [0, 0]);
  assertEquals([shown(out, "raised"), shown(out, "other")], [1, 3]);
  assertEquals(results(out, "wait(bell.word.address, raised, now() + 60_000 * MS)"), [differs]);
  assertStringIncludes(out, "    sleep({ bell }) {\n      bell.store(1);\n");
  assert(!out.includes("--crash"));
});

Deno.test("tutorial 13 --break loses a wake-up to a death between two steps", async () => {
  const out = await tell("13_doorbell", "--break");
  const [film] = films(out);
  const killed = film!.told.indexOf("writer: is killed");
  assertEquals(film!.told[killed - 1], "writer: bell.add(1) → 1");
  assertEquals(film!.told.filter((line) => line.startsWith("heir")).length, 2);
  assertEquals(results(out, "words.count.load()"), ["2"]);
  const sleep = "wait(words.bell.address, words.bell.load(), now() + 100 * MS)";
  assertEquals(results(out, sleep), [asleep]);
});

Deno.test("tutorial 13 refuses --crash, which it does not have", async () => {
  const { code, out, err } = await run(["tutorials/13_doorbell/step.ts", "--crash"]);
  assertEquals([code, out], [2, ""]);
  assertStringIncludes(err, "pass --break, or none");
});

Deno.test("explore() finds each loss, and no others", () => {
  const scenes = (bell: Bell) => ({
    one: [sleeper("a", bell), waker("w", bell)],
    two: [sleeper("a", bell), sleeper("b", bell), waker("w", bell)],
    twoWakers: [sleeper("a", bell), sleeper("b", bell, 2), waker("w", bell), waker("v", bell)],
    killed: [
      sleeper("a", bell),
      waker("w", bell, { mayDie: true }),
      waker("v", bell, { after: "w" }),
    ],
  });
  const lossesOf = (bell: Bell) =>
    Object.entries(scenes(bell)).filter(([, parties]) => explore(parties).lost !== undefined)
      .map(([name]) => name);
  assertEquals(Object.fromEntries(Object.entries(BELLS).map(([n, bell]) => [n, lossesOf(bell)])), {
    onPosition: [],
    unlooked: ["one", "two", "twoWakers", "killed"],
    flag: ["two", "twoWakers", "killed"],
    sequence: [],
    inTwoSteps: ["killed"],
  });
});

Deno.test("a Machine passes sleepers over, wakes them, and ends code that does not end", () => {
  const machine = new Machine([sleeper("a", onPosition), waker("w", onPosition)]);
  for (let i = 0; i < 4; i++) machine.step(0);
  assertEquals([machine.isAsleep(0), machine.canRun(0), machine.canRun(1)], [true, false, true]);
  machine.step(1);
  assertEquals(machine.step(1).text, "count.wakeAll(): a");
  assertEquals([machine.isAsleep(0), machine.canRun(0), machine.canRun(1)], [false, true, false]);
  const endless: Bell = {
    ...sequence,
    sleep: (_, ready) => {
      while (!ready());
    },
  };
  assertThrows(() => explore([sleeper("a", endless)]), Error, "no end");
});

Deno.test("play.ts of tutorial 13 lets one make a reader sleep for ever, unless the bell is right", async () => {
  const play = async (bell: string, input: string) => {
    const result = await run(["tutorials/13_doorbell/play.ts", bell], { input });
    assertWell(result);
    return result.out;
  };
  assertStringIncludes(
    await play("flag", "0001 2 2\n1112\n0\n"),
    "nobody will wake reader 0",
  );
  const right = await play("sequence", "0001222\n111\n7\n00000\n");
  assertStringIncludes(right, "All are done, and nobody sleeps");
  assertStringIncludes(right, "7: there are 0, 1 and 2");
  assertMatch(await play("flag", "000\n\n"), /count\.load\(\) → 0 +0 +1\n/);
  assertEquals((await run(["tutorials/13_doorbell/play.ts", "gong"])).code, 2);
});

Deno.test({
  name: "tutorial 13 counts looks in 20 ms, however long its reader thinks before that",
  ignore: !hasTerminal,
  fn: async () => {
    await using program = new TerminalProgram("tutorials/13_doorbell/step.ts");
    await program.until(/How often does it look\?/);
    await program.until(/Enter: see/);
    await delay(50); // longer than the spin: here the reader thinks
    await program.type("\n");
    const [, looks] = await program.until(/\n +looks\r\n +→ (\d+)/);
    assert(Number(looks) > 0);
    await program.until(/Enter: next step/);
    await program.type("q\n");
    assertEquals((await program.end()).code, 0);
  },
});

Deno.test({
  name: "on a terminal Enter shows a film line by line, and a all that is left",
  ignore: !hasTerminal,
  fn: async () => {
    const line = `'${Deno.execPath()}' run --allow-ffi tutorials/13_doorbell/step.ts --break`;
    const command = ["/usr/bin/script", "-qec", line, "/dev/null"];
    const { code, out } = await run([], { command, input: "\n\n\na\nq\n" });
    assertEquals(code, 0);
    assertEquals(out.match(/Enter: next line/g)?.length, 3);
    assertStringIncludes(out, "is killed");
    assert(!out.includes("Step 2 of"));
  },
});

Deno.test("the quiz on tutorial 13 answers right", async () => {
  await checkQuiz(13, 6, (words) => {
    const after = (story: string, from: number) => {
      let [bell, calls] = [from, 0];
      for (const [, what] of story.matchAll(/(raises|rings)/g)) {
        if (what === "raises") bell |= 1;
        else if (bell % 2 === 1) [bell, calls] = [bell + 1, calls + 1];
      }
      return [bell, calls];
    };
    const [, from, story, to, calls] = /1\. A bell is (\d+)\. Then (.*?) → (\d+); (\d+) /.exec(
      words,
    )!;
    assertEquals([Number(to), Number(calls)], after(story!, Number(from)));
    const second = /2\. A bell is (\d+)\. .*?Then (.*?) → (\d+) with (\d+): it (sleeps|does not)/;
    const [, start, then, raised, bell, does] = second.exec(words)!;
    assertEquals(Number(raised), Number(start) + 1);
    assertEquals(Number(bell), after(then!, Number(raised))[0]);
    assertEquals(does === "sleeps", raised === bell);
  });
});
