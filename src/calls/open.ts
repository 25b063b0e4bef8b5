/**
 * Opens clients and servers of calls, each in a seat of its own.
 *
 * @module
 */

import { type Codec, formOf } from "../codec.ts";
import { RoleTakenError } from "../errors.ts";
import { Endpoint } from "../lane/endpoint.ts";
import type { Type } from "../message.ts";
import { Again, retrySync } from "../region/poll.ts";
import type { Region } from "../region/region.ts";
import { SeatState } from "../region/seats.ts";
import { Board, type ClientSeat, type ServerSeat } from "./board.ts";
import type { CallTypes } from "./calls.ts";
import { CallClient, type ClientChoice } from "./client.ts";
import { longestBody } from "./message.ts";
import { CallServer, type ServerChoice } from "./server.ts";

/** Opens a client in a region, which it then owns. */
export function openClient<Q extends Type, S extends Type>(
  name: string,
  region: Region,
  choice: ClientChoice,
): CallClient<Q, S> {
  const board = boardFor(name, region, choice.types);
  const seat = takeClientSeat(board);
  const end = new Endpoint({
    name,
    what: board.what,
    region,
    own: seat.state,
    peers: board.servers,
    peerName: "server",
    action: "get an answer from",
    waits: choice.waits,
  });
  return end.use(() => new CallClient<Q, S>(end, board, seat, choice));
}

/** Returns the words of a region; throws if its lanes are too short for a type of fixed size. */
function boardFor(name: string, region: Region, types: CallTypes): Board {
  const board = new Board(name, region);
  const longest = longestBody(region.partBytes);
  for (const [noun, codec] of Object.entries(types) as [string, Codec<unknown>][]) {
    const form = formOf(codec);
    if (form?.kind !== "struct" || form.size <= longest) continue;
    throw new RangeError(
      `Cannot open ${board.what}: each ${noun} has ${form.size} bytes, and can have ${longest}; ` +
        "define a larger capacity",
    );
  }
  return board;
}

/** Takes a free seat that no server has marked as broken. The client clears its lanes later. */
function takeClientSeat(board: Board): ClientSeat {
  const { clients, servers } = board;
  const suits = (index: number) =>
    servers.every((server) => board.pair(clients[index]!, server).broken.load() === 0);
  const taken = board.clientSeats.take({ suits });
  if (taken !== undefined) return clients[taken.index]!;
  throw new RoleTakenError(
    `Cannot open ${board.what} as a client: none of its ${clients.length} seats is free; close a ` +
      "client, wait with nextClient(), or define more clients",
  );
}

/** Opens a server in a region, which it then owns. */
export function openServer<Q extends Type, S extends Type>(
  name: string,
  region: Region,
  choice: ServerChoice,
): CallServer<Q, S> {
  const board = boardFor(name, region, choice.types);
  const seat = takeServerSeat(board);
  board.allocate(seat);
  const end = new Endpoint({
    name,
    what: board.what,
    region,
    own: seat.state,
    peers: board.clients,
    peerName: "client",
    action: "serve",
    waits: true,
  });
  const server = end.use(() => new CallServer<Q, S>(end, board, seat, choice));
  for (const { bell } of board.clients) bell.ring(); // now that it is open
  return server;
}

/** Takes a server's seat. A client may briefly hold one, to empty the lanes of a dead server. */
function takeServerSeat({ servers, serverSeats, what }: Board): ServerSeat {
  const holders = servers.length === 1 ? "one, which is" : `${servers.length}, which are`;
  const error = () =>
    new RoleTakenError(
      `Cannot open ${what} as ${servers.length === 1 ? "its" : "a"} server: it has ${holders} ` +
        "alive; close that first, or wait for it with nextServer()",
    );
  const taken = retrySync(() => {
    const found = serverSeats.take();
    if (found !== undefined) return found;
    if (servers.length === 1 || servers.every(({ state }) => state.load() === SeatState.open)) {
      throw error();
    }
    return new Again(error);
  });
  return servers[taken.index]!;
}
