/**
 * Frames of 1920 x 1080 pixels, 6.2 MB each: the camera fills them in place, in shared memory, and
 * the viewers read them there. Handing one over takes no longer than a few bytes would.
 *
 * Camera and viewer in one process, or each in a terminal of its own, in any order:
 *
 *     deno run --allow-ffi examples/vdds_camera.ts
 *
 *     deno run --allow-ffi examples/vdds_camera.ts --camera
 *     deno run --allow-ffi examples/vdds_camera.ts --viewer
 *
 * A viewer takes the newest frame and holds it until a newer one arrives: no one writes into a held
 * frame. `--rate 60` films faster, `--topic /my/camera` uses a topic of your own.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { bytes, type Sample, struct, type Subscriber, topic, VringError } from "../mod.ts";
import { clock, count, endAfter, options } from "./ticker.ts";
import { duration, Durations, every, Meter } from "./vdds_meter.ts";

const WIDTH = 1920;
const HEIGHT = 1080;
const ROW = 3 * WIDTH;

const Frame = struct("frame", {
  time: { type: "f64", doc: "when it was finished, in milliseconds since 1970" },
  number: { type: "f64", doc: "how many were filmed before it" },
  pixels: { type: bytes(ROW * HEIGHT), doc: "red, green, blue; row by row" },
});

/** The topic: each of four viewers holds a frame, and the camera needs one to fill. */
function framesOf(name: string) {
  return topic(name, { type: Frame, depth: 6, subscribers: 4, policy: "dropOldest" });
}

async function main(): Promise<void> {
  const { topic: name, rate, seconds, camera, viewer } = options({
    topic: "/robot/camera",
    rate: 30,
    seconds: 3600,
    camera: false,
    viewer: false,
  });
  const end = endAfter(seconds);
  const both = camera === viewer;
  const what = both ? "Filming and watching" : camera ? "Filming" : "Watching";
  console.log(`${what} "${name}", ${WIDTH} x ${HEIGHT} pixels; Ctrl-C ends it`);
  await Promise.all([
    both || camera ? film(name, rate, end) : undefined,
    both || viewer ? watch(name, end) : undefined,
  ]);
}

/** The camera: publishes frames until the end. */
async function film(name: string, rate: number, end: AbortSignal): Promise<void> {
  using publisher = framesOf(name).publisher();
  const first = publisher.sequence;
  const filling = new Durations();
  for (let due = clock(); !end.aborted; due = Math.max(due + 1000 / rate, clock() - 1000 / rate)) {
    await delay(Math.max(due - clock(), 0));
    const loan = publisher.tryLoan();
    if (loan === undefined) continue; // viewers hold all of them: it counts as lost
    const frame = loan.view;
    const start = clock();
    paint(frame.pixels, publisher.sequence);
    frame.number = publisher.sequence;
    frame.time = clock();
    filling.note(frame.time - start);
    loan.publish(); // 6.2 MB, and not a byte is copied
  }
  console.log(
    `Filmed ${count(publisher.sequence - first)} frames, ` +
      `each filled in ${duration(filling.quantile(0.5)).trim()}.`,
  );
}

/** The picture: stripes that move, a little further in each row. */
const STRIPES = Uint8Array.from({ length: 2 * ROW }, (_, i) => {
  const turn = 2 * Math.PI * ((Math.floor(i / 3) % WIDTH) / WIDTH);
  return 128 + 127 * Math.sin(3 * turn + i % 3 * 2);
});

/** Where in the stripes a row of a frame begins. */
function stripeAt(row: number, number: number): number {
  return 3 * ((row + 8 * number) % WIDTH);
}

function paint(pixels: Uint8Array, number: number): void {
  for (let row = 0; row < HEIGHT; row++) {
    const at = stripeAt(row, number);
    pixels.set(STRIPES.subarray(at, at + ROW), row * ROW);
  }
}

