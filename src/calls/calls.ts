/**
 * Calls: many clients, several servers, and for each client and server a lane of requests and a
 * lane of responses.
 *
 * ```
 *   client 0  == requests ==>  .--------.      A client has a seat: a role and a bell. A server has
 *             <= responses ==  |server 0|      a seat: a role, a bell with hints, and its load.
 *   client 1  == requests ==>  |        |      Each pair of them has two lanes of its own, so two
 *             <= responses ==  '--------'      parties never write the same words.
 *       \== requests ==>  server 1
 * ```
 *
 * A client sends each call to the server that is least busy (link.ts), and a call is in one lane at
 * a time. Every message begins with the number of its call and the generation of its client: the
 * number of clients that had the seat. Call numbers count up and never repeat within a generation
 * and a lane. So a client recognises a late answer, to a call that was given up or to an earlier
 * client, by its numbers and drops it. A new client can take a seat at once, even while old
 * messages are left in its lanes.
 *
 * Each party has one bell. Servers ring a client's bell for responses and for room for requests.
 * Clients ring a server's bell for requests and for room for responses. So no party sleeps through
 * one event while it waits for the other.
 *
 * **A call moves** from a server that is gone to another one. A server is gone when its state is
 * closed, or open with its role free. Its tail then says which requests it had taken.
 *
 *   taken        before the tail: its handler may have begun. The call fails, unless the calls
 *                have `retry`; then it is sent again, marked as retried.
 *   not taken    after the tail. A new server in that seat takes it. If another server is open, a
 *                client first empties the lanes of the gone one, with its role held, so that no new
 *                server can begin meanwhile. Then it sends the call again.
 *
 * The holder of a server's seat holds its role and has begun. It is a server, or such a client.
 *
 * I1  A request is taken, which moves the tail of its lane, before its handler begins. Only the
 *     holder of the server's role moves that tail, and only forward. So a request is handled at
 *     most once.
 * I2  Everything before `returned` had left the lane before its present holder began. Of that, no
 *     holder ever took anything between `adopted` and `returned`.
 * I3  A call is sent again only when its request is between `adopted` and `returned`, or when the
 *     calls have `retry`, or when the server refused it.
 * I4  A handler begins only with a request that its client had not given up when the server took it.
 *     A server passes over all others, and refuses them.
 * P1  A holder stores in each pair `adopted` and `returned`, and then increments the generation of
 *     the server's seat. A client that sees another generation than before loads both, after its
 *     responses. Calls up to `adopted` that are not answered never will be, those up to `returned`
 *     can be sent again. Later ones belong to the present holder.
 * P2  `adopted` is stored first, then the tail, then `returned`; a client loads `returned`, then
 *     `adopted`. So a request that it finds after `adopted` and up to `returned` was emptied from
 *     the lane, and no holder before that had taken it.
 * P3  A client sets the bit of a call, orders the servers (doorbell.ts), and then loads the tail. A
 *     server moves the tail by the bell of its lane, which keeps the fence in a process that nobody
 *     can order (doorbell.ts, P1), and then loads the bit. So a client that finds its request after the
 *     tail knows that no handler begins, and states that in its error.
 * P4  A server loads the bit, then the generation of the client. A new client in the seat stores its
 *     generation, and later clears bits. So a server that finds the generation of the request has
 *     loaded the bit before the next client cleared it.
 * C1  A client dies: its requests are handled or emptied, its responses dropped, its seat is free.
 *     Once another client has the seat, the requests of the dead one are passed over.
 * C2  A server dies: its clients see the death, and fail or retry the calls that it had taken. They
 *     send the others to another server, let them wait (`onPeerGone: "wait"`), or fail them.
 * C3  A holder dies before it increments the generation. If it stored `adopted` only, nobody loads
 *     that, and the next holder stores it again, as large or larger. If a client that empties lanes
 *     dies between the tail and `returned`, the next holder finds a tail that is not `returned`. It
 *     counts these requests as taken: their calls fail, although no handler has begun.
 * C4  A client corrupts its lanes: the server reads nothing more from that pair and marks it
 *     (`broken`), so that the client's calls fail and no newcomer takes the seat. The next holder
 *     drops the lane's contents, and the seat can be used again. If the positions themselves are
 *     corrupt, a new server or client empties the lane by its own position.
 * C5  A client dies while it empties lanes: its hold ends, and the next client with calls there
 *     empties them again. While such a client is stopped, no server can take that seat.
 * C6  A load is wrong, because its server died or corrupted it: this costs only balance.
 *
 * **A client gives up** a call when it times out, its signal aborts, or the call fails because no
 * server is left. It sets the bit of the call in the pair (`given_up`), and a client that closes sets
 * those of all its calls. A server that has not taken such a call passes over it (I4); one that
 * has aborts `caller.signal`.
 *
 *   given up before the tail moved    no handler gets the request, now or later
 *   given up after that               the handler may run, or has run: the server came first
 *   killed before the bit is set      the caller has no error, and the request may run
 *   killed after that                 the bit stays; the next client in the seat has another generation
 *   the server dies between its tail  no handler has begun; the next holder adopts the request, and
 *   and its look at the bit           its number becomes free
 *
 * All unanswered calls have different bits, including the calls that were given up. A server refuses
 * a request that it passes over, so that its number becomes free. So a client clears and reuses a bit
 * only after a server has finished its last call. No server takes a set bit for that of another call.
 *
 * Limits: 64 clients, 16 servers, and at most 256 pairs of them; 1,024 calls without an answer in
 * each pair, including those given up. A call stays with a stopped server until that server
 * continues or dies, or the client gives up.
 *
 * Load buffering: the lanes are as in lane.ts. A holder stores `adopted` and `returned` after the
 * kernel's lock on its role, a barrier; a client sends a call again only after it has acquired the
 * generation and both of them. So no party stores anything that depends on a load that is not done.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import { type RingGeometry, ringProduct } from "../lane/geometry.ts";
import { LANE } from "../lane/lane.ts";
import { fingerprint } from "../layout/hash.ts";
import { layout } from "../layout/layout.ts";
import { isCount } from "../layout/sizes.ts";
import type { Mapping } from "../memory/mapping.ts";
import { Word32 } from "../memory/word.ts";
import {
  descriptionOf,
  type MessageType,
  REGION_HEADER,
  type RegionType,
} from "../region/header.ts";
import { checkSize, type OpenOptions, type Product } from "../region/open.ts";

/** The most clients of calls. */
const MOST_CLIENTS = 64;

