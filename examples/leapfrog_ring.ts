/**
 * The leapfrog ring at work: one page of memory moves forward through a range of addresses.
 *
 * Each line is the strip of reserved addresses, one cell for a quarter of a page. The capitals are
 * the two windows, both onto the same page; bytes that wait to be read are solid.
 *
 * Run it with `deno run --allow-ffi examples/leapfrog_ring.ts`.
 *
 * @module
 */

import { LeapfrogRing } from "../mod.ts";

const CELLS_PER_WINDOW = 4;
const WINDOWS = 12;
const STEPS = 34;
const FRAME_MS = 90;

const terminal = Deno.stdout.isTerminal();

async function main(): Promise<void> {
  using ring = new LeapfrogRing(4096, { range: WINDOWS * 4096 });
  console.log(`${ring.capacity} bytes of memory, in ${WINDOWS * 4} KiB of addresses`);
  console.log(`from 0x${ring.start.toString(16)} to 0x${ring.end.toString(16)}\n`);
  console.log("  A, B: the windows   #: bytes to read   .: zeros\n");
  const stale = await watch(ring);
  console.log(`\n${ring.leaps} leaps, and ${ring.laps} time back to the start of the range`);
  console.log(`A view of bytes that were consumed long ago reads ${stale.join(" ")}`);
}

/** Fills and empties the ring, and returns a view of the first bytes, which it has consumed. */
async function watch(ring: LeapfrogRing): Promise<Uint8Array> {
  const step = ring.capacity * 0.4;
  const message = new Uint8Array(step).fill(7);
  ring.write(message);
  const first = ring.peek(4);
  for (let i = 0; i < STEPS; i++) {
    ring.write(message);
    draw(ring);
    ring.consume(Math.floor(step));
    if (terminal) await new Promise((done) => setTimeout(done, FRAME_MS));
  }
  return first;
}

function draw(ring: LeapfrogRing): void {
  const cell = ring.capacity / CELLS_PER_WINDOW;
  const strip = Array.from({ length: WINDOWS * CELLS_PER_WINDOW }, (_, i) => {
    const middle = ring.start + (i + 0.5) * cell;
    if (middle >= ring.tail && middle < ring.head) return "#";
    const window = Math.floor((middle - ring.window) / ring.capacity);
    const number = (ring.window - ring.start) / ring.capacity + window;
    return window === 0 || window === 1 ? "AB"[number % 2]! : ".";
  });
  const offset = (ring.head - ring.start).toString().padStart(6);
  console.log(`  |${strip.join("")}|  head: start + ${offset}`);
}

await main();
