/**
 * The asking end of calls; calls/calls.ts explains the algorithm.
 *
 * @module
 */

import { type Encoder, encoderOf } from "../encoder.ts";
import { ClosedError, CorruptRegionError, PeerLostError, RoleTakenError } from "../errors.ts";
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
import { beginLane, LaneReceiver, LaneSender } from "../lane/lane.ts";
import { nextGeneration } from "../region/seats.ts";
import { recordBytes, recordLength } from "../lane/record.ts";
import { copyIn } from "../memory/word.ts";
import { disposeAtEnd } from "../os/clock.ts";
import {
  Board,
  type Codecs,
  codecsOf,
  RINGS,
  type RpcConnectOptions,
  type RpcOptions,
  type RpcSeat,
} from "./calls.ts";
import {
  bodyOffset,
  Envelope,
  errorFrom,
  Kind,
  longestBody,
  messageBytes,
  Patience,
  postBody,
} from "./message.ts";
import { type Call, PendingCalls } from "./pending.ts";

/** What a client can say besides what all must agree on. */
export interface RpcClientOptions {
  /**
   * When the server has closed or died, wait for another one: calls that no server had taken go to
   * that one. Without it they fail.
   */
  keepOpen?: boolean;
}

/** For operations that no signal ends. */
const NO_OPTIONS = {};

