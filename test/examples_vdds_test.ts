/**
 * Runs the examples of publish and subscribe as a user would: real processes with no permission but
 * `--allow-ffi`.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { numbersOf, Program, sharedFiles, sideBySide, uniqueName } from "./program.ts";

const test = sideBySide("the examples of topics");

function publisher(topic: string): Program {
  return new Program("examples/vdds_pub.ts", topic);
}

function subscriber(topic: string, ...options: string[]): Program {
  return new Program("examples/vdds_sub.ts", topic, ...options);
}

/** Waits for the successful end of a publisher; returns the number of scans that it published. */
async function publishedBy(program: Program): Promise<number> {
  return (await program.well(/ Published ([\d,]+) scans\. $/))[0]!;
}

/** Waits for the successful end of a subscriber; returns its summary. */
async function accountOf(program: Program): Promise<{ received: number; lost: number }> {
  const [received, lost] = await program.well(/ Received ([\d,]+) scans, lost ([\d,]+)\. $/);
  return { received: received!, lost: lost! };
}

/** Waits until in some second a subscriber loses more than it receives. */
async function lapped(program: Program): Promise<void> {
  for (;;) {
    const [received, lost] = numbersOf(await program.until(LINE));
    if (lost! > received!) return;
  }
}

/** Waits until the lines of a subscriber account for so many scans, received or lost. */
async function accounted(program: Program, scans: number): Promise<void> {
  for (let told = 0; told < scans;) {
    const [received, lost] = numbersOf(await program.until(LINE));
    told += received! + lost!;
  }
}

const SCANS =
  /^[1-9][\d,]* scans, latency +[\d.]+ (?:us|ms), p99 +[\d.]+ (?:us|ms), lost [\d,]+, nearest 1\.\d\d m\n/m;
const LINE = /^([\d,]+) scans, latency .* lost ([\d,]+), .*\n/m;

test("scans: subscribers first, and each receives every one or reports its loss", async () => {
  const topic = `${uniqueName()}/scan`;
  await using fast = subscriber(topic);
  await using slow = subscriber(topic, "--slow");
  for (const program of [fast, slow]) await program.until(/waiting for scans, .*\n/);
  await using source = publisher(topic);
  await source.until(/^[1-9][\d,]* scans, 2 subscribers, /m);
  source.kill("SIGINT");
  const published = await publishedBy(source);
  assert(published > 0);
  assertMatch(source.out, /^Publishing to "t.*\/scan"; Ctrl-C ends it\n/);
  for (const program of [fast, slow]) {
    await accounted(program, published);
    program.kill("SIGINT");
    const { received, lost } = await accountOf(program);
    assertEquals(received + lost, published);
  }
  assertMatch(fast.out, SCANS);
  assertEquals(sharedFiles(topic.split("/")[0]!), []);
});

test("scans: the publisher first, one subscriber late, and Ctrl-C leaves nothing", async () => {
  const topic = uniqueName();
  await using source = publisher(topic);
  await source.until(/Publishing to /);
  await using rival = publisher(topic);
  await rival.refused(1, /RoleTakenError: Cannot publish to topic ".*": it has a publisher/);
  await using late = subscriber(topic);
  await late.until(SCANS);
  await source.until(/^[\d,]+ scans, 1 subscribers, \d+ of 64 samples in use\n/m);
  late.kill("SIGINT");
  assert((await accountOf(late)).received > 0);
  await source.until(/ 0 subscribers, 0 of 64 samples in use/);
  source.kill("SIGTERM");
  assert(await publishedBy(source) > 0);
  assertEquals(sharedFiles(topic), []);
});

test("scans: a subscriber is killed, then the publisher, and the others continue", async () => {
  const topic = uniqueName();
  await using first = publisher(topic);
  await using fast = subscriber(topic);
  await using slow = subscriber(topic, "--slow");
  await Promise.all([fast.until(SCANS), lapped(slow)]);
  await first.until(/ 2 subscribers, /);
  await slow.killed(); // most of the time it holds a scan
  await first.until(/ 1 subscribers, /);
  await fast.until(SCANS);
  await first.killed();
  await using second = publisher(topic);
  await second.until(/ 1 subscribers, /);
  await fast.until(SCANS);
  fast.kill("SIGINT");
  assert((await accountOf(fast)).received > 0);
  second.kill("SIGINT");
  await publishedBy(second);
  assertEquals(sharedFiles(topic), []);
});
