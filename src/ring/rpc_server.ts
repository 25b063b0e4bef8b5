/**
 * The serving end of calls; how they travel is told in rpc.ts.
 *
 * @module
 */

import { connectRing, createRing, openRing, takeRole, unlinkRing } from "./attach.ts";
import { begin } from "../sync/turns.ts";
import {
  type Awaited,
  type SyncWaitOptions,
  wait,
  type WaitOptions,
  waitSync,
} from "../sync/waiter.ts";
import type { Region } from "../memory/region.ts";
import { RingEnd } from "./end.ts";
import { FanIn } from "./fan_in.ts";
import { LaneReceiver, LaneSender } from "./lane.ts";
import { recordBytes, recordLength } from "./record.ts";
import {
  Board,
  type Codecs,
  codecsOf,
  contentsFor,
  Envelope,
  Kind,
  longestBody,
  messageBytes,
  type Outgoing,
  post,
  RPC,
  type RpcConnectOptions,
  type RpcOptions,
  type RpcSeat,
  SERVER_ROLE,
} from "./rpc.ts";

/** Who asks. */
export interface Caller {
  /** The number of the client's seat. */
  readonly client: number;
  /** How many clients have had that seat up to this one: another number, another client. */
  readonly generation: number;
}

/** Answers a request. What it throws is thrown at the client, as a RemoteError. */
export type Handler<Q, S> = (request: Q, caller: Caller) => S | Promise<S>;

/** How many requests to handle. */
export interface HandleOptions {
  /** At most so many; all that are there by default. */
  limit?: number;
}

/** How to serve. */
export interface ServeOptions {
  /** Ends serving with the signal's reason. */
  signal?: AbortSignal;
  /** How many requests may be in the hands of the handler at a time; 256 by default. */
  concurrency?: number;
}

const CONCURRENCY = 256;

/** What is kept of an error's message: enough to read, and it fits into every lane. */
const ERROR_CHARACTERS = 500;

const encoder = new TextEncoder();

/** A client, as the server sees it. */
class Client extends LaneReceiver {
  readonly seat: RpcSeat;
  readonly responses: LaneSender;
  /** Responses for which there was no room. While there are any, no request is taken. */
  readonly queue: Outgoing[] = [];

  constructor(seat: RpcSeat) {
    super(seat.requests);
    this.seat = seat;
    this.responses = new LaneSender(seat.responses);
    seat.adopted.store(this.tail.load()); // rpc.ts, P1 before the server's generation ..
  }

  override available(wanted: number): number {
    return this.queue.length > 0 ? 0 : super.available(wanted);
  }
}

