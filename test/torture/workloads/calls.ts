/**
 * Calls of many clients to several servers. Both are killed, stopped and replaced, within every way
 * to ask and to serve. Every answer is the one to its request, no request is handled twice unless the
 * calls have `retry`, and every call of a client that lives comes to an end. With `retry`, a client
 * that waits for servers loses no call.
 *
 * A request begins with its number, which counts up for each client, unless it is shorter than a
 * number; its other bytes and those of the answer depend on the number. A server notes in the ledger
 * by seat, generation and number that it handles a request, before anything else.
 *
 * @module
 */

import { PeerLostError, RemoteError } from "../../../src/errors.ts";
import { nextTurn, sleep, sleepSync } from "../../../src/os/clock.ts";
import { laneWords } from "../../../src/lane/lane.ts";
import type { Caller } from "../../../src/calls/in_hand.ts";
import { calls, type CallsDefinition } from "../../../src/calls/definition.ts";
import type { WaitOptions } from "../../../src/wait/until.ts";
import { lengthOf, payload } from "../../circular/scene.ts";
import { answerTo, type Client, Inside, isAnswer, type Server } from "../../calls/scene.ts";
import { spring } from "../../trap/trap.ts";
import { attend, inTime, openSoon, tenure, WAIT } from "../pieces/patience.ts";
import { settle } from "../pieces/settling.ts";
import { type Actor, defineWorkload, type Scene, type Workload } from "../workload.ts";

/** Seats for clients: more than there are clients, as the kernel takes a while to let go of one. */
const SEATS = 6;
const SERVERS = 2;
const CAPACITY = 4096;

/** More than the numbers of requests that are in one lane at a time differ by. */
const WINDOW = 1024;

/**
 * More than the generations of clients whose requests are left at a time differ by: a lane of a
 * server that is gone keeps those of a dead client until another server takes its seat.
 */
const LIVES = 16;

const CELLS = {
  sent: 1, // calls that were begun
  received: 1, // of them, those that were answered, with a value or an error
  bereaved: 1, // of them, those whose server was gone
  late: 1, // of them, those that were given up
  handled: 1, // requests, those of the dead included
  handledLast: SEATS * LIVES * WINDOW, // of each client, by number
  lostLast: SEATS * LIVES * WINDOW, // of those that were taken, it is said
  duplicated: 1, // requests that were handled twice
  corrupt: 1, // requests and answers that are not what was sent
  retried: 1, // of them, those that a dead server may have handled before
  aborted: 1, // of them, those whose client was seen to give up
  servers: 1, // how often there was a new one
  clients: 1,
};

type Cell = keyof typeof CELLS;

/** How calls are made. */
export interface Hands {
  call(client: Client, request: Uint8Array, options: WaitOptions): Promise<Uint8Array>;
}

/** As they are meant to be made. */
export const HANDS: Hands = { call: (client, request, options) => client.call(request, options) };

/** Every call comes to an end within this: servers are replaced long before. */
const SETTLED_WITHIN_MS = 20_000;

function callsOf(scene: Scene<Cell>, retry: boolean): CallsDefinition {
  const sizes = { clients: SEATS, servers: SERVERS, capacity: CAPACITY };
  return calls(scene.name("calls"), { ...sizes, retry });
}

// ---- requests ----

const NUMBER_BYTES = 8;

/** Request number so, which is the n-th of its client. */
function requestOf(number: number, longest: number): Uint8Array<ArrayBuffer> {
  const length = lengthOf(number, longest);
  const request = payload(number, length).slice();
  if (length >= NUMBER_BYTES) new DataView(request.buffer).setFloat64(0, number);
  return request;
}

/** The number of a request, undefined if it has none; NaN if it is not what was sent. */
function numberOf(request: Uint8Array<ArrayBuffer>): number | undefined {
  if (request.length < NUMBER_BYTES) return undefined;
  const number = new DataView(request.buffer, request.byteOffset).getFloat64(0);
  const expected = payload(number, request.length);
  const rest = request.subarray(NUMBER_BYTES);
  return rest.every((byte, i) => byte === expected[NUMBER_BYTES + i]) ? number : NaN;
}

/** Which request of which client of a seat: larger for later ones. */
function identityOf(generation: number, number: number): number {
  return generation * 2 ** 24 + number;
}

function slotOf(seat: number, generation: number, number: number): number {
  return (seat * LIVES + generation % LIVES) * WINDOW + number % WINDOW;
}

/** Notes that a request is handled. */
function noteHandled(scene: Scene<Cell>, caller: Caller, number: number): void {
  const { client, generation, retried } = caller;
  const slot = slotOf(client, generation, number);
  const identity = identityOf(generation, number);
  const { handledLast, lostLast } = scene.cells;
  const which = `request ${number} of client ${generation} in seat ${client}`;
  if (retried) scene.count("retried");
  else if (handledLast[slot]!.load() === identity) {
    scene.find("duplicated", `${which} was handled twice`);
  }
  handledLast[slot]!.store(identity);
  if (lostLast[slot]!.load() === identity) {
    scene.complain(`${which} was handled after its client had seen it fail`);
  }
  scene.count("handled");
}