/** A viewer: takes the newest frame again and again, until the end. */
async function watch(name: string, end: AbortSignal): Promise<void> {
  using subscriber = framesOf(name).subscriber();
  const meter = new Meter();
  const screen = new Screen(meter);
  using _lines = every(screen.everyMs, () => screen.draw());
  let damaged = 0;
  while (!end.aborted) {
    const sample = await newest(subscriber, end);
    if (sample === undefined) break;
    const { time, number, pixels } = sample.view;
    meter.note(time, sample.lost);
    if (!isWhole(pixels, number)) damaged++;
    screen.show(sample);
  }
  screen.clear();
  const { samples, lost } = meter.all();
  console.log(`Saw ${count(samples)} frames, lost ${count(lost)}, ${damaged} of them damaged.`);
}

/** Waits for a frame newer than the last; undefined at the end. */
async function newest(subscriber: Subscriber<typeof Frame>, end: AbortSignal) {
  try {
    return await subscriber.takeLatest({ signal: end });
  } catch (error) {
    if (!end.aborted) throw error;
    return undefined;
  }
}

/** Whether every row begins and ends as the camera painted it. */
function isWhole(pixels: Uint8Array, number: number): boolean {
  for (let row = 0; row < HEIGHT; row++) {
    const at = stripeAt(row, number);
    if (pixels[row * ROW] !== STRIPES[at]) return false;
    if (pixels[(row + 1) * ROW - 1] !== STRIPES[at + ROW - 1]) return false;
  }
  return true;
}

const CELLS = { across: 76, down: 12 };

/** The display of a viewer: figures, and on a terminal the frame that it holds. */
class Screen {
  /** How often it draws. */
  readonly everyMs: number;
  readonly #terminal = Deno.stdout.isTerminal() && !Deno.noColor &&
    Deno.consoleSize().columns >= 80;
  readonly #meter: Meter;
  #frame: Sample<typeof Frame> | undefined;
  #back = "";

  constructor(meter: Meter) {
    this.#meter = meter;
    this.everyMs = this.#terminal ? 200 : 1000;
  }

  /** Holds this frame in place of the one before, which goes back to the camera. */
  show(frame: Sample<typeof Frame>): void {
    this.clear();
    this.#frame = frame;
  }

  /** Gives back the frame that it holds. */
  clear(): void {
    this.#frame?.[Symbol.dispose]();
    this.#frame = undefined;
  }

  /** Prints the figures, and the frame on a terminal. */
  draw(): void {
    const { samples, lost, p50, p99 } = this.#meter.recent();
    const rate = samples * 1000 / this.everyMs;
    const figures =
      `${count(rate).padStart(5)} frames/s, ${count(rate * Frame.size / 1e6)} MB/s  ` +
      `latency ${duration(p50)}, p99 ${duration(p99)}  lost ${count(lost)}`;
    if (!this.#terminal || this.#frame === undefined) return console.log(figures);
    const lines = [...thumbnail(this.#frame.view.pixels), figures];
    console.log(this.#back + lines.map((line) => `${line}\x1b[K`).join("\n"));
    this.#back = `\x1b[${lines.length}A`;
  }
}

/** Some of the pixels, two in each cell: of 6.2 MB only these are read. */
function* thumbnail(pixels: Uint8Array): Generator<string> {
  const colour = (column: number, halfRow: number) => {
    const row = Math.floor((halfRow + 0.5) * HEIGHT / (2 * CELLS.down));
    const at = row * ROW + 3 * Math.floor((column + 0.5) * WIDTH / CELLS.across);
    return pixels.subarray(at, at + 3).join(";");
  };
  for (let row = 0; row < CELLS.down; row++) {
    const cells = Array.from({ length: CELLS.across }, (_, column) => {
      return `\x1b[38;2;${colour(column, 2 * row)};48;2;${colour(column, 2 * row + 1)}m\u2580`;
    });
    yield `${cells.join("")}\x1b[m`;
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, another camera is alive
  Deno.exitCode = 1;
}
