/**
 * The serving end of calls; calls/calls.ts explains the algorithm.
 *
 * @module
 */

import { checkHandler, checkLimit, checkObject, checkWaits } from "../arguments.ts";
import { type Encoder, encoderOf } from "../encoder.ts";
import { ClosedError, CorruptRegionError, VringError } from "../errors.ts";
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
import { nextGeneration, takeRole } from "../region/seats.ts";
import { recordBytes } from "../lane/record.ts";
import { disposeAtEnd } from "../os/clock.ts";
import {
  Board,
  type Codecs,
  codecsOf,
  RINGS,
  type RpcConnectOptions,
  type RpcOptions,
} from "./calls.ts";
import { errorBody, Kind, longestBody, messageBytes, type Outgoing, Patience } from "./message.ts";
import { type Client, Clients } from "./inbox.ts";

/** Who asks. */
export interface Caller {
  /** The number of the client's seat. */
  readonly client: number;
  /** How many clients have had that seat up to this one: another number, another client. */
  readonly generation: number;
}

/**
 * Answers a request with a value, a promise or any other object that has a `then` method. An error
 * that it throws reaches the client as a RemoteError.
 */
export type Handler<Q, S> = (request: Q, caller: Caller) => S | PromiseLike<S>;

/** How many requests to handle. */
export interface HandleOptions {
  /** At most so many; all that are there by default. */
  limit?: number;
}

/** How to serve. */
export interface ServeOptions {
  /** Ends serving with the signal's reason. */
  signal?: AbortSignal;
  /** The largest number of requests handled at a time; 256 by default. */
  concurrency?: number;
}

const CONCURRENCY = 256;

/** For operations that no signal ends. */
const NO_OPTIONS = {};