/** The most servers of calls. */
export const MOST_SERVERS = 16;

/** The most pairs of a client and a server. */
const MOST_PAIRS = 256;

const USUAL_CLIENTS = 8;

/** The most calls without an answer in a pair. */
export const MOST_CALLS = 1024;

/** The words of one client's seat. */
export const CALLS_CLIENT = layout("calls_client", {
  bell: { type: "u32", line: true, doc: "rung by servers; raised by the waiting client" },
  client: { type: "u32", atomic: true, doc: "the client: 0 never existed, 1 open, 2 closed" },
  generation: {
    type: "u32",
    atomic: true,
    doc: "the client: the number of clients that had this seat",
  },
  loop: { type: "u32", atomic: true, doc: "the FIFO of the client's event loop; 0 if none" },
});

/** The words of one server's seat. */
export const CALLS_SERVER = layout("calls_server", {
  hint: { type: "u32", line: true, doc: "bit k: client k or k + 32 may have sent a request" },
  bell: { type: "u32", atomic: true, doc: "rung by clients; raised by the waiting server" },
  loop: { type: "u32", atomic: true, doc: "the FIFO of the server's event loop; 0 if none" },
  server: { type: "u32", line: true, doc: "the server: 0 never existed, 1 open, 2 closed" },
  generation: { type: "u32", line: true, doc: "the holder: the number of holders so far" },
  load: {
    type: "u32",
    line: true,
    doc: "the server: requests in hand, plus 65536 if it is busy, or 131072 if it is full",
  },
});