// ---- servers ----

function handlerOf(actor: Actor<Cell>) {
  const { random } = actor;
  return (request: Uint8Array<ArrayBuffer>, caller: Caller): Uint8Array | Promise<Uint8Array> => {
    const number = numberOf(request);
    if (Number.isNaN(number)) {
      actor.find("corrupt", `a request of client ${caller.client} is not what was sent`);
    } else if (number !== undefined) noteHandled(actor, caller, number);
    spring("handled, and not answered");
    if (random.chance(0.001)) sleepSync(random.skewed(1, 50));
    if (random.chance(0.02)) throw new RangeError(`not ${number}`);
    if (random.chance(0.5)) return answerTo(request);
    if (random.chance(0.1)) {
      const { signal } = caller;
      const answer = () => {
        if (signal.aborted) actor.count("aborted");
        return answerTo(request);
      };
      return sleep(random.skewed(1, 100), signal).then(answer, answer);
    }
    return sleep(random.chance(0.5) ? 0 : random.skewed(1, 20)).then(() => answerTo(request));
  };
}

async function work(actor: Actor<Cell>, server: Server): Promise<void> {
  const { random } = actor;
  const handler = handlerOf(actor);
  for (const isOver = tenure(actor); !isOver();) {
    const way = random.below(3);
    if (way === 0) {
      await inTime(() => server.handleSync(handler, { ...WAIT, limit: random.small(20) }));
    } else if (way === 1) {
      for (let turn = random.small(20); turn > 0; turn--) {
        server.tryHandle(handler, { limit: random.small(200) });
        await nextTurn();
      }
    } else {
      const signal = AbortSignal.timeout(Math.ceil(random.skewed(1, 200)));
      await inTime(() => server.serve(handler, { signal, concurrency: random.small(60) }));
    }
  }
}

function attendServer(actor: Actor<Cell>, retry: boolean): Promise<void> {
  return attend(actor, () => ({
    open: () => callsOf(actor, retry).server(),
    resource: (server) => `server ${server.id}`,
    async work(server) {
      actor.count("servers");
      await work(actor, server);
    },
    async leave(server) {
      if (actor.random.chance(0.5)) await inTime(() => server.shutdown({ timeout: 300 }));
    },
  }));
}

// ---- clients ----

class Asker {
  readonly #actor: Actor<Cell>;
  readonly #hands: Hands;
  readonly #client: Client;
  readonly #waits: boolean;
  readonly #retry: boolean;
  readonly #over: AbortSignal;
  #number = 0;

  constructor(actor: Actor<Cell>, client: Client, choice: Choice) {
    this.#actor = actor;
    this.#client = client;
    this.#hands = choice.hands;
    this.#waits = choice.onPeerGone === "wait";
    this.#retry = choice.retry;
    this.#over = choice.over;
  }

