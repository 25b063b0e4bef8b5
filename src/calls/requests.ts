/**
 * The requests of a client: encodes each into the lane of the server that it chooses.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import { type Encoder, encoderOf } from "../encoder.ts";
import type { Endpoint } from "../lane/endpoint.ts";
import { copyIn } from "../memory/word.ts";
import type { Condition } from "../wait/condition.ts";
import type { ClientSeat } from "./board.ts";
import type { Links } from "./links.ts";
import { bodyOffset, longestBody, messageBytes } from "./message.ts";
import type { Call } from "./pending.ts";

/** Sends the requests of one client. */
export class Requests {
  /** The longest request. */
  readonly longest: number;
  readonly #end: Endpoint;
  readonly #seat: ClientSeat;
  readonly #links: Links;
  readonly #encoder: Encoder<unknown>;
  #wanted = 0; // bytes of room that the last attempt has not found

  constructor(end: Endpoint, seat: ClientSeat, links: Links, type: Codec<unknown>) {
    this.longest = longestBody(links.last.requests.capacity);
    this.#end = end;
    this.#seat = seat;
    this.#links = links;
    this.#encoder = encoderOf(type, "call through", end.what);
  }

  /** Sends the request of a call; returns undefined when no lane has room. */
  trySend(request: unknown, call: Call): true | undefined {
    this.#end.checkOpen();
    const links = this.#links;
    if (links.hasChanges()) links.receive(); // while `adopted` is near
    const encoder = this.#encoder;
    const prepared = encoder.prepare(request);
    let bound = encoder.bound(prepared);
    this.#end.checkOpen(); // a type can do anything
    const isKept = links.keepsRequests;
    let link = !isKept && bound <= this.longest ? links.choose(messageBytes(bound)) : undefined;
    let body: Uint8Array | undefined;
    if (isKept || link === undefined && !encoder.isExact) {
      body = encoder.toBytes(prepared); // it may take less than its bound
      if (isKept && call.promised !== undefined) body = body.slice(); // its caller may change it
      bound = body.length;
    }
    this.#checkSendable(bound);
    link ??= links.choose(messageBytes(bound));
    if (link === undefined) {
      this.#wanted = messageBytes(bound);
      return undefined;
    }
    const lane = link.requests;
    const { mapping } = lane.place;
    let length = bound;
    if (body !== undefined) copyIn(mapping, bodyOffset(lane), body, bound);
    else length = encoder.into(prepared, mapping, bodyOffset(lane), bound);
    if (length < 0) this.#end.checkOpen();
    call.bytes = messageBytes(length);
    call.body = isKept ? body : undefined;
    links.post(link, call, length);
    return true;
  }

  /** Throws unless a request of this length can be sent, now or later. */
  #checkSendable(length: number): void {
    this.#end.checkOpen();
    if (this.#end.peerHasClosed()) throw this.#end.peerLost();
    if (length <= this.longest) return;
    throw new RangeError(
      `Cannot call through ${this.#end.what}: the request has ${length} bytes, and can have ` +
        `${this.longest}; make the lanes larger`,
    );
  }

  /** Returns the condition of room or answers: a server may be blocked until those are taken. */
  room(): Condition {
    const links = this.#links;
    const bytes = this.#wanted;
    return {
      bell: this.#seat.bell,
      watch: links.last.requests.tail,
      ready: () => links.choose(bytes) !== undefined || links.hasNews(),
      beforeSleep: () => this.#end.peerIsGone() ? "lost" : links.isLost() ? "ready" : undefined,
    };
  }
}
