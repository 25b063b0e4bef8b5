/**
 * The lanes that a receiver of messages owns: one lane here, many in turns in fan_in.ts.
 *
 * @module
 */

import type { Type, Value } from "../message.ts";
import type { Word32 } from "../memory/word.ts";
import type { Doorbell } from "../wait/doorbell.ts";
import type { LaneReceiver } from "./lane.ts";
import { type Holder, type RingMessage, Shown } from "./message.ts";
import { RECORD_HEADER } from "./record.ts";

/** The choice of the next lane to read. */
export interface Lanes {
  readonly lanes: readonly LaneReceiver[];
  /** A word that changes when a message arrives. */
  readonly watch: Word32;
  /** The number of unread bytes. */
  readonly available: number;
  /** Returns the lane that delivers the next message; undefined if none is known to have one. */
  next(): LaneReceiver | undefined;
  /** Whether any lane has a message, by the current heads. */
  look(): boolean;
  /** Stops reading a lane that its sender has corrupted. */
  exclude(lane: LaneReceiver): void;
  /** Makes the next search check every lane, because some messages were put back. */
  suspectAll(): void;
}

/**
 * The lanes of a receiver, and the forms in which it delivers their messages. `F` has the further
 * properties of a message, such as its producer.
 */
export interface LaneSource<K extends Type, F> extends Lanes {
  /** Rung after a message was sent. */
  readonly bell: Doorbell;
  /** Returns a message that was copied. */
  copied(
    lane: LaneReceiver,
    value: Value<K>,
    redelivered: boolean,
    sequence: number,
  ): RingMessage<K> & F;
  /** Makes a message in place. */
  shown(holder: Holder<K>): Shown<K> & F;
}

/** One lane. */
export class OneLane<K extends Type> implements LaneSource<K, unknown> {
  readonly lanes: readonly [LaneReceiver];
  readonly bell: Doorbell;
  readonly watch: Word32;
  readonly #lane: LaneReceiver;

  constructor(lane: LaneReceiver, bell: Doorbell) {
    this.lanes = [lane];
    this.bell = bell;
    this.watch = lane.head;
    this.#lane = lane;
  }

  get available(): number {
    return this.#lane.look();
  }

  next(): LaneReceiver | undefined {
    return this.#lane.available(RECORD_HEADER) > 0 ? this.#lane : undefined;
  }

  look(): boolean {
    return this.#lane.known > 0 || this.#lane.look() > 0;
  }

  /** Does nothing: each receive reports the corruption again. */
  exclude(): void {}

  suspectAll(): void {}

  copied(
    _lane: LaneReceiver,
    value: Value<K>,
    redelivered: boolean,
    sequence: number,
  ): RingMessage<K> {
    return { value, sequence, lost: 0, redelivered };
  }

  shown(holder: Holder<K>): Shown<K> {
    return new Shown(holder);
  }
}
