/**
 * The reactor: one thread asleep for all, a list that changes while it sleeps.
 *
 * @module
 */

import { ClosedError } from "../../../src/errors.ts";
import type { Mapping } from "../../../src/memory/mapping.ts";
import { Word32 } from "../../../src/memory/word.ts";
import { Doorbell } from "../../../src/wait/doorbell.ts";
import type { Outcome } from "../../../src/wait/condition.ts";
import type { WaitOptions } from "../../../src/wait/until.ts";
import { wait } from "../../wait/outcome.ts";
import { makeMemory, mapMemory, type Row, type Scenario, scenarios } from "../scenario.ts";

function channel(memory: Mapping, line: number, hears: boolean) {
  const loop = hears ? { path: `loop[${line}]`, offset: 128 * line + 4 } : undefined;
  const bell = new Doorbell(memory, { path: `bell[${line}]`, offset: 128 * line }, 0, loop);
  const count = new Word32(memory, { path: `count[${line}]`, offset: 128 * line + 64 });
  const publish = () => {
    count.add(1);
    bell.ring();
  };
  const reach = (target: number, options: WaitOptions = {}): Promise<Outcome> =>
    wait({ bell, watch: count, ready: () => count.load() >= target }, { spin: 0, ...options });
  return { publish, reach };
}

const setup = () => makeMemory("shared", 128 * 3);

function returns(expected: string): Scenario["check"] {
  return ({ results }) => {
    const seen = JSON.stringify(results.waiter);
    return seen === JSON.stringify(expected.split(" ")) ? undefined : `the waiter returned ${seen}`;
  };
}

/** The scenarios in which the thread sleeps for all, or the event loop hears its bells. */
function rows(hears: boolean): Row[] {
  const on = (memory: Mapping, line: number) => channel(memory, line, hears);
  const publisher = (...lines: number[]) => () => {
    const memory = mapMemory("shared");
    for (const line of lines) on(memory, line).publish();
  };
  const prefix = hears ? "hearing" : "reactor";
  return [
    {
      name: `${prefix}-two-bells`,
      about: "two waits at once, on two bells, rung by two parties",
      setup,
      actors: {
        waiter: () => {
          const memory = mapMemory("shared");
          return Promise.all([on(memory, 0).reach(1), on(memory, 1).reach(1)]);
        },
        waker1: publisher(0),
        waker2: publisher(1),
      },
      bounds: "3/0/1",
      check: returns("ready ready"),
    },
    {
      name: `${prefix}-rearm`,
      about: "a wait is added while the thread sleeps for another",
      setup,
      actors: {
        waiter: async () => {
          const memory = mapMemory("shared");
          const long = on(memory, 1).reach(1);
          const first = await on(memory, 0).reach(1);
          const second = await on(memory, 2).reach(1);
          return [first, second, await long];
        },
        waker1: publisher(0, 2),
        waker2: publisher(1),
      },
      bounds: "2/0/1",
      check: returns("ready ready ready"),
    },
    {
      name: `${prefix}-abort`,
      about: "a wait is aborted while the thread sleeps for it; another continues",
      setup,
      actors: {
        waiter: async () => {
          const memory = mapMemory("shared");
          const controller = new AbortController();
          const endless = on(memory, 1).reach(1, { signal: controller.signal })
            .catch(() => "aborted");
          const first = await on(memory, 0).reach(1);
          controller.abort();
          const second = on(memory, 0).reach(2);
          return [first, await endless, await second];
        },
        waker: publisher(0, 0),
      },
      bounds: "3/0/1",
      check: returns("ready aborted ready"),
    },
    {
      name: `${prefix}-close`,
      about: "the memory is closed while the thread sleeps on it; another wait continues",
      setup,
      actors: {
        waiter: async () => {
          const closing = mapMemory("shared");
          const staying = mapMemory("shared");
          const endless = on(closing, 1).reach(1).catch((error) =>
            error instanceof ClosedError ? "closed" : `${error}`
          );
          const first = await on(staying, 0).reach(1);
          closing.close();
          const second = on(staying, 0).reach(2);
          return [first, await endless, await second];
        },
        waker: publisher(0, 0),
      },
      bounds: "3/0/1",
      check: returns("ready closed ready"),
    },
    {
      name: `${prefix}-timeout`,
      about: "a wait with a deadline and one without, and a waker that comes early or late",
      setup,
      actors: {
        waiter: async () => {
          const memory = mapMemory("shared");
          const ending = await on(memory, 1).reach(1, { timeout: 10 });
          const first = await on(memory, 0).reach(1);
          return [ending, first];
        },
        waker: publisher(0, 1),
      },
      bounds: "3/0/2",
      check: ({ results }) => {
        const [ending, first] = results.waiter as Outcome[];
        const known = ending === "ready" || ending === "timeout";
        return known && first === "ready" ? undefined : `the waiter returned ${ending} ${first}`;
      },
    },
  ];
}

/** All scenarios of the reactor. */
export const REACTOR: readonly Scenario[] = scenarios([
  ...rows(false),
  ...rows(true),
  {
    name: "hearing-both",
    about: "a wait that hears its bell and one that the thread sleeps for",
    setup,
    actors: {
      waiter: () => {
        const memory = mapMemory("shared");
        return Promise.all([channel(memory, 0, true).reach(1), channel(memory, 1, false).reach(1)]);
      },
      waker1: () => channel(mapMemory("shared"), 0, true).publish(),
      waker2: () => channel(mapMemory("shared"), 1, false).publish(),
    },
    bounds: "2/0/1",
    check: returns("ready ready"),
  },
  {
    name: "hearing-gone",
    about: "a bell that a killed event loop has claimed: the first ring clears that",
    setup,
    actors: {
      waiter: async () => {
        const memory = mapMemory("shared");
        const loop = new Word32(memory, { path: "loop[0]", offset: 4 });
        loop.store(99); // names no FIFO
        const { reach } = channel(memory, 0, true);
        return [await reach(1), await reach(2)];
      },
      waker: () => {
        const { publish } = channel(mapMemory("shared"), 0, true);
        publish();
        publish();
      },
    },
    bounds: "3/0/1",
    check: returns("ready ready"),
  },
]);
