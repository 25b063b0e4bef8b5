/**
 * A mirror ring to play with: write letters, read them, and watch the two positions go round. Run
 * it with `deno run --allow-ffi tutorials/05_mirror_ring/play.ts`.
 *
 * @module
 */

import { MirrorRing } from "../../mod.ts";
import { CELLS, windows } from "../picture.ts";
import { ask, picture, say } from "../narrator.ts";
import { stateOf } from "./ring_state.ts";

function play(): void {
  using ring = new MirrorRing(1);
  const cell = ring.capacity / CELLS;
  say(`A mirror ring of ${ring.capacity} bytes, ${CELLS} cells of ${cell}. Type letters to write
    each into a cell. Type a number to read so many cells. Type q to stop.`);
  picture(windows(stateOf(ring)));
  for (let line; (line = ask("\n> ")?.trim()) !== undefined && line !== "q";) {
    if (line === "") continue;
    console.log(/^\d+$/.test(line) ? readCells(ring, Number(line)) : writeCells(ring, line));
    picture(windows(stateOf(ring)));
  }
}

/** Writes as many letters as fit. */
function writeCells(ring: MirrorRing, line: string): string {
  const cell = ring.capacity / CELLS;
  const letters = new TextEncoder().encode(line);
  const fitting = letters.subarray(0, ring.free / cell);
  for (const letter of fitting) ring.write(new Uint8Array(cell).fill(letter));
  const full = fitting.length < letters.length ? "; the ring is full" : "";
  return `wrote ${fitting.length} of ${letters.length} cells${full}`;
}

/** Reads as many cells as there are, in one piece. */
function readCells(ring: MirrorRing, wanted: number): string {
  const cell = ring.capacity / CELLS;
  const piece = ring.peek(Math.min(wanted * cell, ring.available));
  const from = piece.byteOffset;
  const to = from + piece.length;
  const letters = new TextDecoder().decode(piece.filter((_, i) => i % cell === 0));
  const across = to > ring.capacity ? "\nacross the seam" : "";
  ring.consume(piece.length);
  return `read "${letters}" in one piece, bytes ${from} to ${to}${across}`;
}

play();
