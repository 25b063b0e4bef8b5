/**
 * An observer of the ticker: each second it prints the newest prices. It has no right to write into
 * the ring, so it may belong to a user whom you do not trust; the writer and its readers cannot tell
 * that it is there.
 *
 * Run it beside the writer, in any order, as yourself or as another user:
 *
 *     deno run --allow-ffi examples/ticker_writer.ts --group games
 *     sudo -u nobody -g games deno run --allow-ffi examples/ticker_observer.ts
 *
 * When the writer has ended, the ring is gone. The observer waits for the next one of the name.
 *
 * @module
 */

import { circular } from "../mod.ts";
import { CAPACITY, count, endAfter, options, Tick } from "./ticker.ts";

async function main(): Promise<void> {
  const { name, seconds } = options({ name: "ticker", seconds: 10 });
  const ticker = circular(name, {
    capacity: CAPACITY,
    anyOwner: true, // its owner could end this program, and nothing else
  });
  using observer = ticker.observer({
    start: "now",
    afterLoss: "newest", // an old price is useless
  });
  console.log(`Observing "${name}" for ${seconds} s; waiting for ticks`);
  const prices = new Map<string, number>();
  let ticks = 0;
  const timer = setInterval(() => console.log(line(prices)), 1000);
  for await (const tick of observer.values({ until: endAfter(seconds), onLoss: "skip" })) {
    const { symbol, price } = Tick.view(tick);
    prices.set(symbol, price);
    ticks++;
  }
  clearInterval(timer);
  const { buffers, lost } = observer;
  console.log(
    `Saw ${count(ticks)} ticks of ${count(buffers)} rings, and lost ${count(lost)}.`,
  );
}

/** The line for the last second. */
function line(prices: Map<string, number>): string {
  const shown = Array.from(prices, ([symbol, price]) => `${symbol} ${price.toFixed(2)}`);
  prices.clear();
  return shown.length === 0 ? "no ticks" : shown.join("  ");
}

await main();