/**
 * The one server of calls.
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
  readonly #end: RingEnd;
  readonly #codecs: Codecs<Q, S>;
  readonly #clients: readonly Client[];
  readonly #fan: FanIn<Client>;
  readonly #awaited: Awaited;
  readonly #queued = new Set<Client>();
  readonly #envelope = new Envelope();
  readonly #stop = new AbortController();
  #inFlight = 0;
  #finished: PromiseWithResolvers<void> | undefined; // of the next that is in flight
  #failure: { error: unknown } | undefined; // of an answer that came later

  private constructor(end: RingEnd, board: Board, codecs: Codecs<Q, S>) {
    this.name = end.name;
    this.capacity = board.region.partBytes;
    this.clients = board.clients;
    this.#end = end;
    this.#codecs = codecs;
    this.#clients = Array.from(
      { length: board.clients },
      (_, index) => new Client(board.seat(index)),
    );
    board.generation.store((board.generation.load() + 1) >>> 0); // .. P1 and now clients look
    const fan = this.#fan = new FanIn(this.#clients, board.hint);
    this.#awaited = {
      bell: board.bell,
      watch: board.hint,
      ready: () => fan.look() || this.#canFlush(),
    };
    for (const { seat } of this.#clients) seat.bell.ring();
  }

  /** Opens calls, or makes them, as their server; RoleTakenError if there is a living one. */
  static open<Q = Uint8Array<ArrayBuffer>, S = Uint8Array>(
    name: string,
    options: RpcOptions<Q, S> = {},
  ): RpcServer<Q, S> {
    return RpcServer.#on(name, openRing(RPC, name, options, contentsFor(options)), options);
  }

  /** Makes calls; an OsError (EEXIST) if somebody uses some of that name. */
  static create<Q = Uint8Array<ArrayBuffer>, S = Uint8Array>(
    name: string,
    options: RpcOptions<Q, S> = {},
  ): RpcServer<Q, S> {
    return RpcServer.#on(name, createRing(RPC, name, options, contentsFor(options)), options);
  }

  /** Joins calls as their server, once somebody has made them. */
  static async connect<Q = Uint8Array<ArrayBuffer>, S = Uint8Array>(
    name: string,
    options: RpcConnectOptions<Q, S> = {},
  ): Promise<RpcServer<Q, S>> {
    const region = await connectRing(RPC, name, options, contentsFor(options));
    return RpcServer.#on(name, region, options);
  }

  static #on<Q, S>(name: string, region: Region, options: RpcOptions<Q, S>): RpcServer<Q, S> {
    using stack = new DisposableStack();
    stack.use(region);
    const board = new Board(name, region);
    const end = new RingEnd({
      name,
      region,
      role: stack.use(takeRole(region, SERVER_ROLE, name, "server")),
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

  /** Removes the name, so that the next opener makes a new one; false if there is none. */
  static unlink(name: string): boolean {
    return unlinkRing(RPC, name);
  }

  /** How many requests are in the hands of handlers. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Answers requests that are there, and gives how many it took. Never waits; what a
   * handler answers with a promise is sent when that is settled.
   */
  tryHandle(handler: Handler<Q, S>, { limit = Infinity }: HandleOptions = {}): number {
    this.#end.checkOpen();
    this.#throwFailure();
    this.#flush();
    let count = 0;
    while (count < limit && this.#take(handler)) count++;
    return count;
  }

  /** The same, and blocks the thread until there is at least one. */
  handleSync(handler: Handler<Q, S>, options: HandleOptions & SyncWaitOptions = {}): number {
    for (;;) {
      const count = this.tryHandle(handler, options);
      if (count > 0) return count;
      this.#end.checkWait(waitSync(this.#awaited, options), options);
    }
  }

  /** Answers requests until `shutdown()` or `close()`. */
  async serve(handler: Handler<Q, S>, options: ServeOptions = {}): Promise<void> {
    const { concurrency = CONCURRENCY } = options;
    if (!(concurrency >= 1)) {
      throw new RangeError(`Cannot handle ${concurrency} requests at a time: it is 1 or more`);
    }
    await begin(options);
    const { signal: stop } = this.#stop;
    const signal = options.signal ? AbortSignal.any([options.signal, stop]) : stop;
    try {
      for (;;) {
        this.tryHandle(handler, { limit: concurrency - this.#inFlight });
        if (this.#inFlight >= concurrency) await this.#nextFinished(signal);
        else await this.#wait({ signal });
        await begin({ signal });
      }
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  }

  /**
   * Takes no more requests, waits until all that were taken are answered, refuses those that were
   * not, and closes.
   */
  async shutdown(options: WaitOptions = {}): Promise<void> {
    this.#end.checkOpen();
    const { timeout = Infinity, signal } = options;
    const limits = [timeout < Infinity ? AbortSignal.timeout(timeout) : [], signal ?? []].flat();
    const limit = AbortSignal.any(limits);
    this.#stop.abort();
    while (this.#inFlight > 0) await this.#nextFinished(limit);
    for (;;) {
      while (this.#refuse());
      if (this.#queued.size === 0) break;
      await this.#wait({ signal: limit });
      this.#flush();
    }
    this.close();
  }

  /** Leaves at once. Calls that were taken and not answered fail at their clients. */
  close(): void {
    this.#stop.abort();
    this.#end.close(...this.#clients.map(({ seat }) => seat.bell));
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #wait(options: WaitOptions): Promise<void> {
    this.#end.checkWait(await wait(this.#awaited, options), options);
  }

  /** Takes the next request, if there is one, and has it answered. */
  #take(handler: Handler<Q, S>): boolean {
    const client = this.#fan.next();
    if (client === undefined) return false;
    const body = this.#read(client);
    const { call, generation } = this.#envelope;
    const id = { call, generation };
    let answer: S | Promise<S>;
    try {
      const request = this.#codecs.request.decode(body);
      answer = handler(request, { client: client.seat.index, generation });
    } catch (error) {
      this.#answerError(client, id, error);
      return true;
    }
    if (answer instanceof Promise) this.#awaitAnswer(client, id, answer);
    else this.#tryAnswer(client, id, answer);
    return true;
  }

  /** The body of a client's next request, which is gone from its lane (I1). */
  #read(client: Client): Uint8Array<ArrayBuffer> {
    try {
      const length = recordLength(client);
      this.#envelope.read(client, length);
      const body = this.#envelope.readBody(client);
      client.release(recordBytes(length));
      return body;
    } catch (error) {
      this.#fan.exclude(client);
      throw error;
    }
  }

  /** Tells a client that its next request is not taken; false if there is none. */
  #refuse(): boolean {
    const client = this.#fan.look() ? this.#fan.next() : undefined;
    if (client === undefined) return false;
    this.#read(client);
    const { call, generation } = this.#envelope;
    this.#send(client, { call, generation, kind: Kind.refused, body: new Uint8Array(0) });
    return true;
  }

  async #awaitAnswer(client: Client, id: Numbers, answer: Promise<S>): Promise<void> {
    this.#inFlight++;
    try {
      const settled = await answer.then((value) => ({ value }), (error) => ({ error }));
      if (this.#end.closed) return;
      if ("error" in settled) this.#answerError(client, id, settled.error);
      else this.#tryAnswer(client, id, settled.value);
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      this.#inFlight--;
      this.#finished?.resolve();
      this.#finished = undefined;
    }
  }

  /** Throws what went wrong while nobody was there to be told. */
  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
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
      body = this.#codecs.response.encode(value);
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
    const { name, message } = error instanceof Error ? error : { name: "", message: `${error}` };
    const text = JSON.stringify({
      name: name.slice(0, 50),
      message: message.slice(0, ERROR_CHARACTERS),
    });
    this.#send(client, { ...id, kind: Kind.error, body: encoder.encode(text) });
  }

  /** Sends a response, now or once there is room; not at all to a client that is gone. */
  #send(client: Client, response: Outgoing): void {
    if (client.seat.generation.load() !== response.generation) return;
    if (client.queue.length === 0 && this.#hasRoom(client, response)) {
      post(client.responses, response);
      return;
    }
    client.queue.push({ ...response, body: response.body.slice() }); // a codec may reuse its array
    this.#queued.add(client);
  }

  /** Whether there is room for a response; a client that stored what makes no sense is left alone. */
  #hasRoom(client: Client, { body }: Outgoing): boolean {
    try {
      return client.responses.hasRoom(messageBytes(body.length));
    } catch (error) {
      this.#fan.exclude(client);
      this.#queued.delete(client);
      client.queue.length = 0;
      throw error;
    }
  }

  #canFlush(): boolean {
    for (const client of this.#queued) if (this.#isMovable(client)) return true;
    return false;
  }

  /** Whether the first response in a queue can be sent, or be dropped as nobody waits for it. */
  #isMovable(client: Client): boolean {
    const { queue: [first], seat } = client;
    if (first === undefined || this.#hasRoom(client, first)) return true;
    return seat.generation.load() !== first.generation || !this.#end.isPresent(seat);
  }

  /** Sends the responses for which there is room by now. */
  #flush(): void {
    for (const client of this.#queued) {
      const { queue, responses, seat } = client;
      while (queue.length > 0 && this.#isMovable(client)) {
        const response = queue.shift()!;
        const wanted = seat.generation.load() === response.generation;
        if (wanted && this.#hasRoom(client, response)) post(responses, response);
      }
      if (queue.length > 0) continue;
      this.#queued.delete(client);
      this.#fan.suspectAll(); // its requests were left alone
    }
  }
}

type Numbers = Pick<Outgoing, "call" | "generation">;

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
