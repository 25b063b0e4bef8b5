/**
 * The consumer of the readings that spsc_producer.ts sends: each second it prints their number and
 * their age, and at the end whether each arrived once and in order.
 *
 *     deno run --allow-ffi examples/spsc_consumer.ts
 *
 * It ends when the producer does; if the producer is killed, it first reads everything that is
 * left.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import { PeerLostError, VringError } from "../mod.ts";
import { type ReadingValue, ring } from "./spsc.ts";
import { clock, count, endAfter, options, wrap } from "./ticker.ts";

const READINGS_A_TURN = 1000;

async function main(): Promise<void> {
  const { name, seconds } = options({ name: "readings", seconds: 3600 });
  using consumer = ring(name).consumer();
  console.log(`Receiving from "${name}"; waiting for readings`);
  const account = new Account();
  const timer = setInterval(() => console.log(account.line()), 1000);
  const how = await receive(consumer, account, endAfter(seconds));
  clearInterval(timer);
  if (how !== "stopped") console.log(`The producer ${how}.`);
  console.log(account.total());
}

/** Receives until its end or the producer's, and returns which it was. */
async function receive(
  consumer: ReturnType<ReturnType<typeof ring>["consumer"]>,
  account: Account,
  end: AbortSignal,
): Promise<"stopped" | "has closed" | "died"> {
  try {
    while (await consumer.wait({ signal: end })) {
      // in place: nothing is copied, and all are released together
      consumer.poll((reading) => account.note(reading.value, reading.redelivered), READINGS_A_TURN);
      await setImmediate(); // timers and Ctrl-C get their turn
    }
    return "has closed";
  } catch (error) {
    if (error instanceof PeerLostError) return "died";
    if (!end.aborted) throw error;
    return "stopped";
  }
}

/** The readings that arrived. */
class Account {
  #received = 0;
  #missing = 0;
  #again = 0;
  #next = -1;
  #told = 0;
  #age = 0;
  #celsius = 0;

  /** Counts a reading. */
  note({ number, time, celsius }: ReadingValue, redelivered: boolean): void {
    if (this.#next >= 0 && number !== 0) this.#missing += Math.abs(number - this.#next);
    this.#next = number + 1;
    this.#received++;
    if (redelivered) this.#again++;
    this.#age += clock() - time;
    this.#celsius = celsius;
  }

  /** The line for the last second. */
  line(): string {
    const received = this.#received - this.#told;
    const age = received === 0 ? "" : `, ${(this.#age / received).toFixed(2)} ms old`;
    this.#told = this.#received;
    this.#age = 0;
    return `${count(received).padStart(9)} readings/s${age}, ${this.#celsius.toFixed(1)} °C`;
  }

  /** The line for the end. */
  total(): string {
    const next = count(Math.max(this.#next, 0));
    return wrap(
      `Received ${count(this.#received)} readings: ${count(this.#missing)} missing, ` +
        `${count(this.#again)} perhaps for the second time; the next is ${next}.`,
    );
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, another consumer is alive
  Deno.exitCode = 1;
}
