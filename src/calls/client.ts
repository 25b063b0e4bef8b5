/**
 * The asking end of calls; calls/calls.ts explains the algorithm.
 *
 * @module
 */

import { type Encoder, encoderOf } from "../encoder.ts";
import { ClosedError, RoleTakenError } from "../errors.ts";
import type { Region } from "../region/region.ts";
import type { Attempt, Condition, Waiter } from "../wait/condition.ts";
import { yieldOften } from "../wait/fairness.ts";
import {
  deadlineOf,
  type SyncWaitOptions,
  until,
  untilSync,
  type WaitOptions,
} from "../wait/until.ts";
import { checkedRing } from "../lane/geometry.ts";
import { cancelLate } from "../wait/cancellation.ts";
import { Endpoint } from "../lane/endpoint.ts";
import { nextGeneration } from "../region/seats.ts";
import { recordBytes, recordLength } from "../lane/record.ts";
import { copyIn } from "../memory/word.ts";
import { disposeAtEnd } from "../os/clock.ts";
import { Board, type ClientSeat } from "./board.ts";
import { type Codecs, codecsOf, RINGS, type RpcConnectOptions, type RpcOptions } from "./calls.ts";
import type { Link } from "./link.ts";
import { Links } from "./links.ts";
import { bodyOffset, Envelope, errorFrom, Kind, longestBody, messageBytes } from "./message.ts";
import { Call } from "./pending.ts";

/** What a client can say besides what all must agree on. */
export interface RpcClientOptions {
  /**
   * When all servers have closed or died, wait for another one: calls that no server had taken go
   * to that one. Without it they fail.
   */
  keepOpen?: boolean | undefined;
  /**
   * Whether a call may run twice: a call that a server had taken when it closed or died goes to
   * another one, which sees `caller.retried`. Without it such a call fails.
   */
  retry?: boolean | undefined;
}

/** For operations that no signal ends. */
const NO_OPTIONS = {};

/**
 * A client of the servers of calls. Each call goes to the server that is least busy.
 *
 * @example Ask, and give up after a second
 * ```ts
 * import { codec, RpcClient, RpcServer } from "@vring/vring";
 *
 * using server = RpcServer.open("example-upper", { request: codec.text, response: codec.text });
 * const serving = server.serve((text) => text.toUpperCase()); // in another process
 *
 * using client = RpcClient.open("example-upper", { request: codec.text, response: codec.text });
 * console.log(await client.call("hello", { timeout: 1000 })); // HELLO
 * server.close();
 * await serving;
 * ```
 */
export class RpcClient<Q = Uint8Array, S = Uint8Array> implements Disposable {
  /** The name. */
  readonly name: string;
  /** How many bytes each lane holds. */
  readonly capacity: number;
  /** The number of this client's seat. */
  readonly id: number;
  /** How many clients have had this seat, this one included. */
  readonly generation: number;
  /** The longest request, in bytes as its codec makes them. */
  readonly maxRequest: number;
  readonly #end: Endpoint;
  readonly #board: Board;
  readonly #seat: ClientSeat;
  readonly #codecs: Codecs<Q, S>;
  readonly #encoder: Encoder<Q>;
  readonly #links: Links<S>;
  readonly #envelope = new Envelope();
  readonly #pumped: Condition;
  readonly #answers: (Condition | undefined)[] = []; // by server
  readonly #waiterForRoom: Waiter;
  #wanted = 0; // bytes of room that the last attempt to send has not found
  #strays = 0; // answers to no call: each is an operation, for the turns of the event loop
  #pumping = false;
  #parked = false; // the pump
  readonly #told: (() => void)[] = []; // once it is awake

