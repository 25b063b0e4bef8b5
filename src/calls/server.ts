/**
 * The serving end of calls; calls/calls.ts explains the algorithm.
 *
 * @module
 */

import { checkHandler, checkLimit, checkObject, checkWaits } from "../arguments.ts";
import { ClosedError, CorruptRegionError, RoleTakenError, VringError } from "../errors.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import { yieldOften } from "../wait/fairness.ts";
import {
  deadlineOf,
  type SyncWaitOptions,
  until,
  untilSync,
  type WaitOptions,
} from "../wait/until.ts";
import type { Region } from "../region/region.ts";
import { checkedRing } from "../lane/geometry.ts";
import { cancelLate } from "../wait/cancellation.ts";
import { Endpoint } from "../lane/endpoint.ts";
import { nextGeneration, SeatState } from "../region/seats.ts";
import { Again, retrySync } from "../region/poll.ts";
import { disposeAtEnd } from "../os/clock.ts";
import { Board, type ServerSeat } from "./board.ts";
import { type Codecs, codecsOf, RINGS, type RpcConnectOptions, type RpcOptions } from "./calls.ts";
import { type Handler, Handling } from "./handling.ts";
import { InHand } from "./in_hand.ts";
import { Clients } from "./inbox.ts";
import { messageBytes } from "./message.ts";

/** How many requests to handle. */
export interface HandleOptions {
  /** At most so many; all that are there by default. */
  limit?: number | undefined;
}

/** How to serve. */
export interface ServeOptions {
  /** Ends serving with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** The largest number of requests handled at a time; 256 by default. */
  concurrency?: number | undefined;
}

const CONCURRENCY = 256;

/** For operations that no signal ends. */
const NO_OPTIONS = {};

/**
 * A server of calls: one of up to `servers`, which share the calls. A client sends each call to the
 * one that is least busy.
 *
 * A client that corrupts its lane causes one CorruptRegionError, and is not served again; the other
 * clients keep working.
 *
 * @example A server that adds
 * ```ts
 * import { codec, RpcClient, RpcServer } from "@vring/vring";
 *
 * const options = { request: codec.json<number[]>(), response: codec.json<number>() };
 * using server = RpcServer.open("example-sums", options);
 * const serving = server.serve((numbers) => numbers.reduce((a, b) => a + b, 0));
 *
 * using client = RpcClient.open("example-sums", options); // in another process
 * console.log(await client.call([1, 2, 3])); // 6
 * await server.shutdown();
 * await serving;
 * ```
 */
export class RpcServer<Q = Uint8Array, S = Uint8Array> implements Disposable {
  /** The name. */
  readonly name: string;
  /** How many bytes each lane holds. */
  readonly capacity: number;
  /** How many clients there can be. */
  readonly clients: number;
  /** The number of this server's seat. */
  readonly id: number;
  readonly #end: Endpoint;
  readonly #handling: Handling<Q, S>;
  readonly #clients: Clients;
  readonly #inHand: InHand;
  readonly #waiterForWork: Waiter;
  readonly #waiterForMoves: Waiter; // of what is left in a shutdown
  readonly #waiterForCallers: Waiter; // that give up
  readonly #stop = new AbortController();
  #serving = false; // serve() is running
  #stopping = false;
  #isShutDown = false; // shutdown() has closed it

  private constructor(end: Endpoint, board: Board, seat: ServerSeat, codecs: Codecs<Q, S>) {
    this.name = end.name;
    this.capacity = board.region.partBytes;
    this.clients = board.clients.length;
    this.id = seat.index;
    this.#end = end;
    const clients = this.#clients = new Clients(end, board, seat);
    const inHand = this.#inHand = new InHand(end, board.servers.length > 1 ? seat.load : undefined);
    const { capacity } = this;
    const handling = this.#handling = new Handling(end, { codecs, clients, inHand, capacity });
    nextGeneration(seat.generation); // .. P1 and now clients look
    const ready = () => clients.look() || clients.canFlush();
    const movable: Condition = { bell: seat.bell, watch: seat.hint, ready };
    const givenUp = inHand.givenUp(seat.bell, seat.hint);
    const work = {
      ...givenUp,
      ready: () => ready() || handling.hasFailed || givenUp.ready(),
    };
    this.#waiterForMoves = end.waiter(() => [movable]);
    this.#waiterForWork = end.waiter(() => [work]);
    this.#waiterForCallers = end.waiter(() => [givenUp]);
    disposeAtEnd(this);
  }

