/**
 * Requests, one at a time: taken, handed to the handler, and answered.
 *
 * @module
 */

import { type Encoder, encoderOf } from "../encoder.ts";
import type { Endpoint } from "../lane/endpoint.ts";
import { recordBytes } from "../lane/record.ts";
import type { Codecs } from "./calls.ts";
import { type Caller, type InHand, Request } from "./in_hand.ts";
import type { Client, Clients } from "./inbox.ts";
import { Asked, errorBody, Kind, longestBody, type Outgoing } from "./message.ts";

/**
 * Answers a request with a value, a promise or any other object that has a `then` method. An error
 * that it throws reaches the client as a RemoteError.
 */
export type Handler<Q, S> = (request: Q, caller: Caller) => S | PromiseLike<S>;

/** Takes requests and answers them. */
export class Handling<Q, S> {
  readonly #end: Endpoint;
  readonly #codecs: Codecs<Q, S>;
  readonly #encoder: Encoder<S>;
  readonly #clients: Clients;
  readonly #inHand: InHand;
  readonly #capacity: number;
  #failure: { error: unknown } | undefined; // of an answer that came later

  constructor(end: Endpoint, parts: HandlingParts<Q, S>) {
    this.#end = end;
    this.#codecs = parts.codecs;
    this.#encoder = encoderOf(parts.codecs.response, "answer through", end.what);
    this.#clients = parts.clients;
    this.#inHand = parts.inHand;
    this.#capacity = parts.capacity;
  }

  /** Whether an error waits for a call that reports it. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Keeps an error for the next call that can report it. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Takes the next request, if there is one, and has it answered. */
  take(handler: Handler<Q, S>): boolean {
    const client = this.#clients.next();
    if (client === undefined) return false;
    const body = this.#read(client);
    const { envelope } = this.#clients;
    const request = new Request(this.#inHand, client, envelope, envelope.kind >= Asked.retried);
    let outcome: Settled<S>;
    this.#inHand.begin(); // also before there is a promise: a handler may ask for a shutdown
    try {
      const answer = handler(envelope.decode(this.#codecs.request, body), request);
      if (isThenable(answer)) {
        this.#inHand.leaveThread();
        this.#answerLater(request, answer);
        return true;
      }
      outcome = { value: answer };
    } catch (error) {
      outcome = { error };
    }
    this.#finish(request, outcome);
    return true;
  }

  /** The body of a client's next request, which is gone from its lane (I1). */
  #read(client: Client): Uint8Array<ArrayBuffer> {
    const length = this.#clients.readEnvelope(client);
    const body = this.#clients.envelope.readBody(client, this.#codecs.request);
    client.release(recordBytes(length));
    return body;
  }

  /** Refuses the next request of a client; returns false when all lanes are empty. */
  refuse(): boolean {
    const client = this.#clients.look() ? this.#clients.next() : undefined;
    if (client === undefined) return false;
    const length = this.#clients.readEnvelope(client);
    const { call, generation, kind } = this.#clients.envelope;
    if (kind % 2 === Asked.keepOpen) {
      this.#clients.skip(client); // they are for the next server, all of this client
      return true;
    }
    client.release(recordBytes(length));
    this.#send(client, { call, generation, kind: Kind.refused, body: new Uint8Array(0) });
    return true;
  }

  async #answerLater(request: Request, answer: PromiseLike<S>): Promise<void> {
    let outcome: Settled<S>;
    try {
      outcome = { value: await answer };
    } catch (error) {
      outcome = { error };
    }
    try {
      this.#finish(request, outcome);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Answers a request that the handler is done with. */
  #finish(request: Request, outcome: Settled<S>): void {
    try {
      if ("error" in outcome) this.#answerError(request, outcome.error);
      else this.#tryAnswer(request, outcome.value);
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

  /** Sends a value; if that cannot be, why it cannot. */
  #tryAnswer(request: Request, value: S): void {
    let body: Uint8Array;
    try {
      body = this.#encoder.toBytes(this.#encoder.prepare(value));
      const longest = longestBody(this.#capacity);
      if (body.length > longest) {
        throw new RangeError(
          `Cannot answer with ${body.length} bytes: a response can have ${longest}; make the ` +
            "lanes larger",
        );
      }
    } catch (error) {
      return this.#answerError(request, error);
    }
    this.#answer(request, Kind.ok, body);
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
export interface HandlingParts<Q, S> {
  readonly codecs: Codecs<Q, S>;
  readonly clients: Clients;
  readonly inHand: InHand;
  readonly capacity: number;
}

/** The outcome of a handled request. */
type Settled<S> = { readonly value: S } | { readonly error: unknown };

/** Whether `await` would wait for it: a promise of any kind or origin. */
function isThenable<S>(answer: S | PromiseLike<S>): answer is PromiseLike<S> {
  const mayBe = typeof answer === "object" && answer !== null || typeof answer === "function";
  return mayBe && typeof (answer as { then?: unknown }).then === "function";
}
