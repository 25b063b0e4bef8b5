/**
 * Code that was written in the page, as a scenario: two parties or more over one small memory.
 *
 * The code runs in a Worker and gets a module "vring": the shipped names, on the simulated machine.
 *
 * @module
 */

import { copyIn, copyOut, type Memory, Word32 } from "../../../src/memory/word.ts";
import { sleepSync } from "../../../src/os/clock.ts";
import { addAndWake, wait, wake } from "../../../src/os/futex.ts";
import { explore, type Report, type Scenario } from "../../../test/explore/engine/mod.ts";
import { CONVENTIONS, makeMemory, mapMemory } from "../../../test/explore/scenario.ts";
import { OWN } from "./places.ts";

/** The memory of the parties. */
export const MEMORY_BYTES = 512;

/** A search of own code stops after so many states, and after so many steps in one run. */
export const MOST_STATES = 200_000;

const MOST_PARTIES = 4;
const EVERYONE = 2 ** 31 - 1;

/** Turns TypeScript into JavaScript with CommonJS imports, line by line. */
export type Strip = (source: string) => string;

/** What the code exports. */
interface Exports {
  readonly parties?: Readonly<Record<string, (memory: Memory) => unknown>>;
  readonly check?: (results: Readonly<Record<string, unknown>>) => unknown;
  readonly deaths?: number;
}

/** The module that the code imports. */
const VRING = {
  Word32,
  copyIn,
  copyOut,
  /** Sleeps while a word has a value. */
  wait: (word: Word32, value: number): void => void wait(word.address, value, Infinity),
  wake: (word: Word32, count = EVERYONE): number => wake(word.address, count),
  addAndWake: (word: Word32): number => addAndWake(word.address),
  /** Lets the others go on. */
  pause: (): void => sleepSync(1),
};

/** A line that a function made from text adds in front. */
let extraLines: number | undefined;

/** Returns the number of lines by which stacks of such code are off. */
export function linesBefore(): number {
  if (extraLines !== undefined) return extraLines;
  const stack = new Function("return new Error().stack\n//# sourceURL=probe.ts")() as string;
  const line = /probe\.ts:(\d+):/.exec(stack)?.[1];
  return extraLines = line === undefined ? 0 : Number(line) - 1;
}

function run(source: string, strip: Strip): Exports {
  const code = strip(source);
  const exports: Exports = {};
  const require = (name: string) => {
    if (name === "vring") return VRING;
    throw new Error(`Cannot import "${name}": the only module here is "vring"`);
  };
  const body = new Function("exports", "require", `${code}\n//# sourceURL=${OWN}`);
  body(exports, require);
  return exports;
}

/** Makes a scenario of source code. Throws an error in words if the code has not the right shape. */
export function scenarioOf(source: string, strip: Strip): Scenario {
  const { parties, check, deaths = 0 } = run(source, strip);
  const entries = Object.entries(parties ?? {});
  if (entries.length < 1 || entries.length > MOST_PARTIES) {
    throw new Error(`Export "parties": an object of 1 to ${MOST_PARTIES} functions`);
  }
  for (const [name, party] of entries) {
    if (typeof party !== "function") throw new Error(`The party "${name}" is not a function`);
  }
  return {
    name: "yours",
    about: "your own code",
    setup: () => makeMemory("memory", MEMORY_BYTES),
    actors: Object.fromEntries(
      entries.map(([name, party]) => [name, () => party(mapMemory("memory"))]),
    ),
    bounds: { preemptions: 2, deaths: Math.min(2, deaths), noise: 0 },
    check: ({ results }) => {
      const message = check?.(results);
      return message === undefined || message === true || message === "" ? undefined : `${message}`;
    },
  };
}

/**
 * Finds results that differ when the same run is repeated. The engine notices only code whose
 * operations differ.
 */
export async function changingResult(scenario: Scenario): Promise<string | undefined> {
  const ends: string[][] = [[], []];
  for (const end of ends) {
    const { finding } = await explore(
      {
        ...scenario,
        check: ({ results }) => {
          end.push(JSON.stringify(results));
          return undefined;
        },
      },
      { bounds: { preemptions: 0, deaths: 0 }, conventions: CONVENTIONS, states: 1000 },
    );
    if (finding !== undefined) return undefined; // the search reports it
  }
  const [first, second] = ends as [string[], string[]];
  const i = first.findIndex((end, i) => end !== second[i]);
  return i < 0 ? undefined : `the same run ended with ${first[i]} and then with ${second[i]}`;
}

/** Adds the sums of a search to those of an earlier one with tighter bounds. */
export function added(before: Report | undefined, { ...report }: Report): Report {
  if (before === undefined) return report;
  report.schedules += before.schedules;
  report.states += before.states;
  report.milliseconds += before.milliseconds;
  return report;
}
