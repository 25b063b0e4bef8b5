/**
 * A client's view of one server: two lanes, the calls in them, and how busy the server is.
 *
 * A client sends a call to the server with the lowest cost. A server publishes its load: the
 * requests being handled, plus `BUSY` while a handler occupies its thread, or `FULL` while it takes
 * no more. The client adds the number of its own unanswered calls there. A server that has not taken
 * all of them costs as much as a busy one, and not less: it may be stopped, or slow to wake up, and
 * calls that are made at once must not all go there. The cost is a hint: a wrong one costs only
 * balance.
 *
 * @module
 */

import { CorruptRegionError } from "../errors.ts";
import { beginLane, LaneReceiver, LaneSender } from "../lane/lane.ts";
import { orderOthers } from "../os/futex.ts";
import { SeatState } from "../region/seats.ts";
import type { Pair } from "./board.ts";
import { MOST_CALLS } from "./calls.ts";
import { Asked, postBody } from "./message.ts";
import { type Call, PendingCalls } from "./pending.ts";

/** The amount that a server adds to its load while a handler occupies its thread. */
export const BUSY = 2 ** 16;

/** The amount that a server adds to its load while it takes no more requests. */
export const FULL = 2 ** 17;

/** The positions up to which earlier holders took or returned calls, after a change of holders. */
export interface Succession {
  /** Calls up to here were taken by servers that are gone. */
  readonly adopted: number;
  /** Calls after those, up to here, were never taken. */
  readonly returned: number;
}

/** One server, as a client sees it. */
export class Link {
  readonly pair: Pair;
  readonly calls = new PendingCalls();
  readonly #client: number; // its generation
  readonly #requests: LaneSender;
  readonly #responses: LaneReceiver;
  #seen: number; // the generation of the server last seen
  #isGone = false; // that server, as far as this client knows
  /** Whether the server has corrupted its lanes, so that this client stopped using them. */
  isCorrupt = false;

  /** The client holds its seat, and the lanes have memory. */
  constructor(pair: Pair, generation: number) {
    const { requests, responses } = pair;
    this.pair = pair;
    this.#client = generation;
    this.#requests = beginLane(requests, "head", () => new LaneSender(requests)); // C4
    this.#responses = beginLane(responses, "tail", () => new LaneReceiver(responses));
    this.#responses.release(this.#responses.look()); // those to the last client
    this.#seen = pair.server.generation.load();
  }

  get requests(): LaneSender {
    return this.#requests;
  }

  get responses(): LaneReceiver {
    return this.#responses;
  }

  /** Whether another holder has the server's seat than before. */
  get hasChanged(): boolean {
    return this.pair.server.generation.load() !== this.#seen;
  }

  /** Whether there are responses, or another holder. */
  get hasNews(): boolean {
    return this.#hasResponses() || this.hasChanged;
  }

  #hasResponses(): boolean {
    if (this.isCorrupt) return false;
    try {
      return this.#responses.look() > 0;
    } catch (error) {
      if (error instanceof CorruptRegionError) return true; // taking them reports it
      throw error;
    }
  }

  /** Whether the server's state is open, and this client has not seen it die. */
  get isOpen(): boolean {
    return !this.#isGone && !this.isCorrupt && this.pair.server.state.load() === SeatState.open;
  }

  /** Whether the server has stopped serving this pair. */
  get isBroken(): boolean {
    return this.pair.broken.load() !== 0;
  }

  /** The cost of this server; a call goes to the server with the lowest cost. */
  get cost(): number {
    const load = this.pair.server.load.load();
    const isBehind = this.#requests.tail.load() !== this.#requests.position;
    const penalty = load >= FULL ? FULL : load >= BUSY || isBehind ? BUSY : 0;
    return penalty + load % BUSY + this.calls.size;
  }

  /** Whether a message fits, and a call number is free. */
  hasRoom(bytes: number): boolean {
    return this.calls.size < MOST_CALLS && this.#requests.hasRoom(bytes);
  }

  /** Sends a request whose body is in place. */
  post(call: Call, length: number, waits: boolean): void {
    this.calls.add(call);
    this.pair.givenUp.clear(call.number);
    const kind = (waits ? Asked.waits : 0) + (call.isRetried ? Asked.retried : 0);
    const numbers = { call: call.number, kind, generation: this.#client };
    postBody(this.#requests, numbers, length);
  }

  /**
   * Gives up a call, and informs the server. Returns whether a server has taken it; otherwise no
   * handler begins.
   */
  giveUp(call: Call): boolean {
    if (!call.isGivenUp) {
      this.calls.giveUp(call);
      this.pair.givenUp.set(call.number); // P3 before ..
      orderOthers(); // P3
      this.pair.server.bell.ring();
    }
    return this.hasTakenCall(call); // .. the tail is loaded
  }

  /** Sets the bits of all calls that are waited for, before the client closes. */
  withdraw(): void {
    for (const call of this.calls.list()) this.pair.givenUp.set(call.number);
  }

  /** The position up to which servers have taken this client's requests. */
  get taken(): number {
    return this.#before(this.#requests.tail.load());
  }

  /** Whether the server has taken a call. */
  hasTakenCall(call: Call): boolean {
    return call.lane === this.calls && call.end <= this.taken;
  }

  /** Whether servers have taken a call that is waited for. */
  get hasTaken(): boolean {
    return this.calls.hasUpTo(this.taken);
  }

  /** Marks the server as gone, until its seat has another holder. */
  markGone(): void {
    this.#isGone = true;
  }

  /** The generation of the server last seen. */
  get generation(): number {
    return this.#seen;
  }

  /** Records the new holder of the server's seat; returns how far earlier holders got. */
  succession(): Succession {
    const { server, adopted, returned } = this.pair;
    this.#seen = server.generation.load(); // .. P1 before what it found
    this.#isGone = false;
    const upTo = this.#before(returned.load()); // .. P2 and so `adopted` is not older
    return { adopted: this.#before(adopted.load()), returned: upTo };
  }

  /** Returns the number of request bytes that this client sent before a position of the lane. */
  #before(position: number): number {
    return this.calls.sentBytes - ((this.#requests.position - position) >>> 0);
  }
}
