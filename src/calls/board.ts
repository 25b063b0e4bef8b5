/**
 * The words of calls: the seats of clients and servers, and the lanes and words of each pair of
 * them. calls/calls.ts explains them.
 *
 * @module
 */

import type { Region } from "../region/region.ts";
import { nextGeneration, type Seat, Seats, SeatState } from "../region/seats.ts";
import { Word32 } from "../memory/word.ts";
import { Doorbell } from "../wait/doorbell.ts";
import { HintedBell } from "../lane/fan_in.ts";
import { type LanePlace, laneWords } from "../lane/lane.ts";
import {
  CALLS,
  CALLS_CLIENT,
  CALLS_CONTROL,
  CALLS_PAIR,
  CALLS_SERVER,
  MOST_CALLS,
  MOST_SERVERS,
} from "./calls.ts";

const FIRST_SERVER_ROLE = 0;
const FIRST_CLIENT_ROLE = MOST_SERVERS;

/** One client's seat. */
export interface ClientSeat extends Seat {
  readonly index: number;
  readonly bell: Doorbell;
  readonly generation: Word32;
}

/** One server's seat. */
export interface ServerSeat extends Seat {
  readonly index: number;
  readonly hint: Word32;
  readonly bell: Doorbell;
  readonly generation: Word32;
  readonly load: Word32;
}

/** One client and one server, seen from either side. */
export interface Pair {
  readonly client: ClientSeat;
  readonly server: ServerSeat;
  readonly requests: LanePlace;
  readonly responses: LanePlace;
  readonly adopted: Word32;
  readonly returned: Word32;
  readonly broken: Word32;
  readonly givenUp: CallBits;
}

/** A bit for each call without an answer in a pair. */
export class CallBits {
  readonly #region: Region;
  readonly #at: number;
  readonly #words: Word32[] = []; // made when used first

  constructor(region: Region, at: number) {
    this.#region = region;
    this.#at = at;
  }

  /** Whether the bit of a call is set. */
  has(call: number): boolean {
    return (this.#word(call).load() & bitOf(call)) !== 0;
  }

  /** Sets the bit of a call. */
  set(call: number): void {
    this.#word(call).or(bitOf(call));
  }

  /** Clears the bit for a call that begins. */
  clear(call: number): void {
    if (this.has(call)) this.#word(call).and(~bitOf(call) >>> 0);
  }

  #word(call: number): Word32 {
    const index = (call & (MOST_CALLS - 1)) >>> 5; // a remainder of a double is slow
    return this.#words[index] ?? this.#make(index);
  }

  #make(index: number): Word32 {
    const { path, offset } = CALLS_PAIR.fields.given_up;
    const place = { path, offset: offset + 4 * index };
    return this.#words[index] = new Word32(this.#region.mapping, place, this.#at);
  }
}

function bitOf(call: number): number {
  return (1 << (call & 31)) >>> 0;
}

/** The words of calls. */
export class Board {
  readonly region: Region;
  readonly clientSeats: Seats;
  readonly serverSeats: Seats;
  readonly clients: readonly ClientSeat[];
  readonly servers: readonly ServerSeat[];
  /** The name of the calls in messages. */
  readonly what: string;

