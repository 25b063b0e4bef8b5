/**
 * Calls: many clients, one server, and for each client a lane of requests and a lane of responses.
 *
 * ```
 *   client 0  == requests ==>  .------.      each client has a seat: a role, two lanes, one bell.
 *             <= responses ==  |server|      The server has one bell for all of them, with hints.
 *   client 1  == requests ==>  |      |
 *             <= responses ==  '------'
 * ```
 *
 * Every message begins with the number of its call and the generation of its client: the number of
 * clients that had the seat. Call numbers count up and never repeat within a generation. So a late
 * answer, to an abandoned call or to a client that is gone, is recognised by its numbers and
 * dropped. And a seat can be taken again at once, whatever is left in its lanes.
 *
 * Each party has one bell. A client's is rung for responses and for room for requests, the server's
 * for requests and for room for responses. So no party ever sleeps on one while it needs the other.
 *
 * I1  A request is taken, which moves the tail of its lane, before its handler begins: it is
 *     handled at most once.
 * P1  A new server records in each seat the position of the requests taken so far (`adopted`), and
 *     then increments its own generation. A client that sees another generation than before loads
 *     `adopted`, and checks its responses once more. Calls up to that position that are not
 *     answered never will be. Later ones belong to the new server.
 * C1  A client dies: its requests are handled, its responses dropped, its seat is free.
 * C2  The server dies: the calls that it had taken fail as soon as its death is seen; the others
 *     fail too, or wait for another server with `keepOpen`.
 * C3  A server dies between `adopted` and its generation: nobody loads `adopted`, and the next
 *     server stores it again, as large or larger.
 * C4  A client corrupts its lanes: the server reads nothing more from that seat and marks it
 *     (`broken`), so that the client's calls fail and no newcomer takes the seat. The next server
 *     drops the lane's contents, and the seat can be used again. If the positions themselves are
 *     corrupt, a new server or client empties the lane by its own position.
 *
 * @module
 */

import { type Codec, codec } from "../codec.ts";
import { fingerprint } from "../layout/hash.ts";
import { layout } from "../layout/layout.ts";
import type { Region } from "../region/region.ts";
import type { RegionKind } from "../region/header.ts";
import { type Seat, Seats } from "../region/seats.ts";
import { Word32 } from "../memory/word.ts";
import { Doorbell } from "../wait/doorbell.ts";
import {
  type RingConnectOptions,
  type RingOptions,
  ringProduct,
  RingRegions,
} from "../lane/geometry.ts";
import type { MessageType } from "../region/header.ts";
import { HintedBell } from "../lane/fan_in.ts";
import { LANE, type LanePlace } from "../lane/lane.ts";

/** The most clients that a server can have. */
export const MOST_CLIENTS = 64;

const USUAL_CLIENTS = 8;

/** The words of one client's seat. */
export const RPC_SEAT = layout("rpc_seat", {
  requests: { type: LANE, doc: "the positions of the client's requests" },
  responses: { type: LANE, doc: "the positions of the server's responses" },
  bell: { type: "u32", line: true, doc: "rung by the server; raised by the waiting client" },
  client: { type: "u32", atomic: true, doc: "the client: 0 never existed, 1 open, 2 closed" },
  generation: {
    type: "u32",
    atomic: true,
    doc: "the client: the number of clients that had this seat",
  },
  adopted: { type: "u32", line: true, doc: "the server: requests taken by earlier servers" },
  broken: { type: "u32", atomic: true, doc: "the server: 1 if it no longer serves this seat" },
});

/** The control block of calls. */
export const RPC_CONTROL = layout("rpc_control", {
  hint: { type: "u32", atomic: true, doc: "bit k: client k or k + 32 may have sent a request" },
  bell: { type: "u32", atomic: true, doc: "rung by clients; raised by the waiting server" },
  server: { type: "u32", line: true, doc: "the server: 0 never existed, 1 open, 2 closed" },
  generation: { type: "u32", line: true, doc: "the server: the number of servers so far" },
  seats: { type: layout.array(RPC_SEAT, MOST_CLIENTS), doc: "one for each client" },
});

/** The region type of calls. */
export const RPC: RegionKind = {
  name: "rpc",
  title: "ring",
  control: RPC_CONTROL,
  mirrored: true,
  mostParts: 2 * MOST_CLIENTS,
  openedWith: (messageName) => `the codecs of "${messageName}" for request and response`,
};

const SERVER_ROLE = 0;

/** The role of the first client's seat. */
const FIRST_CLIENT_ROLE = 1;

