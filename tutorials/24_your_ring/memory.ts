/**
 * The memory that your ring is built on. The same ring runs on real memory and on the explorer's.
 *
 * @module
 */

/** A word of 32 bits in shared memory. Each call is one operation. */
export interface RingWord {
  /** An acquire: every later load of this party is served after it. */
  load(): number;
  /** A plain load, in no order with other loads. */
  glance(): number;
  /** A release: everything that this party did earlier is visible before it. */
  store(value: number): void;
  /** A plain store, in no order with other stores. */
  storePlainly(value: number): void;
  /** Sets bits and returns what was there before; in order with everything. */
  or(bits: number): number;
  /** System call: sleeps while the word has this value. It may return early. */
  sleepWhile(value: number): void;
  /** System call: adds 1 and wakes all that sleep on the word. */
  addAndWake(): void;
}

/** The words of a ring, each in a cache line of its own. */
export type WordName = "head" | "tail" | "bell";

/** The memory of one ring: three words, and bytes that are mapped twice. */
export interface RingMemory {
  /** The bytes of the ring, a power of 2. */
  readonly capacity: number;
  /** The bytes of each message, at most the capacity. */
  readonly size: number;
  /** A word, which is 0 in new memory. */
  word(name: WordName): RingWord;
  /** Copies a message into the ring. It may run past the end: the mirror makes it contiguous. */
  copyIn(place: number, message: Uint8Array): void;
  /** Copies `size` bytes out of the ring, past the end too. */
  copyOut(place: number): Uint8Array;
}

/** Where the words are, in bytes from the beginning of the memory. */
export const PLACES: Readonly<Record<WordName, number>> = { head: 0, tail: 64, bell: 128 };

/** A ring from one producer to one consumer. */
export interface Ring {
  /** Sends a message; false if the ring is full. */
  trySend(message: Uint8Array): boolean;
  /** Receives a message; undefined if there is none. */
  tryReceive(): Uint8Array | undefined;
  /** A later stage. Receives a message; sleeps until there is one. */
  receive?(): Uint8Array;
}

/** A consumer of many rings. */
export interface Many {
  tryReceive(): Uint8Array | undefined;
  receive(): Uint8Array;
}

/** Your work, as far as it has come. */
export interface RingWork {
  /** Maps a header and a mirror ring. */
  readonly mapRing?: (fd: number, header: number, capacity: number) => number;
  /** One producer, one consumer. */
  readonly Ring?: new (memory: RingMemory, bell?: RingWord) => Ring;
  /** A consumer of several rings, with the bell of the first. */
  readonly Many?: new (lanes: readonly RingMemory[]) => Many;
}