  /** Asks for a while, in every way. */
  async ask(): Promise<void> {
    const { random } = this.#actor;
    for (const isOver = tenure(this.#actor); !isOver();) {
      const way = random.below(4);
      if (way === 0) { for (let i = random.small(100); i > 0 && !isOver(); i--) this.#callSync(); }
      else if (way === 1) await this.#call({});
      else if (way === 2) await this.#call({ timeout: random.skewed(0.1, 30) });
      else await Promise.all(Array.from({ length: random.small(60) }, () => this.#call({})));
      if (random.chance(0.1)) await sleep(random.between(1, 30));
    }
    if (random.chance(0.2)) { // and leaves without its answers
      for (let i = random.small(20); i > 0; i--) this.#client.call(this.#next()[1]).catch(() => {});
      await null;
    }
  }

  #next(): [number: number, request: Uint8Array<ArrayBuffer>] {
    const number = ++this.#number;
    const longest = number % 32 === 0 ? this.#client.maxRequest : 300;
    return [number, requestOf(number, longest)];
  }

  async #call(limit: { timeout?: number }): Promise<void> {
    const [number, request] = this.#next();
    const options = { timeout: SETTLED_WITHIN_MS, ...limit, signal: this.#over };
    this.#actor.count("sent");
    try {
      this.#check(number, request, await this.#hands.call(this.#client, request, options));
    } catch (error) {
      const isSlow = (error as Error).name === "TimeoutError" && limit.timeout === undefined;
      if (isSlow) this.#actor.complain(`call ${number} did not come to an end`);
      if (this.#fail(number, error)) await sleep(this.#actor.random.between(1, 20));
    }
  }

  #callSync(): void {
    const [number, request] = this.#next();
    this.#actor.count("sent");
    try {
      this.#check(number, request, this.#client.callSync(request, WAIT));
    } catch (error) {
      if (this.#fail(number, error)) sleepSync(1);
    }
  }

  #check(number: number, request: Uint8Array, answer: Uint8Array): void {
    this.#actor.count("received");
    if (isAnswer(answer, request)) return;
    this.#actor.find("corrupt", `the answer to call ${number} belongs to another request`);
  }

  /** Notes why an answer is missing; returns whether the server was gone. */
  #fail(number: number, error: unknown): boolean {
    const { cells } = this.#actor;
    const { id, generation } = this.#client;
    if (error instanceof RemoteError) {
      this.#actor.count("received");
      const isOwn = error.remoteName === "RangeError" &&
        (error.message === `not ${number}` || error.message === "not undefined");
      if (!isOwn) this.#actor.complain(`call ${number} failed: ${error.message}`);
      return false;
    }
    const isLost = error instanceof PeerLostError;
    const isCalledOff = error === this.#over.reason;
    if (!isLost && !isCalledOff && (error as Error).name !== "TimeoutError") throw error;
    this.#actor.count(isLost ? "bereaved" : "late");
    if (isLost && this.#waits && this.#retry) {
      this.#actor.complain(`call ${number} was lost, although it is retried: ${error}`);
    }
    if (isLost && this.#waits) {
      cells.lostLast[slotOf(id, generation, number)]!.store(identityOf(generation, number));
    }
    return isLost;
  }
}

/** How a client asks. */
interface Choice {
  readonly hands: Hands;
  readonly onPeerGone: "wait" | "end";
  readonly retry: boolean;
  readonly over: AbortSignal;
}

async function consult(actor: Actor<Cell>, hands: Hands, retry: boolean): Promise<void> {
  const over = new AbortController();
  const watching = setInterval(() => actor.over && over.abort(), 20);
  await attend(actor, () => {
    const onPeerGone = actor.random.chance(0.5) ? "wait" : "end";
    return {
      open: () => callsOf(actor, retry).client({ onPeerGone }),
      resource: (client) => `seat ${client.id}`,
      work(client) {
        actor.count("clients");
        return new Asker(actor, client, { hands, onPeerGone, retry, over: over.signal }).ask();
      },
    };
  });
  clearInterval(watching);
}

// ---- the workload ----

/** Examines what is left while nobody lives: every seat is free and works, all requests are sound. */
function examine(scene: Scene<Cell>, inside: Inside, retry: boolean): void {
  const defined = callsOf(scene, retry);
  using stack = new DisposableStack();
  const servers = Array.from(
    { length: SERVERS },
    () => stack.use(openSoon(() => defined.server())),
  );
  const handler = (request: Uint8Array<ArrayBuffer>, caller: Caller) => {
    const number = numberOf(request);
    if (Number.isNaN(number)) scene.complain("a request that is left is not what was sent");
    else if (number !== undefined) noteHandled(scene, caller, number);
    return request;
  };
  for (const server of servers) {
    while (server.tryHandle(handler) > 0); // each time it drops answers that nobody waits for
  }
  const ids = inside.seats.map(() => stack.use(openSoon(() => defined.client())).id);
  if (ids.some((id, i) => id !== i)) scene.complain(`the free seats are ${ids}`);
  const pairs = inside.seats.flatMap(({ index }) =>
    servers.map(({ id }) => inside.pair(index, id))
  );
  for (const { client, server, broken, requests } of pairs) {
    const which = `client ${client.index} of server ${server.index}`;
    if (broken.load() !== 0) scene.complain(`${which} is said to be broken`);
    const { head, tail } = laneWords(requests);
    if (head.load() !== tail.load()) {
      scene.complain(`${which} has requests from ${tail.load()} to ${head.load()} left`);
    }
  }
}

/** The workload, with the hands of its clients, of calls that may run twice or may not. */
export function callsWorkload(hands: Hands, retry = false): Workload<Cell> {
  return defineWorkload({
    about:
      "clients and servers of calls die within every way to ask and to serve; every outcome is true",
    cells: CELLS,
    facts: {
      "handled": "handled",
      "handled again": "retried",
      "aborted": "aborted",
      "lost with a server": "bereaved",
      "given up": "late",
      "servers": "servers",
      "clients": "clients",
    },
    wanted: { resources: ["server 0"], withinMs: 20_000 },
    parts: {
      client: {
        seats: 4,
        harm: {
          steps: [
            "head store",
            "copy in",
            "hint",
            "bell",
            "tail store",
            "generation",
            "returned",
            "given_up",
            "length in",
            "lock",
          ],
        },
        run: (actor) => consult(actor, hands, retry),
      },
      server: {
        seats: 4,
        harm: {
          steps: [
            "tail store",
            "head store",
            "handled",
            "adopted",
            "load",
            "generation",
            "copy",
            "bell",
            "lock",
          ],
        },
        run: (actor) => attendServer(actor, retry),
      },
    },
    begin(scene) {
      const inside = new Inside(scene.name("calls"), {
        retry,
        clients: SEATS,
        servers: SERVERS,
        capacity: CAPACITY,
      });
      return {
        alone: () => settle(scene, () => examine(scene, inside, retry)),
        [Symbol.dispose]: () => inside[Symbol.dispose](),
      };
    },
  });
}

export default callsWorkload(HANDS);