  constructor(name: string, region: Region) {
    this.region = region;
    this.what = `calls "${name}"`;
    const { clients = 0, servers = 0 } = CALLS.geometryOf(region) ?? {};
    this.clientSeats = new Seats(region, { firstRole: FIRST_CLIENT_ROLE, count: clients });
    this.serverSeats = new Seats(region, { firstRole: FIRST_SERVER_ROLE, count: servers });
    this.clients = Array.from({ length: clients }, (_, index) => this.#client(index));
    this.servers = Array.from({ length: servers }, (_, index) => this.#server(index));
  }

  #client(index: number): ClientSeat {
    const { mapping, controlOffset } = this.region;
    const at = controlOffset + CALLS_CONTROL.fields.clients.offset + index * CALLS_CLIENT.size;
    const { fields } = CALLS_CLIENT;
    return {
      index,
      role: this.clientSeats.roleOf(index),
      state: new Word32(mapping, fields.client, at),
      generation: new Word32(mapping, fields.generation, at),
      bell: new Doorbell(mapping, fields.bell, at, fields.loop),
    };
  }

  #server(index: number): ServerSeat {
    const { mapping, controlOffset } = this.region;
    const at = controlOffset + CALLS_CONTROL.fields.servers.offset + index * CALLS_SERVER.size;
    const { fields } = CALLS_SERVER;
    return {
      index,
      role: this.serverSeats.roleOf(index),
      state: new Word32(mapping, fields.server, at),
      generation: new Word32(mapping, fields.generation, at),
      load: new Word32(mapping, fields.load, at),
      hint: new Word32(mapping, fields.hint, at),
      bell: new Doorbell(mapping, fields.bell, at, fields.loop),
    };
  }

  /** Returns a client and a server. */
  pair(client: ClientSeat, server: ServerSeat): Pair {
    const { mapping, controlOffset } = this.region;
    const index = server.index * this.clients.length + client.index;
    const at = controlOffset + CALLS_CONTROL.fields.pairs.offset + index * CALLS_PAIR.size;
    const { fields } = CALLS_PAIR;
    const hinted = new HintedBell(server.hint, client.index, server.bell);
    const what = `client ${client.index} of ${this.what}`;
    return {
      client,
      server,
      adopted: new Word32(mapping, fields.adopted, at),
      returned: new Word32(mapping, fields.returned, at),
      broken: new Word32(mapping, fields.broken, at),
      givenUp: new CallBits(this.region, at),
      requests: {
        ...this.#lane(2 * index, at + fields.requests.offset),
        what: `the requests of ${what}`,
        dataBell: hinted,
        spaceBell: client.bell,
      },
      responses: {
        ...this.#lane(2 * index + 1, at + fields.responses.offset),
        what: `the responses to ${what}`,
        dataBell: client.bell,
        spaceBell: server.bell,
      },
    };
  }

  #lane(part: number, control: number) {
    const { mapping, dataOffset, partBytes: capacity } = this.region;
    return { mapping, control, data: dataOffset + 2 * part * capacity, capacity };
  }

  /** Allocates memory for the lanes of a seat before its first use. The caller holds its role. */
  allocate({ index, state }: ServerSeat): void {
    if (index === 0 || state.load() !== SeatState.never) return; // the first has it at once
    const { region } = this;
    const bytes = region.dataBytes / this.servers.length;
    region.allocate(region.dataOffset + index * bytes, bytes);
  }

  /**
   * Empties the lanes of a server that is gone, so that its clients send their requests to another
   * server. Returns false if a living party holds the role, or another party has held it since.
   */
  empty(server: ServerSeat, generation: number): boolean {
    using role = this.serverSeats.isHeld(server.index)
      ? undefined
      : this.region.tryHold(server.role);
    if (role === undefined || server.generation.load() !== generation) return false;
    server.state.store(SeatState.closed);
    for (const client of this.clients) {
      const pair = this.pair(client, server);
      const { head, tail } = laneWords(pair.requests);
      begin(pair, tail.load());
      pair.broken.store(0);
      tail.store(head.load()); // P2 before ..
      pair.returned.store(tail.load()); // .. this
    }
    nextGeneration(server.generation); // P1 ..
    for (const { bell } of this.clients) bell.ring();
    return true;
  }
}

/** Stores, for a new holder, the position up to which earlier holders took a pair's requests. */
export function begin({ adopted, returned }: Pair, tail: number): void {
  if (returned.load() === tail) return; // emptied, and nothing taken since (I2)
  adopted.store(tail); // P2 before ..
  returned.store(tail); // .. this, which must not lag behind by 4 GiB
}
