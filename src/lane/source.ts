/**
 * The lanes that a receiver of messages owns: one lane here, many in turns in fan_in.ts.
 *
 * @module
 */

import type { Word32 } from "../memory/word.ts";
import type { Doorbell } from "../wait/doorbell.ts";
import type { LaneReceiver } from "./lane.ts";
import { type BatchOwner, Entry } from "./batch.ts";
import {
  type BatchMessage,
  type ReceivedValue,
  Sample,
  type ShownMessage,
  type TakenMessage,
} from "./message.ts";
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
  /** Expects messages in every lane: some were put back. */
  suspectAll(): void;
}

/** The lanes of a receiver, and the forms in which it delivers their messages. */
export interface LaneSource<T, R, S, M> extends Lanes {
  /** Rung after a message was sent. */
  readonly bell: Doorbell;
  /** Returns the outcome for a value. */
  received(lane: LaneReceiver, value: T, redelivered: boolean, sequence: number): R;
  /** Returns the sample for a message in place. */
  taken(lane: LaneReceiver, message: ShownMessage, release: () => void): S;
  /** Reads the next message of a lane into a batch. */
  entry(lane: LaneReceiver, length: number, owner: BatchOwner<T>): Entry<T> & M;
}

/** One lane. */
export class OneLane<T> implements LaneSource<T, ReceivedValue<T>, TakenMessage, BatchMessage<T>> {
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
    return this.#lane.look() > 0;
  }

  /** Does nothing: each receive reports the corruption again. */
  exclude(): void {}

  suspectAll(): void {}

  received(
    _lane: LaneReceiver,
    value: T,
    redelivered: boolean,
    sequence: number,
  ): ReceivedValue<T> {
    return { state: "ok", value, redelivered, sequence };
  }

  taken(_lane: LaneReceiver, message: ShownMessage, release: () => void): TakenMessage {
    return new Sample(message, release);
  }

  entry(lane: LaneReceiver, length: number, owner: BatchOwner<T>): Entry<T> {
    return new Entry(lane, length, owner);
  }
}
