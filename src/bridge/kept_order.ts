/**
 * Puts the kept messages of one stream in order. Its exporting bridge sends several at a time. If the
 * network refuses one and keeps the next, for example because space became free between them, the
 * refused one is kept behind it. So each message tells which number it follows, and one that comes too
 * early is held here until that one was handled. The network forgets neither before that.
 *
 * @module
 */

import type { Heading } from "./message.ts";

/** A kept message. */
export interface KeptMessage {
  readonly sender: string;
  readonly heading: Heading;
  readonly payload: Uint8Array;
  /** Lets the network forget it. */
  readonly done: () => void;
}

/** The most messages that a bridge sends at a time, before the first of them is kept. */
export const KEPT_WINDOW = 16;

/** The order of the kept messages of one incarnation. */
export class KeptOrder {
  #reached: number | undefined; // the last number that was handled; undefined if that is not known
  #held: KeptMessage[] = []; // in their order

  /** Begins after this number; undefined if any may come first. */
  begin(last: number | undefined): void {
    this.#reached = last;
    this.#held = [];
  }

  /** Whether nothing was handled since it began. */
  get isFresh(): boolean {
    return this.#reached === undefined;
  }

  /** Returns the messages that can be handled now, in order: none if this one came too early. */
  add(message: KeptMessage): KeptMessage[] {
    const { order, sequence } = message.heading;
    if (order === undefined) return [message];
    if (this.#reached !== undefined && order.follows > this.#reached) {
      this.#hold({ ...message, payload: message.payload.slice() });
      if (this.#held.length < KEPT_WINDOW) return [];
      return this.#passFrom([this.#held.shift()!]); // what is missing does not come any more
    }
    const older = this.#held.filter(({ heading }) => heading.order!.upTo < sequence);
    this.#held = this.#held.filter((each) => !older.includes(each));
    return this.#passFrom([...older, message]); // older ones: their bridge was killed
  }

  #hold(message: KeptMessage): void {
    const { upTo } = message.heading.order!;
    this.#held = this.#held.filter(({ heading }) => heading.order!.upTo !== upTo);
    const after = this.#held.findIndex(({ heading }) => heading.order!.upTo > upTo);
    this.#held.splice(after < 0 ? this.#held.length : after, 0, message);
  }

  /** Adds what follows these messages. */
  #passFrom(messages: KeptMessage[]): KeptMessage[] {
    for (const { heading } of messages) this.#reach(heading);
    while (this.#held.length > 0 && this.#held[0]!.heading.order!.follows <= this.#reached!) {
      const next = this.#held.shift()!;
      this.#reach(next.heading);
      messages.push(next);
    }
    return messages;
  }

  #reach({ order }: Heading): void {
    this.#reached = Math.max(this.#reached ?? 0, order!.upTo);
  }

  /** Returns what is held, and holds nothing any more. */
  flush(): KeptMessage[] {
    return this.#held.splice(0);
  }
}
