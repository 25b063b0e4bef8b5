/**
 * The servers of a client: chooses a server for each call, and moves or rejects the calls of
 * servers that are gone. calls/calls.ts explains when a call may move.
 *
 * @module
 */

import { CorruptRegionError, PeerLostError } from "../errors.ts";
import type { Endpoint } from "../lane/endpoint.ts";
import { copyIn } from "../memory/word.ts";
import { now } from "../os/clock.ts";
import { presenceIn, SeatState } from "../region/seats.ts";
import { SLICE_NS } from "../wait/sleep.ts";
import type { Answers } from "./answers.ts";
import type { Board, ClientSeat } from "./board.ts";
import { Link } from "./link.ts";
import { bodyOffset } from "./message.ts";
import type { Call } from "./pending.ts";

/** The parts of a client that its links use. */
export interface LinksParts {
  readonly end: Endpoint;
  readonly board: Board;
  readonly seat: ClientSeat;
  readonly generation: number;
  /** Whether calls that no server has taken wait for another one. */
  readonly waits: boolean;
  readonly retry: boolean;
  readonly answers: Answers;
}

const MAY_HAVE_RUN = "may have handled the request; call again if that may run twice, or define " +
  "the calls with retry: true";

const NOT_TAKEN = "did not take the request, which will not run";

/** All servers of a client. */
export class Links {
  readonly #end: Endpoint;
  readonly #board: Board;
  readonly #seat: ClientSeat;
  readonly #generation: number;
  readonly #waits: boolean;
  readonly #retry: boolean;
  readonly #answers: Answers;
  readonly #all: (Link | undefined)[] = []; // by server, once that has been open
  readonly #homeless: Call[] = []; // calls that left a lane, and have no other one yet
  #last = 0; // the server that the last call went to
  #turn = 0; // the server that gets the next one if all are equally busy
  #judgeAt = 0; // when to look at servers that do not answer while others do

  constructor(parts: LinksParts) {
    this.#end = parts.end;
    this.#board = parts.board;
    this.#seat = parts.seat;
    this.#generation = parts.generation;
    this.#waits = parts.waits;
    this.#retry = parts.retry;
    this.#answers = parts.answers;
    this.#at(0); // its lanes have memory before there is a server
  }

  /** The link that the last call went to. */
  get last(): Link {
    return this.#all[this.#last]!;
  }

