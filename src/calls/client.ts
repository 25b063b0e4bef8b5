/**
 * The client end of calls; calls/calls.ts explains the algorithm.
 *
 * @module
 */

import { checkSyncWaits } from "../arguments.ts";
import { byteLengthOf } from "../arrays.ts";
import type { HandleOptions } from "../definition.ts";
import { ClosedError } from "../errors.ts";
import type { Endpoint } from "../lane/endpoint.ts";
import type { Bytes, Input, Type, Value } from "../message.ts";
import { disposeAtEnd } from "../os/clock.ts";
import { withNamesakes } from "../region/list.ts";
import { type Counted, waitForPeers } from "../region/peers.ts";
import { nextGeneration } from "../region/seats.ts";
import { cancelLate } from "../wait/cancellation.ts";
import type { Attempt, Condition, Waiter } from "../wait/condition.ts";
import { yieldOften } from "../wait/fairness.ts";
import {
  deadlineOf,
  spinFor,
  type SyncWaitOptions,
  until,
  untilLater,
  untilSync,
  type WaitOptions,
} from "../wait/until.ts";
import { Answers } from "./answers.ts";
import type { Board, ClientSeat } from "./board.ts";
import type { CallTypes } from "./calls.ts";
import { Links } from "./links.ts";
import { Call } from "./pending.ts";
import { Requests } from "./requests.ts";

/** The options of a client or a server. */
export interface CallHandleOptions extends HandleOptions {
  /** Gives each received array of bytes a buffer of its own, which may be posted or transferred. */
  own?: boolean | undefined;
}

/** The options of a client. */
export interface CallClientOptions extends CallHandleOptions {
  /**
   * Whether calls that no server has taken fail when every server has closed or died ("end", the
   * default), or wait for another server ("wait"). No later server runs a call that has failed so.
   */
  onPeerGone?: "wait" | "end" | undefined;
}

/** For operations that no signal ends. */
const NO_OPTIONS = {};

const SETTLED = Promise.resolve();

/** A call that blocks the thread, with its waiters. A client makes one and reuses it. */
interface BlockingCall {
  readonly call: Call;
  request: unknown;
  deadline: number | undefined;
  readonly room: Waiter;
  readonly answer: Waiter;
  readonly send: Attempt<true>;
  readonly look: Attempt<true>;
}

/**
 * Calls servers: sends each request to the least busy server, and returns its answer.
 *
 * @example Call, and give up after a second
 * ```ts
 * import { calls, text } from "@vring/vring";
 *
 * const upper = calls("example-upper", { request: text(), response: text() });
 * using server = upper.server(); // in another process
 * const serving = server.serve((text) => text.toUpperCase());
 *
 * using client = upper.client();
 * console.log(await client.call("hello", { timeout: 1000 })); // HELLO
 * server.close();
 * await serving;
 * ```
 */
