/**
 * Litmus programs: a few threads with a few loads and stores each, run by the explorer with weak
 * memory, and judged by the axioms of the architecture.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { memory, scenario } from "./fixture.ts";
import { orderOthers } from "./leaves/futex.ts";
import { copyIn, copyOut, Word64 } from "./leaves/word.ts";
import { type End, explore } from "./engine/mod.ts";

/** A step of a thread: what it does, to which variable, and what it stores. */
export type Step = readonly [
  what: keyof typeof STEPS,
  variable?: keyof typeof VARIABLES,
  value?: number,
];

/** The steps of each thread. */
export type Program = readonly (readonly Step[])[];

const VARIABLES = { x: 0, y: 64, z: 128, w: 192 };
const NAMES = ["x", "y", "z"] as const;

const word = (variable: string, offset: number) => new Word64(memory(), { path: variable, offset });

/** A byte is copied in one piece. */
const STEPS = {
  /** str */
  plain: (_: string, at: number, value: number) => copyIn(memory(), at, Uint8Array.of(value)),
  /** stlr */
  release: (name: string, at: number, value: number) => word(name, at).store(value),
  /** stlr, dmb */
  first: (name: string, at: number, value: number) => word(name, at).storeFirst(value),
  /** ldr */
  look: (_: string, at: number) => {
    const byte = new Uint8Array(1);
    copyOut(memory(), at, byte);
    return byte[0]!;
  },
  /** ldar */
  acquire: (name: string, at: number) => word(name, at).load(),
  /** dmb, ldar */
  last: (name: string, at: number) => word(name, at).loadLast(),
  /** dmb */
  dmb: () => void word("own", 248).or(0),
  /** membarrier */
  all: () => void orderOthers(),
};

/** Returns what threads can load, and what the variables are at the end, as text. */
export async function outcomes(threads: Program, reorderings = 4): Promise<string[]> {
  const found = new Set<string>();
  const actors = Object.fromEntries(threads.map((steps, i) => [
    `T${i}`,
    () => {
      const loaded = steps.map(([what, variable = "x", value = 1]) =>
        STEPS[what](variable, VARIABLES[variable], value)
      );
      return loaded.filter((value) => value !== undefined);
    },
  ]));
  const check = ({ results, bytes }: End) => {
    const all = bytes("shared");
    const memory = NAMES.map((name) => `${name}=${all[VARIABLES[name]]}`);
    found.add(`${Object.values(results).join(" ")} ${memory.join(" ")}`);
    return undefined;
  };
  const bounds = { preemptions: 9, deaths: 0, noise: 0, reorderings };
  const { exhausted, finding } = await explore(scenario(actors, { check, bounds }));
  assertEquals(finding, undefined);
  assert(exhausted);
  return [...found].sort();
}

// ---- the axioms ----

/** A load or a store of a program, or a barrier: of its thread, or of all. */
interface Effect {
  readonly thread: number;
  readonly what: Step[0];
  readonly variable: string;
  readonly value: number;
}

const LOADS: readonly Step[0][] = ["look", "acquire", "last"];
const BARRIERS: readonly Step[0][] = ["dmb", "all"];
const STORES: readonly Step[0][] = ["plain", "release", "first"];

/**
 * Returns the outcomes that the axioms allow: those of every order of the stores to each variable
 * and every source of each load that are coherent, and ordered before in no circle. A barrier for
 * all is one of its own thread, and one at some place of every other thread, which comes after
 * everything before it and before everything after it. The model's own limits are axioms here: a
 * load comes before later stores of its thread, and after earlier stores to its variable.
 */
