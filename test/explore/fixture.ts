/**
 * What the tests of the engine and of the leaves share: one memory, actors on it that call the leaves
 * themselves, so that no import map is needed, and all the ways in which they can end.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  type Bounds,
  currentActor,
  type End,
  explore,
  process,
  type Report,
  type Scenario,
  type SearchOptions,
} from "./engine/mod.ts";
import { sleepSync } from "./leaves/clock.ts";
import * as files from "./leaves/files.ts";
import { FutexVector, wait, wake } from "./leaves/futex.ts";
import { closeLockFile, Lock, openLockFile, setLock, testLock } from "./leaves/locks.ts";
import { copyIn, type Memory, Word32 } from "./leaves/word.ts";
import { makeMemory, pattern } from "./scenario.ts";

/** Errors that sleeps return. */
export const ETIMEDOUT = 110;
export const EAGAIN = 11;

/** A slice as long as that of vring. */
export const CONVENTIONS = { sliceNs: 250e6 };

/** Bounds that allow nothing. */
export const NONE: Bounds = { preemptions: 0, deaths: 0, noise: 0 };

/** Opens the memory of the scenario. */
export function openShared(): number {
  return process().openFile(currentActor().world.names.get("/dev/shm/shared")!);
}

/** Maps the memory of the scenario: 4 words, 64 bytes apart. */
export function memory(): Memory {
  const length = 256;
  const { read, write } = files.Protection;
  const request = { length, protection: read | write, flags: files.MapFlag.shared };
  const address = files.map({ ...request, fd: openShared() });
  const buffer = files.bufferAt(address, length);
  const bytes = new Uint8Array(buffer);
  return {
    address,
    bytes,
    buffer,
    doubles: new Float64Array(buffer),
    values: new DataView(buffer),
  };
}

/** Returns one of the words. */
export function word(i: number): Word32 {
  return new Word32(memory(), { path: `word[${i}]`, offset: 64 * i });
}

/** Makes a scenario whose ends are all right. */
export function scenario(actors: Scenario["actors"], parts: Partial<Scenario> = {}): Scenario {
  return {
    name: "test",
    about: "",
    setup: () => makeMemory("shared", 256),
    actors,
    bounds: NONE,
    check: () => undefined,
    ...parts,
  };
}

/** Returns whole random numbers below a limit, the same for the same seed. */
export function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => (state = state * 48271 % 2147483647) % limit;
}

/** Returns every way in which a scenario can end, as text, and the report of the search. */
export async function endings(
  actors: Scenario["actors"],
  bounds: Partial<Bounds>,
  options: SearchOptions = {},
): Promise<{ ends: string[]; report: Report }> {
  const ends = new Set<string>();
  const check = ({ results, dead, bytes }: End) => {
    const words = [...new Uint32Array(bytes("shared").buffer)].filter((value) => value !== 0);
    ends.add(JSON.stringify([results, [...dead], words]));
    return undefined;
  };
  const tested = scenario(actors, { bounds: { ...NONE, ...bounds }, check });
  const report = await explore(tested, { conventions: CONVENTIONS, ...options });
  assertEquals(report.finding, undefined);
  return { ends: [...ends].sort(), report };
}

/** Returns the different results of one actor. */
export function returned(ends: readonly string[], name: string): unknown[] {
  const texts = ends.map((end) => JSON.stringify(JSON.parse(end)[0][name]));
  return [...new Set(texts)].sort().map((text) =>
    text === undefined ? undefined : JSON.parse(text)
  );
}

/** Returns what a search finds, which must be something. */
export async function findingOf(actors: Scenario["actors"], bounds: Partial<Bounds> = {}) {
  const tested = scenario(actors, { bounds: { ...NONE, ...bounds } });
  const { finding } = await explore(tested, { conventions: CONVENTIONS });
  assert(finding !== undefined, "nothing was found");
  return finding;
}

/** Opens the memory for locks. */
export function openLock(): number {
  return openLockFile(files.pathOfFd(openShared()), true);
}

/** Adds 1 to a word, in two steps. */
export const increment = () => {
  const count = word(0);
  count.store(count.load() + 1);
};

/** Actors that use everything that the machine has. */
export const MIXED: Scenario["actors"] = {
  sleeper: () => {
    const bell = word(0);
    const result = bell.load() === 0 ? wait(bell.address, 0, 10e6) : 1;
    return [result, bell.add(1)];
  },
  locker: () => {
    const fd = openLock();
    const result = setLock(fd, Lock.write, 7);
    const bell = word(0);
    bell.add(2);
    wake(bell.address, 1);
    closeLockFile(fd);
    return result;
  },
  copier: () => {
    const fd = openLock();
    const held = testLock(fd, Lock.write, 7);
    copyIn(memory(), 128, pattern(8, 1));
    sleepSync(1);
    return held;
  },
};

/** Sleeps on two words at once, with a thread of the pool for each. */
export async function waitForBoth(): Promise<string> {
  const order: number[] = [];
  await Promise.all([0, 1].map(async (i) => {
    const vector = new FutexVector();
    while (word(i).load() === 0) {
      vector.clear();
      vector.push(word(i).address, 0);
      await vector.wait(Infinity);
    }
    order.push(i);
  }));
  return order.join(" then ");
}

/** Makes an actor that sets a word and wakes its sleepers. */
export function raise(i: number): () => void {
  return () => {
    word(i).store(1);
    wake(word(i).address, 1);
  };
}
