/**
 * An end of a ring: a role that one living party has, and what it knows of those at the other end.
 *
 * Each end notes its state in a word of its seat, which tells the other end whether it is open, has
 * closed or died (seats.ts). An end that waits looks at that before each sleep and after each slice.
 *
 * C1  An end that dies before it notes that it is open never existed for the other end. An end that
 *     dies while it closes has closed or died, and either is true.
 *
 * @module
 */

import { PeerLostError, timeoutError } from "../errors.ts";
import type { Codec } from "../codec.ts";
import type { Mapping } from "../memory/mapping.ts";
import type { Word32 } from "../memory/word.ts";
import { type Presence, presenceIn, type Seat, SeatState } from "../region/seats.ts";
import type { Doorbell } from "../wait/doorbell.ts";
import type { Outcome, SyncWaitOptions } from "../wait/until.ts";
import type { LanePlace, Ringable } from "./lane.ts";

/** How an end is to be used. */
export interface EndOptions {
  readonly codec?: Pick<Codec<unknown>, "type"> | undefined;
  readonly level?: "messages" | "bytes" | undefined;
  readonly keepOpen?: boolean | undefined;
}

/** What an end needs of its region. */
export interface Membership {
  readonly mapping: Pick<Mapping, "usable" | "whyUnusable">;
  /** Whether some living party holds a role. */
  isHeld(role: number): boolean;
  close(farewell?: () => void): void;
}

/** What an end of a ring consists of. */
export interface EndParts {
  readonly name: string;
  /** Which holds the role of the own seat, and gives it back at its close. */
  readonly region: Membership;
  readonly own: Word32;
  /** The seats at the other end. */
  readonly peers: readonly Seat[];
  /** What those are called. */
  readonly peerName: string;
  /** What this end does, such as "send through". */
  readonly action: string;
  /** Wait on when all at the other end are gone. */
  readonly keepOpen: boolean;
}

/** An end of a ring, whose role is held. */
export class RingEnd implements Disposable {
  readonly name: string;
  readonly what: string;
  readonly #region: Membership;
  readonly #mapping: Membership["mapping"];
  readonly #own: Word32;
  readonly #peers: readonly Seat[];
  readonly #peerName: string;
  readonly #action: string;
  readonly #keepOpen: boolean;
  #watched = 0; // the seat that was last found open, looked at first

  constructor(parts: EndParts) {
    this.name = parts.name;
    this.what = `ring "${parts.name}"`;
    this.#region = parts.region;
    this.#mapping = parts.region.mapping;
    this.#own = parts.own;
    this.#peers = parts.peers;
    this.#peerName = parts.peerName;
    this.#action = parts.action;
    this.#keepOpen = parts.keepOpen;
  }

  /** Makes what uses this end, and only then says that it is open; or gives everything back. */
  use<U>(make: () => U): U {
    using stack = new DisposableStack();
    stack.use(this);
    const user = make();
    this.#own.store(SeatState.open);
    stack.move();
    return user;
  }

  /** Whether a living party has this seat at the other end. */
  isPresent(seat: Seat): boolean {
    return presenceIn(this.#region, seat) === "open";
  }

  /** The condition of the other end: open if any party there is, else dead if one of them died. */
  peer(): Presence {
    let found: Presence = "never";
    for (const seat of this.#peers) {
      const state = presenceIn(this.#region, seat);
      if (state === "open") return state;
      if (state === "dead" || found === "never") found = state;
    }
    return found;
  }

  /** Whether everyone at the other end is gone, one of them died, and no other is expected. */
  peerIsLost(): boolean {
    return !this.#keepOpen && this.peer() === "dead";
  }

  /** Whether the other end has closed and no other is expected; cheaper than `peer()`. */
  peerHasClosed(): boolean {
    if (this.#keepOpen) return false;
    const peers = this.#peers;
    if (peers[this.#watched]!.state.load() === SeatState.open) return false;
    let closed = false;
    for (let index = 0; index < peers.length; index++) {
      const state = peers[index]!.state.load();
      if (state === SeatState.open) {
        this.#watched = index;
        return false;
      }
      closed ||= state === SeatState.closed;
    }
    return closed;
  }

  /** Whether waiting for the other end is pointless, as it is gone and nobody is expected. */
  isHopeless(): boolean {
    if (this.#keepOpen) return false;
    const peer = this.peer();
    return peer === "closed" || peer === "dead";
  }

  /** Throws what the end of a wait means, unless it is that what was waited for is there. */
  checkWait(outcome: Outcome, { timeout = Infinity }: SyncWaitOptions): void {
    this.checkOpen(); // it may have been closed since the wait ended
    if (outcome === "timeout") throw timeoutError(`${this.#action} ${this.what}`, timeout);
    if (outcome !== "hopeless") return;
    const how = this.peer() === "closed" ? "has closed" : "died";
    throw new PeerLostError(
      `Cannot ${this.#action} ${this.what}: its ${this.#peerName} ${how}; open the ring with ` +
        "keepOpen to wait for another one",
    );
  }

  /** Throws a ClosedError once it is closed, a TypeError once its memory was transferred away. */
  checkOpen(): void {
    if (!this.#mapping.usable) throw this.#mapping.whyUnusable(this.what);
  }

  /** Whether it cannot be used any more: `close()` was called, or the memory was transferred away. */
  get closed(): boolean {
    return !this.#mapping.usable;
  }

  /** Says that this end is closed, wakes the other one, and gives the role back. */
  close(...bells: Ringable[]): void {
    this.#region.close(() => {
      this.#own.store(SeatState.closed);
      for (const bell of bells) bell.ring();
    });
  }

  /** Gives everything back without a word, when opening fails half way. */
  [Symbol.dispose](): void {
    this.#region.close();
  }
}

/** An end of one lane. */
export interface LaneEnd {
  readonly end: RingEnd;
  readonly place: LanePlace;
  /** What this end sleeps on. */
  readonly bell: Doorbell;
}
