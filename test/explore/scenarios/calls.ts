/**
 * Calls: a seat that is used again, a server that dies while it handles calls, one that follows, and
 * calls that are given up.
 *
 * @module
 */

import { calls } from "../../../src/calls/definition.ts";
import type { CallClient } from "../../../src/calls/client.ts";
import { Board } from "../../../src/calls/board.ts";
import { CALLS_REGION } from "../../../src/calls/calls.ts";
import { laneWords } from "../../../src/lane/lane.ts";
import { Word32 } from "../../../src/memory/word.ts";
import { orderOthers } from "../../../src/os/futex.ts";
import { regionPath } from "../../../src/region/names.ts";
import { joinRegion } from "../../region/opening.ts";
import { EARLY, GULLIBLE, ORDERLY } from "../broken/calls.ts";
import {
  type Actors,
  type ActorSpec,
  arranged,
  heir,
  immortal,
  last,
  makeMemory,
  mapMemory,
  messageOf,
  openSoon,
  pattern,
  type Row,
  type Scenario,
  scenarios,
  unarranged,
  untilEnd,
} from "../scenario.ts";

// A lane of 512 bytes holds two messages of 24 + 200 bytes.
const LENGTH = 200;
const defined = () => calls("calls", { capacity: 512, clients: 1, persist: true });

/** The answer to a request. */
function answerTo(request: number): number {
  return request + 4;
}

interface Asked {
  /** The outcome of each request: an answer, "lost", or "timeout". */
  readonly outcomes: Readonly<Record<number, number | string>>;
}

interface Served {
  readonly handled: readonly number[];
}

/** Asks these things, one after the other. */
function client(requests: readonly number[], onPeerGone: "wait" | "end" = "end"): ActorSpec {
  const open = () => openSoon(() => defined().client({ onPeerGone }));
  return arranged(open, (client): Asked => {
    const outcomes: Record<number, number | string> = {};
    for (const request of requests) outcomes[request] = ask(client, request);
    client.close();
    return { outcomes };
  });
}

function ask(
  client: CallClient,
  request: number,
): number | string {
  let answer: number | undefined;
  const end = untilEnd(() => {
    const bytes = client.callSync(pattern(LENGTH, request), { spin: 0, timeout: 1000 });
    answer = messageOf(bytes, 9);
    return "torn bytes";
  });
  return answer ?? end;
}

