/**
 * A client's view of one server: two lanes, the calls in them, and how busy the server is.
 *
 * A client sends a call to the server with the lowest cost. A server publishes its load: the
 * requests in its hands, plus `BUSY` while it takes no more. The client adds its own calls there,
 * and `BEHIND` if the server has not taken them all: it is stopped, or has much to do. The cost is a
 * hint. A wrong one costs only balance.
 *
 * @module
 */

import { CorruptRegionError } from "../errors.ts";
import { beginLane, LaneReceiver, LaneSender } from "../lane/lane.ts";
import { SeatState } from "../region/seats.ts";
import type { Pair } from "./board.ts";
import { MOST_CALLS } from "./calls.ts";
import { Asked, postBody } from "./message.ts";
import { type Call, PendingCalls } from "./pending.ts";

/** What a server adds to its load while it takes no more requests. */
export const BUSY = 2 ** 16;

/** What a client adds while a server has not taken all that it was sent. */
const BEHIND = 2 ** 15;

/** The end of calls up to some positions, after a change of holders. */
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
  /** Whether the server has corrupted its lanes, so that this client uses them no more. */
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

  /** Whether the server says that it is open, and is not known to be dead. */
  get isOpen(): boolean {
    return !this.#isGone && !this.isCorrupt && this.pair.server.state.load() === SeatState.open;
  }

  /** Whether the server takes nothing from this pair any more. */
  get isBroken(): boolean {
    return this.pair.broken.load() !== 0;
  }

  /** How busy the server is: the call goes to the one with the lowest cost. */
  get cost(): number {
    const isBehind = this.#requests.tail.load() !== this.#requests.position;
    return this.pair.server.load.load() + this.calls.size + (isBehind ? BEHIND : 0);
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

  /** Waits for a call no longer, and tells the server. */
  giveUp(call: Call): void {
    this.calls.giveUp(call);
    this.pair.givenUp.set(call.number);
    this.pair.server.bell.ring();
  }

  /** Where the requests end that servers have taken. */
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

  /** Looks at the new holder of the server's seat. */
  succession(): Succession {
    const { server, adopted, returned } = this.pair;
    this.#seen = server.generation.load(); // .. P1 before what it found
    this.#isGone = false;
    const upTo = this.#before(returned.load()); // .. P2 and so `adopted` is not older
    return { adopted: this.#before(adopted.load()), returned: upTo };
  }

  /** How many bytes of this client's requests are before a position of the lane. */
  #before(position: number): number {
    return this.calls.sentBytes - ((this.#requests.position - position) >>> 0);
  }
}
