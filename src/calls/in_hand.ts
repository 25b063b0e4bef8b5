/**
 * The requests that a server has taken and not answered: their number, which clients see as its
 * load, and their callers, which may give up.
 *
 * @module
 */

import { ClosedError } from "../errors.ts";
import type { Endpoint } from "../lane/endpoint.ts";
import type { Word32 } from "../memory/word.ts";
import { now } from "../os/clock.ts";
import type { Condition } from "../wait/condition.ts";
import type { Doorbell } from "../wait/doorbell.ts";
import { SLICE_NS } from "../wait/sleep.ts";
import type { Client } from "./inbox.ts";
import { BUSY, FULL } from "./link.ts";
import type { Outgoing } from "./message.ts";

/** The client that made a call, and a signal that aborts when it no longer waits. */
export interface Caller {
  /** The number of the client's seat. */
  readonly client: number;
  /**
   * The number of clients that have had that seat, including this one. It identifies the client.
   */
  readonly generation: number;
  /** Whether a server that is gone may have handled the request before, as `retry` allows. */
  readonly retried: boolean;
  /**
   * Aborts when the client gives up the call, closes or dies, or when this server closes. A handler
   * that returns a promise can stop its work then. The signal costs nothing until it is read.
   */
  readonly signal: AbortSignal;
}

/** A request that was taken. */
export class Request implements Caller {
  readonly client: number;
  readonly generation: number;
  readonly retried: boolean;
  readonly #call: number;
  readonly #from: Client;
  readonly #all: InHand;
  #controller: AbortController | undefined;
  #isAnswered = false;

  constructor(
    all: InHand,
    from: Client,
    numbers: { call: number; generation: number },
    retried: boolean,
  ) {
    this.client = from.pair.client.index;
    this.generation = numbers.generation;
    this.retried = retried;
    this.#call = numbers.call;
    this.#from = from;
    this.#all = all;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (!this.#isAnswered) this.#all.watch(this);
    }
    return this.#controller.signal;
  }

  /** Numbers a response to it. */
  respond(kind: number, body: Uint8Array): Outgoing {
    return { call: this.#call, kind, generation: this.generation, body };
  }

  /** The client's lanes. */
  static from(request: Request): Client {
    return request.#from;
  }

  /** Whether its client has given it up, or has gone, as far as words tell. */
  static isGivenUp(request: Request): boolean {
    return request.#from.isGivenUp({ call: request.#call, generation: request.generation });
  }

  /** Ends the watch of its signal. */
  static answer(request: Request): void {
    request.#isAnswered = true;
    if (request.#controller !== undefined) request.#all.unwatch(request);
  }

  /** Aborts its signal. */
  static abort(request: Request, reason: unknown): void {
    request.#all.unwatch(request);
    request.#controller?.abort(reason);
  }
}

/** The requests that a server is handling. */
export class InHand {
  readonly #end: Endpoint;
  readonly #load: Word32 | undefined; // if there can be several servers
  readonly #watched = new Set<Request>(); // those whose signal is used
  readonly #lost = new Set<Request>(); // those of them whose client has died
  #lookAt = 0; // when to look for such clients again
  #count = 0;
  #most = Infinity;
  #changed: PromiseWithResolvers<void> | undefined; // the next end of one, or use of a signal

  constructor(end: Endpoint, load: Word32 | undefined) {
    this.#end = end;
    this.#load = load;
    load?.store(0);
  }

  /** The number of requests being handled. */
  get count(): number {
    return this.#count;
  }

  /** Whether any signal is used. */
  get isWatched(): boolean {
    return this.#watched.size > 0;
  }

  /** Sets the number of requests at which the server takes no more. */
  set most(most: number) {
    this.#most = most;
    this.#publish();
  }

  /** Begins a request, whose handler occupies the thread. */
  begin(): void {
    this.#count++;
    this.#load?.store(BUSY + this.#count);
  }

  /** Notes that the handler has left the thread and returned a promise. */
  leaveThread(): void {
    this.#publish();
  }

  /** Ends a request: it is answered. */
  finish(request: Request): void {
    Request.answer(request);
    this.#count--;
    this.#publish();
    this.announce();
  }

  #publish(): void {
    if (this.#load === undefined || this.#end.closed) return;
    this.#load.store(this.#count + (this.#count >= this.#most ? FULL : 0));
  }

  /** Resolves at the next change: a request is answered, a signal is used, the server closes. */
  nextChange(): Promise<void> {
    return (this.#changed ??= Promise.withResolvers<void>()).promise;
  }

  /** Resolves `nextChange()`. */
  announce(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }

  /**
   * Watches a request whose signal is used. Never aborts it at once: a listener that is added next
   * would not be called.
   */
  watch(request: Request): void {
    this.#watched.add(request);
    if (this.#end.closed) queueMicrotask(() => this.abortAll());
    this.announce();
  }

  /** Ends the watch of a request. */
  unwatch(request: Request): void {
    this.#watched.delete(request);
  }

  /** Whether a watched request was given up. */
  isAnyGivenUp(): boolean {
    for (const request of this.#watched) if (Request.isGivenUp(request)) return true;
    return false;
  }

  /** The condition that a client gives up a watched request, closes or dies. */
  givenUp(bell: Doorbell, watch: Word32): Condition {
    return {
      bell,
      watch,
      ready: () => this.isAnyGivenUp(),
      beforeSleep: () => this.#findLost() ? "ready" : undefined,
    };
  }

  /** Finds the watched requests whose client has died, at a system call for each. */
  #findLost(): boolean {
    this.#lookAt = now() + SLICE_NS;
    for (const request of this.#watched) {
      if (!this.#end.isPresent(Request.from(request).pair.client)) this.#lost.add(request);
    }
    return this.#lost.size > 0;
  }

  /** Aborts the signals of requests that were given up. Listeners run, and may do anything. */
  abortGivenUp(): void {
    if (now() >= this.#lookAt) this.#findLost(); // for a server that never waits
    for (const request of [...this.#watched]) {
      if (this.#end.closed) return;
      if (!Request.isGivenUp(request) && !this.#lost.has(request)) continue;
      const reason = `Client ${request.client} of ${this.#end.what} no longer waits for this call`;
      Request.abort(request, new DOMException(reason, "AbortError"));
    }
    this.#lost.clear();
  }

  /** Aborts all signals because the server has closed. */
  abortAll(): void {
    const reason = new ClosedError(`Cannot answer through ${this.#end.what}: it was closed`);
    for (const request of [...this.#watched]) Request.abort(request, reason);
  }
}
