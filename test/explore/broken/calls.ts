/**
 * Clients of calls that go wrong when a server is gone, and servers that run calls that were given
 * up, each by its name.
 *
 * @module
 */

import { begin, Board, type ServerSeat } from "../../../src/calls/board.ts";
import { Client, Clients } from "../../../src/calls/inbox.ts";
import { Links } from "../../../src/calls/links.ts";
import { type Call, PendingCalls } from "../../../src/calls/pending.ts";
import { laneWords } from "../../../src/lane/lane.ts";
import { nextGeneration } from "../../../src/region/seats.ts";
import { currentActor } from "../engine/mod.ts";

/** Never looks whether a server is gone: its calls wait for ever. */
export const FORGETFUL = "forgetful";

/** Takes the late answer to a call that it gave up for that to its next call. */
export const GULLIBLE = "gullible";

/** Empties the lanes of a dead server without its role: a successor takes the same requests. */
export const HASTY = "hasty";

/** Looks whether a call was given up before it takes the request, and not after. */
export const EARLY = "early";

/** Loads the generation of a client before the bit of a call, which the next one may clear. */
export const ORDERLY = "orderly";

const { isLost } = Links.prototype;
Links.prototype.isLost = function (this: Links): boolean {
  return currentActor().name !== FORGETFUL && isLost.call(this);
};

const { take } = PendingCalls.prototype;
PendingCalls.prototype.take = function (this: PendingCalls, number: number): Call | undefined {
  const call = take.call(this, number);
  return call === undefined && currentActor().name === GULLIBLE
    ? take.call(this, number + 1)
    : call;
};

const { empty } = Board.prototype;
Board.prototype.empty = function (this: Board, server: ServerSeat, generation: number): boolean {
  if (currentActor().name !== HASTY) return empty.call(this, server, generation);
  if (server.generation.load() !== generation) return false;
  for (const client of this.clients) {
    const pair = this.pair(client, server);
    const { head, tail } = laneWords(pair.requests);
    begin(pair, tail.load());
    tail.store(head.load());
    pair.returned.store(tail.load());
  }
  nextGeneration(server.generation);
  return true;
};

const { readEnvelope } = Clients.prototype;
const { isGivenUp } = Client.prototype;
const seen = new WeakMap<Client, boolean>();
Clients.prototype.readEnvelope = function (this: Clients, client: Client): number {
  const length = readEnvelope.call(this, client);
  if (currentActor().name === EARLY) seen.set(client, isGivenUp.call(client, this.envelope));
  return length;
};
Client.prototype.isGivenUp = function (this: Client, numbers): boolean {
  const { name } = currentActor();
  if (name === EARLY) return seen.get(this)!;
  if (name !== ORDERLY) return isGivenUp.call(this, numbers);
  const { client, givenUp } = this.pair;
  return client.generation.load() !== numbers.generation || givenUp.has(numbers.call);
};
