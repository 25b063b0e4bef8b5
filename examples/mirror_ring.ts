/**
 * The mirror ring at work: messages flow through a ring of one page, and every message is in one
 * piece, even if it crosses the end of the ring.
 *
 * Run it with `deno run --allow-ffi examples/mirror_ring.ts`.
 *
 * @module
 */

import { MirrorRing } from "../mod.ts";

const MESSAGES = 30;
const FRAME_MS = 60;
const SEAM_MS = 450;
const FRAMES_WITHOUT_TERMINAL = 3;
const CELLS = 36; // of the picture of one window

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const terminal = Deno.stdout.isTerminal() && Deno.consoleSize().columns >= 80;
const styled = (code: number, text: string) =>
  terminal && !Deno.noColor ? `\x1b[${code}m${text}\x1b[m` : text;
const bold = (text: string) => styled(1, text);
const green = (text: string) => styled(32, text);

async function main(): Promise<void> {
  using ring = new MirrorRing(4096);
  showBothAddresses(ring);
  await showMessages(ring);
  showSpeed(ring.capacity);
}

function showBothAddresses({ bytes, capacity }: MirrorRing): void {
  const mirrored = bytes.subarray(capacity);
  bytes.set(encoder.encode("hello"));
  const seen = decoder.decode(mirrored.subarray(0, 5));
  console.log(bold(`One memory of ${capacity} bytes, at two addresses`));
  console.log(`  written at ${addressOf(bytes)}  hello`);
  console.log(`  read at    ${addressOf(mirrored)}  ${seen}   (nothing was copied)`);
}

function addressOf(bytes: Uint8Array<ArrayBuffer>): string {
  return `0x${Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)).toString(16)}`;
}

/** A message in the ring, remembered here to draw it and to check it when it comes out. */
interface Message {
  /** Words that count, so that a byte in the wrong place would show: "c0 c1 c2 ..". */
  readonly text: string;
  /** Where in the ring it begins. */
  readonly start: number;
}

async function showMessages(ring: MirrorRing): Promise<void> {
  const { bytes, capacity } = ring;
  console.log(bold("\nMessages flow through it; both windows show the same bytes"));
  console.log(`  ${addressOf(bytes).padEnd(CELLS)}  ${addressOf(bytes.subarray(capacity))}`);
  const show = terminal ? animate() : printSome();
  const underWay: Message[] = [];
  let position = 0;
  let sent = 0;
  while (sent < MESSAGES || underWay.length > 0) {
    const text = compose(sent, capacity);
    if (sent < MESSAGES && text.length <= ring.free) {
      ring.write(encoder.encode(text));
      underWay.push({ text, start: position });
      position = (position + text.length) % capacity;
      sent++;
      continue;
    }
    const oldest = underWay[0]!;
    const piece = ring.peek(oldest.text.length); // in place, and always in one piece
    if (decoder.decode(piece) !== oldest.text) throw new Error("A message was damaged");
    await show(draw(underWay, capacity), oldest.start + piece.length > capacity);
    ring.consume(piece.length);
    underWay.shift();
  }
}

function compose(number: number, capacity: number): string {
  const letter = String.fromCharCode(97 + number % 26);
  const length = Math.floor(capacity * (0.1 + 0.2 * (number * 0.618 % 1)));
  let text = "";
  for (let word = 0; text.length < length; word++) text += `${letter}${word} `;
  return text.slice(0, length);
}

/** Both windows, a mark under the message that is read now, and its bytes around the seam. */
function draw(underWay: Message[], capacity: number): string[] {
  const scale = capacity / CELLS;
  const { text, start } = underWay[0]!;
  const isRead = (cell: number) =>
    cell >= Math.floor(start / scale) && cell * scale < start + text.length;
  const cells = Array.from({ length: 2 * CELLS }, (_, cell) => {
    const letter = letterAt(((cell + 0.5) * scale) % capacity, underWay, capacity);
    return isRead(cell) ? green(letter) : letter;
  });
  const marks = cells.map((_, cell) => isRead(cell) ? "^" : " ");
  const seamMark = isRead(CELLS - 1) && isRead(CELLS) ? "^" : " ";
  const row = (cells: string[], edge: string, seam: string) =>
    edge + cells.slice(0, CELLS).join("") + seam + cells.slice(CELLS).join("") + edge;
  const left = text.slice(0, capacity - start).slice(-14);
  const right = text.slice(capacity - start, capacity - start + 14);
  const across = right && `, across the seam: ..${left}${bold(green("|"))}${right}..`;
  return [
    row(cells, "|", "|"),
    row(marks, " ", seamMark).trimEnd(),
    `${text[0]}: ${text.length} bytes in one piece${across}`,
  ];
}

