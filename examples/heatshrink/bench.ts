/**
 * Runs the same encoder and the same decoder on a mirror ring and on a masked ring, and counts what
 * differs: calls that copy, questions whether a range crosses the end, and ranges that did. Then the
 * time for each byte, with `CompressionStream` beside it.
 *
 *     deno run --allow-ffi --allow-read examples/heatshrink/bench.ts
 *
 * @module
 */

import { Decoder } from "./decoder.ts";
import { type Emit, Encoder } from "./encoder.ts";
import type { Settings } from "./format.ts";
import type { Counts, RingKind } from "./history.ts";

const ROUNDS = 9;
const RINGS: readonly RingKind[] = ["masked", "mirror"];

interface Input {
  readonly name: string;
  readonly settings: Settings;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The source of the topics and of the calls, as one text. */
function source(): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const folder of ["vdds", "calls"]) {
    const url = new URL(`../../src/${folder}/`, import.meta.url);
    const names = [...Deno.readDirSync(url)].map(({ name }) => name).sort();
    for (const name of names) parts.push(Deno.readFileSync(new URL(name, url)));
  }
  return joined(parts);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

const text = source();

/** Images whose lines repeat: long repeats from far away, which are copied by calls. */
function images(): Uint8Array<ArrayBuffer> {
  const line = Uint8Array.from({ length: 1500 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
  const bytes = new Uint8Array(400 * line.length);
  for (let row = 0; row < 400; row++) bytes.set(line, row * line.length);
  return bytes;
}

const INPUTS: readonly Input[] = [
  { name: "text, -w 11 -l 4", settings: {}, bytes: text },
  { name: "text, -w 8 -l 4", settings: { window: 8, lookahead: 4 }, bytes: text },
  { name: "equal lines, -w 12 -l 10", settings: { window: 12, lookahead: 10 }, bytes: images() },
];

type Coder = Encoder | Decoder;
type Make = (emit: Emit, ring: RingKind) => Coder;

/** Passes bytes through a coder in chunks, and returns the result, what was counted, and the time. */
function run(make: Make, ring: RingKind, bytes: Uint8Array) {
  const blocks: Uint8Array[] = [];
  const begin = performance.now();
  using coder = make((block) => blocks.push(block), ring);
  for (let at = 0; at < bytes.length; at += 4096) coder.write(bytes.subarray(at, at + 4096));
  coder.end();
  return { blocks, counts: coder.counts, timeMs: performance.now() - begin };
}

/** Compares the rings; the rounds alternate, because the speed of a machine changes. */
function compare(what: string, make: Make, bytes: Uint8Array, length: number): void {
  const times: Record<RingKind, number[]> = { masked: [], mirror: [] };
  const counts = {} as Record<RingKind, Counts>;
  for (let round = -3; round < ROUNDS; round++) {
    for (const ring of RINGS) {
      const { timeMs, ...result } = run(make, ring, bytes);
      counts[ring] = result.counts;
      if (round >= 0) times[ring].push(timeMs);
    }
  }
  for (const ring of RINGS) {
    const { copies, branches, seams } = counts[ring];
    const row = [copies, branches, seams].map((count) => String(count).padStart(8)).join("");
    console.log(`  ${what.padEnd(11)}${ring}${row}   ${spread(times[ring], length)}`);
  }
}

/** The median of the rounds, and the fastest and slowest. */
function spread(timesMs: readonly number[], length: number): string {
  const sorted = timesMs.map((ms) => ms * 1e6 / length).sort((a, b) => a - b);
  const [median, least, most] = [sorted[sorted.length >> 1]!, sorted[0]!, sorted.at(-1)!];
  return `${median.toFixed(2).padStart(7)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
}

async function platform(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const [compressMs, expandMs]: number[][] = [[], []];
  let size = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let begin = performance.now();
    const compressed = await throughStream(bytes, new CompressionStream("deflate-raw"));
    compressMs!.push(performance.now() - begin);
    size = compressed.length;
    begin = performance.now();
    await throughStream(compressed, new DecompressionStream("deflate-raw"));
    expandMs!.push(performance.now() - begin);
  }
  const label = (what: string) => `  ${what.padEnd(11)}deflate${"".padStart(23)}   `;
  console.log(label("compress") + spread(compressMs!, bytes.length));
  console.log(label("expand") + spread(expandMs!, bytes.length));
  console.log(`  deflate: ${bytes.length} bytes become ${size}`);
}

async function throughStream(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(stream)).bytes();
}

for (const { name, settings, bytes } of INPUTS) {
  const { blocks } = run((emit, ring) => new Encoder(settings, emit, ring), "mirror", bytes);
  const small = joined(blocks);
  console.log(`\n${name}: ${bytes.length} bytes become ${small.length}`);
  console.log("                     copies  branch   seams   ns a byte (least to most)");
  compare("compress", (emit, ring) => new Encoder(settings, emit, ring), bytes, bytes.length);
  compare("expand", (emit, ring) => new Decoder(settings, emit, ring), small, bytes.length);
  await platform(bytes);
}
