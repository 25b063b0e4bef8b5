/**
 * Many producers, one consumer: several processes write a log that another one reads. Each has a
 * lane of its own, so none holds up the others. Nothing is lost: a producer waits while its lane is
 * full.
 *
 * Run it in a few terminals and the consumer in another, in any order:
 *
 *     deno run --allow-ffi examples/mpsc_producer.ts
 *     deno run --allow-ffi examples/mpsc_producer.ts --rate 20000
 *     deno run --allow-ffi examples/mpsc_consumer.ts
 *
 * Kill one of them (`kill -9`) and start another: the consumer reads everything that the first one
 * sent before another gets its lane. `--seconds 60` sends longer, and `--name mine` uses a ring of
 * your own.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { VringError } from "../mod.ts";
import { ring } from "./mpsc.ts";
import { clock, count, endAfter, options } from "./ticker.ts";

const JOBS = ["swept the floor", "fed the cat", "watered the plants", "wound the clock"];

async function main(): Promise<void> {
  const { name, seconds, rate } = options({ name: "log", seconds: 10, rate: 1000 });
  // "wait": when the consumer leaves or dies, wait for the next one
  using producer = ring(name).producer({ onPeerGone: "wait" });
  console.log(`Sending ${count(rate)} entries/s to "${name}" as producer ${producer.id}`);
  const sent = await send(producer, rate, endAfter(seconds));
  producer.end();
  console.log(`Sent ${count(sent)} entries.`);
}

/** Sends entries until the end, and returns their number. */
async function send(
  producer: ReturnType<ReturnType<typeof ring>["producer"]>,
  rate: number,
  end: AbortSignal,
): Promise<number> {
  let sent = 0;
  try {
    for (let due = 0, last = clock(); !end.aborted; await delay(1)) {
      const time = clock();
      due = Math.min(due + (time - last) * rate / 1000, rate);
      last = time;
      for (; due >= 1 && !end.aborted; due--) {
        const text = JOBS[sent % JOBS.length]!;
        await producer.send({ number: sent, time: clock(), text }, { signal: end });
        sent++;
      }
    }
  } catch (error) {
    if (!end.aborted) throw error; // otherwise it was waiting for room at the end
  }
  return sent;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, all seats of producers are taken
  Deno.exitCode = 1;
}
