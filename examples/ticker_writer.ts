/**
 * A ticker: prices flow into an overwriting ring in shared memory, with any number of readers. The
 * writer never waits: readers that are too slow learn how much they have lost.
 *
 * Run it in one terminal with `deno run --allow-ffi examples/ticker_writer.ts`, and as many readers
 * as you like in others, in any order: `deno run --allow-ffi examples/ticker_reader.ts`. `--rate
 * 100000` writes faster, `--seconds 60` longer, and `--name mine` uses a ticker of your own. Kill
 * it (`kill -9`) and start it again: the readers simply continue.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { circular, type CircularBufferWriter, VringError } from "../mod.ts";
import { CAPACITY, clock, count, endAfter, options, Tick, wrap } from "./ticker.ts";

const SYMBOLS = ["SALT", "SILK", "TEA", "PEPPER"];

/** After a pause it catches up at most this much; a longer burst would lap every reader. */
const LONGEST_BURST_MS = 20;

async function main(): Promise<void> {
  const { name, seconds, rate, group } = options({
    name: "ticker",
    seconds: 10,
    rate: 20_000,
    group: "", // whose members may observe a new ticker
  });
  const access = group === "" ? {} : { group };
  using writer = circular(name, { capacity: CAPACITY, ...access }).writer();
  const before = writer.sequence;
  const after = before === 0 ? "" : `, going on after ${count(before)} of an earlier writer`;
  console.log(wrap(`Writing ${count(rate)} ticks/s to "${name}" for ${seconds} s${after}`));
  await write(writer, rate, endAfter(seconds));
  console.log(`Wrote ${count(writer.sequence - before)} ticks.`);
}

async function write(writer: CircularBufferWriter, rate: number, end: AbortSignal): Promise<void> {
  const next = makeTicks();
  let reportAt = clock() + 1000;
  let reported = writer.sequence;
  let last = clock();
  let due = 0;
  while (!end.aborted) {
    const time = clock();
    due += Math.min(time - last, LONGEST_BURST_MS) * rate / 1000;
    last = time;
    for (; due >= 1; due--) writer.trySend(next());
    if (time >= reportAt) {
      console.log(`${count(writer.sequence - reported).padStart(9)} ticks/s`);
      reported = writer.sequence;
      reportAt += 1000;
    }
    await delay(1);
  }
}

/** Returns the bytes of the next tick at each call; prices wander. */
function makeTicks(): () => Uint8Array {
  const bytes = new Uint8Array(Tick.size);
  const tick = Tick.view(bytes);
  const prices = SYMBOLS.map((_, i) => 20 * (i + 1));
  let turn = 0;
  return () => {
    const which = turn++ % SYMBOLS.length;
    prices[which]! *= 1 + (Math.random() - 0.5) / 1000;
    tick.symbol = SYMBOLS[which]!;
    tick.price = prices[which]!;
    tick.amount = 1 + Math.floor(Math.random() * 100);
    tick.time = clock();
    return bytes;
  };
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, another writer is alive
  Deno.exitCode = 1;
}
