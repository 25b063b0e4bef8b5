/**
 * The server end of calls; calls/calls.ts explains the algorithm.
 *
 * @module
 */

import {
  checkedOptions,
  checkHandler,
  checkLimit,
  checkObject,
  checkSyncWaits,
  checkWaits,
} from "../arguments.ts";
import { ClosedError, CorruptRegionError, VringError } from "../errors.ts";
import type { Endpoint } from "../lane/endpoint.ts";
import type { Bytes, Type } from "../message.ts";
import { disposeAtEnd } from "../os/clock.ts";
import { type Counted, waitForPeers } from "../region/peers.ts";
import { nextGeneration } from "../region/seats.ts";
import { cancelLate } from "../wait/cancellation.ts";
import type { Waiter } from "../wait/condition.ts";
import { yieldOften } from "../wait/fairness.ts";
import {
  deadlineOf,
  spinFor,
  type SyncWaitOptions,
  until,
  untilSync,
  type WaitOptions,
} from "../wait/until.ts";
import type { Board, ServerSeat } from "./board.ts";
import type { CallTypes } from "./calls.ts";
import { type AnyHandler, type Handler, Handling } from "./handling.ts";
import { InHand } from "./in_hand.ts";
import { Clients } from "./inbox.ts";
import { messageBytes } from "./message.ts";

/** The options of `tryHandle()` and `handleSync()`. */
export interface HandlingOptions {
  /** The most requests that one call handles; by default all that it finds, without a limit. */
  limit?: number | undefined;
}

/** The options of `serve()`. */
export interface ServeOptions {
  /** Ends serving without an error when it aborts, after all taken requests are answered. */
  until?: AbortSignal | undefined;
  /** Rejects the promise of `serve()` with the signal's reason when it aborts. */
  signal?: AbortSignal | undefined;
  /** The most requests that are handled at a time; 256 by default. */
  concurrency?: number | undefined;
}

const CONCURRENCY = 256;

/** The turns of other promises for which a server waits for handlers, before it sleeps. */
const MICROTASKS = 8;

/** For operations that no signal ends. */
const NO_OPTIONS = {};

/**
 * Answers calls. Up to `servers` servers share the calls: a client sends each call to the least
 * busy server.
 *
 * If a client corrupts its lane, one call on the server throws a CorruptRegionError, and the server
 * stops serving that client. The other clients keep working.
 *
 * @example A server that adds
 * ```ts
 * import { calls, json } from "@vring/vring";
 *
 * const sums = calls("example-sums", {
 *   request: json<number[]>(),
 *   response: json<number>(),
 * });
 * using server = sums.server();
 * const serving = server.serve((numbers) => numbers.reduce((a, b) => a + b, 0));
 *
 * using client = sums.client(); // in another process
 * console.log(await client.call([1, 2, 3])); // 6
 * await server.shutdown();
 * await serving;
 * ```
 */
