/**
 * What the tests of rings with many producers share: the inside of a ring, to be looked at and
 * changed, and rings that nobody else uses.
 *
 * @module
 */

import { bytes } from "../../src/codec.ts";
import type { Region } from "../../src/region/region.ts";
import { regionPath } from "../../src/region/names.ts";
import { Word32 } from "../../src/memory/word.ts";
import { LANE } from "../../src/lane/lane.ts";
import { Board, MPSC, MPSC_CONTROL } from "../../src/mpsc/mpsc.ts";
import type { MpscConsumer } from "../../src/mpsc/consumer.ts";
import { mpsc, type MpscDefinition } from "../../src/mpsc/definition.ts";
import type { MpscProducer } from "../../src/mpsc/producer.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import { CAPACITY } from "../spsc/scene.ts";
import { joinRegion, openRegion } from "../region/opening.ts";

export { CAPACITY };

/** The words of one producer's seat. */
export interface SeatWords {
  readonly head: Word32;
  readonly tail: Word32;
  readonly taken: Word32;
  readonly spaceBell: Word32;
  readonly producer: Word32;
  readonly generation: Word32;
}

/** A member of a ring that is neither producer nor consumer. While it is open the ring lives. */
export class Inside implements Disposable {
  readonly region: Region;
  readonly board: Board;
  /** The words of each producer, by its number. */
  readonly seats: readonly SeatWords[];
  readonly #name: Name | undefined;

  /** Joins the ring of this name, or makes one; without a name, one that nobody else has. */
  constructor(name?: string, { producers = 2, capacity = CAPACITY } = {}) {
    this.#name = name === undefined ? new Name() : undefined;
    const path = regionPath(MPSC.name, name ?? this.#name!.name);
    const sizes = { dataBytes: producers * capacity, partBytes: capacity };
    this.region = joinRegion(MPSC, path) ??
      openRegion(MPSC, path, { ...sizes, message: bytes().type });
    this.board = new Board("of a test", this.region);
    this.seats = Array.from({ length: this.board.producers }, (_, id) => this.#wordsOf(id));
  }

  #wordsOf(id: number): SeatWords {
    const { control, mapping, spaceBell } = this.board.place(id);
    return {
      head: new Word32(mapping, LANE.fields.head, control),
      tail: new Word32(mapping, LANE.fields.tail, control),
      taken: new Word32(mapping, LANE.fields.taken, control),
      spaceBell: spaceBell.word,
      producer: this.board.seat(id).state,
      generation: this.board.generation(id),
    };
  }

  /** The length in front of the message at a position of a lane. */
  setLength(id: number, at: number, length: number): void {
    const { data, capacity } = this.board.place(id);
    this.region.mapping.doubles[(data + at % capacity) / 8] = length;
  }

  /** As if so many bytes had been sent and received through every lane. */
  startAt(position: number): this {
    for (const { head, tail, taken } of this.seats) {
      for (const word of [head, tail, taken]) word.store(position);
    }
    return this;
  }

  /** How many words of 32 bits the control block has. */
  get size(): number {
    return (MPSC_CONTROL.fields.seats.offset + this.seats.length * this.#seatBytes) / 4;
  }

  get #seatBytes(): number {
    return this.board.place(1).control - this.board.place(0).control;
  }

  /** One of the words of the control block, whatever it is for. */
  word(index: number): Word32 {
    const { mapping, controlOffset } = this.region;
    return new Word32(mapping, { path: `word ${index}`, offset: 4 * index }, controlOffset);
  }

  [Symbol.dispose](): void {
    this.region.close();
    this.#name?.[Symbol.dispose]();
  }
}

/** A consumer and its producers, all of them but those of vacant seats, in a ring of their own. */
export class Cast implements Disposable {
  readonly name = new Name();
  readonly ring: MpscDefinition;
  readonly consumer: MpscConsumer;
  readonly producers: MpscProducer[];

  constructor({ lanes = 2, capacity = CAPACITY, vacant = 0 } = {}) {
    this.ring = mpsc(this.name.name, { producers: lanes, capacity });
    this.consumer = this.ring.consumer();
    this.producers = Array.from({ length: lanes - vacant }, () => this.ring.producer());
  }

  /** Another consumer. */
  open(): MpscConsumer {
    return this.ring.consumer();
  }

  [Symbol.dispose](): void {
    for (const producer of this.producers) producer.close();
    this.consumer.close();
    this.name[Symbol.dispose]();
  }
}

/** Fills the lane with messages of this length; returns their number. */
export function flood(producer: MpscProducer, length = 8): number {
  let sent = 0;
  while (producer.trySend(payload(sent, length))) sent++;
  return sent;
}

/** The received message; throws without one. */
export function valueOf<M>(message: M | undefined): M {
  if (message !== undefined) return message;
  throw new Error("Cannot take a message: nothing was received");
}

/** Counts the loads of words of this name while the body runs, such as `lane.head`. */
export function countLoads(path: string, body: () => void): number {
  const { load } = Word32.prototype;
  let count = 0;
  Word32.prototype.load = function () {
    if (this.path.endsWith(path)) count++;
    return load.call(this);
  };
  try {
    body();
  } finally {
    Word32.prototype.load = load;
  }
  return count;
}