  /** The number of calls that wait for answers. */
  get inFlight(): number {
    let count = this.#homeless.length;
    for (const link of this.#all) count += link?.calls.waiting ?? 0;
    return count;
  }

  /** Whether the client keeps its requests so that it can send them again. */
  get keepsRequests(): boolean {
    return this.#retry || this.#board.servers.length > 1;
  }

  /** Sends a call through a link that has room, where the body of its request is in place. */
  post(link: Link, call: Call, length: number): void {
    this.#last = link.pair.server.index;
    this.#turn = this.#last + 1;
    link.post(call, length, this.#waits);
  }

  /** Sends a refused call to another open server; rejects the call if none is open. */
  readonly #refused = (call: Call): void => {
    if (call.body !== undefined && this.#isAnyOpen()) this.#homeless.push(call);
    else call.reject(this.lost("has closed", NOT_TAKEN));
  };

  /** The link to a server that has been open; undefined if it never was. */
  #at(index: number): Link | undefined {
    const found = this.#all[index];
    if (found !== undefined) return found;
    const server = this.#board.servers[index]!;
    if (index > 0 && server.state.load() === SeatState.never) return undefined; // without memory
    const link = new Link(this.#board.pair(this.#seat, server), this.#generation);
    return this.#all[index] = link;
  }

  /**
   * Chooses the server for a message: the least busy one that is open and has room. If none is
   * open, the message goes to the lane of server 0, for the next holder of that seat. Returns
   * undefined when no lane has room.
   */
  choose(bytes: number): Link | undefined {
    const link = this.#board.servers.length === 1 ? this.#first(bytes) : this.#leastBusy(bytes);
    if (link === undefined && this.#isBroken()) throw this.#broken();
    return link;
  }

  #first(bytes: number): Link | undefined {
    const first = this.#all[0]!;
    return first.hasRoom(bytes) ? first : undefined;
  }

  #leastBusy(bytes: number): Link | undefined {
    const { length } = this.#board.servers;
    let chosen: Link | undefined;
    let least = Infinity;
    let isAnyOpen = false;
    for (let step = 0; step < length; step++) {
      const link = this.#at((this.#turn + step) % length);
      if (!link?.isOpen) continue;
      isAnyOpen = true;
      if (link.isBroken || !this.#hasRoom(link, bytes) || link.cost >= least) {
        continue;
      }
      chosen = link;
      least = link.cost;
    }
    return isAnyOpen ? chosen : this.#first(bytes);
  }

  /**
   * Gives up a call. Returns whether a server has taken it, or an earlier one may have; otherwise no
   * handler begins.
   */
  giveUp(call: Call): boolean {
    const at = this.#homeless.indexOf(call);
    if (at >= 0) this.#homeless.splice(at, 1);
    if (call.lane === undefined || this.#end.closed) return call.isRetried;
    return this.#all.find((link) => link?.calls === call.lane)!.giveUp(call) || call.isRetried;
  }

  /** Gives up all calls to a server, each with an error. */
  #giveUpAll(link: Link, error: (isTaken: boolean) => unknown): void {
    for (const call of link.calls.list()) {
      let isTaken = true;
      this.#end.closing(() => isTaken = this.giveUp(call));
      call.reject(error(isTaken));
    }
  }

  /** Settles every answered call, and rejects or moves the calls that no server will answer. */
  receive(): void {
    let count = 0;
    for (const link of this.#all) {
      if (link === undefined) continue;
      count += this.#takeAnswers(link);
      if (!this.#end.closed && link.hasChanged) this.#succeed(link);
    }
    if (this.#mustJudge(count)) { for (const link of this.#all) if (link) this.#judge(link); }
    this.#sendAgain();
  }

  #takeAnswers(link: Link): number {
    if (link.isCorrupt) return 0;
    try {
      return this.#answers.take(link, this.#refused);
    } catch (error) {
      this.#leave(link, error);
      return 0;
    }
  }

  #hasRoom(link: Link, bytes: number): boolean {
    try {
      return link.hasRoom(bytes);
    } catch (error) {
      this.#leave(link, error);
      return false;
    }
  }

  /** Stops using a server that corrupted its lanes; rethrows the error if it is the only one. */
  #leave(link: Link, error: unknown): void {
    if (!(error instanceof CorruptRegionError) || this.#board.servers.length === 1) throw error;
    link.isCorrupt = true;
    this.#giveUpAll(link, () => error);
  }

  /** Whether to look at the servers: one that answers is alive, but others may not be. */
  #mustJudge(answers: number): boolean {
    if (this.#end.closed || this.inFlight === 0) return false;
    if (this.#board.servers.length === 1) return answers === 0;
    const time = now();
    if (answers > 0 && time < this.#judgeAt) return false;
    this.#judgeAt = time + SLICE_NS;
    return true;
  }

  #isAnyOpen(): boolean {
    return this.#board.servers.some((_, index) => this.#at(index)?.isOpen);
  }

  /**
   * Whether there are answers, a new holder of a server's seat, or room for a call without a lane.
   */
  readonly hasNews = (): boolean => {
    const all = this.#all;
    for (let index = 0; index < all.length; index++) if (all[index]?.hasNews) return true;
    const first = this.#homeless[0];
    return first !== undefined && this.choose(first.bytes) !== undefined;
  };

  hasChanges(): boolean {
    const all = this.#all;
    for (let index = 0; index < all.length; index++) if (all[index]?.hasChanged) return true;
    return false;
  }

  /** Whether a server has stopped serving this client, which makes its seat unusable. */
  #isBroken(): boolean {
    return this.#all.some((link) => link?.isBroken);
  }

  /** Whether waiting is pointless: a server with a pending call is gone, or no server is left. */
  isLost(): boolean {
    const isEnd = this.#end.peerIsGone();
    if (isEnd && this.#homeless.length > 0) return true;
    return this.#all.some((link) => {
      if (link === undefined || link.calls.waiting === 0) return false;
      if (link.isBroken || isEnd) return true;
      return this.#hasLeft(link) && (link.hasTaken || this.#canEmpty(link));
    });
  }