export class CallServer<Q extends Type = Bytes, S extends Type = Bytes>
  implements Disposable, Counted {
  /** The name of the calls. */
  readonly name: string;
  /** The number of bytes in each lane. */
  readonly capacity: number;
  /** The most clients at a time. */
  readonly clients: number;
  /** The number of this server's seat. */
  readonly id: number;
  readonly #end: Endpoint;
  readonly #handling: Handling;
  readonly #clients: Clients;
  readonly #inHand: InHand;
  readonly #waiterForWork: Waiter;
  readonly #waiterForMoves: Waiter; // of what is left in a shutdown
  readonly #waiterForRoom: Waiter; // for answers
  readonly #waiterForCallers: Waiter; // that give up
  readonly #stop = new AbortController();
  #serving = false; // serve() is running
  #stopping = false;
  #isShutDown = false; // shutdown() has closed it

  /** @ignore */
  constructor(end: Endpoint, board: Board, seat: ServerSeat, { types, own }: ServerChoice) {
    this.name = end.name;
    this.capacity = board.region.partBytes;
    this.clients = board.clients.length;
    this.id = seat.index;
    this.#end = end;
    const clients = this.#clients = new Clients(end, board, seat, own);
    const inHand = this.#inHand = new InHand(end, board.servers.length > 1 ? seat.load : undefined);
    const { capacity } = this;
    const handling = this.#handling = new Handling(end, { types, clients, inHand, capacity });
    nextGeneration(seat.generation); // .. P1 and now clients look
    const ready = () => clients.look() || clients.canFlush();
    const givenUp = inHand.givenUp(seat.bell, seat.hint);
    const movable = clients.condition({ ready });
    const room = clients.condition({ ready: () => clients.canFlush() });
    const work = clients.condition({
      ready: () => ready() || handling.hasFailed || givenUp.ready(),
      beforeSleep: () => givenUp.beforeSleep!(),
    });
    const state = () => this.peers === 0 ? "it has no client" : "no client has called";
    this.#waiterForMoves = end.waiter(() => [movable]);
    this.#waiterForRoom = end.waiter(() => [room]);
    this.#waiterForWork = { ...end.waiter(() => [work]), state };
    this.#waiterForCallers = end.waiter(() => [givenUp]);
    disposeAtEnd(this);
  }

  /** The number of clients that are connected now. */
  get peers(): number {
    return this.#end.peerCount;
  }

  /** Resolves once at least `count` clients are connected. */
  waitForPeers(count: number, options?: WaitOptions): Promise<void> {
    return waitForPeers(this, count, { noun: "client", what: this.#end.what }, options);
  }

  /** Whether this server is closed. */
  get closed(): boolean {
    return this.#end.closed;
  }

  /** The number of requests being handled. */
  get inFlight(): number {
    return this.#inHand.count;
  }

  /**
   * Handles the requests that have arrived, and returns their number, 0 for none. Never waits: if
   * the handler returns a promise, the server sends the answer when the promise settles.
   */
  tryHandle(handler: Handler<Q, S>, options?: HandlingOptions): number {
    if (options !== undefined) checkObject(options, "handle requests");
    const { limit = Infinity }: HandlingOptions = options ?? NO_OPTIONS;
    checkHandler(handler, "handle requests of", this.#end.what);
    checkLimit(limit, 1, "handle requests of", this.#end.what);
    return this.#handle(handler as AnyHandler, limit);
  }

  /** Blocks the thread until requests arrive, handles them, and returns their number. */
  handleSync(handler: Handler<Q, S>, options?: HandlingOptions & SyncWaitOptions): number {
    if (options === undefined) options = NO_OPTIONS;
    checkSyncWaits(options);
    const count = this.tryHandle(handler, options);
    if (count > 0) return count;
    const attempt = () => this.tryHandle(handler, options) || undefined;
    return untilSync(attempt, this.#waiterForWork, options);
  }

  /**
   * Answers requests, and resolves after `until` aborts, or `shutdown()` or `close()` is called.
   * When `until` aborts, the server takes no more requests, and the promise resolves after all
   * taken requests are answered; then you can dispose the server. `signal` also ends that wait.
   *
   * Only one call runs at a time; a second one rejects with a VringError. If a client corrupts its
   * lanes, the call rejects with one CorruptRegionError. Call `serve()` again to serve the other
   * clients.
   */
  async serve(handler: Handler<Q, S>, options?: ServeOptions): Promise<void> {
    if (options === undefined) options = NO_OPTIONS;
    const { what } = this.#end;
    const { signal, until: over } = checkedOptions(options, `serve ${what}`);
    const { concurrency = CONCURRENCY } = options;
    checkHandler(handler, "serve", what);
    checkLimit(concurrency, 1, "serve", what, "concurrency");
    signal?.throwIfAborted();
    this.#checkServable();
    if (this.#serving) {
      throw new VringError(
        `Cannot serve ${what}: serve() is already running; await that call first, or use one ` +
          "handler for both",
      );
    }
    this.#serving = true;
    this.#inHand.most = concurrency;
    const ends = [this.#stop.signal, over].filter((end) => end !== undefined);
    const any = AbortSignal.any(signal === undefined ? ends : [signal, ...ends]);
    try {
      await this.#serve(handler as AnyHandler, concurrency, any).catch(async (error) => {
        if (!over?.aborted || error !== over.reason) throw error;
        const hard = [this.#stop.signal, signal].filter((end) => end !== undefined);
        await this.#finish(AbortSignal.any(hard));
      });
    } catch (error) {
      const isQuiet = ends.some(({ aborted, reason }) => aborted && error === reason);
      const isClosed = this.#stopping && error instanceof ClosedError;
      if (!isQuiet && !isClosed) throw error;
    } finally {
      this.#serving = false;
      if (!this.#end.closed) this.#inHand.most = Infinity;
    }
  }

  async #serve(handler: AnyHandler, concurrency: number, signal: AbortSignal): Promise<never> {
    await yieldOften({ signal });
    for (;;) {
      signal.throwIfAborted();
      const count = this.#handle(handler, concurrency - this.inFlight);
      let turn = yieldOften(NO_OPTIONS);
      for (let more = 1; more < count; more++) turn ??= yieldOften(NO_OPTIONS); // each counts
      await turn; // also if there is none: promises have their turn
      for (let left = MICROTASKS; left > 0 && this.inFlight > 0; left--) await null;
      signal.throwIfAborted();
      if (this.inFlight >= concurrency) await this.#nextFinished(signal);
      // To spin would keep handlers that wait for the event loop from finishing.
      else if (this.inFlight > 0) await this.#wait(this.#waiterForWork, signal, 0);
      else if (!spinFor(this.#waiterForWork, NO_OPTIONS)) {
        await this.#wait(this.#waiterForWork, signal, 0);
      }
    }
  }

  /**
   * Takes no more requests, waits until all taken requests are answered, and closes. Requests that
   * were not taken go to another server. If none is open, they are refused, or wait for one if
   * their client has `onPeerGone: "wait"`.
   *
   * Pass a timeout if a handler may never end, or a client may stop reading its answers. After a
   * time-out the server is still open and takes no more requests; call `close()`. If a client
   * corrupts its lanes, the server still closes, and then throws the CorruptRegionError. Do not
   * await this call in a handler: it waits for that handler.
   */
  async shutdown(options?: WaitOptions): Promise<void> {
    if (options === undefined) options = NO_OPTIONS;
    checkWaits(options);
    this.#end.checkOpen();
    options.signal?.throwIfAborted();
    const limit = new AbortController();
    using _limits = cancelLate(options, {
      deadline: deadlineOf(options),
      action: `shut down ${this.#end.what}`,
      state: () =>
        this.inFlight > 0 ? "a handler has not finished" : "a client does not take its answers",
      cancel: (reason) => limit.abort(reason),
    });
    this.#stopServing();
    try {
      await this.#drain(limit.signal);
    } catch (error) {
      if (this.#isShutDown) return; // by another call of this method
      throw error;
    }
    this.#isShutDown = true;
    this.close();
    this.#handling.throwFailure();
  }

  /** Waits until the handlers of all requests that were taken have finished. */
  async #finishHandlers(signal: AbortSignal): Promise<void> {
    while (this.inFlight > 0) {
      await this.#nextFinished(signal);
      this.#end.checkOpen();
      this.#inHand.abortGivenUp();
      this.#end.checkOpen(); // a listener can do anything
    }
  }

  /** Waits until all requests that were taken are answered. */
  async #finish(signal: AbortSignal): Promise<void> {
    await this.#finishHandlers(signal);
    for (;;) {
      this.#end.checkOpen();
      this.#clients.flush();
      if (!this.#clients.hasQueued) return this.#handling.throwFailure();
      await this.#wait(this.#waiterForRoom, signal);
    }
  }

  /** Waits until all answers are sent, and refuses the requests that were not taken. */
  async #drain(signal: AbortSignal): Promise<void> {
    if (this.inFlight > 0) { // else it closes before its caller goes on
      await this.#finishHandlers(signal);
      this.#end.checkOpen();
    }
    this.#clients.isClosing = true;
    for (;;) {
      try {
        this.#clients.flush();
        let most = this.clients * this.capacity / messageBytes(0); // clients may ask on and on
        let turn: Promise<void> | undefined;
        while (most-- > 0 && this.#handling.refuse()) turn ??= yieldOften(NO_OPTIONS);
        if (turn !== undefined) {
          await turn;
          this.#end.checkOpen();
        }
        if (!this.#clients.hasQueued) return;
        await this.#wait(this.#waiterForMoves, signal);
      } catch (error) {
        if (!(error instanceof CorruptRegionError)) throw error;
        this.#handling.fail(error); // that client is excluded now
      }
    }
  }

  /**
   * Closes this server at once, and aborts the signals of the calls that it is handling. These
   * calls fail, or go to another server with `retry`.
   */
  close(): void {
    this.#stopServing();
    using stack = new DisposableStack();
    stack.defer(() => this.#inHand.abortAll());
    stack.defer(() => this.#inHand.announce());
    this.#end.close(...this.#clients.all.map(({ pair }) => pair.client.bell));
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  #stopServing(): void {
    this.#stopping = true;
    this.#stop.abort();
  }

  async #wait(waiter: Waiter, signal: AbortSignal, spin?: number): Promise<void> {
    await until((ended) => ended && true, waiter, { signal, spin });
  }

  #checkServable(): void {
    this.#end.checkOpen();
    if (!this.#stopping) return;
    throw new ClosedError(`Cannot serve ${this.#end.what}: it is being shut down`);
  }

  #handle(handler: AnyHandler, limit: number): number {
    this.#checkServable();
    this.#handling.checkIdle();
    this.#handling.throwFailure();
    if (this.#inHand.isWatched) {
      this.#inHand.abortGivenUp();
      this.#checkServable(); // a listener can do anything
    }
    this.#clients.flush();
    let count = 0;
    while (count < limit && !this.#stopping && this.#handling.take(handler)) count++;
    this.#end.checkWhole();
    return count;
  }

  /** Resolves when a request in flight is answered, or a client gives one up. */
  async #nextFinished(signal: AbortSignal): Promise<void> {
    const change = this.#inHand.nextChange();
    if (!this.#inHand.isWatched) return await untilAborted(change, signal);
    const over = new AbortController();
    const options = { signal: AbortSignal.any([signal, over.signal]) };
    const givenUp = until((ended) => ended && true, this.#waiterForCallers, options);
    try {
      await Promise.race([change, givenUp]);
    } finally {
      over.abort();
      await givenUp.catch(() => {});
    }
    signal.throwIfAborted();
  }
}

/** The choices of a server's definition and options. */
export interface ServerChoice {
  readonly types: CallTypes;
  /** Whether each request of bytes has a buffer of its own. */
  readonly own: boolean;
}

/** Settles as the promise does, or rejects with the reason of a signal that aborts first. */
async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