  private constructor(end: Endpoint, board: Board, seat: ClientSeat, options: EndChoice<Q, S>) {
    this.name = end.name;
    this.capacity = board.region.partBytes;
    this.id = seat.index;
    this.maxRequest = longestBody(this.capacity);
    this.#end = end;
    this.#board = board;
    this.#seat = seat;
    this.#codecs = codecsOf(options);
    this.#encoder = encoderOf(this.#codecs.request, "call through", end.what);
    const generation = this.generation = (seat.generation.load() + 1) >>> 0;
    const { keepOpen = false, retry = false } = options;
    const answers = (link: Link<S>) => this.#takeAnswers(link);
    const parts = { end, board, seat, generation, keepOpen, retry, answers };
    this.#links = new Links(parts); // the last client's answers are dropped
    nextGeneration(seat.generation);
    this.#pumped = {
      bell: seat.bell,
      watch: this.#links.last.responses.head,
      ready: () => this.#told.length > 0 || this.#links.hasNews(),
      beforeSleep: () => this.#links.isLost() ? "lost" : undefined,
    };
    this.#waiterForRoom = end.waiter(() => [this.#room(this.#wanted)]);
    disposeAtEnd(this);
  }

  /** Opens or creates calls as one of the clients; throws RoleTakenError if all seats are taken. */
  static open<Q = Uint8Array, S = Uint8Array<ArrayBuffer>>(
    name: string,
    options: RpcOptions<Q, S> & RpcClientOptions = {},
  ): RpcClient<Q, S> {
    options = checkedRing(name, options);
    return RpcClient.#on(name, RINGS.open(name, options), options);
  }

  /** Creates calls; throws OsError (EEXIST) if the name is in use. */
  static create<Q = Uint8Array, S = Uint8Array<ArrayBuffer>>(
    name: string,
    options: RpcOptions<Q, S> & RpcClientOptions = {},
  ): RpcClient<Q, S> {
    options = checkedRing(name, options);
    return RpcClient.#on(name, RINGS.create(name, options), options);
  }

  /** Joins calls as a client, once somebody has made them. */
  static async connect<Q = Uint8Array, S = Uint8Array<ArrayBuffer>>(
    name: string,
    options: RpcConnectOptions<Q, S> & RpcClientOptions = {},
  ): Promise<RpcClient<Q, S>> {
    options = checkedRing(name, options);
    const region = await RINGS.connect(name, options);
    return RpcClient.#on(name, region, options);
  }

  static #on<Q, S>(name: string, region: Region, options: EndChoice<Q, S>): RpcClient<Q, S> {
    using stack = new DisposableStack();
    stack.use(region);
    const board = new Board(name, region);
    const seat = takeSeat(name, board);
    const end = new Endpoint({
      name,
      region,
      own: seat.state,
      peers: board.servers,
      peerName: board.servers.length === 1 ? "server" : "last server",
      action: "call through",
      keepOpen: options.keepOpen ?? false,
    });
    const client = end.use(() => new RpcClient(end, board, seat, options));
    stack.move();
    return client;
  }

  /** Removes the name; the next opener makes a new one. Returns false if the name is unused. */
  static unlink(name: string): boolean {
    return RINGS.unlink(name);
  }

  /** How many calls wait for their answers. */
  get inFlight(): number {
    return this.#links.inFlight;
  }

  /**
   * Asks, and resolves with the answer. Rejects with a RemoteError if the handler threw, and with a
   * PeerLostError if the server closed or died, which may have handled the request. With `retry`
   * such a call goes to another server. After a timeout or an abort the handler can learn of it by
   * the signal of its caller.
   */
  async call(request: Q, options: WaitOptions = {}): Promise<S> {
    const deadline = deadlineOf(options);
    const { promise, resolve, reject } = Promise.withResolvers<S>();
    const fulfil = (value: S) => this.#tell(() => resolve(value));
    const fail = (error: unknown) => this.#tell(() => reject(error));
    const send = () => this.#trySend(request, fulfil, fail);
    const waiter = { ...this.#waiterForRoom, deadline };
    const call = await until(this.#receiving(send), waiter, options);
    using _limits = cancelLate(options, {
      deadline,
      action: `call through ${this.#end.what}`,
      cancel: (reason) => {
        this.#links.giveUp(call);
        fail(reason);
      },
    });
    this.#pump(options.spin);
    return await promise;
  }

  /** Asks, and blocks the thread until the answer is there. */
  callSync(request: Q, options: SyncWaitOptions = {}): S {
    const deadline = deadlineOf(options);
    let outcome: { value: S } | { error: unknown } | undefined;
    const resolve = (value: S) => outcome = { value };
    const reject = (error: unknown) => outcome = { error };
    const send = () => this.#trySend(request, resolve, reject);
    const waiter = { ...this.#waiterForRoom, deadline };
    const call = send() ?? untilSync(this.#receiving(send), waiter, options);
    try {
      const { action } = waiter;
      const answered = { action, deadline, conditions: () => [this.#answered()] };
      outcome = untilSync(this.#receiving(() => outcome), answered, options);
    } finally {
      this.#links.giveUp(call);
    }
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  /** An attempt, before which whatever ended the wait is received. */
  #receiving<R>(attempt: () => R | undefined): Attempt<R> {
    return (ended) => {
      if (ended !== undefined) this.#links.receive();
      return attempt();
    };
  }

  /** Leaves. Calls that are not answered are rejected with a ClosedError. */
  close(): void {
    const error = new ClosedError(`Cannot call through ${this.#end.what}: it was closed`);
    using _rejected = { [Symbol.dispose]: () => this.#links.rejectAll(error) };
    this.#end.close(...this.#board.servers.map(({ bell }) => bell));
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Sends a request if there is room. */
  #trySend(
    request: Q,
    resolve: (value: S) => void,
    reject: (error: unknown) => void,
  ): Call<S> | undefined {
    this.#end.checkOpen();
    const links = this.#links;
    if (links.hasChanges()) links.receive(); // while `adopted` is near
    const encoder = this.#encoder;
    const prepared = encoder.prepare(request);
    let bound = encoder.bound(prepared);
    this.#end.checkOpen(); // a codec can do anything
    const isInPlace = !links.keepsRequests && bound <= this.maxRequest;
    let link = isInPlace ? links.choose(messageBytes(bound)) : undefined;
    let body: Uint8Array | undefined;
    if (links.keepsRequests) body = encoder.toBytes(prepared).slice();
    else if (link === undefined && !encoder.isExact) body = encoder.toBytes(prepared); // it may fit
    if (body !== undefined) bound = body.length;
    this.#checkSendable(bound);
    link ??= links.choose(messageBytes(bound));
    if (link === undefined) {
      this.#wanted = messageBytes(bound);
      return undefined;
    }
    const lane = link.requests;
    const { mapping } = lane.place;
    let length = bound;
    if (body !== undefined) copyIn(mapping, bodyOffset(lane), body);
    else length = encoder.into(prepared, mapping, bodyOffset(lane), bound);
    if (length < 0) this.#end.checkOpen();
    const bytes = messageBytes(length);
    const kept = links.keepsRequests ? body : undefined;
    const call = new Call<S>({ bytes, body: kept }, resolve, reject);
    links.post(link, call, length);
    return call;
  }

  /** Throws unless a request of this length can be sent, now or later. */
  #checkSendable(length: number): void {
    this.#end.checkOpen();
    if (this.#end.peerHasClosed()) throw this.#end.peerLost();
    if (length <= this.maxRequest) return;
    throw new RangeError(
      `Cannot call through ${this.#end.what}: the request has ${length} bytes, and can have ` +
        `${this.maxRequest}; make the lanes larger`,
    );
  }

  /** Whether there are answers, of which one may be to the call that was sent last. */
  #answered(): Condition {
    const links = this.#links;
    const { pair, responses } = links.last;
    return this.#answers[pair.server.index] ??= {
      ...this.#pumped,
      watch: responses.head,
      ready: () => links.hasNews(),
    };
  }

  /** Room for a request, or answers: a server may go on only once those are taken. */
  #room(bytes: number): Condition {
    const links = this.#links;
    return {
      bell: this.#seat.bell,
      watch: links.last.requests.tail,
      ready: () => links.choose(bytes) !== undefined || links.hasNews(),
      beforeSleep: () => this.#end.peerIsGone() ? "lost" : links.isLost() ? "ready" : undefined,
    };
  }

  /** Receives answers for as long as calls are waiting for them. */
  async #pump(spin: number | undefined): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    const pumping = { action: "receive answers", conditions: () => [this.#pumped] };
    try {
      while (this.#links.inFlight > 0) {
        this.#parked = true;
        await until((ended) => ended && true, pumping, spin === undefined ? {} : { spin });
        this.#wake();
        if (this.#end.closed) return;
        this.#links.receive();
        let turn: Promise<void> | undefined;
        for (; this.#strays > 0; this.#strays--) turn ??= yieldOften(NO_OPTIONS);
        if (turn !== undefined) await turn;
      }
    } catch (error) {
      this.#wake();
      this.#links.rejectAll(error);
    } finally {
      this.#pumping = false;
    }
  }

  /**
   * Settles a promise; if the pump is asleep, once it is awake. So nothing is pending when the last
   * promise settles, and a test's sanitizer finds no leak.
   */
  #tell(settle: () => void): void {
    if (!this.#parked) return settle();
    this.#told.push(settle);
    if (!this.#end.closed) this.#seat.bell.ring();
  }

  #wake(): void {
    this.#parked = false;
    for (const settle of this.#told.splice(0)) settle();
  }

  /**
   * Takes the answers of a server that are there, at most one lane full, and returns how many. Their
   * codec may close this client.
   */
  #takeAnswers(link: Link<S>): number {
    const lane = link.responses;
    const most = this.capacity / messageBytes(0);
    let count = 0;
    for (; count < most; count++) {
      const length = this.#end.closed ? -1 : recordLength(lane);
      if (length < 0) break;
      this.#envelope.read(lane, length);
      const { call: number, kind, generation } = this.#envelope;
      const call = generation === this.generation ? link.calls.take(number) : undefined;
      const body = call && this.#envelope.readBody(lane, this.#codecs.response);
      lane.release(recordBytes(length));
      if (call === undefined) this.#strays++;
      else this.#settle(call, { kind, body: body!, what: lane.place.what });
    }
    return count;
  }

  #settle(call: Call<S>, answer: Answer): void {
    const { kind, body, what } = answer;
    try {
      if (kind === Kind.ok) return call.resolve(this.#envelope.decode(this.#codecs.response, body));
      if (kind === Kind.refused) {
        if (this.#links.move(call)) return;
        return call.reject(this.#links.lost("has closed", "did not take the request"));
      }
      call.reject(errorFrom(body, what));
    } catch (error) {
      call.reject(error);
    }
  }
}

/** An answer, of any kind. */
interface Answer {
  readonly kind: number;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly what: string;
}

type EndChoice<Q, S> = RpcOptions<Q, S> & RpcClientOptions;

/** Takes a seat that works. The client clears its lanes when it begins, with the seat held. */
function takeSeat(name: string, board: Board): ClientSeat {
  const { clients, servers } = board;
  const suits = (index: number) =>
    servers.every((server) => board.pair(clients[index]!, server).broken.load() === 0);
  const taken = board.clientSeats.take({ suits });
  if (taken !== undefined) return clients[taken.index]!;
  throw new RoleTakenError(
    `Cannot open ring "${name}" as a client: none of its ${clients.length} seats is free; close a ` +
      "client, or make it for more",
  );
}