export class CallClient<Q extends Type = Bytes, S extends Type = Bytes>
  implements Disposable, Counted {
  /** The name of the calls. */
  readonly name: string;
  /** The number of bytes in each lane. */
  readonly capacity: number;
  /** The number of this client's seat. */
  readonly id: number;
  /** The number of clients that have had this seat, including this one. */
  readonly generation: number;
  /** The longest request in bytes, as its type encodes it. */
  readonly maxRequest: number;
  readonly #end: Endpoint;
  readonly #board: Board;
  readonly #seat: ClientSeat;
  readonly #links: Links;
  readonly #requests: Requests;
  readonly #answers: Answers;
  readonly #answered: readonly [Condition]; // for a call that blocks the thread
  readonly #pumpedWaiter: Waiter;
  readonly #waiterForRoom: Waiter;
  #blocking: BlockingCall | undefined; // unless it is in use
  #pumping = false;
  #parked = false; // the pump
  #queue: Promise<void> | undefined; // the last call that waits for room has found some
  readonly #told: Call[] = []; // whose promises settle once it is awake
  #looking = false; // for answers, before the pump begins
  readonly #timers: (() => void)[] = []; // begin those of calls, after that

  /** @ignore */
  constructor(end: Endpoint, board: Board, seat: ClientSeat, choice: ClientChoice) {
    this.name = end.name;
    this.capacity = board.region.partBytes;
    this.id = seat.index;
    this.#end = end;
    this.#board = board;
    this.#seat = seat;
    const { types, own, retry, waits } = choice;
    const generation = this.generation = (seat.generation.load() + 1) >>> 0;
    const answers = this.#answers = new Answers(end, { types, own, generation });
    const parts = { end, board, seat, generation, waits, retry, answers };
    const links = this.#links = new Links(parts); // the last client's answers are dropped
    nextGeneration(seat.generation);
    const answered: Condition = {
      bell: seat.bell,
      get watch() {
        return links.last.responses.head; // of the server that the last call went to
      },
      ready: links.hasNews,
      beforeSleep: () => links.isLost() ? "lost" : undefined,
    };
    this.#answered = [answered];
    const pumped = [{ ...answered, ready: () => this.#told.length > 0 || links.hasNews() }];
    this.#pumpedWaiter = { action: "receive answers", conditions: () => pumped };
    const requests = this.#requests = new Requests(end, seat, links, types.request);
    this.maxRequest = requests.longest;
    this.#waiterForRoom = end.waiter(() => [requests.room()]);
    disposeAtEnd(this);
  }

  /** The number of servers that are connected now. */
  get peers(): number {
    return this.#end.peerCount;
  }

  /** Resolves once at least `count` servers are connected. */
  waitForPeers(count: number, options?: WaitOptions): Promise<void> {
    return waitForPeers(this, count, { noun: "server", what: this.#end.what }, options);
  }

  /** Whether this client is closed. */
  get closed(): boolean {
    return this.#end.closed;
  }

  /** The number of calls that wait for their answers. */
  get inFlight(): number {
    return this.#links.inFlight;
  }

  /**
   * Sends a request, and resolves with the answer. Rejects with a RemoteError if the handler threw.
   * Rejects with a PeerLostError if the server closed or died, and may have handled the request;
   * with `retry` in the definition such a call goes to another server instead.
   *
   * A call that ends with an error before a server has taken its request never runs, and a
   * TimeoutError or a PeerLostError then ends with "will not run". If a server took it first, the
   * handler may finish, and its `caller.signal` aborts.
   */
  call(request: Input<Q>, options?: WaitOptions): Promise<Value<S>> {
    if (options === undefined) options = NO_OPTIONS;
    return this.#call(request, undefined, options) as Promise<Value<S>>;
  }

  /**
   * Sends a request, blocks the thread until the answer arrives, and returns it. A server of the
   * same thread cannot answer meanwhile: use `call()`.
   */
  callSync(request: Input<Q>, options?: SyncWaitOptions): Value<S> {
    if (options === undefined) options = NO_OPTIONS;
    return this.#callSync(request, undefined, options) as Value<S>;
  }

  /**
   * Sends a request, copies the bytes of the answer into an array, and resolves with their number.
   * Rejects with a RangeError if the array is too short. Do not use the array until the promise
   * settles.
   */
  callInto(
    request: Input<Q>,
    target: Uint8Array<ArrayBuffer>,
    options?: WaitOptions,
  ): Promise<number> {
    if (options === undefined) options = NO_OPTIONS;
    return this.#call(request, target, options, true) as Promise<number>;
  }

  /**
   * Sends a request, blocks the thread until the answer arrives, copies its bytes into an array,
   * and returns their number. Throws a RangeError if the array is too short. Allocates no memory
   * for the answer.
   */
  callSyncInto(
    request: Input<Q>,
    target: Uint8Array<ArrayBuffer>,
    options?: SyncWaitOptions,
  ): number {
    if (options === undefined) options = NO_OPTIONS;
    this.#checkTarget(target);
    return this.#callSync(request, target, options) as number;
  }

  /** Closes this client, and rejects all unanswered calls with a ClosedError. */
  close(): void {
    const error = new ClosedError(`Cannot get an answer from ${this.#end.what}: it was closed`);
    using _rejected = { [Symbol.dispose]: () => this.#links.rejectAll(error) };
    this.#links.withdraw();
    this.#end.close(...this.#board.servers.map(({ bell }) => bell));
  }

  /** Closes this client, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkTarget(target: unknown): void {
    byteLengthOf(target, "copy an answer of", this.#end.what);
  }

  #call(
    request: unknown,
    target: Uint8Array<ArrayBuffer> | undefined,
    options: WaitOptions,
    isInto = false,
  ): Promise<unknown> {
    const call = new Call(this.#tell);
    const { promise, reject } = call.promised!;
    call.begin(target);
    try {
      if (isInto) this.#checkTarget(target);
      const turn = yieldOften(options);
      const isSent = turn === undefined && this.#queue === undefined &&
        this.#requests.trySend(request, call) !== undefined;
      if (isSent) this.#expect(call, options);
      else this.#sendLater(request, call, options, turn).catch(reject);
    } catch (error) {
      reject(error);
    }
    return promise;
  }

  /**
   * Sends a request after the event loop has had its turn, and once there is room. The calls that
   * wait for room do so one after the other, so a thousand of them cost no more than one.
   */
  async #sendLater(
    request: unknown,
    call: Call,
    options: WaitOptions,
    turn: Promise<void> | undefined,
  ): Promise<void> {
    const deadline = deadlineOf(options);
    const before = this.#queue;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#queue = promise;
    try {
      await turn;
      if (before !== undefined) {
        this.#limit(call, options, deadline);
        await before;
        if (call.isSettled) return;
      }
      const send = () => call.isSettled || this.#requests.trySend(request, call);
      const waiter = { ...this.#waiterForRoom, deadline, state: () => this.#outOfTime(call) };
      if (send() === undefined) await untilLater(this.#receiving(send), waiter, options);
    } finally {
      if (this.#queue === promise) this.#queue = undefined;
      resolve();
    }
    this.#expect(call, options, deadline);
  }

  /**
   * Waits for the answer to a call that was sent. A timer costs more than a fast answer, so it
   * begins only if the first look at the answers finds none.
   */
  #expect(call: Call, options: WaitOptions, deadline = deadlineOf(options)): void {
    if (call.isSettled) return;
    const limit = () => this.#limit(call, options, deadline);
    if (options.signal !== undefined || this.#pumping) limit();
    else if (deadline < Infinity) this.#timers.push(limit);
    if (this.#looking || this.#pumping) return;
    this.#looking = true;
    SETTLED.then(() => this.#lookFor(options.spin));
  }

  /** Ends a call at its deadline, or when its signal aborts. */
  #limit(call: Call, options: WaitOptions, deadline: number): void {
    if (call.isSettled || call.isLimited) return;
    const limits = cancelLate(options, {
      deadline,
      action: this.#waiterForRoom.action,
      state: () => this.#outOfTime(call),
      cancel: (reason) => {
        try {
          this.#links.giveUp(call);
          this.#end.checkWhole();
        } catch (error) { // a peer has taken memory away: no caller is here to catch it
          reason = error;
        }
        call.reject(reason);
      },
    });
    call.endBy(limits);
  }

  #callSync(
    request: unknown,
    target: Uint8Array<ArrayBuffer> | undefined,
    options: SyncWaitOptions,
  ): unknown {
    checkSyncWaits(options);
    const blocking = this.#blocking ?? this.#makeBlocking();
    const { call, send, look } = blocking;
    this.#blocking = undefined; // a type may call while this call looks for its answer
    blocking.request = request;
    blocking.deadline = undefined;
    call.begin(target);
    try {
      if (send() === undefined) {
        blocking.deadline = deadlineOf(options); // of both waits
        untilSync(send, blocking.room, options);
      }
      untilSync(look, blocking.answer, options);
    } catch (error) {
      this.#links.giveUp(call);
      if (!this.#end.closed) this.#end.checkWhole(); // the error's text has looked at memory, too
      throw error;
    }
    const { hasFailed, result } = call;
    blocking.request = undefined;
    if (!call.isGivenUp) { // else a server may still have it
      call.begin(undefined);
      this.#blocking = blocking;
    }
    if (hasFailed) throw result;
    return result;
  }

  #makeBlocking(): BlockingCall {
    const call = new Call();
    const waiter = (of: Waiter): Waiter => ({
      ...of,
      state: () => this.#outOfTime(call),
      get deadline(): number | undefined {
        return made.deadline;
      },
    });
    const { action } = this.#waiterForRoom;
    const made: BlockingCall = {
      call,
      request: undefined,
      deadline: undefined,
      room: waiter(this.#waiterForRoom),
      answer: waiter({ action, conditions: () => this.#answered }),
      send: this.#receiving(() => this.#requests.trySend(made.request, call)),
      look: this.#receiving(() => call.isSettled || undefined),
    };
    return made;
  }

  /** Gives up a call whose time is over, and describes what it was waiting for. */
  #outOfTime(call: Call): string | undefined {
    if (this.#end.closed) return undefined;
    let isTaken = true;
    this.#end.closing(() => isTaken = this.#links.giveUp(call));
    if (!isTaken) return `${this.#whyNotTaken()}; the request will not run`;
    return call.isRetried
      ? "a server that is gone may have handled the request"
      : "a server has taken the request and not answered it";
  }

  #whyNotTaken(): string {
    const isOnly = this.#board.servers.length === 1;
    switch (this.#end.peer()) {
      case "never":
        return withNamesakes("no server has connected", this.name);
      case "open":
        return isOnly ? "its server is stopped or busy" : "its servers are stopped or busy";
      default:
        return isOnly ? "its server is gone" : "its servers are gone";
    }
  }

  /** Wraps an attempt so that after each wait it first receives the answers. */
  #receiving<R>(attempt: () => R | undefined): Attempt<R> {
    return (ended) => {
      if (ended !== undefined) this.#links.receive();
      return attempt();
    };
  }

  /** Receives the answers that arrive while it spins; begins to pump if calls are left. */
  #lookFor(spin: number | undefined): void {
    this.#looking = false;
    try {
      if (this.#links.inFlight > 0 && spinFor(this.#pumpedWaiter, { spin })) this.#links.receive();
    } catch (error) {
      this.#links.rejectAll(error);
    }
    const isOver = this.#links.inFlight === 0;
    if (this.#timers.length > 0) { for (const begin of this.#timers.splice(0)) begin(); }
    if (!isOver) this.#pump(spin);
  }

  /** Receives answers for as long as calls are waiting for them. */
  async #pump(spin: number | undefined): Promise<void> {
    this.#pumping = true;
    let options: SyncWaitOptions = { spin: 0 }; // it was in vain just now
    try {
      while (this.#links.inFlight > 0) {
        this.#parked = true;
        await until((ended) => ended && true, this.#pumpedWaiter, options);
        options = { spin };
        this.#wake();
        if (this.#end.closed) return;
        this.#links.receive();
        let turn: Promise<void> | undefined;
        for (; this.#answers.strays > 0; this.#answers.strays--) turn ??= yieldOften(NO_OPTIONS);
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
   * Settles the promise of a call; if the pump is asleep, once it is awake. So nothing is pending
   * when the last promise settles, and a test's sanitizer finds no leak.
   */
  readonly #tell = (call: Call): void => {
    if (!this.#parked) return call.settlePromise();
    this.#told.push(call);
    if (this.#end.closed) return;
    try {
      this.#seat.bell.ring();
    } catch { // a peer has taken memory away: the pump finds that by itself, and is not waited for
      this.#wake();
    }
  };

  #wake(): void {
    this.#parked = false;
    for (const call of this.#told.splice(0)) call.settlePromise();
  }
}

/** The choices of a client's definition and options. */
export interface ClientChoice {
  readonly types: CallTypes;
  /** Whether each answer of bytes has a buffer of its own. */
  readonly own: boolean;
  /** Whether a call may run twice. */
  readonly retry: boolean;
  /** Whether calls wait for another server when all are gone. */
  readonly waits: boolean;
}
