/**
 * A reader of the ticker: each second it prints how many ticks it read, how old they were, and how
 * many it lost; at the end it accounts for every tick that was written.
 *
 * Run several, at once and in any order, beside the writer (see ticker_writer.ts):
 *
 *     deno run --allow-ffi examples/ticker_reader.ts
 *     deno run --allow-ffi examples/ticker_reader.ts --slow
 *
 * The slow one needs some milliseconds for each tick. The writer laps it again and again; it learns
 * how much it has lost, and continues at the newest price. It costs the others nothing.
 *
 * @module
 */

import { setImmediate, setTimeout as delay } from "node:timers/promises";
import { circular, type CircularBufferReader, PeerLostError } from "../mod.ts";
import { CAPACITY, clock, count, endAfter, options, Tick } from "./ticker.ts";

const TICKS_A_TURN = 256;

async function main(): Promise<void> {
  const { name, seconds, slow } = options({ name: "ticker", seconds: 10, slow: false });
  using reader = circular(name, { capacity: CAPACITY }).reader({
    start: "now",
    afterLoss: "newest", // an old price is useless
  });
  const first = reader.sequence;
  console.log(`Reading "${name}" for ${seconds} s; waiting for ticks`);
  const report = new Report(reader);
  const timer = setInterval(() => console.log(report.line()), 1000);
  const closed = await follow(reader, report, { slow, end: endAfter(seconds) });
  clearInterval(timer);
  if (closed) console.log("The writer has closed."); // onPeerGone: "wait" would wait for the next one
  const written = reader.sequence - first;
  console.log(
    `Read ${count(report.ticks)} and lost ${count(reader.lost)} ` +
      `of the ${count(written)} ticks that were written meanwhile.`,
  );
}

/** Reads until the end, or until the writer closes, and then returns true. */
async function follow(
  reader: CircularBufferReader,
  report: Report,
  { slow, end }: { slow: boolean; end: AbortSignal },
): Promise<boolean> {
  for (let turn = 1; !end.aborted; turn++) {
    const tick = await nextTick(reader, end);
    if (tick !== undefined) report.note(Tick.view(tick.value));
    else if (reader.ended) return true;
    // A loss needs no code: the reader counts it, and has moved to the newest tick.
    if (slow) await delay(1);
    else if (turn % TICKS_A_TURN === 0) await setImmediate(); // timers and Ctrl-C get their turn
  }
  return false;
}

/** Waits for a tick; undefined at the end, and while a dead writer has no successor. */
async function nextTick(reader: CircularBufferReader, end: AbortSignal) {
  try {
    return await reader.receive({ signal: end });
  } catch (error) {
    if (error instanceof PeerLostError) await delay(100); // another writer may start
    else if (!end.aborted) throw error;
    return undefined;
  }
}

/** The ticks and losses since the last line. */
class Report {
  /** The number of ticks read in all. */
  ticks = 0;
  readonly #reader: CircularBufferReader;
  readonly #prices = new Map<string, number>();
  readonly #ages = new Float64Array(10_000); // of this second's ticks, in ms; the latest if more
  #seconds = 0;
  #told = { ticks: 0, lost: 0 };

  constructor(reader: CircularBufferReader) {
    this.#reader = reader;
  }

  /** Counts a tick. */
  note(tick: { readonly time: number; readonly price: number; readonly symbol: string }): void {
    this.#ages[(this.ticks - this.#told.ticks) % this.#ages.length] = clock() - tick.time;
    this.#prices.set(tick.symbol, tick.price);
    this.ticks++;
  }

  /** The line for the last second. */
  line(): string {
    const lost = this.#reader.lost - this.#told.lost;
    const read = this.ticks - this.#told.ticks;
    this.#told = { ticks: this.ticks, lost: this.#reader.lost };
    const start = `${++this.#seconds} s`.padStart(5) + `${count(read).padStart(9)} ticks/s`;
    const loss = `  lost ${count(lost).padEnd(8)}`;
    if (read === 0) return `${start}${loss}`.trimEnd();
    const ages = this.#ages.slice(0, Math.min(read, this.#ages.length)).sort();
    const age = (part: number) => duration(ages[Math.floor(part * (ages.length - 1))]!);
    const prices = Array.from(this.#prices, ([symbol, price]) => `${symbol} ${price.toFixed(2)}`);
    return `${start}  latency ${age(0.5)}, p99 ${age(0.99)}${loss}`.trimEnd() +
      `\n${" ".repeat(7)}${prices.join("  ")}`;
  }
}

function duration(ms: number): string {
  const [number, unit] = ms < 1
    ? [(ms * 1000).toFixed(), "us"]
    : [ms.toFixed(ms < 10 ? 1 : 0), "ms"];
  return `${number.padStart(4)} ${unit}`;
}

await main();
