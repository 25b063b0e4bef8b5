/**
 * An end of a ring: a role that one living party holds, and its view of the other end.
 *
 * Each end stores its state in a word of its seat, which shows the other end whether it is open,
 * has closed or died (seats.ts). A waiting end checks that before each sleep and after each slice.
 *
 * The state of a producer also tells whether it sent everything:
 *
 * ```
 *   open ---> closed   it has ended: the consumer gets everything, and then the end
 *     \-----> lost     it gave up: the consumer gets everything, and then a PeerLostError
 *      \----> (open)   it died, as no party holds its role: the consumer gets a PeerLostError, too
 * ```
 *
 * A producer that has ended keeps its role until it closes: it may wait until the consumer has
 * everything (`flush()`), and its successor would move the head meanwhile.
 *
 * P1  The last head is stored before closed or lost; the consumer loads the state, and then the
 *     head. So a consumer that found the end has everything.
 * C1  An end that dies before it stores open never existed for the other end. An end that dies
 *     while it closes has closed or died, and either is true.
 * C2  A producer dies between its last publish and closed: it is lost. It may have sent everything,
 *     but the consumer cannot know.
 * C3  It dies between closed or lost and the bell: the consumer looks again after a slice.
 *
 * @module
 */

import { PeerLostError } from "../errors.ts";
import type { Mapping } from "../memory/mapping.ts";
import type { Word32 } from "../memory/word.ts";
import { withNamesakes } from "../region/list.ts";
import { type Presence, presenceIn, type Seat, SeatState } from "../region/seats.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import type { Doorbell } from "../wait/doorbell.ts";
import type { LanePlace, Ringable } from "./lane.ts";

/** The parts of a region that an end needs. */
export interface Membership {
  readonly mapping: Pick<Mapping, "usable" | "isLost" | "whyUnusable" | "checkWhole">;
  /** Whether a living party holds a role. */
  isHeld(role: number): boolean;
  close(farewell?: () => void): void;
}

/** The parts of an end of a ring. */
export interface EndpointParts {
  readonly name: string;
  /** The product and the name in messages; `ring "name"` by default. */
  readonly what?: string | undefined;
  /** The region, which holds the role of this end's seat and releases it when it closes. */
  readonly region: Membership;
  readonly own: Word32;
  /** The seats at the other end. */
  readonly peers: readonly Seat[];
  /** The word for one of those, in messages. */
  readonly peerName: string;
  /** The action of this end, such as "send through". */
  readonly action: string;
  /** Whether to keep waiting when all parties at the other end are gone. */
  readonly waits: boolean;
  /** Whether a party at the other end was lost and another one took its place. */
  readonly wasCut?: () => boolean;
}

/** How the parties of the other end left, in messages. */
const HOW: Readonly<Record<Presence | "cut", string>> = {
  never: "died",
  open: "died",
  closed: "has closed",
  lost: "left without end(), so more may be missing",
  dead: "died",
  cut: "did not finish before another one took over",
};

function isLoss(presence: Presence): boolean {
  return presence === "dead" || presence === "lost";
}

/** An end of a ring. Its region holds the role. */
export class Endpoint implements Disposable {
  readonly name: string;
  readonly what: string;
  readonly #region: Membership;
  readonly #mapping: Membership["mapping"];
  readonly #own: Word32;
  readonly #peers: readonly Seat[];
  /** The word for a party at the other end. */
  readonly peerName: string;
  readonly #action: string;
  readonly #waits: boolean;
  readonly #wasCut: () => boolean;
  #hasEnded = false;
  #watched = 0; // the seat last found open, checked first

  constructor(parts: EndpointParts) {
    this.name = parts.name;
    this.what = parts.what ?? `ring "${parts.name}"`;
    this.#region = parts.region;
    this.#mapping = parts.region.mapping;
    this.#own = parts.own;
    this.#peers = parts.peers;
    this.peerName = parts.peerName;
    this.#action = parts.action;
    this.#waits = parts.waits;
    this.#wasCut = parts.wasCut ?? (() => false);
  }

  /** Makes the user of this end, and only then stores open; closes the end if that throws. */
  use<U>(make: () => U): U {
    using stack = new DisposableStack();
    stack.use(this);
    const user = make();
    this.#own.store(SeatState.open);
    this.checkWhole();
    stack.move();
    return user;
  }

  /** The number of living parties at the other end. */
  get peerCount(): number {
    this.checkOpen();
    const count = this.#peers.filter((seat) => this.isPresent(seat)).length;
    this.checkWhole();
    return count;
  }