/** The letter of the message that has this byte of the ring, or a dot if it is free. */
function letterAt(byte: number, underWay: Message[], capacity: number): string {
  const message = underWay.find(({ text, start }) =>
    (byte - start + capacity) % capacity < text.length
  );
  return message?.text[0] ?? ".";
}

type Show = (lines: string[], acrossSeam: boolean) => Promise<void>;

/** On a terminal every message is a frame, drawn over the last one; the seam gets more time. */
function animate(): Show {
  let back = "";
  return async (lines, acrossSeam) => {
    console.log(back + lines.map((line) => `  ${line}\x1b[K`).join("\n"));
    back = `\x1b[${lines.length}A`;
    await new Promise((done) => setTimeout(done, acrossSeam ? SEAM_MS : FRAME_MS));
  };
}

/** Elsewhere the first few messages that cross the seam are printed. */
function printSome(): Show {
  let left = FRAMES_WITHOUT_TERMINAL;
  return async (lines, acrossSeam) => {
    if (acrossSeam && left-- > 0) console.log(lines.map((line) => `  ${line}\n`).join(""));
    await null;
  };
}

/** A ring without a mirror: a message that crosses the end is copied in two parts. */
class TwoPartRing {
  readonly #capacity: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #writeAt = 0;
  #readAt = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#bytes = new Uint8Array(capacity);
  }

  write(source: Uint8Array): void {
    const first = this.#capacity - this.#writeAt;
    if (source.length <= first) {
      this.#bytes.set(source, this.#writeAt);
    } else {
      this.#bytes.set(source.subarray(0, first), this.#writeAt);
      this.#bytes.set(source.subarray(first));
    }
    this.#writeAt = this.#step(this.#writeAt, source.length);
  }

  read(target: Uint8Array): void {
    const first = this.#capacity - this.#readAt;
    if (target.length <= first) {
      target.set(this.#bytes.subarray(this.#readAt, this.#readAt + target.length));
    } else {
      target.set(this.#bytes.subarray(this.#readAt));
      target.set(this.#bytes.subarray(0, target.length - first), first);
    }
    this.#readAt = this.#step(this.#readAt, target.length);
  }

  #step(at: number, length: number): number {
    const next = at + length;
    return next < this.#capacity ? next : next - this.#capacity;
  }
}

const SIZE = 1000;
const COUNT = 200_000;
const ROUNDS = 7;

function showSpeed(capacity: number): void {
  using mirror = new MirrorRing(capacity);
  const twoPart = new TwoPartRing(capacity);
  const message = Uint8Array.from({ length: SIZE }, (_, i) => i);
  const target = new Uint8Array(SIZE);
  const timesMirror: number[] = [];
  const timesTwoPart: number[] = [];
  for (let round = 0; round < ROUNDS; round++) { // in turn, because the speed of a machine changes
    let start = performance.now();
    for (let i = 0; i < COUNT; i++) {
      mirror.write(message);
      mirror.read(target);
    }
    timesMirror.push(performance.now() - start);
    start = performance.now();
    for (let i = 0; i < COUNT; i++) {
      twoPart.write(message);
      twoPart.read(target);
    }
    timesTwoPart.push(performance.now() - start);
  }
  const share = Math.round(100 * SIZE / capacity);
  console.log(
    bold(`\nMessages of ${SIZE} bytes, written and read; ${share} % of them cross the seam`),
  );
  console.log(`  through the mirror   ${gigabytesPerSecond(timesMirror)} GB/s`);
  console.log(`  copied in two parts  ${gigabytesPerSecond(timesTwoPart)} GB/s`);
}

/** The time of the median round. */
function gigabytesPerSecond(timesMs: number[]): string {
  const median = timesMs.sort((a, b) => a - b)[ROUNDS >> 1]!;
  return (SIZE * COUNT / median / 1e6).toFixed(1).padStart(5);
}

await main();
