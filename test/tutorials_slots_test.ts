/**
 * Runs tutorial 20, waiting for any of many, and checks its output.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Program, sharedFiles, uniqueName } from "./program.ts";
import { assertShows, checkQuiz, results, tell, testStopped } from "./tutorial_run.ts";

const FOLDER = "20_any_of_many";

/** The rows of each table with this head, as numbers. */
function tables(out: string, head: RegExp): number[][][] {
  return out.split(head).slice(1).map((rest) =>
    rest.split("\n\n")[0]!.split("\n").map((row) => row.trim().split(/ +/).map(Number))
  );
}

Deno.test("tutorial 20 counts the wake-ups of a herd, and shows the limits of bits", async () => {
  const name = uniqueName();
  const out = await tell(FOLDER, "--name", name);
  assertEquals(results(out, "woken = await herd.write(3, 10)"), ["80"]);
  assertEquals(results(out, "woken = await herd.write(3, 10, bitOf(3))"), ["10"]);
  assertEquals(results(out, "woken = await herd.write(1, 10, bitOf(1))"), ["20"]);
  const wakes =
    (bit: (slot: number) => number, counts: (slot: number) => number[]) => (slot: number) => [
      slot,
      bit(slot),
      ...counts(slot),
    ];
  const eight = [1, 2, 3, 4, 5, 6, 7, 8];
  const bit = (slot: number) => 2 ** ((slot - 1) % 32);
  assertEquals(tables(out, /^ +slot +bits +woken +news +needlessly\n/m), [
    eight.map(wakes(() => 2 ** 32 - 1, (slot) => slot === 3 ? [10, 10, 0] : [10, 0, 10])),
    eight.map(wakes(bit, (slot) => slot === 3 ? [10, 10, 0] : [0, 0, 0])),
    [[1, 1, 10, 10, 0], [2, 2, 0, 0, 0], [33, 1, 10, 0, 10]],
  ]);
  const [herd] = tables(out, /^ +thread +sleeps while the word is\n/m);
  assertEquals([herd!.length, ...new Set(herd!.map(([, value]) => value))], [8, 0]);
  const [chosen, left] = tables(out, /^ +thread +sleeps while the word is +and wakes for\n/m);
  assertEquals(chosen!.map((row) => row[2]!).sort((a, b) => a - b), eight.map(bit));
  assertEquals(results(out, "Object.fromEntries(results)"), ['{ "-11": 1000 }']);
  assertEquals(left![0]!.slice(1), [1000, 4]); // asleep, though the word is 1002 and the bit is down
  assertStringIncludes(out, "it is 1002");
  assertEquals(results(out, "addAndWake(events.address)"), ["1"]);
  const bells = "bells.map((bell) => bell.word.load())";
  assertEquals(results(out, bells), ["[ 1, 1, 0 ]", "[ 1, 1, 0 ]", "[ 1, 2, 0 ]"]);
  assertEquals(results(out, "which = await sleeping"), ["1"]);
  assertEquals(results(out, "calls()"), ["0", "1"]);
  const quiet = `"${"0 ".repeat(31)}1"`;
  assertEquals(results(out, 'bells.map((bell) => bell.load()).join(" ")'), [quiet, quiet]);
  assertMatch(out, /news = await waiting.*\n +→ \[ "quiet" \]/);
  assertShows(
    out,
    /news = speed.*sequence: 5, lost: 2,.*sequence: 6, lost: 0,.*sequence: 7, lost: 0,/,
  );
  assertEquals(results(out, "peek.valid"), ["true", "false"]);
  assertEquals(results(out, "textOf(peek.bytes)"), ['"speed is 7"', '"speed is 1"']);
  assertMatch(out, /^ +0 +0 +SPEED is 8··\n +1 +9 +speed is 9··\n/m);
  assertEquals(results(out, 'speed.tryWrite("speed is 9000")'), ["undefined"]);
  assertEquals(results(out, "owner.load()"), ["3"]);
  assertEquals(results(out, 'speed.tryWrite("speed is 12")'), ["12"]);
  assertMatch(out, /^ +0 +12 +speed is 12·\n/m);
  assertEquals(results(out, "first = await first"), ['"topic"', '"listener"', '"ring"']);
  assertEquals(sharedFiles(name), []);
});