/**
 * The one server of calls.
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
  readonly #end: Endpoint;
  readonly #codecs: Codecs<Q, S>;
  readonly #encoder: Encoder<S>;
  readonly #clients: Clients;
  readonly #waiterForWork: Waiter;
  readonly #waiterForMoves: Waiter; // of what is left in a shutdown
  readonly #stop = new AbortController();
  #serving = false; // serve() is running
  #stopping = false;
  #isShutDown = false; // shutdown() has closed it
  #inFlight = 0;
  #finished: PromiseWithResolvers<void> | undefined; // of the next that is in flight
  #failure: { error: unknown } | undefined; // of an answer that came later

  private constructor(end: Endpoint, board: Board, codecs: Codecs<Q, S>) {
    this.name = end.name;
    this.capacity = board.region.partBytes;
    this.clients = board.clients;
    this.#end = end;
    this.#codecs = codecs;
    this.#encoder = encoderOf(codecs.response, "answer through", end.what);
    const clients = this.#clients = new Clients(end, board);
    nextGeneration(board.generation); // .. P1 and now clients look
    const ready = () => clients.look() || clients.canFlush();
    const movable: Condition = { bell: board.bell, watch: board.hint, ready };
    const work = { ...movable, ready: () => ready() || this.#failure !== undefined };
    this.#waiterForMoves = end.waiter(() => [movable]);
    this.#waiterForWork = end.waiter(() => [work]);
    for (const { seat } of clients.all) seat.bell.ring();
    disposeAtEnd(this);
  }

  /** Opens calls, or makes them, as their server; RoleTakenError if there is a living one. */
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
    takeRole(region, board.server.role, { action: `open ring "${name}" as its server` });
    const end = new Endpoint({
      name,
      region,
      own: board.server.state,
      peers: Array.from({ length: board.clients }, (_, index) => board.seat(index)),
      peerName: "clients",
      action: "serve",
      keepOpen: true,
    });
    const server = end.use(() => new RpcServer(end, board, codecsOf(options)));
    stack.move();
    return server;
  }

  /** Removes the name; the next opener makes a new one. Returns false if the name is unused. */
  static unlink(name: string): boolean {
    return RINGS.unlink(name);
  }

  /** The number of requests being handled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Answers requests that are there, and gives how many it took. Never waits; what a
   * handler answers with a promise is sent when that is settled.
   */
  tryHandle(handler: Handler<Q, S>, options: HandleOptions = {}): number {
    checkObject(options, "handle requests");
    const { limit = Infinity } = options;
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
    const { signal: stop } = this.#stop;
    const signal = options.signal ? AbortSignal.any([options.signal, stop]) : stop;
    try {
      await yieldOften(options);
      for (;;) {
        const count = this.#handle(handler, concurrency - this.#inFlight);
        if (this.#inFlight >= concurrency) await this.#nextFinished(signal);
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
    }
  }

  /**
   * Takes no more requests, waits until all that were taken are answered, refuses those that were
   * not, unless their client keeps open for another server, and closes. Pass a timeout if a handler
   * may never end or a client may stop reading its answers. If a client corrupts its lanes, the
   * server closes all the same and then throws the CorruptRegionError. Do not await this call in a
   * handler: it waits for that handler.
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
    this.#throwFailure();
  }

  /** Waits until all answers are sent, and refuses the requests that were not taken. */
  async #drain(signal: AbortSignal): Promise<void> {
    while (this.#inFlight > 0) {
      await this.#nextFinished(signal);
      this.#end.checkOpen();
    }
    for (;;) {
      try {
        this.#clients.flush();
        let most = this.clients * this.capacity / messageBytes(0); // clients may ask on and on
        let turn: Promise<void> | undefined;
        while (most-- > 0 && this.#refuse()) turn ??= yieldOften(NO_OPTIONS);
        if (turn !== undefined) {
          await turn;
          this.#end.checkOpen();
        }
        if (!this.#clients.hasQueued) return;
        await this.#wait(this.#waiterForMoves, signal);
      } catch (error) {
        if (!(error instanceof CorruptRegionError)) throw error;
        this.#failure ??= { error }; // that client is excluded now
      }
    }
  }

  /** Leaves at once. Calls that were taken and not answered fail at their clients. */
  close(): void {
    this.#stopServing();
    using _told = { [Symbol.dispose]: () => this.#announceFinished() };
    this.#end.close(...this.#clients.all.map(({ seat }) => seat.bell));
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
    this.#throwFailure();
    this.#clients.flush();
    let count = 0;
    while (count < limit && !this.#stopping && this.#take(handler)) count++;
    return count;
  }

  /** Takes the next request, if there is one, and has it answered. */
  #take(handler: Handler<Q, S>): boolean {
    const client = this.#clients.next();
    if (client === undefined) return false;
    const body = this.#read(client);
    const { call, generation } = this.#clients.envelope;
    const id = { call, generation };
    let outcome: Settled<S>;
    this.#inFlight++; // also before there is a promise: a handler may ask for a shutdown
    try {
      const request = this.#clients.envelope.decode(this.#codecs.request, body);
      const answer = handler(request, { client: client.seat.index, generation });
      if (isThenable(answer)) {
        this.#answerLater(client, id, answer);
        return true;
      }
      outcome = { value: answer };
    } catch (error) {
      outcome = { error };
    }
    this.#finish(client, id, outcome);
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
  #refuse(): boolean {
    const client = this.#clients.look() ? this.#clients.next() : undefined;
    if (client === undefined) return false;
    const length = this.#clients.readEnvelope(client);
    const { call, generation, kind } = this.#clients.envelope;
    if (kind === Patience.keepOpen) {
      this.#clients.skip(client); // they are for the next server, all of this client
      return true;
    }
    client.release(recordBytes(length));
    this.#send(client, { call, generation, kind: Kind.refused, body: new Uint8Array(0) });
    return true;
  }

  async #answerLater(client: Client, id: Numbers, answer: PromiseLike<S>): Promise<void> {
    let outcome: Settled<S>;
    try {
      outcome = { value: await answer };
    } catch (error) {
      outcome = { error };
    }
    try {
      this.#finish(client, id, outcome);
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  /** Answers a request that the handler is done with. */
  #finish(client: Client, id: Numbers, outcome: Settled<S>): void {
    try {
      if ("error" in outcome) this.#answerError(client, id, outcome.error);
      else this.#tryAnswer(client, id, outcome.value);
    } finally {
      this.#inFlight--;
      this.#announceFinished();
    }
  }

  /** Throws the error that occurred while no call could report it. */
  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  #announceFinished(): void {
    this.#finished?.resolve();
    this.#finished = undefined;
  }

  /** Resolves when the next request in flight is answered. */
  #nextFinished(signal: AbortSignal): Promise<void> {
    const finished = this.#finished ??= Promise.withResolvers<void>();
    return untilAborted(finished.promise, signal);
  }

  /** Sends a value; if that cannot be, why it cannot. */
  #tryAnswer(client: Client, id: Numbers, value: S): void {
    let body: Uint8Array;
    try {
      body = this.#encoder.toBytes(this.#encoder.prepare(value));
      const longest = longestBody(this.capacity);
      if (body.length > longest) {
        throw new RangeError(
          `Cannot answer with ${body.length} bytes: a response can have ${longest}; make the ` +
            "lanes larger",
        );
      }
    } catch (error) {
      return this.#answerError(client, id, error);
    }
    this.#send(client, { ...id, kind: Kind.ok, body });
  }

  #answerError(client: Client, id: Numbers, error: unknown): void {
    this.#send(client, { ...id, kind: Kind.error, body: errorBody(error) });
  }

  #send(client: Client, response: Outgoing): void {
    if (!this.#end.closed) this.#clients.send(client, response); // a codec may have closed it
  }
}

type Numbers = Pick<Outgoing, "call" | "generation">;

/** The outcome of a handled request. */
type Settled<S> = { readonly value: S } | { readonly error: unknown };

/** Whether `await` would wait for it: a promise of any kind or origin. */
function isThenable<S>(answer: S | PromiseLike<S>): answer is PromiseLike<S> {
  const mayBe = typeof answer === "object" && answer !== null || typeof answer === "function";
  return mayBe && typeof (answer as { then?: unknown }).then === "function";
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