  /** Whether a living party has this seat at the other end. */
  isPresent(seat: Seat): boolean {
    return presenceIn(this.#region, seat) === "open";
  }

  /**
   * Returns the state of the other end: open if any party is open, otherwise dead or lost if any
   * party is.
   */
  peer(): Presence {
    let found: Presence = "never";
    for (const seat of this.#peers) {
      const state = presenceIn(this.#region, seat);
      if (state === "open") return state;
      if (found === "never" || isLoss(state)) found = state;
    }
    return found;
  }

  /**
   * Whether all parties at the other end are gone, one was lost, and this end waits for no other.
   */
  peerIsLost(): boolean {
    if (this.#waits) return false;
    const peer = this.peer();
    return isLoss(peer) || peer === "closed" && this.#wasCut();
  }

  /** Whether the other end has ended, and this end waits for no other; cheaper than `peer()`. */
  peerHasClosed(): boolean {
    if (this.#waits) return false;
    const peers = this.#peers;
    if (peers[this.#watched]!.state.load() === SeatState.open) return false;
    let closed = false;
    for (let index = 0; index < peers.length; index++) {
      const state = peers[index]!.state.load(); // P1 before the head ..
      if (state === SeatState.open) this.#watched = index;
      if (state === SeatState.open || state === SeatState.lost) return false;
      closed ||= state === SeatState.closed;
    }
    return closed && !this.#wasCut();
  }

  /** Whether all parties at the other end are gone, and this end waits for no other. */
  peerIsGone(): boolean {
    if (this.#waits) return false;
    const peer = this.peer();
    return peer === "closed" || isLoss(peer);
  }

  /** Makes the waiter of this end, for these conditions. */
  waiter(conditions: () => readonly Condition[]): Waiter {
    return {
      action: `${this.#action} ${this.what}`,
      conditions,
      checkOpen: () => this.checkOpen(),
      state: () => this.#peerState(),
      lost: () => {
        throw this.peerLost();
      },
    };
  }

  /** Makes the error for an operation that needs the other end, which is gone. */
  peerLost(): PeerLostError {
    return new PeerLostError(
      `Cannot ${this.#action} ${this.what}: ${this.#departure(this.peer())}; pass ` +
        'onPeerGone: "wait" to wait for another one',
    );
  }

  /** The condition of the other end, for errors. */
  #peerState(): string {
    const peer = this.peer();
    if (peer === "never") return withNamesakes(`it has no ${this.peerName}`, this.name);
    return peer === "open" ? `it has a living ${this.peerName}` : this.#departure(peer);
  }

  #departure(peer: Presence): string {
    const which = this.#peers.length === 1 ? "its" : "its last";
    return `${which} ${this.peerName} ${HOW[peer === "closed" && this.#wasCut() ? "cut" : peer]}`;
  }

  /**
   * Throws a ClosedError if this end is closed, and a TypeError if its memory was transferred away.
   */
  checkOpen(): void {
    if (!this.#mapping.usable) throw this.#mapping.whyUnusable(this.what);
  }

  /** Throws if a peer has taken memory away: after the last access of an operation. */
  checkWhole(): void {
    this.#mapping.checkWhole();
  }

  /** Performs a part of closing; an error is of no use if a peer has taken memory away. */
  closing(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!this.#mapping.isLost) throw error;
    }
  }

  /** Whether this end is unusable: closed, or its memory was transferred away. */
  get closed(): boolean {
    return !this.#mapping.usable;
  }

  /** Whether `end()` was called. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Stores closed, and wakes the other end. This end keeps its role and its memory until it closes. */
  end(...bells: Ringable[]): void {
    if (this.#hasEnded || this.closed) return;
    this.#hasEnded = true;
    this.#depart(SeatState.closed, bells);
  }

  /** Stores closed, wakes the other end, and releases the role. */
  close(...bells: Ringable[]): void {
    this.#leave(SeatState.closed, bells);
  }

  /** Stores lost, wakes the other end, and releases the role. */
  abort(...bells: Ringable[]): void {
    this.#leave(SeatState.lost, bells);
  }

  #leave(state: number, bells: readonly Ringable[]): void {
    this.#region.close(() => {
      if (!this.#hasEnded) this.#depart(state, bells);
    });
  }

  #depart(state: number, bells: readonly Ringable[]): void {
    this.#own.store(state); // .. P1 after the last head
    for (const bell of bells) bell.ring();
  }

  /** Closes this end silently, when opening it fails half way. */
  [Symbol.dispose](): void {
    this.#region.close();
  }
}

/** An end of one lane. */
export interface LaneEnd {
  readonly end: Endpoint;
  readonly place: LanePlace;
  /** The bell that this end sleeps on. */
  readonly bell: Doorbell;
}