Deno.test("tutorial 20 --break sleeps through an event, and wakes the wrong one", async () => {
  const out = await tell(FOLDER, "--break");
  const asleep = "wait(events.address, value, now() + 100 * MS)";
  assertEquals(results(out, asleep), ["-110, which is ETIMEDOUT"]);
  assertEquals(results(out, "count.load()"), ["0", "1"]);
  const awake = "wait(events.address, 0, now() + 100 * MS)";
  assertEquals(results(out, awake), ["-11, which is EAGAIN"]);
  assertEquals(results(out, "wake(events.address, 1, bitOf(1))"), ["1"]);
  assertEquals(results(out, "woken = await Promise.race([for33, for1])"), ["33"]);
  assertMatch(out, /→ \[ \{ value: 0, bits: 1 \} \]/);
  assertEquals(results(out, "wake(events.address, everyone, bitOf(1))"), ["1"]);
});

/** Starts one of the two processes of tutorial 20, beside the test. */
function tellParty(party: "writer" | "listener", name: string): Program {
  return new Program(`tutorials/${FOLDER}/step.ts`, party, "--name", name);
}

Deno.test("tutorial 20 with two processes: the listener writes in place of a writer that is killed", async () => {
  const name = uniqueName();
  await using writer = tellParty("writer", name);
  await using listener = tellParty("listener", name);
  const [, pid] = await writer.until(/kill -9 (\d+)\n/);
  assertEquals(Number(pid), writer.pid);
  await listener.until(/speed\.writeSync\(.*\n/);
  await writer.killed();
  await listener.well();
  const { out } = listener;
  assertShows(out, new RegExp(`notes\\.latest\\(\\) .*?value: "${pid}"`));
  assertEquals(results(out, 'turn = speed.tryWrite("written at once")'), ["undefined"]);
  assertEquals(results(out, 'speed.writeSync("written by the listener")'), ["3"]);
  assertShows(out, /value: "speed is 2".*value: "written by the listener" \} \]/);
  assertShows(out, /The writer died\./);
  assert(!out.includes("SPEED"));
  assertEquals(sharedFiles(name), []);
});

Deno.test("tutorial 20 with two processes: a writer killed before the listener looks is dead", async () => {
  const name = uniqueName();
  await using listener = tellParty("listener", name);
  await listener.until(/while \(speed\.sequence < 2\)/);
  listener.kill("SIGSTOP");
  await using writer = tellParty("writer", name);
  await writer.until(/kill -9 /);
  await writer.killed();
  listener.kill("SIGCONT");
  await listener.well();
  assertEquals(results(listener.out, 'turn = speed.tryWrite("written at once")'), ["3"]);
  assertEquals(results(listener.out, 'speed.writeSync("written by the listener")'), ["4"]);
  assertShows(listener.out, /The writer died\./);
  assertEquals(sharedFiles(name), []);
});

Deno.test("tutorial 20 with two processes: a writer that lives is waited for", async () => {
  const name = uniqueName();
  await using listener = tellParty("listener", name);
  await using writer = tellParty("writer", name);
  await writer.until(/\[or Enter here/);
  await listener.until(/speed\.writeSync\(.*\n/);
  await writer.type("\n");
  for (const program of [writer, listener]) await program.well();
  assertEquals(results(writer.out, "claim.publish()"), ["3"]);
  assertEquals(results(listener.out, 'speed.writeSync("written by the listener")'), ["4"]);
  assertShows(listener.out, /value: "speed is 3"/);
  assertShows(listener.out, /The writer lived/);
  assertEquals(sharedFiles(name), []);
});

Deno.test("the quiz on tutorial 20 answers right", async () => {
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
    const [, depth, last, seen, answer] =
      /keeps (\d+) messages.* number (\d+)\. .*since\((\d+)\)` .*→ (.*) lost/.exec(words)!;
    const kept = Array.from({ length: Number(last) }, (_, i) => i + 1).slice(-Number(depth))
      .filter((number) => number > Number(seen));
    const lost = Number(last) - Number(seen) - kept.length;
    const range = kept.length === 0 ? "none" : `${kept[0]} to ${kept.at(-1)}`;
    assertEquals(answer, `${range}; ${lost}`);
  });
  assert(verdicts.size > 1, "all questions have the same answer");
});

// In the fifth step there is a listener that waits.
testStopped(FOLDER, `${"\n".repeat(11)}q\n`, /Step 5 of 8(?!.*Step 6 of 8)/);