export function allowedOutcomes(threads: Program): string[] {
  const effects = threads.flatMap((steps, thread) =>
    steps.map(([what, variable = "x", value = 1]): Effect => ({ thread, what, variable, value }))
  );
  const all = effects.map((_, i) => i);
  const is = (i: number, kinds: readonly Step[0][]) => kinds.includes(effects[i]!.what);
  const isSame = (i: number, j: number) => effects[i]!.variable === effects[j]!.variable;
  const isBefore = (i: number, j: number) => i < j && effects[i]!.thread === effects[j]!.thread;
  const local = all.flatMap((i) => all.filter((j) => isBefore(i, j)).map((j) => [i, j] as const));
  const accesses = local.filter(([i, j]) => !is(i, BARRIERS) && !is(j, BARRIERS));
  const inPlace = accesses.filter(([i, j]) => isSame(i, j));
  const isOrdered = ([i, j]: readonly [number, number]) =>
    is(i, ["acquire", "last", "first"]) || is(j, ["release", "first"]) ||
    is(i, ["release"]) && is(j, ["acquire", "last"]) ||
    is(i, LOADS) && (is(j, ["last"]) || is(j, STORES)) ||
    is(i, STORES) && isSame(i, j) ||
    all.some((k) => is(k, BARRIERS) && isBefore(i, k) && isBefore(k, j)) ||
    is(i, LOADS) && all.some((k) => is(k, ["last"]) && isBefore(i, k) && isBefore(k, j)) ||
    all.some((k) => is(k, ["first"]) && isBefore(i, k) && isBefore(k, j));
  const ordered = accesses.filter(isOrdered);

  // For each barrier that one thread puts into another: its places there, each by what it orders.
  const ofThread = (thread: number) => all.filter((i) => effects[i]!.thread === thread);
  const placed = all.filter((i) => is(i, ["all"])).flatMap((i) => {
    const own = ofThread(effects[i]!.thread);
    return threads.flatMap((steps, thread) => {
      if (thread === effects[i]!.thread) return [];
      const others = ofThread(thread);
      return [Array.from({ length: steps.length + 1 }, (_, place) => ({
        before: [...own.filter((j) => j < i), ...others.slice(0, place)],
        after: [...own.filter((j) => j > i), ...others.slice(place)],
      }))];
    });
  });
  const barriers = product(placed).map((places) =>
    places.flatMap(({ before, after }, n) => [
      ...before.map((i) => [i, all.length + n] as const),
      ...after.map((i) => [all.length + n, i] as const),
    ])
  );

  const stores = all.filter((i) => is(i, STORES));
  const loads = all.filter((i) => is(i, LOADS));
  const found = new Set<string>();
  for (
    const orders of product(
      NAMES.map((name) => permutations(stores.filter((i) => effects[i]!.variable === name))),
    )
  ) {
    const order = Object.fromEntries(NAMES.map((name, v) => [name, orders[v]!]));
    const sources = loads.map((i) => [-1, ...order[effects[i]!.variable]!]);
    for (const from of product(sources)) {
      const edges: (readonly [number, number])[] = [];
      for (const stores of orders) {
        stores.forEach((store, i) =>
          edges.push(...stores.slice(i + 1).map((later) => [store, later] as const))
        );
      }
      loads.forEach((load, i) => {
        const stores = order[effects[load]!.variable]!;
        if (from[i]! >= 0) edges.push([from[i]!, load]);
        edges.push(
          ...stores.slice(stores.indexOf(from[i]!) + 1).map((later) => [load, later] as const),
        );
      });
      const outside = edges.filter(([i, j]) => effects[i]!.thread !== effects[j]!.thread);
      if (
        hasCircle(all.length, [...edges, ...inPlace]) ||
        barriers.every((placed) =>
          hasCircle(all.length + placed.length, [...outside, ...ordered, ...placed])
        )
      ) continue;
      const loaded = threads.map((_, thread) =>
        loads.flatMap((load, i) =>
          effects[load]!.thread !== thread ? [] : [from[i]! < 0 ? 0 : effects[from[i]!]!.value]
        )
      );
      const last = (name: string) => {
        const store = order[name]!.at(-1);
        return store === undefined ? 0 : effects[store]!.value;
      };
      found.add(`${loaded.join(" ")} ${NAMES.map((name) => `${name}=${last(name)}`).join(" ")}`);
    }
  }
  return [...found].sort();
}

function product<T>(choices: readonly (readonly T[])[]): T[][] {
  return choices.reduce<T[][]>(
    (all, next) => all.flatMap((some) => next.map((one) => [...some, one])),
    [[]],
  );
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) =>
    permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest])
  );
}

function hasCircle(count: number, edges: readonly (readonly [number, number])[]): boolean {
  const incoming = new Array<number>(count).fill(0);
  for (const [, to] of edges) incoming[to]!++;
  const free = incoming.flatMap((edges, i) => edges === 0 ? [i] : []);
  let gone = 0;
  for (let i; (i = free.pop()) !== undefined; gone++) {
    for (const [from, to] of edges) if (from === i && --incoming[to]! === 0) free.push(to);
  }
  return gone < count;
}
