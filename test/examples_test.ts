/**
 * Runs the examples as a user would: real processes with no permission but `--allow-ffi`.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { numbersOf, Program, sharedFiles, sideBySide, uniqueName } from "./program.ts";

const test = sideBySide("the examples of an overwriting ring");

function writer(name: string, ...options: string[]): Program {
  return new Program("examples/ticker_writer.ts", "--name", name, ...options);
}

function reader(name: string, ...options: string[]): Program {
  return new Program("examples/ticker_reader.ts", "--name", name, ...options);
}

/** Waits for the successful end of a reader; returns its summary. */
async function accountOf(reader: Program) {
  const last = / Read ([\d,]+) and lost ([\d,]+) of the ([\d,]+) ticks that [^.]*\. $/;
  const [read, lost, written] = await reader.well(last);
  return { read: read!, lost: lost!, written: written! };
}

/** Waits for the successful end of a writer; returns the number of ticks that it wrote. */
async function writtenBy(writer: Program): Promise<number> {
  return (await writer.well(/ Wrote ([\d,]+) ticks\. $/))[0]!;
}

const TICKS =
  / +\d+ s +[1-9][\d,]* ticks\/s +latency +[\d.]+ (?:us|ms), p99 +[\d.]+ (?:us|ms) .*\n/;
const LOSS = /ticks\/s .* lost [1-9].*\n/;

test("ticker: two readers get every tick and end with the writer", async () => {
  const name = uniqueName();
  await using fast = reader(name);
  await using slow = reader(name, "--slow");
  for (const program of [fast, slow]) await program.until(/waiting for ticks\n/);
  // so few that they fit into the ring: the slow one is late, but loses nothing
  await using source = writer(name, "--rate", "500", "--seconds", "1.2");
  const written = await writtenBy(source);
  assert(written > 0);
  assertEquals(await accountOf(fast), { read: written, lost: 0, written });
  assertEquals(await accountOf(slow), { read: written, lost: 0, written });
  assertMatch(fast.out, TICKS);
  assertMatch(fast.out, / SALT \d+\.\d\d +SILK \d+\.\d\d +TEA \d+\.\d\d +PEPPER \d+\.\d\d\n/);
  assertMatch(fast.out, /\nThe writer has closed\.\nRead /);
  assertEquals(sharedFiles(name), []);
});

test("ticker: a reader that comes later, a second writer, Ctrl-C, and nothing left", async () => {
  const name = uniqueName();
  await using source = writer(name, "--seconds", "50");
  await source.until(/Writing 20,000 ticks\/s/);
  await using late = reader(name, "--seconds", "50");
  await using brief = reader(name, "--seconds", "0.2");
  await using second = writer(name);
  await second.refused(
    1,
    /^Cannot write to circular buffer .*: it has a writer, which is alive; .+\n$/,
  );
  const ofBrief = await accountOf(brief);
  assertEquals(ofBrief.read + ofBrief.lost, ofBrief.written);
  await late.until(TICKS);
  late.kill("SIGINT");
  const { read, lost, written } = await accountOf(late);
  assertEquals(read + lost, written);
  source.kill("SIGINT");
  assert(await writtenBy(source) >= written);
  assertEquals(sharedFiles(name), []);
});

test("ticker: a slow reader is lapped, a writer is killed, and both readers continue", async () => {
  const name = uniqueName();
  await using fast = reader(name, "--seconds", "50");
  await using slow = reader(name, "--slow", "--seconds", "50");
  for (const program of [fast, slow]) await program.until(/waiting for ticks\n/);
  await using first = writer(name, "--seconds", "50");
  await Promise.all([fast.until(TICKS), slow.until(LOSS)]);
  await first.killed();

  await using second = writer(name, "--seconds", "50");
  const goingOn = await second.until(/going on\s+after\s+([\d,]+)\s+of\s+an\s+earlier\s+writer/);
  const before = numbersOf(goingOn)[0]!;
  assert(before > 0);
  await second.until(/ticks\/s\n/);
  await Promise.all([fast.until(TICKS), slow.until(LOSS)]);
  second.kill("SIGINT");
  const written = before + await writtenBy(second);
  const ofFast = await accountOf(fast);
  assertEquals([ofFast.read + ofFast.lost, ofFast.written], [written, written]);
  slow.kill("SIGINT"); // it would need seconds for the rest of the ring
  const ofSlow = await accountOf(slow);
  assertEquals(ofSlow.read + ofSlow.lost, ofSlow.written);
  assert(ofSlow.lost > ofSlow.read, "the slow reader was hardly lapped");
  assertEquals(sharedFiles(name), []);
});

test("ticker: an observer follows the name, and keeps no ring", async () => {
  const name = uniqueName();
  await using observer = new Program(
    "examples/ticker_observer.ts",
    ...["--name", name, "--seconds", "50"],
  );
  await observer.until(/waiting for ticks\n/);
  for (let ring = 1; ring <= 2; ring++) {
    await using source = writer(name, "--seconds", "50");
    await observer.until(/ SILK \d+\.\d\d +TEA \d+\.\d\d +PEPPER \d+\.\d\d\n/);
    await source.until(/ ticks\/s\n/); // it listens for the signal only after its first tick
    source.kill("SIGINT");
    await writtenBy(source);
    assertEquals(sharedFiles(name), []);
  }
  observer.kill("SIGINT");
  const [ticks, rings] = await observer.well(
    / Saw ([\d,]+) ticks of (\d) rings, and lost [\d,]+\. $/,
  );
  assert(ticks! > 0);
  assertEquals(rings, 2);
});

test("ticker: an unknown option is refused", async () => {
  await using program = reader(uniqueName(), "--slwo");
  await program.refused(2, /^Cannot understand --slwo: [^]*--slow\n$/);
});
