/**
 * The handling of requests: takes one at a time, passes it to the handler, and sends the answer.
 *
 * @module
 */

import { isThenable } from "../arguments.ts";
import { type Encoder, encoderOf } from "../encoder.ts";
import type { Endpoint } from "../lane/endpoint.ts";
import { recordBytes } from "../lane/record.ts";
import type { LaneSender } from "../lane/lane.ts";
import type { Bytes, Input, Type, Value } from "../message.ts";
import { type CallTypes, MOST_CALLS } from "./calls.ts";
import { type Caller, type InHand, Request } from "./in_hand.ts";
import type { Client, Clients } from "./inbox.ts";
import {
  Asked,
  bodyOffset,
  errorBody,
  Kind,
  longestBody,
  type Outgoing,
  postBody,
} from "./message.ts";

/**
 * Handles a request and returns the response, or a promise (any object with `then`). An error that
 * it throws, or that the promise rejects with, reaches the client as a RemoteError.
 */
export type Handler<Q extends Type = Bytes, S extends Type = Bytes> = (
  request: Value<Q>,
  caller: Caller,
) => Input<S> | PromiseLike<Input<S>>;

/** A handler of any types. */
export type AnyHandler = (request: unknown, caller: Caller) => unknown;

const NOTHING = new Uint8Array(0);

/** Takes requests and answers them. */
export class Handling {
  readonly #end: Endpoint;
  readonly #types: CallTypes;
  readonly #encoder: Encoder<unknown>;
  readonly #clients: Clients;
  readonly #inHand: InHand;
  readonly #capacity: number;
  readonly #mostGivenUp: number; // requests in all lanes at a time
  #failure: { error: unknown } | undefined; // of an answer that came later

  constructor(end: Endpoint, parts: HandlingParts) {
    this.#end = end;
    this.#types = parts.types;
    this.#encoder = encoderOf(parts.types.response, "answer through", end.what);
    this.#clients = parts.clients;
    this.#inHand = parts.inHand;
    this.#capacity = parts.capacity;
    this.#mostGivenUp = parts.clients.all.length * MOST_CALLS;
  }

  /** Whether an error waits for a call that reports it. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Keeps an error for the next call that can report it. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Takes the next request and calls the handler; returns false when all lanes are empty. */
  take(handler: AnyHandler): boolean {
    const { envelope } = this.#clients;
    for (let left = this.#mostGivenUp; left >= 0; left--) {
      const client = this.#clients.next();
      if (client === undefined) return false;
      const body = this.#read(client); // P3 the tail has moved before ..
      if (!client.isGivenUp(envelope)) { // .. this load
        this.#handle(handler, client, body);
        return true;
      }
      this.#refuse(client); // so the number of the call becomes free
    }
    return false; // no correct clients give up so many
  }

  #handle(handler: AnyHandler, client: Client, body: Uint8Array<ArrayBuffer>): void {
    const { envelope } = this.#clients;
    const request = new Request(this.#inHand, client, envelope, envelope.kind >= Asked.retried);
    let answer: unknown;
    let hasFailed = false;
    this.#inHand.begin(); // also before there is a promise: a handler may ask for a shutdown
    try {
      answer = handler(envelope.decode(this.#types.request, body), request);
      if (isThenable(answer)) {
        this.#inHand.leaveThread();
        this.#answerLater(request, answer);
        return;
      }
    } catch (error) {
      answer = error;
      hasFailed = true;
    }
    this.#finish(request, answer, hasFailed);
  }

  /** Removes a client's next request from its lane, and returns its body (I1). */
  #read(client: Client): Uint8Array<ArrayBuffer> {
    const length = this.#clients.readEnvelope(client);
    const body = this.#clients.envelope.readBody(client, this.#types.request);
    client.release(recordBytes(length));
    return body;
  }

  /** Refuses the next request of a client; returns false when all lanes are empty. */
  refuse(): boolean {
    const client = this.#clients.look() ? this.#clients.next() : undefined;
    if (client === undefined) return false;
    const length = this.#clients.readEnvelope(client);
    if (this.#clients.envelope.kind % 2 === Asked.waits) {
      this.#clients.skip(client); // they are for the next server, all of this client
      return true;
    }
    client.release(recordBytes(length));
    this.#refuse(client);
    return true;
  }

  /** Answers the request that was read last, which no handler gets. */
  #refuse(client: Client): void {
    const { call, generation } = this.#clients.envelope;
    this.#send(client, { call, generation, kind: Kind.refused, body: NOTHING });
  }

  #answerLater(request: Request, answer: PromiseLike<unknown>): void {
    const settle = (result: unknown, hasFailed: boolean) => {
      try {
        this.#finish(request, result, hasFailed);
      } catch (error) {
        this.fail(error);
      }
    };
    Promise.resolve(answer).then((value) => settle(value, false), (error) => settle(error, true));
  }

  /** Answers a request whose handler has finished with a value, or has failed with an error. */
  #finish(request: Request, result: unknown, hasFailed: boolean): void {
    try {
      if (hasFailed) this.#answerError(request, result);
      else this.#tryAnswer(request, result);
    } finally {
      this.#inHand.finish(request);
    }
  }

  /** Throws the error that occurred while no call could report it. */
  throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  /** Throws if the type of answers is encoding one: its place in the lane is taken. */
  checkIdle(): void {
    this.#encoder.checkIdle();
  }

  /** Sends a value, encoded in place if the lane has room. If encoding fails, sends that error. */
  #tryAnswer(request: Request, value: unknown): void {
    const encoder = this.#encoder;
    let lane: LaneSender | undefined;
    let body: Uint8Array = NOTHING;
    let length = 0;
    try {
      const prepared = encoder.prepare(value);
      const bound = encoder.bound(prepared);
      if (!this.#end.closed) lane = this.#clients.laneFor(Request.from(request), request, bound);
      if (lane === undefined) this.#checkLength(body = encoder.toBytes(prepared));
      else length = encoder.into(prepared, lane.place.mapping, bodyOffset(lane), bound);
    } catch (error) {
      return this.#answerError(request, value === undefined ? this.#nothing() : error);
    }
    if (lane === undefined) this.#answer(request, Kind.ok, body);
    else if (!this.#end.closed) postBody(lane, request.respond(Kind.ok, NOTHING), length);
  }

  #nothing(): TypeError {
    const { name } = this.#types.response.type;
    return new TypeError(
      `Cannot answer ${this.#end.what}: the handler returned undefined, not ${name}; return a value`,
    );
  }

  #checkLength({ length }: Uint8Array): void {
    const longest = longestBody(this.#capacity);
    if (length <= longest) return;
    throw new RangeError(
      `Cannot answer with ${length} bytes: a response can have ${longest}; make the lanes larger`,
    );
  }

  #answerError(request: Request, error: unknown): void {
    this.#answer(request, Kind.error, errorBody(error));
  }

  #answer(request: Request, kind: number, body: Uint8Array): void {
    this.#send(Request.from(request), request.respond(kind, body));
  }

  #send(client: Client, response: Outgoing): void {
    if (!this.#end.closed) this.#clients.send(client, response); // a codec may have closed it
  }
}

/** The parts of a server that handle requests. */
export interface HandlingParts {
  readonly types: CallTypes;
  readonly clients: Clients;
  readonly inHand: InHand;
  readonly capacity: number;
}