/** The options for opening an end of calls. */
export interface RpcOptions<Q, S> extends RingOptions {
  /** The codec of requests; plain bytes by default. All programs must use the same. */
  request?: Codec<Q>;
  /** The codec of responses; plain bytes by default. All programs must use the same. */
  response?: Codec<S>;
  /**
   * The most clients at a time, up to 64. If omitted, joining accepts any, and a new region gets 8.
   */
  clients?: number;
}

/** The options for joining calls that another program creates. */
export interface RpcConnectOptions<Q, S>
  extends RingConnectOptions, Pick<RpcOptions<Q, S>, "request" | "response"> {}

/** The codecs of both directions. */
export interface Codecs<Q, S> {
  readonly request: Codec<Q>;
  readonly response: Codec<S>;
}

/** Returns the codecs of the options, or the defaults. */
export function codecsOf<Q, S>(options: Pick<RpcOptions<Q, S>, "request" | "response">) {
  const bytes = codec.bytes as unknown;
  const request = options.request ?? bytes as Codec<Q>;
  const response = options.response ?? bytes as Codec<S>;
  return { request, response } satisfies Codecs<Q, S>;
}

/** The options that the opener needs: the types of both directions, and the number of clients. */
interface CallRegionOptions {
  request?: Pick<Codec<unknown>, "type">;
  response?: Pick<Codec<unknown>, "type">;
  clients?: number;
}

/** Combines the types of requests and responses into the type of calls. */
function typeOf({ request = codec.bytes, response = codec.bytes }: CallRegionOptions): MessageType {
  const name = `${request.type.name} -> ${response.type.name}`;
  const hash = fingerprint(`rpc ${request.type.hash} ${response.type.hash}`);
  return { name: name.slice(0, 60), hash };
}

/** Opens the regions of calls: each client has a lane for requests and one for responses. */
export const RINGS = new RingRegions<CallRegionOptions>(
  ringProduct(RPC, { option: "clients", most: MOST_CLIENTS, usual: USUAL_CLIENTS, lanesEach: 2 }),
  typeOf,
);

/** One client's seat, seen from either side. */
export interface RpcSeat extends Seat {
  readonly index: number;
  readonly requests: LanePlace;
  readonly responses: LanePlace;
  readonly bell: Doorbell;
  readonly generation: Word32;
  readonly adopted: Word32;
  readonly broken: Word32;
}

/** The words of calls. */
export class Board {
  readonly region: Region;
  readonly hint: Word32;
  readonly bell: Doorbell;
  readonly server: Seat;
  readonly generation: Word32;
  /** The most clients. */
  readonly clients: number;
  /** The clients' seats. */
  readonly seats: Seats;
  readonly #what: string;

  constructor(name: string, region: Region) {
    const { mapping, controlOffset: control } = region;
    const { fields } = RPC_CONTROL;
    this.region = region;
    this.#what = `ring "${name}"`;
    this.hint = new Word32(mapping, fields.hint, control);
    this.bell = new Doorbell(mapping, fields.bell, control);
    this.server = { role: SERVER_ROLE, state: new Word32(mapping, fields.server, control) };
    this.generation = new Word32(mapping, fields.generation, control);
    this.clients = Math.floor(region.dataBytes / region.partBytes / 2);
    this.seats = new Seats(region, { firstRole: FIRST_CLIENT_ROLE, count: this.clients });
  }

  /** Returns a client's seat. */
  seat(index: number): RpcSeat {
    const { mapping, controlOffset } = this.region;
    const at = controlOffset + RPC_CONTROL.fields.seats.offset + index * RPC_SEAT.size;
    const { fields } = RPC_SEAT;
    const bell = new Doorbell(mapping, fields.bell, at);
    const hinted = new HintedBell(this.hint, index, this.bell);
    const what = `client ${index} of ${this.#what}`;
    return {
      index,
      role: this.seats.roleOf(index),
      state: new Word32(mapping, fields.client, at),
      generation: new Word32(mapping, fields.generation, at),
      adopted: new Word32(mapping, fields.adopted, at),
      broken: new Word32(mapping, fields.broken, at),
      bell,
      requests: {
        ...this.#lane(2 * index, at + fields.requests.offset),
        what: `the requests of ${what}`,
        dataBell: hinted,
        spaceBell: bell,
      },
      responses: {
        ...this.#lane(2 * index + 1, at + fields.responses.offset),
        what: `the responses to ${what}`,
        dataBell: bell,
        spaceBell: this.bell,
      },
    };
  }

  #lane(part: number, control: number) {
    const { mapping, dataOffset, partBytes: capacity } = this.region;
    return { mapping, control, data: dataOffset + 2 * part * capacity, capacity };
  }
}
