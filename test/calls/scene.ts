/**
 * What the tests of calls share: the inside of the region, to be looked at and changed, clients that
 * do what no correct one does, and answers that tell to what they are.
 *
 * @module
 */

import type { Role } from "../../src/region/liveness.ts";
import type { Region } from "../../src/region/region.ts";
import { regionPath } from "../../src/region/names.ts";
import { Word32 } from "../../src/memory/word.ts";
import { LANE, LaneSender } from "../../src/lane/lane.ts";
import { open } from "../../src/region/open.ts";
import { bytes } from "../../src/codec.ts";
import { CALLS, CALLS_CONTROL, CALLS_REGION, messageTypeOf } from "../../src/calls/calls.ts";
import { Board, type ClientSeat, type Pair, type ServerSeat } from "../../src/calls/board.ts";
import { post } from "../../src/calls/message.ts";
import { calls, type CallsDefinition, type CallsOptions } from "../../src/calls/definition.ts";
import type { CallClient, CallClientOptions } from "../../src/calls/client.ts";
import type { CallServer } from "../../src/calls/server.ts";
import type { Bytes } from "../../src/message.ts";
import { until } from "../os/until.ts";
import { Name } from "../shared/scene.ts";
import { CAPACITY } from "../spsc/scene.ts";
import { joinRegion } from "../region/opening.ts";

export { CAPACITY };

/** The type of plain bytes, of which tests change a part. */
export const BYTES: Bytes = bytes();

/** A server and a client of bytes. */
export type Server = CallServer;
export type Client = CallClient;

/** Calls of bytes with small lanes, for two clients. */
export function bytesCalls(name: string, options: CallsOptions = {}): CallsDefinition {
  return calls(name, { capacity: CAPACITY, clients: 2, ...options });
}

/** The end of an error of a call that a server had taken. */
export const MAY_HAVE_RUN = "may have handled the request; call again if that may run twice, or " +
  "define the calls with retry: true";

/** The end of an error of a call that no server had taken. */
export const NOT_TAKEN = "did not take the request, which will not run";

const MASK = 0x5a;

/** The answer to a request: every byte of it changed. */
export function answerTo(request: Uint8Array): Uint8Array<ArrayBuffer> {
  const answer = new Uint8Array(request.length);
  for (let i = 0; i < answer.length; i++) answer[i] = request[i]! ^ MASK;
  return answer;
}

/** Whether these bytes are the answer to that request. */
export function isAnswer(answer: Uint8Array, request: Uint8Array): boolean {
  if (answer.length !== request.length) return false;
  for (let i = 0; i < answer.length; i++) if (answer[i] !== (request[i]! ^ MASK)) return false;
  return true;
}

type SeatAndPair = ClientSeat & Pair;

/** A member of the region that is neither server nor client. While it is open the region lives. */
export class Inside implements Disposable {
  readonly region: Region;
  readonly board: Board;
  /** The first server. */
  readonly server: ServerSeat;
  /** The clients, each with the words that it shares with the first server. */
  readonly seats: readonly SeatAndPair[];

  /** Joins the region of this name, or makes it. */
  constructor(name: string, { clients = 2, servers = 1, capacity = CAPACITY, retry = false } = {}) {
    const path = regionPath(CALLS_REGION.name, name);
    const plan = CALLS.plan({ clients, servers, capacity }, "calls", { retry }, 4096);
    const message = messageTypeOf({ request: BYTES, response: BYTES });
    this.region = joinRegion(CALLS_REGION, path) ??
      open({ product: CALLS, plan, path, options: {}, message }).region;
    this.board = new Board(name, this.region);
    this.server = this.board.servers[0]!;
    this.seats = this.board.clients.map((client) => ({ ...client, ...this.pair(client.index, 0) }));
  }

  /** A client and a server. */
  pair(client: number, server: number): Pair {
    return this.board.pair(this.board.clients[client]!, this.board.servers[server]!);
  }

  /** A word of a lane. */
  laneWord(seat: number, lane: "requests" | "responses", word: "head" | "tail" | "taken"): Word32 {
    const { mapping, control } = this.seats[seat]![lane];
    return new Word32(mapping, LANE.fields[word], control);
  }

  /** One of the numbers that stand in front of the body of the message at a position of a lane. */
  setNumber(
    seat: number,
    lane: "requests" | "responses",
    { at, number, value }: { at: number; number: number; value: number },
  ): void {
    const { mapping, data, capacity } = this.seats[seat]![lane];
    mapping.doubles[(data + at % capacity) / 8 + number] = value;
  }

  /** How many words of 32 bits the control block has, up to the end of the seats that are used. */
  get size(): number {
    const { pairs } = CALLS_CONTROL.fields;
    return (pairs.offset + pairs.size / 256 * this.seats.length) / 4;
  }

  /** One of the words of the control block, whatever it is for. */
  word(index: number): Word32 {
    const { mapping, controlOffset } = this.region;
    return new Word32(mapping, { path: `word ${index}`, offset: 4 * index }, controlOffset);
  }

  [Symbol.dispose](): void {
    this.region.close();
  }
}

/** A client made of words: it holds its seat, and a test moves it step by step. */
export class Puppet implements Disposable {
  readonly seat: SeatAndPair;
  readonly requests: LaneSender;
  readonly generation: number;
  readonly #role: Role;

  constructor(inside: Inside, index: number) {
    this.seat = inside.seats[index]!;
    this.#role = inside.region.tryHold(this.seat.role)!;
    this.requests = new LaneSender(this.seat.requests);
    this.generation = this.seat.generation.add(1) + 1;
    this.seat.state.store(1);
  }

  /** Asks, if there is room. */
  ask(call: number, body: Uint8Array, kind = 0): boolean {
    if (!this.requests.hasRoom(24 + body.length + 8)) return false;
    post(this.requests, { call, kind, generation: this.generation, body });
    return true;
  }

  /** Ends it as death would. */
  [Symbol.dispose](): void {
    this.#role.close();
  }
}

interface CastOptions extends CallClientOptions {
  clients?: number;
  vacant?: number;
  capacity?: number;
}

/** A server and its clients, where nobody else is. */
export class Cast implements Disposable {
  readonly name = new Name();
  readonly definition: CallsDefinition;
  readonly server: Server;
  readonly clients: Client[];

  /** With a seat for each client and for those that are vacant. */
  constructor({ clients = 1, vacant = 0, capacity = CAPACITY, ...options }: CastOptions = {}) {
    this.definition = calls(this.name.name, { clients: clients + vacant, capacity });
    this.server = this.definition.server();
    this.clients = Array.from({ length: clients }, () => this.open(options));
  }

  /** The first client. */
  get client(): Client {
    return this.clients[0]!;
  }

  /** One more client. It is for the caller to close. */
  open(options: CallClientOptions = {}): Client {
    return this.definition.client(options);
  }

  /** Another server, once the first is gone. */
  succeed(): Server {
    return this.definition.server();
  }

  [Symbol.dispose](): void {
    for (const client of this.clients) client.close();
    this.server.close();
    this.name[Symbol.dispose]();
  }
}

/** Has so many requests handled, and waits for them if need be. */
export async function handle(
  server: Server,
  count: number,
  handler: Parameters<Server["tryHandle"]>[0] = answerTo,
): Promise<void> {
  let left = count;
  await until(`${count} requests are handled`, () => {
    if (left > 0) left -= server.tryHandle(handler, { limit: left });
    return left === 0;
  });
}

/** The reason of a rejected promise; undefined if it resolves. */
export function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => undefined, (error) => error);
}