/** Answers requests up to this one; gives up after a second, as the client may be dead or gone. */
function server(last: number): ActorSpec {
  return arranged(() => openSoon(() => defined().server()), (server): Served => {
    const handled: number[] = [];
    const handle = (bytes: Uint8Array) => {
      const request = messageOf(bytes, 9) ?? 0;
      handled.push(request);
      return pattern(LENGTH, answerTo(request));
    };
    try {
      while (!handled.includes(last)) {
        server.handleSync(handle, { limit: 1, spin: 0, timeout: 1000 });
      }
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
    server.close();
    return { handled };
  });
}

/** Every answer belongs to its request, and a call fails only for a reason. */
function answered(mayFail: (request: number, outcome: string) => boolean): Scenario["check"] {
  return ({ results, dead }) => {
    for (const [name, result] of Object.entries(results)) {
      const { outcomes } = (result ?? {}) as Partial<Asked>;
      for (const [request, outcome] of Object.entries(outcomes ?? {})) {
        if (outcome === answerTo(Number(request))) continue;
        if (typeof outcome === "string" && outcome !== "torn bytes") {
          if (dead.size > 0 && mayFail(Number(request), outcome)) continue;
        }
        return `${name} asked ${request} and got ${outcome}`;
      }
    }
    return undefined;
  };
}

function scenario(
  name: string,
  about: string,
  actors: Actors,
  bounds: Row["bounds"],
  check: Scenario["check"],
  short?: number,
): Row {
  const setup = () => {
    defined().client().close(); // a server has never been
  };
  return { name, about, setup, actors, bounds, check, ...short !== undefined && { short } };
}

/** Shorter than a slice, as a deadline that is later never comes while nobody has died. */
const PATIENCE = 240;

/** Set by the handler of the first request. */
const ran = () => new Word32(mapMemory("ran"), { path: "ran", offset: 0 });

/** Whether the error of a call says that no handler gets its request. */
function willNotRun(call: () => void): boolean {
  try {
    call();
  } catch (error) {
    return (error as Error).message.endsWith("will not run");
  }
  return false;
}

/** Gives up one call at once, and asks again. */
const hurried = arranged(() => openSoon(() => defined().client()), (client): Asked => {
  willNotRun(() => client.callSync(pattern(LENGTH, 1), { spin: 0, timeout: 0 }));
  const outcomes = { 2: ask(client, 2) };
  client.close();
  return { outcomes };
});

/** Asks once, and returns whether the request cannot run. */
function givingUp(timeout: number): ActorSpec {
  return arranged(() => openSoon(() => defined().client()), (client): boolean => {
    const cannotRun = willNotRun(() => client.callSync(Uint8Array.of(1), { spin: 0, timeout }));
    client.close();
    return cannotRun;
  });
}

/** Asks once, aborts that or not, and closes; then asks again in the same seat. */
function leaving(aborts: boolean): ActorSpec {
  const open = () => ({
    client: openSoon(() => defined().client()),
    region: joinRegion(CALLS_REGION, regionPath(CALLS_REGION.name, "calls"))!,
  });
  return arranged(open, async ({ client, region }): Promise<boolean> => {
    const board = new Board("calls", region);
    const { tail } = laneWords(board.pair(board.clients[0]!, board.servers[0]!).requests);
    const abort = new AbortController();
    const call = client.call(Uint8Array.of(1), { signal: abort.signal }).catch(() => {});
    if (aborts) abort.abort();
    else {
      client.close();
      orderOthers(); // as giveUp() does
    }
    const cannotRun = tail.load() === 0;
    client.close();
    await call;
    const next = defined().client();
    willNotRun(() => next.callSync(Uint8Array.of(2), { spin: 0, timeout: PATIENCE }));
    next.close();
    return cannotRun;
  });
}

/** Answers two requests at most, and notes the first. */
const noting = arranged(
  () => ({ server: openSoon(() => defined().server()), ran: ran() }),
  ({ server, ran }) => {
    const handle = ([request]: Uint8Array) => {
      if (request === 1) ran.store(1);
      return new Uint8Array(1);
    };
    for (let turns = 0; turns < 2; turns++) {
      untilEnd(() => `${server.handleSync(handle, { limit: 1, spin: 0, timeout: PATIENCE })}`);
    }
    server.close();
  },
);

/** No handler begins with a request whose client knows that it will not run. */
function givenUp(
  name: string,
  about: string,
  actors: Actors,
  parts: Pick<Row, "bounds"> & Partial<Pick<Row, "expect" | "short">>,
): Row {
  const setup = () => {
    makeMemory("ran", 64);
    defined().client().close();
  };
  const check: Scenario["check"] = ({ results: { client, auditor } }) =>
    client === true && auditor === 1 ? "it ran, though its client knew better" : undefined;
  return {
    name,
    about,
    setup,
    actors: { ...actors, auditor: last(() => ran().load()) },
    check,
    ...parts,
  };
}

/** All scenarios of calls. */
export const CALLS: readonly Scenario[] = scenarios([
  scenario(
    "calls-flow",
    "a client asks twice; both sleep on one bell each",
    { client: client([1, 2], "wait"), server: server(2) },
    "3/0/0",
    answered(() => false),
    1,
  ),
  scenario(
    "calls-seat-again",
    "a client dies anywhere; the next one in its seat gets its own answers only",
    {
      mortal: unarranged(client([1], "wait")),
      successor: heir("mortal", client([2], "wait")),
      server: immortal(server(2)),
    },
    "1/1/0",
    // A server that waited a second for the dead one's request is gone.
    answered((request, outcome) => request === 2 && outcome !== "lost"),
    0,
  ),
  scenario(
    "calls-server-dies",
    "a server dies anywhere; its calls fail or are answered, and nobody hangs",
    { client: immortal(client([1, 2])), server: unarranged(server(2)) },
    "2/1/0",
    answered(() => true),
    1,
  ),
  scenario(
    "calls-server-again",
    "a server dies anywhere; the next one answers what the dead one had not taken",
    {
      client: immortal(client([1, 2, 3], "wait")),
      server: unarranged(server(2)),
      successor: heir("server", server(3)),
    },
    "1/1/0",
    (end) => {
      const { handled } = end.results.successor as Served;
      const { outcomes } = end.results.client as Asked;
      if (new Set(handled).size < handled.length) return `handled ${handled}`;
      for (const request of handled) {
        // It may have been handled after the call of its client failed, but not before.
        if (outcomes[request] === "lost") return `${request} was lost, and handled later`;
      }
      return answered((_, outcome) => outcome === "lost")(end);
    },
    0,
  ),
  givenUp(
    "calls-given-up",
    "a client gives up as a server takes its request; it runs only if that came first",
    { client: givingUp(0), server: noting },
    { bounds: "3/1/0", short: 1 },
  ),
  scenario(
    "calls-given-up-late",
    "a client gives up one call; a late answer to that reaches no other",
    { client: hurried, server: server(2) },
    "2/0/0",
    answered(() => false),
    1,
  ),
  givenUp(
    "calls-given-up-seat",
    "a client aborts a call and closes, and the next one takes its seat",
    { client: leaving(true), server: noting },
    { bounds: "2/0/0", short: 1 },
  ),
  givenUp(
    "calls-given-up-closed",
    "a client closes while it waits for an answer, and the next one takes its seat",
    { client: leaving(false), server: noting },
    { bounds: "2/0/0", short: 1 },
  ),
  givenUp(
    "calls-given-up-lost",
    "a server dies anywhere; its successor leaves what failed for that",
    { client: immortal(givingUp(1000)), server: noting, successor: heir("server", noting) },
    { bounds: "1/1/0", short: 0 },
  ),
  {
    ...scenario(
      "broken-calls-gullible",
      "a client takes the late answer to a call that it gave up for that to its next call",
      { [GULLIBLE]: hurried, server: server(2) },
      "2/0/0",
      answered(() => false),
    ),
    expect: "invariant",
  },
  givenUp(
    "broken-calls-looks-early",
    "a server that looks whether a call was given up before it takes the request",
    { client: givingUp(0), [EARLY]: noting },
    { bounds: "3/1/0", expect: "invariant" },
  ),
  givenUp(
    "broken-calls-seat-first",
    "a server that loads the generation of a client before its other words",
    { client: leaving(true), [ORDERLY]: noting },
    { bounds: "2/0/0", expect: "invariant" },
  ),
]);