  /** Whether the server at the other end is gone. */
  #hasLeft({ pair }: Link): boolean {
    const presence = presenceIn(this.#board.region, pair.server);
    return presence === "dead" || presence === "closed";
  }

  /** Whether calls that a gone server has not taken can move: to another one, and at once. */
  #canEmpty(link: Link): boolean {
    link.markGone();
    return this.#isAnyOpen() && !this.#board.serverSeats.isHeld(link.pair.server.index);
  }

  /** Rejects or moves the calls of a server whose seat has a new holder. */
  #succeed(link: Link): void {
    const { adopted, returned } = link.succession();
    this.#takeAnswers(link); // what the last server answered is there by now
    this.#lose(link.calls.takeUpTo(adopted), "died");
    const back = link.calls.takeUpTo(returned); // I3
    if (this.keepsRequests) this.#homeless.push(...back);
    else this.#reject(back, this.#broken()); // nobody empties the lanes of the only server
  }

  /** Rejects or moves the calls of a server that is gone and whose seat has no new holder. */
  #judge(link: Link): void {
    if (link.calls.waiting === 0) return;
    if (link.isBroken) return this.#reject(link.calls.takeUpTo(), this.#broken());
    const { taken } = link; // before the look at the server: it is the last to move
    const presence = presenceIn(this.#board.region, link.pair.server);
    if (presence !== "dead" && presence !== "closed") return;
    if (link.hasChanged) return this.#succeed(link);
    link.markGone();
    this.#takeAnswers(link); // its last words
    const how = presence === "dead" ? "died" : "has closed";
    this.#lose(link.calls.takeUpTo(taken), how);
    if (link.calls.waiting === 0) return;
    if (this.#canEmpty(link)) {
      if (this.#board.empty(link.pair.server, link.generation)) this.#succeed(link);
    } else if (this.#end.peerIsGone()) {
      this.#giveUpAll(link, (isTaken) => this.lost(how, isTaken ? undefined : NOT_TAKEN));
    }
  }

  /** Ends calls whose server had taken them; sends them again if they may run twice. */
  #lose(calls: readonly Call[], how: string): void {
    if (!this.#retry) return this.#reject(calls, this.lost(how));
    for (const call of calls) call.isRetried = true;
    this.#homeless.push(...calls);
  }

  /** Sends the calls that left their lane again, while there is room. */
  #sendAgain(): void {
    const homeless = this.#homeless;
    if (homeless.length === 0 || this.#end.closed) return;
    if (!this.#isAnyOpen() && this.#end.peerIsGone()) {
      return this.#reject(homeless.splice(0), this.#end.peerLost());
    }
    while (homeless.length > 0) {
      const call = homeless[0]!;
      const link = this.choose(call.bytes);
      if (link === undefined) return;
      homeless.shift();
      copyIn(link.requests.place.mapping, bodyOffset(link.requests), call.body!);
      this.post(link, call, call.body!.length);
    }
  }

  #reject(calls: readonly Call[], error: unknown): void {
    for (const call of calls) call.reject(error);
  }

  /** Marks all calls as given up, before the client closes. */
  withdraw(): void {
    if (this.#end.closed) return;
    this.#end.closing(() => this.#all.forEach((link) => link?.withdraw()));
  }

  rejectAll(error: unknown): void {
    for (const link of this.#all) {
      if (link === undefined) continue;
      if (this.#end.closed) this.#reject(link.calls.takeUpTo(), error);
      else this.#giveUpAll(link, () => error);
    }
    this.#reject(this.#homeless.splice(0), error);
  }

  lost(how: string, what = MAY_HAVE_RUN): PeerLostError {
    return new PeerLostError(
      `Cannot get an answer from ${this.#end.what}: its server ${how}; it ${what}`,
    );
  }

  #broken(): CorruptRegionError {
    return new CorruptRegionError(
      `Cannot get an answer from ${this.#end.what}: something was stored in the seat of client ` +
        `${this.#seat.index} that no correct client stores; close this one, and open another`,
    );
  }
}
