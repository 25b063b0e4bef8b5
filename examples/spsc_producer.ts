/**
 * One producer, one consumer: readings of a sensor go to another process. None is lost: the
 * producer waits while the ring is full.
 *
 * Run it in one terminal and the consumer in another, in any order:
 *
 *     deno run --allow-ffi examples/spsc_producer.ts
 *     deno run --allow-ffi examples/spsc_consumer.ts
 *
 * Stop the consumer with Ctrl-C, or kill it (`kill -9`), and watch the producer fill the ring and
 * wait; then start another, which continues where the first one stopped. `--rate 200000` sends
 * faster, `--seconds 60` longer, and `--name mine` uses a ring of your own.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { VringError } from "../mod.ts";
import { type ReadingValue, ring } from "./spsc.ts";
import { clock, count, endAfter, options } from "./ticker.ts";

const FULL_AFTER_MS = 200;

async function main(): Promise<void> {
  const { name, seconds, rate } = options({ name: "readings", seconds: 10, rate: 1000 });
  // "wait": when the consumer leaves or dies, wait for the next one
  using producer = ring(name).producer({ onPeerGone: "wait" });
  console.log(`Sending ${count(rate)} readings/s to "${name}" for ${seconds} s`);
  const sent = await send(producer, rate, endAfter(seconds));
  producer.end(); // an error before this line tells the consumer that more may be missing
  console.log(`Sent ${count(sent)} readings.`);
}

type Producer = ReturnType<ReturnType<typeof ring>["producer"]>;

/** Sends readings until the end, and returns their number. */
async function send(producer: Producer, rate: number, end: AbortSignal): Promise<number> {
  let celsius = 20;
  let sent = 0;
  for (let due = 0, last = clock(); !end.aborted; await delay(1)) {
    const time = clock();
    due = Math.min(due + (time - last) * rate / 1000, rate);
    last = time;
    for (; due >= 1 && !end.aborted; due--) {
      celsius += (Math.random() - 0.5) / 10;
      if (await sendOne(producer, { number: sent, time: clock(), celsius }, end)) sent++;
    }
  }
  return sent;
}

/** Sends a reading once there is room for it; returns false if the end comes first. */
async function sendOne(
  producer: Producer,
  reading: ReadingValue,
  end: AbortSignal,
): Promise<boolean> {
  if (producer.trySend(reading)) return true;
  const full = setTimeout(() => console.log("The ring is full: waiting"), FULL_AFTER_MS);
  try {
    await producer.send(reading, { signal: end });
    return true;
  } catch (error) {
    if (!end.aborted) throw error;
    return false;
  } finally {
    clearTimeout(full);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, another producer is alive
  Deno.exitCode = 1;
}