/**
 * One of the clients of a server.
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
  readonly #seat: RpcSeat;
  readonly #codecs: Codecs<Q, S>;
  readonly #encoder: Encoder<Q>;
  readonly #keepOpen: boolean;
  readonly #requests: LaneSender;
  readonly #responses: LaneReceiver;
  readonly #envelope = new Envelope();
  readonly #calls = new PendingCalls<S>();
  readonly #answered: Condition;
  readonly #pumped: Condition;
  readonly #waiterForRoom: Waiter;
  #wanted = 0; // bytes of room that the last attempt to send has not found
  #server: number; // the generation of the server last seen
  #strays = 0; // answers to no call: each is an operation, for the turns of the event loop
  #pumping = false;
  #parked = false; // the pump
  readonly #told: (() => void)[] = []; // once it is awake

  private constructor(end: Endpoint, board: Board, seat: RpcSeat, options: EndChoice<Q, S>) {
    this.name = end.name;
    this.capacity = board.region.partBytes;
    this.id = seat.index;
    this.maxRequest = longestBody(this.capacity);
    this.#end = end;
    this.#board = board;
    this.#seat = seat;
    this.#codecs = codecsOf(options);
    this.#encoder = encoderOf(this.#codecs.request, "call through", end.what);
    this.#keepOpen = options.keepOpen ?? false;
    this.#requests = beginLane(seat.requests, "head", () => new LaneSender(seat.requests)); // C4
    this.#responses = beginLane(seat.responses, "tail", () => new LaneReceiver(seat.responses));
    this.#responses.release(this.#responses.look()); // those to the last client
    this.generation = nextGeneration(seat.generation);
    this.#server = board.generation.load();
    this.#answered = {
      bell: seat.bell,
      watch: this.#responses.head,
      ready: () => this.#responses.look() > 0 || this.#serverChanged(),
      beforeSleep: () => this.#isLost() ? "lost" : undefined,
    };
    const ready = () => this.#told.length > 0 || this.#answered.ready();
    this.#pumped = { ...this.#answered, ready };
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
      peers: [board.server],
      peerName: "server",
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
    return this.#calls.size;
  }

  /**
   * Asks, and resolves with the answer. Rejects with a RemoteError if the handler threw, with a
   * PeerLostError if the server closed or died: it may or may not have handled the request then.
   */
  async call(request: Q, options: WaitOptions = {}): Promise<S> {
    const deadline = deadlineOf(options);
    const { promise, resolve, reject } = Promise.withResolvers<S>();
    const fulfil = (value: S) => this.#tell(() => resolve(value));
    const fail = (error: unknown) => this.#tell(() => reject(error));
    const send = () => this.#trySend(request, fulfil, fail);
    const waiter = { ...this.#waiterForRoom, deadline };
    const { number } = await until(this.#receiving(send), waiter, options);
    using _limits = cancelLate(options, {
      deadline,
      action: `call through ${this.#end.what}`,
      cancel: (reason) => {
        this.#calls.delete(number);
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
      const answered = { action, deadline, conditions: () => [this.#answered] };
      outcome = untilSync(this.#receiving(() => outcome), answered, options);
    } finally {
      this.#calls.delete(call.number);
    }
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  /** An attempt, before which whatever ended the wait is received. */
  #receiving<R>(attempt: () => R | undefined): Attempt<R> {
    return (ended) => {
      if (ended !== undefined) this.#receive();
      return attempt();
    };
  }

  /** Leaves. Calls that are not answered are rejected with a ClosedError. */
  close(): void {
    const error = new ClosedError(`Cannot call through ${this.#end.what}: it was closed`);
    using _rejected = { [Symbol.dispose]: () => this.#calls.rejectUpTo(error) };
    this.#end.close(this.#board.bell);
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
    if (this.#serverChanged()) this.#receive(); // while `adopted` is near
    const encoder = this.#encoder;
    const prepared = encoder.prepare(request);
    const lane = this.#requests;
    let bound = encoder.bound(prepared);
    const fits = bound <= this.maxRequest && lane.hasRoom(messageBytes(bound));
    const body = fits || encoder.isExact ? undefined : encoder.toBytes(prepared); // it may fit
    if (body !== undefined) bound = body.length;
    this.#checkSendable(bound);
    if (!lane.hasRoom(messageBytes(bound))) {
      if (this.#isBroken()) throw this.#broken();
      this.#wanted = messageBytes(bound);
      return undefined;
    }
    const { mapping } = lane.place;
    let length = bound;
    if (body !== undefined) copyIn(mapping, bodyOffset(lane), body);
    else length = encoder.into(prepared, mapping, bodyOffset(lane), bound);
    if (length < 0) this.#end.checkOpen();
    const call = this.#calls.add(messageBytes(length), resolve, reject);
    const kind = this.#keepOpen ? Patience.keepOpen : Patience.none;
    postBody(lane, { call: call.number, kind, generation: this.generation }, length);
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

  /** Room for a request, or answers: the server may go on only once those are taken. */
  #room(bytes: number): Condition {
    return {
      bell: this.#seat.bell,
      watch: this.#requests.tail,
      ready: () => this.#requests.hasRoom(bytes) || this.#answered.ready() || this.#isBroken(),
      beforeSleep: () => this.#end.peerIsGone() ? "lost" : undefined,
    };
  }

  /** Receives answers for as long as calls are waiting for them. */
  async #pump(spin: number | undefined): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    const pumping = { action: "receive answers", conditions: () => [this.#pumped] };
    try {
      while (this.#calls.size > 0) {
        this.#parked = true;
        await until((ended) => ended && true, pumping, spin === undefined ? {} : { spin });
        this.#wake();
        if (this.#end.closed) return;
        this.#receive();
        let turn: Promise<void> | undefined;
        for (; this.#strays > 0; this.#strays--) turn ??= yieldOften(NO_OPTIONS);
        if (turn !== undefined) await turn;
      }
    } catch (error) {
      this.#wake();
      this.#calls.rejectUpTo(error);
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

  /** Settles every call whose answer is there, and those that will never have one. */
  #receive(): void {
    const count = this.#takeAnswers();
    if (!this.#end.closed && this.#serverChanged()) this.#adopted();
    if (count === 0 && this.#calls.size > 0) this.#judge(); // one who answers is alive
  }

  /**
   * Takes the answers that are there, at most one lane full, and returns how many. Their codec may
   * close this client.
   */
  #takeAnswers(): number {
    const lane = this.#responses;
    const most = this.capacity / messageBytes(0);
    let count = 0;
    for (; count < most; count++) {
      const length = this.#end.closed ? -1 : recordLength(lane);
      if (length < 0) break;
      this.#envelope.read(lane, length);
      const { call: number, kind, generation } = this.#envelope;
      const call = generation === this.generation ? this.#calls.get(number) : undefined;
      const body = call && this.#envelope.readBody(lane, this.#codecs.response);
      lane.release(recordBytes(length));
      if (call === undefined) this.#strays++;
      else this.#settle(call, kind, body!);
    }
    return count;
  }

  #settle(call: Call<S>, kind: number, body: Uint8Array<ArrayBuffer>): void {
    this.#calls.delete(call.number);
    try {
      if (kind === Kind.ok) return call.resolve(this.#envelope.decode(this.#codecs.response, body));
      if (kind === Kind.refused) {
        return call.reject(this.#lost("has closed", "did not take the request"));
      }
      call.reject(errorFrom(body, this.#responses.place.what));
    } catch (error) {
      call.reject(error);
    }
  }

  #serverChanged(): boolean {
    return this.#board.generation.load() !== this.#server;
  }

  /** Whether the server takes nothing from this seat any more. */
  #isBroken(): boolean {
    return this.#seat.broken.load() !== 0;
  }

  /** Whether waiting is pointless: no server is left, or the one that had taken a call is dead. */
  #isLost(): boolean {
    if (this.#isBroken()) return true;
    if (!this.#keepOpen) return this.#end.peerIsGone();
    const peer = this.#end.peer();
    return (peer === "dead" || peer === "closed") && this.#hasTaken();
  }

  /** Whether a server has taken some call that is not answered. */
  #hasTaken(): boolean {
    return this.#calls.oldestEndsBy(this.#before(this.#requests.tail.load()));
  }

  /** How many bytes of this client's requests are before a position of the lane. */
  #before(position: number): number {
    return this.#calls.sentBytes - ((this.#requests.position - position) >>> 0);
  }

  /** Rejects the calls of a server that another one has followed. */
  #adopted(): void {
    this.#server = this.#board.generation.load(); // .. P1 before what it adopted
    const adopted = this.#before(this.#seat.adopted.load());
    this.#takeAnswers(); // what the last server answered is there by now
    this.#calls.rejectUpTo(this.#lost("died"), adopted);
  }

  /** Rejects the calls of a server that is gone and that no other one has followed. */
  #judge(): void {
    if (this.#isBroken()) return this.#calls.rejectUpTo(this.#broken());
    const tail = this.#requests.tail.load(); // before the look at the server: it is the last to move
    const peer = this.#end.peer();
    if (peer !== "dead" && peer !== "closed") return;
    if (this.#serverChanged()) return this.#adopted();
    this.#takeAnswers(); // its last words
    const taken = this.#before(tail);
    const how = peer === "dead" ? "died" : "has closed";
    this.#calls.rejectUpTo(this.#lost(how), this.#keepOpen ? taken : Infinity);
  }

  #lost(how: string, what = "may have handled the request"): PeerLostError {
    return new PeerLostError(
      `Cannot call through ${this.#end.what}: its server ${how}; it ${what}`,
    );
  }

  #broken(): CorruptRegionError {
    return new CorruptRegionError(
      `Cannot call through ${this.#end.what}: something was stored in the seat of client ` +
        `${this.id} that no correct client stores; close this one, and open another`,
    );
  }
}

type EndChoice<Q, S> = RpcOptions<Q, S> & RpcClientOptions;

/** Takes a seat that works. The client clears its lanes when it begins, with the seat held. */
function takeSeat(name: string, board: Board): RpcSeat {
  const suits = (index: number) => board.seat(index).broken.load() === 0;
  const taken = board.seats.take({ suits });
  if (taken !== undefined) return board.seat(taken.index);
  throw new RoleTakenError(
    `Cannot open ring "${name}" as a client: none of its ${board.clients} seats is free; close a ` +
      "client, or make it for more",
  );
}