/** The words of one client and one server. */
export const CALLS_PAIR = layout("calls_pair", {
  requests: { type: LANE, doc: "the positions of the client's requests" },
  responses: { type: LANE, doc: "the positions of the server's responses" },
  adopted: { type: "u32", line: true, doc: "the holder: requests gone before it began" },
  returned: { type: "u32", atomic: true, doc: "the holder: those after adopted were never taken" },
  broken: { type: "u32", atomic: true, doc: "the server: 1 if it no longer serves this pair" },
  given_up: {
    type: layout.array("u32", MOST_CALLS / 32),
    doc: "the client: bit n is for a call with that number modulo 1024",
  },
});

/** The control block of calls. */
export const CALLS_CONTROL = layout("calls_control", {
  server_seats: { type: "u32", line: true, doc: "the number of servers, as created" },
  retry: { type: "u32", doc: "1 if a call may run twice, as created" },
  servers: { type: layout.array(CALLS_SERVER, MOST_SERVERS), doc: "one for each server" },
  clients: { type: layout.array(CALLS_CLIENT, MOST_CLIENTS), doc: "one for each client" },
  pairs: { type: layout.array(CALLS_PAIR, MOST_PAIRS), doc: "those of server 0, then of server 1" },
});

/** The region type of calls. */
export const CALLS_REGION: RegionType = {
  name: "calls",
  title: "calls",
  control: CALLS_CONTROL,
  mirrored: true,
  mostParts: 2 * MOST_PAIRS,
  sparse: true,
  openedWith: (messageName) => `the types of "${messageName}" for request and response`,
};

/** The types of both directions. */
export interface CallTypes {
  readonly request: Codec<unknown>;
  readonly response: Codec<unknown>;
}

/** The options of calls that state no size. */
export type CallPlanOptions = OpenOptions & { readonly retry?: boolean | undefined };

/** Combines the types of requests and responses into the type of calls. */
export function messageTypeOf({ request, response }: CallTypes): MessageType {
  const name = `${request.type.name} -> ${response.type.name}`;
  const hash = fingerprint(`calls ${request.type.hash} ${response.type.hash}`);
  const description = {
    request: descriptionOf(request.type),
    response: descriptionOf(response.type),
  };
  return { name: name.slice(0, 60), hash, description };
}

/** Describes calls with so many servers to the opener, apart from that number. */
function productFor(servers: number) {
  const parties = { option: "clients", most: MOST_CLIENTS, usual: USUAL_CLIENTS };
  return ringProduct(CALLS_REGION, { ...parties, lanesEach: 2 * servers });
}

/** A word that the creator stores. */
function wordOf(
  name: "server_seats" | "retry",
  { mapping, controlOffset }: { mapping: Mapping; controlOffset: number },
): Word32 {
  return new Word32(mapping, CALLS_CONTROL.fields[name], controlOffset);
}

/**
 * Describes calls to the opener. The lanes of each server but server 0 get memory when it opens.
 */
export const CALLS: Product<RingGeometry, CallPlanOptions> = {
  regionType: CALLS_REGION,
  usual: { ...productFor(1).usual, servers: 1 },
  plan({ servers = 1, ...rest }, what, options, page) {
    const { retry = false } = options;
    checkSize(what, "servers", servers, MOST_SERVERS);
    const plan = productFor(servers).plan(rest, what, options, page);
    const { clients } = plan.geometry;
    if (clients! * servers > MOST_PAIRS) {
      throw new RangeError(
        `Cannot define ${what}: ${clients} clients times ${servers} servers are more than ` +
          `${MOST_PAIRS}; pass fewer of either`,
      );
    }
    return {
      ...plan,
      geometry: { ...plan.geometry, servers },
      reservedBytes: plan.dataBytes / servers,
      policy: { retry },
      initialise(mapping) {
        const place = { mapping, controlOffset: REGION_HEADER.size };
        wordOf("server_seats", place).store(servers);
        wordOf("retry", place).store(Number(retry));
      },
    };
  },
  geometryOf(region) {
    const servers = wordOf("server_seats", region).load();
    if (!isCount(servers, MOST_SERVERS) || servers === 0) return undefined;
    const geometry = productFor(servers).geometryOf(region);
    const fits = geometry !== undefined && geometry.clients! * servers <= MOST_PAIRS;
    return fits ? { ...geometry, servers } : undefined;
  },
  policyOf: (region) => ({ retry: wordOf("retry", region).load() !== 0 }),
};
