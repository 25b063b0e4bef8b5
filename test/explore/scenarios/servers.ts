/**
 * Several servers of calls: the choice of one, the calls of a server that dies, and a client that
 * gives up.
 *
 * @module
 */

import { Board } from "../../../src/calls/board.ts";
import { CALLS_REGION } from "../../../src/calls/calls.ts";
import { calls } from "../../../src/calls/definition.ts";
import { regionPath } from "../../../src/region/names.ts";
import { Word32 } from "../../../src/memory/word.ts";
import { FORGETFUL, HASTY } from "../broken/calls.ts";
import {
  type Actors,
  type ActorSpec,
  arranged,
  heir,
  immortal,
  last,
  makeMemory,
  mapMemory,
  openSoon,
  type Row,
  type Scenario,
  scenarios,
  untilEnd,
} from "../scenario.ts";
import { joinRegion } from "../../region/opening.ts";

const OPTIONS = { capacity: 512, clients: 2, servers: 2, persist: true };

/** Defines calls that run once at most. */
const once = () => calls("calls", OPTIONS);

/** Defines calls that may run twice. */
const twice = () => calls("calls", { ...OPTIONS, retry: true });

interface Asked {
  /** The outcome of each request: "answered", "lost", or "timeout". */
  readonly outcomes: Readonly<Record<number, string>>;
}

/** How often a request was handled, in memory that survives the server. */
function countOf(request: number): Word32 {
  return new Word32(mapMemory("counts"), { path: `count ${request}`, offset: 64 * request });
}

/** Set once a client has all that it asked for: the servers leave. */
function enough(): Word32 {
  return new Word32(mapMemory("counts"), { path: "enough", offset: 0 });
}

/** Asks these things, one after the other. */
function client(requests: readonly number[], define = once): ActorSpec {
  const open = () => ({ client: define().client(), done: enough() });
  return arranged(open, ({ client, done }): Asked => {
    const outcomes: Record<number, string> = {};
    for (const request of requests) {
      outcomes[request] = untilEnd(() => {
        const [answer] = client.callSync(Uint8Array.of(request), { spin: 0, timeout: 3100 });
        return answer === request + 4 ? "answered" : `${answer}`;
      });
    }
    client.close();
    done.add(1);
    return { outcomes };
  });
}

/** Shorter than a slice, as a deadline that is later never comes while nobody has died. */
const PATIENCE = 240;

/** Answers whatever comes, until the immortal client has enough. */
function server(define = once): ActorSpec {
  const open = () => ({
    server: openSoon(() => define().server()),
    counts: [1, 2].map(countOf),
    done: enough(),
  });
  return arranged(open, ({ server, counts, done }) => {
    const handle = ([request]: Uint8Array) => {
      counts[request! - 1]!.add(1);
      return Uint8Array.of(request! + 4);
    };
    for (let turns = 0; turns < 9 && done.load() === 0; turns++) {
      untilEnd(() => `${server.handleSync(handle, { limit: 1, spin: 0, timeout: PATIENCE })}`);
    }
    server.close();
  });
}

/** Is open for a moment, and takes nothing: so it dies with requests in its lane, or closes. */
const idle = arranged(() => ({ server: once().server(), count: countOf(1) }), ({
  server,
  count,
}) => {
  count.load();
  server.close();
});

/** How often the requests were handled. */
const auditor = last(() => [1, 2].map((request) => countOf(request).load()));

/** Every call has an outcome that is possible, and none was handled more often than it may be. */
function sound(most: number, mayFail: (outcome: string) => boolean): Scenario["check"] {
  return ({ results, dead }) => {
    const counts = results.auditor as readonly number[];
    if (counts.some((count) => count > most)) return `requests were handled ${counts} times`;
    for (const [name, result] of Object.entries(results)) {
      const { outcomes = {} } = (result ?? {}) as Partial<Asked>;
      for (const [request, outcome] of Object.entries(outcomes)) {
        const count = counts[Number(request) - 1];
        if (outcome === "answered" ? count! > 0 : dead.size > 0 && mayFail(outcome)) continue;
        return `${name} asked ${request}, handled ${count} times, and got ${outcome}`;
      }
    }
    return undefined;
  };
}

const never = () => false;
const lost = (outcome: string) => outcome === "lost";

