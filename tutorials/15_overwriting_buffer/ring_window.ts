/**
 * A look into an overwriting ring from outside, as a third process could take it.
 *
 * @module
 */

import { retrySync } from "../../src/region/poll.ts";
import { Region } from "../../src/region/region.ts";
import { regionPath } from "../../src/region/names.ts";
import {
  CIRCULAR_BUFFER,
  Head,
  type Ring,
  ringOf,
  UNIT,
} from "../../src/circular/circular_buffer.ts";
import { table } from "../picture.ts";

/** How many bytes a head has. */
export const HEAD_BYTES = 32;

/** A mapping of a ring for reading only. */
export class RingWindow implements Disposable {
  readonly #region: Region;
  readonly #ring: Ring;

  /** Looks into the ring of this name, which must be there. */
  constructor(name: string) {
    const path = regionPath(CIRCULAR_BUFFER.name, name);
    this.#region = retrySync(() => Region.joinOnce(CIRCULAR_BUFFER, path, { readOnly: true }))!;
    this.#ring = ringOf(name, this.#region);
  }

  /** The position of the oldest message that is intact. */
  get oldest(): number {
    return this.#ring.oldest.loadLast();
  }

  /** The position behind the last message. */
  get published(): number {
    return this.#ring.published.load();
  }

  /** How many positions there are in one lap. */
  get lap(): number {
    return this.#ring.units;
  }

  /** The head at a position. */
  head(position: number): Head {
    const head = new Head();
    head.load(this.#ring, this.#offset(position));
    return head;
  }

  /** The bytes behind the head at a position, in place, whatever they are by now. */
  payload(position: number, length: number): Uint8Array {
    const start = this.#ring.dataOffset + this.#offset(position) + HEAD_BYTES;
    return this.#ring.mapping.bytes.subarray(start, start + length);
  }

  /** Stops looking. */
  [Symbol.dispose](): void {
    this.#region.close();
  }

  #offset(position: number): number {
    return position % this.#ring.units * UNIT;
  }
}

/** How many messages fill a ring once round, when each has `lap / CELLS` positions. */
export const CELLS = 32;

/** A place to point at. */
export interface Mark {
  /** The position. */
  readonly position: number;
  /** The label beside the pointer. */
  readonly label: string;
}

/** The ring, a character for each message: its first byte, or `·` where nothing is intact. */
export function drawRing(window: RingWindow, marks: readonly Mark[] = []): string {
  const { oldest, published, lap } = window;
  const each = lap / CELLS;
  const cells = Array.from({ length: CELLS }, (_, cell) => {
    const back = (published - cell * each + lap) % lap || lap; // the last message in this cell
    const position = published - back;
    if (position < oldest) return "·";
    return String.fromCharCode(window.payload(position, 1)[0]!);
  });
  const all = [
    { position: oldest, label: "oldest" },
    { position: published, label: "published" },
    ...marks,
  ];
  const pointers = all.map(({ position, label }) =>
    `${" ".repeat(1 + position % lap / each)}^ ${label} ${position}`
  );
  const rule = "─".repeat(CELLS);
  return [`┌${rule}┐`, `│${cells.join("")}│`, `└${rule}┘`, ...pointers].join("\n");
}

/** The heads from the oldest on, that of the message to come included. */
export function headTable(window: RingWindow): string {
  const rows: (string | number)[][] = [["position", "sequence", "payload", "previous", "length"]];
  const { oldest, published, lap } = window;
  for (let position = oldest; position <= published; position += lap / CELLS) {
    const { sequence, payload, previous, length } = window.head(position);
    rows.push([position, sequence, payload, previous, position === published ? "-" : length]);
  }
  return table(rows);
}