  /** Opens or creates calls as one of the servers; throws RoleTakenError if all seats are taken. */
  static open<Q = Uint8Array<ArrayBuffer>, S = Uint8Array>(
    name: string,
    options: RpcOptions<Q, S> = {},
  ): RpcServer<Q, S> {
    options = checkedRing(name, options);
    return RpcServer.#on(name, RINGS.open(name, options), options);
  }

  /** Creates calls; throws OsError (EEXIST) if the name is in use. */
  static create<Q = Uint8Array<ArrayBuffer>, S = Uint8Array>(
    name: string,
    options: RpcOptions<Q, S> = {},
  ): RpcServer<Q, S> {
    options = checkedRing(name, options);
    return RpcServer.#on(name, RINGS.create(name, options), options);
  }

  /** Joins calls as their server, once somebody has made them. */
  static async connect<Q = Uint8Array<ArrayBuffer>, S = Uint8Array>(
    name: string,
    options: RpcConnectOptions<Q, S> = {},
  ): Promise<RpcServer<Q, S>> {
    options = checkedRing(name, options);
    const region = await RINGS.connect(name, options);
    return RpcServer.#on(name, region, options);
  }

  static #on<Q, S>(name: string, region: Region, options: RpcOptions<Q, S>): RpcServer<Q, S> {
    using stack = new DisposableStack();
    stack.use(region);
    const board = new Board(name, region);
    const seat = takeSeat(name, board);
    board.allocate(seat);
    const end = new Endpoint({
      name,
      region,
      own: seat.state,
      peers: board.clients,
      peerName: "clients",
      action: "serve",
      keepOpen: true,
    });
    const server = end.use(() => new RpcServer(end, board, seat, codecsOf(options)));
    for (const { bell } of board.clients) bell.ring(); // now that it is open
    stack.move();
    return server;
  }

  /** Removes the name; the next opener makes a new one. Returns false if the name is unused. */
  static unlink(name: string): boolean {
    return RINGS.unlink(name);
  }

  /** The number of requests being handled. */
  get inFlight(): number {
    return this.#inHand.count;
  }

  /**
   * Answers requests that are there, and gives how many it took. Never waits; what a
   * handler answers with a promise is sent when that is settled.
   */
  tryHandle(handler: Handler<Q, S>, options?: HandleOptions): number {
    if (options !== undefined) checkObject(options, "handle requests");
    const { limit = Infinity }: HandleOptions = options ?? NO_OPTIONS;
    checkHandler(handler, "handle requests of", this.#end.what);
    checkLimit(limit, 1, "handle requests of", this.#end.what);
    return this.#handle(handler, limit);
  }

  /** Blocks the thread until there are requests, answers them, and returns how many it took. */
  handleSync(handler: Handler<Q, S>, options: HandleOptions & SyncWaitOptions = {}): number {
    checkWaits(options);
    const attempt = () => this.tryHandle(handler, options) || undefined;
    return attempt() ?? untilSync(attempt, this.#waiterForWork, options);
  }

  /**
   * Answers requests until `shutdown()` or `close()`, and then resolves. Only one call runs at a
   * time; a second one rejects with a VringError. If a client corrupts its lanes, the call rejects
   * with one CorruptRegionError. Call `serve()` again to serve the other clients.
   */
  async serve(handler: Handler<Q, S>, options: ServeOptions = {}): Promise<void> {
    checkWaits(options);
    const { concurrency = CONCURRENCY } = options;
    checkHandler(handler, "serve", this.#end.what);
    checkLimit(concurrency, 1, "serve", this.#end.what);
    options.signal?.throwIfAborted();
    this.#checkServable();
    if (this.#serving) {
      throw new VringError(
        `Cannot serve ${this.#end.what}: serve() is already running; await that call ` +
          "first, or use one handler for both",
      );
    }
    this.#serving = true;
    this.#inHand.most = concurrency;
    const { signal: stop } = this.#stop;
    const signal = options.signal ? AbortSignal.any([options.signal, stop]) : stop;
    try {
      await yieldOften(options);
      for (;;) {
        const count = this.#handle(handler, concurrency - this.inFlight);
        if (this.inFlight >= concurrency) await this.#nextFinished(signal);
        else await this.#wait(this.#waiterForWork, signal);
        let turn = yieldOften({ signal });
        for (let more = 1; more < count; more++) turn ??= yieldOften(NO_OPTIONS); // each counts
        await turn;
      }
    } catch (error) {
      const isStop = error === stop.reason || error instanceof ClosedError;
      if (!(stop.aborted && isStop)) throw error;
    } finally {
      this.#serving = false;
      if (!this.#end.closed) this.#inHand.most = Infinity;
    }
  }

  /**
   * Takes no more requests, waits until all that were taken are answered, and closes. Requests that
   * were not taken go to another server. If none is open, they are refused, or wait for one if their
   * client keeps open. Pass a timeout if a handler may never end or a client may stop reading its
   * answers. If a client corrupts its lanes, the server closes all the same and then throws the
   * CorruptRegionError. Do not await this call in a handler: it waits for that handler.
   */
  async shutdown(options: WaitOptions = {}): Promise<void> {
    checkWaits(options);
    this.#end.checkOpen();
    options.signal?.throwIfAborted();
    const limit = new AbortController();
    using _limits = cancelLate(options, {
      deadline: deadlineOf(options),
      action: `shut down ${this.#end.what}`,
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

  /** Waits until all answers are sent, and refuses the requests that were not taken. */
  async #drain(signal: AbortSignal): Promise<void> {
    while (this.inFlight > 0) {
      await this.#nextFinished(signal);
      this.#end.checkOpen();
      this.#inHand.abortGivenUp();
      this.#end.checkOpen(); // a listener can do anything
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
   * Leaves at once. Calls that were taken and not answered fail at their clients, or go to another
   * server with `retry`; the signals of their callers abort.
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

  async #wait(waiter: Waiter, signal: AbortSignal): Promise<void> {
    await until((ended) => ended && true, waiter, { signal });
  }

  #checkServable(): void {
    this.#end.checkOpen();
    if (!this.#stopping) return;
    throw new ClosedError(`Cannot serve ${this.#end.what}: it is being shut down`);
  }

  #handle(handler: Handler<Q, S>, limit: number): number {
    this.#checkServable();
    this.#handling.throwFailure();
    if (this.#inHand.isWatched) {
      this.#inHand.abortGivenUp();
      this.#checkServable(); // a listener can do anything
    }
    this.#clients.flush();
    let count = 0;
    while (count < limit && !this.#stopping && this.#handling.take(handler)) count++;
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

/** The promise's outcome, or the reason of a signal that aborts first. */
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

/** Takes a server's seat. A client may hold one for a moment, to empty the lanes of a dead server. */
function takeSeat(name: string, board: Board): ServerSeat {
  const { servers, serverSeats } = board;
  const action = `open ring "${name}" as ${servers.length === 1 ? "its" : "a"} server`;
  const holders = servers.length === 1 ? "one, which is" : `${servers.length}, which are`;
  const error = () =>
    new RoleTakenError(`Cannot ${action}: it has ${holders} alive; close that first`);
  const taken = retrySync(() => {
    const found = serverSeats.take();
    if (found !== undefined) return found;
    if (servers.length === 1 || servers.every(({ state }) => state.load() === SeatState.open)) {
      throw error();
    }
    return new Again(error);
  });
  return servers[taken.index]!;
}
