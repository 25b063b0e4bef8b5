/**
 * Runs the examples of the ring with many producers as a user would: real processes with no
 * permission but `--allow-ffi`.
 */

import { assertEquals } from "@std/assert";
import { until } from "./os/until.ts";
import { Program, sharedFiles, sideBySide, uniqueName } from "./program.ts";

const test = sideBySide("the examples of a ring with many producers");

function producer(name: string, ...options: string[]): Program {
  return new Program("examples/mpsc_producer.ts", "--name", name, ...options);
}

function consumer(name: string, ...options: string[]): Program {
  return new Program("examples/mpsc_consumer.ts", "--name", name, ...options);
}

/** Waits for the successful end of a producer; returns the number of entries that it sent. */
async function sentBy(program: Program): Promise<number> {
  return (await program.well(/ Sent ([\d,]+) entries\. $/))[0]!;
}

/** Ends a consumer by Ctrl-C; returns its summary. */
async function accountOf(program: Program) {
  program.kill("SIGINT");
  const last = /Received (.+) entries of (.+) producers: (.+) missing, (.+) perhaps .+\. $/;
  const [received, producers, missing, again] = await program.well(last);
  return { received, producers, missing, again };
}

const ENTRIES = / +[1-9][\d,]* entries\/s, [\d.]+ ms old; \d+ (swept|fed|watered|wound) .+\n/;
const NOTHING = /\n +0 entries\/s\n/;

/** Waits until a consumer has read every entry, after the last producer has ended. */
async function untilQuiet(reader: Program): Promise<void> {
  const { length } = reader.out;
  await until("nothing comes", () => NOTHING.test(reader.out.slice(length)));
}

test("log: all entries of three producers arrive, and nothing is left", async () => {
  const name = uniqueName();
  await using reader = consumer(name);
  await reader.until(/waiting for entries\n/);
  await using one = producer(name, "--seconds", "1.2");
  await using two = producer(name, "--seconds", "1.5", "--rate", "3000");
  await using three = producer(name, "--seconds", "1");
  const sent = await Promise.all([one, two, three].map(sentBy));
  await reader.until(ENTRIES);
  await untilQuiet(reader);
  const received = sent.reduce((sum, count) => sum + count, 0);
  assertEquals(await accountOf(reader), { received, producers: 3, missing: 0, again: 0 });
  assertEquals(sharedFiles(name), []);
});

test("log: producers start first, and the next consumer continues where one has stopped", async () => {
  const name = uniqueName();
  await using one = producer(name, "--seconds", "50");
  await using two = producer(name, "--seconds", "50");
  for (const each of [one, two]) await each.until(/as producer [01]\n/);
  await using first = consumer(name);
  await first.until(ENTRIES);
  await using rival = consumer(name);
  await rival.refused(1, /^Cannot open ring .* as its consumer: it has one, which is alive; .+\n$/);
  const before = await accountOf(first);
  await using second = consumer(name);
  await second.until(ENTRIES);
  for (const each of [one, two]) each.kill("SIGINT");
  const sent = await sentBy(one) + await sentBy(two);
  await untilQuiet(second);
  const after = await accountOf(second);
  assertEquals(before.received! + after.received!, sent);
  assertEquals([before.missing, after.missing, after.producers], [0, 0, 2]);
  assertEquals(sharedFiles(name), []);
});

test("log: a producer is killed, the others continue, and another one takes its lane", async () => {
  const name = uniqueName();
  await using reader = consumer(name);
  await using victim = producer(name, "--seconds", "50");
  await victim.until(/as producer 0\n/);
  await using other = producer(name, "--seconds", "50");
  await other.until(/as producer 1\n/);
  await reader.until(/Producer 0 is here, the 1\. in its lane\n/);
  await victim.killed();
  await reader.until(ENTRIES);
  other.kill("SIGINT");
  await sentBy(other);
  await untilQuiet(reader); // and so the lane of the dead was read
  await using successor = producer(name, "--seconds", "50");
  await successor.until(/as producer 0\n/);
  await reader.until(/Producer 0 is here, the 2\. in its lane\n/);
  successor.kill("SIGINT");
  await sentBy(successor);
  const { missing, again, producers } = await accountOf(reader);
  assertEquals([missing, again, producers], [0, 0, 3]);
  assertEquals(sharedFiles(name), []);
});