function scenario(
  name: string,
  about: string,
  actors: Actors,
  parts: Pick<Row, "bounds" | "check"> & Partial<Pick<Row, "expect">>,
  short?: Row["short"],
  define = once,
): Row {
  const setup = () => {
    makeMemory("counts", 64 * 3);
    define().client().close(); // a server has never been
  };
  return {
    name,
    about,
    setup,
    actors: { ...actors, auditor },
    ...parts,
    ...short !== undefined && { short },
  };
}

/** A server that waits until the client gives up, by the signal of its caller. */
const patient = arranged(() => once().server(), (server) => {
  let signal: AbortSignal | undefined;
  const end = untilEnd(() => {
    server.handleSync((_, caller) => {
      signal = caller.signal;
      return new Promise<Uint8Array>(() => {});
    }, { spin: 0, timeout: PATIENCE });
    return undefined;
  });
  return { isAborted: signal?.aborted, end };
});

/** A member of the region that is neither server nor client. */
const joinCalls = () => joinRegion(CALLS_REGION, regionPath(CALLS_REGION.name, "calls"))!;

/** Asks once, and gives up. */
const impatient = arranged(() => once().client(), (client) => {
  return untilEnd(() => `${client.callSync(Uint8Array.of(1), { spin: 0, timeout: 130 })}`);
});

/** Scenarios of several servers. */
export const SERVERS: readonly Scenario[] = scenarios([
  scenario(
    "calls-servers",
    "a client and two servers; every call is handled once",
    { client: client([1, 2]), left: server(), right: server() },
    { bounds: "1/0/0", check: sound(1, never) },
    0,
  ),
  scenario(
    "calls-servers-one-dies",
    "one of two servers dies anywhere; its calls fail only if it had taken them",
    { client: immortal(client([1])), mortal: server(), other: immortal(server()) },
    { bounds: "1/1/0", check: sound(1, lost) },
    0,
  ),
  scenario(
    "calls-servers-retry",
    "one of two servers dies anywhere; with retry every call is answered",
    {
      client: immortal(client([1], twice)),
      mortal: server(twice),
      other: immortal(server(twice)),
    },
    { bounds: "1/1/0", check: sound(2, never) },
    0,
    twice,
  ),
  scenario(
    "calls-servers-successor",
    "a server dies, and another one takes its seat while a client moves its calls",
    {
      client: immortal(client([1])),
      mortal: idle,
      other: immortal(server()),
      successor: heir("mortal", server()),
    },
    { bounds: "1/1/0", check: sound(1, lost) },
    0,
  ),
  scenario(
    "calls-servers-emptier-dies",
    "a server closes, and a client dies that moves its calls; the other client gets its answers",
    {
      mover: client([1]),
      client: immortal(client([2])),
      leaving: immortal(idle),
      other: immortal(server()),
    },
    { bounds: "0/1/0", check: sound(1, lost) },
    { deaths: 0 },
  ),
  scenario(
    "calls-servers-wrong-load",
    "something stores loads that are wrong; all calls are answered",
    {
      client: client([1, 2]),
      left: server(),
      right: server(),
      liar: arranged(joinCalls, (region) => {
        const { servers } = new Board("calls", region);
        for (const { load } of servers) load.store(2 ** 32 - 1);
      }),
    },
    { bounds: "1/0/0", check: sound(1, never) },
    0,
  ),
  {
    name: "calls-gives-up",
    about: "a client gives up, or dies; the handler's signal aborts",
    setup: () => once().client().close(),
    actors: { client: impatient, server: immortal(patient) },
    bounds: "2/1/0",
    short: 0,
    check: ({ results }) => {
      const { isAborted } = results.server as { isAborted?: boolean };
      return isAborted === false ? "the signal did not abort" : undefined;
    },
  },
  scenario(
    "broken-calls-forgets",
    "a client that never looks whether a server is gone",
    { [FORGETFUL]: immortal(client([1])), mortal: server(), other: immortal(server()) },
    { bounds: "1/1/0", check: sound(1, lost), expect: "invariant" },
  ),
  scenario(
    "broken-calls-hasty",
    "a client empties the lanes of a dead server without its role",
    {
      [HASTY]: immortal(client([1])),
      mortal: idle,
      other: immortal(server()),
      successor: heir("mortal", server()),
    },
    { bounds: "1/1/0", check: sound(1, lost), expect: "invariant" },
  ),
  scenario(
    "broken-calls-runs-twice",
    "a client retries a call that may run only once",
    {
      client: immortal(client([1], twice)),
      mortal: server(twice),
      other: immortal(server(twice)),
    },
    { bounds: "0/1/0", check: sound(1, lost), expect: "invariant" },
    undefined,
    twice,
  ),
]);
