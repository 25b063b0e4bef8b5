/**
 * Runs the examples of the ring from one producer to one consumer as a user would: real processes
 * with no permission but `--allow-ffi`.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Program, sharedFiles, sideBySide, uniqueName } from "./program.ts";

const test = sideBySide("the examples of a ring from one to one");

function producer(name: string, ...options: string[]): Program {
  return new Program("examples/spsc_producer.ts", "--name", name, ...options);
}

function consumer(name: string, ...options: string[]): Program {
  return new Program("examples/spsc_consumer.ts", "--name", name, ...options);
}

/** Waits for the successful end of a producer; returns the number of readings that it sent. */
async function sentBy(program: Program): Promise<number> {
  return (await program.well(/ Sent ([\d,]+) readings\. $/))[0]!;
}

/** Waits for the successful end of a consumer; returns its summary. */
async function accountOf(program: Program) {
  const last = /Received (.+) readings: (.+) missing, (.+) perhaps .+; the next is (.+)\. $/;
  const [received, missing, again, next] = await program.well(last);
  return { received, missing, again, next };
}

const READINGS = / +[1-9][\d,]* readings\/s, [\d.]+ ms old, -?\d+\.\d °C\n/;

test("readings: every one arrives, the consumer ends with the producer, nothing is left", async () => {
  const name = uniqueName();
  await using second = consumer(name);
  await second.until(/waiting for readings\n/);
  await using first = producer(name, "--seconds", "1.5");
  const sent = await sentBy(first);
  assert(sent > 0);
  const account = await accountOf(second);
  assertEquals(account, { received: sent, missing: 0, again: 0, next: sent });
  assertMatch(second.out, READINGS);
  assertMatch(second.out, /\nThe producer has closed\.\n/);
  assertEquals(sharedFiles(name), []);
});

test("readings: the producer first, consumers that come and go, and Ctrl-C", async () => {
  const name = uniqueName();
  await using source = producer(name, "--rate", "20000", "--seconds", "50");
  await source.until(/Sending 20,000 readings\/s/);
  await source.until(/The ring is full: waiting\n/);
  await using rival = producer(name);
  await rival.refused(1, /^Cannot open ring .* as its producer: it has one, which is alive; .+\n$/);
  await using first = consumer(name);
  await first.until(READINGS);
  first.kill("SIGINT");
  const before = await accountOf(first);
  assertEquals([before.missing, before.again, before.next], [0, 0, before.received]);
  await source.until(/The ring is full: waiting\n/);
  await using second = consumer(name);
  await second.until(READINGS);
  source.kill("SIGINT");
  const sent = await sentBy(source);
  const after = await accountOf(second);
  assertEquals(before.received! + after.received!, sent);
  assertEquals([after.missing, after.again, after.next], [0, 0, sent]);
  assertEquals(sharedFiles(name), []);
});

test("readings: a consumer is killed, then a producer, and the other end reports it", async () => {
  const name = uniqueName();
  await using source = producer(name, "--seconds", "50");
  await using victim = consumer(name);
  await victim.until(READINGS);
  await victim.killed();
  await using second = consumer(name);
  await second.until(READINGS);
  await source.killed();
  const { received, missing } = await accountOf(second);
  assertEquals(missing, 0);
  assert(received! > 0);
  assertMatch(second.out, /\nThe producer died\.\n/);
  assertEquals(sharedFiles(name), []);
});
