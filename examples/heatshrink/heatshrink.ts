/**
 * heatshrink as functions, as streams, and as a command:
 *
 *     deno run --allow-ffi examples/heatshrink/heatshrink.ts <README.md >README.hs
 *     deno run --allow-ffi examples/heatshrink/heatshrink.ts --decompress <README.hs
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Decoder } from "./decoder.ts";
import { type Emit, Encoder } from "./encoder.ts";
import type { Settings } from "./format.ts";
import type { RingKind } from "./history.ts";

/** Compresses bytes. */
export function compress(
  bytes: Uint8Array,
  settings: Settings = {},
  ring?: RingKind,
): Uint8Array<ArrayBuffer> {
  return whole(bytes, (emit) => new Encoder(settings, emit, ring));
}

/** Decompresses bytes; throws a TypeError if their end is missing. */
export function decompress(
  bytes: Uint8Array,
  settings: Settings = {},
  ring?: RingKind,
): Uint8Array<ArrayBuffer> {
  return whole(bytes, (emit) => new Decoder(settings, emit, ring));
}

/** Makes a stream that compresses what passes through it. */
export function compression(settings: Settings = {}): TransformStream<Uint8Array, Uint8Array> {
  return through((emit) => new Encoder(settings, emit));
}

/** Makes a stream that decompresses what passes through it, and fails if the end is missing. */
export function decompression(settings: Settings = {}): TransformStream<Uint8Array, Uint8Array> {
  return through((emit) => new Decoder(settings, emit));
}

function whole(bytes: Uint8Array, make: (emit: Emit) => Encoder | Decoder) {
  const blocks: Uint8Array[] = [];
  using coder = make((block) => blocks.push(block));
  coder.write(bytes);
  coder.end();
  const result = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const block of blocks) {
    result.set(block, at);
    at += block.length;
  }
  return result;
}

function through(make: (emit: Emit) => Encoder | Decoder) {
  let coder: Encoder | Decoder;
  const close = () => coder[Symbol.dispose]();
  return new TransformStream<Uint8Array, Uint8Array>({
    start: (controller) => void (coder = make((block) => controller.enqueue(block))),
    transform: (chunk) => coder.write(chunk),
    flush: () => coder.end(),
    cancel: close, // the reader stopped, or the writer aborted
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      decompress: { type: "boolean", short: "d", default: false },
      window: { type: "string", short: "w", default: "11" },
      lookahead: { type: "string", short: "l", default: "4" },
    },
  });
  const settings = { window: Number(values.window), lookahead: Number(values.lookahead) };
  const stream = values.decompress ? decompression(settings) : compression(settings);
  await Deno.stdin.readable.pipeThrough(stream).pipeTo(Deno.stdout.writable);
}

if (import.meta.main) await main();
