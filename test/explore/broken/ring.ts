/**
 * A ring of whole slots for one sender and one receiver, one that publishes too early, one that ends
 * too early, and two that acknowledge too much.
 *
 * @module
 */

import { copyIn, copyOut, Word32 } from "../../../src/memory/word.ts";
import { mapMemory } from "../scenario.ts";

const SLOTS = 2;
const SLOT_BYTES = 8;
const FIRST_SLOT = 128;

/** Right: writes the bytes, then stores the head. */
export class Ring {
  protected readonly memory = mapMemory("shared");
  protected readonly head: Word32 = new Word32(this.memory, { path: "head", offset: 0 });
  protected readonly tail: Word32 = new Word32(this.memory, { path: "tail", offset: 64 });
  protected readonly end: Word32 = new Word32(this.memory, { path: "end", offset: 256 });

  protected offsetOf(position: number): number {
    return FIRST_SLOT + position % SLOTS * SLOT_BYTES;
  }

  /** False if the ring is full. */
  trySend(message: Uint8Array): boolean {
    const head = this.head.load();
    if (head - this.tail.load() === SLOTS) return false;
    this.put(head, message);
    return true;
  }

  protected put(head: number, message: Uint8Array): void {
    copyIn(this.memory, this.offsetOf(head), message);
    this.head.store(head + 1);
  }

  /** The first so many messages, which stay. */
  show(count: number): Uint8Array[] {
    const tail = this.tail.load();
    return Array.from({ length: Math.min(count, this.head.load() - tail) }, (_, i) => {
      const message = new Uint8Array(SLOT_BYTES);
      copyOut(this.memory, this.offsetOf(tail + i), message);
      return message;
    });
  }

  /** Handles the messages of a batch one by one, and acknowledges each. */
  handleAll(batch: readonly Uint8Array[], handle: (message: Uint8Array) => void): void {
    for (const message of batch) {
      handle(message);
      this.ack(1);
    }
  }

  protected ack(count: number): void {
    this.tail.store(this.tail.load() + count);
  }

  /** Sends the last message. */
  finish(message: Uint8Array): void {
    while (!this.trySend(message));
    this.end.store(1);
  }

  /** Whether everything was received. */
  get ended(): boolean {
    return this.end.load() === 1 && this.head.load() === this.tail.load();
  }

  tryReceive(): Uint8Array | undefined {
    const tail = this.tail.load();
    if (this.head.load() === tail) return undefined;
    const message = new Uint8Array(SLOT_BYTES);
    copyOut(this.memory, this.offsetOf(tail), message);
    this.tail.store(tail + 1);
    return message;
  }
}

/** Broken: the receiver sees a head before its bytes. */
export class PublishesFirst extends Ring {
  protected override put(head: number, message: Uint8Array): void {
    this.head.store(head + 1);
    copyIn(this.memory, this.offsetOf(head), message);
  }
}

/** Broken: the end is visible before the last message is. */
export class EndsFirst extends Ring {
  override finish(message: Uint8Array): void {
    this.end.store(1);
    while (!this.trySend(message));
  }
}

/** Broken: a message is acknowledged and then handled: a death comes between. */
export class AcksFirst extends Ring {
  override handleAll(batch: readonly Uint8Array[], handle: (message: Uint8Array) => void): void {
    for (const message of batch) {
      this.ack(1);
      handle(message);
    }
  }
}

/** Broken: the whole batch is released with its first message. */
export class ReleasesMore extends Ring {
  override handleAll(batch: readonly Uint8Array[], handle: (message: Uint8Array) => void): void {
    batch.forEach((message, i) => {
      handle(message);
      if (i === 0) this.ack(batch.length);
    });
  }
}
