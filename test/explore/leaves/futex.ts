/** Replaces src/os/futex.ts: compare, sleep and wake on the simulated machine. @module */

import { currentActor, nameOf, type Operation, resolve, shared } from "../engine/mod.ts";

export { MATCH_ANY, VECTOR_LIMIT } from "../../../src/os/futex.ts?real";

const EAGAIN = 11;
const ETIMEDOUT = 110;
const EVERYONE = 2 ** 31 - 1;

interface Watched {
  readonly address: number;
  readonly expected: number;
}

/** Sleeps on some words; fails with -EAGAIN if one differs from its expected value. */
function sleepOn(watched: readonly Watched[], deadline: number): Operation<number> {
  const words = watched.map(({ address, expected }) => {
    const { inode, offset } = resolve(address);
    return { inode, index: offset >> 2, expected };
  });
  return {
    label: () =>
      `sleep while ${
        words.map(({ inode, index, expected }) => `${nameOf(inode, index)} is ${expected}`)
          .join(" and ")
      }`,
    perform: (world, thread) => {
      if (words.some(({ inode, index, expected }) => inode.words[index] !== expected)) {
        return -EAGAIN;
      }
      return world.fallAsleep(thread, words, deadline);
    },
    wakeResult: (why) => why === "woken" ? 0 : -ETIMEDOUT,
  };
}

export function wait(address: number, expected: number, deadline: number): number {
  return currentActor().operate(sleepOn([{ address, expected }], deadline));
}

export function wake(address: number, count: number): number {
  const { inode, offset } = resolve(address);
  const index = offset >> 2;
  return currentActor().operate({
    label: () => `${nameOf(inode, index)} wake ${count < EVERYONE ? count : "all"}`,
    perform: (world, _thread, choice) => world.wake(inode, index, count, choice),
    choices: (world) => {
      const asleep = world.sleepersOn(inode, index).length;
      return count < asleep ? asleep : 1; // the kernel may wake any of them
    },
  });
}

export function addAndWake(address: number): number {
  const { inode, offset } = resolve(address);
  return shared(() => `${nameOf(inode, offset >> 2)} add 1 and wake all`, (world) => {
    world.setWord(inode, offset >> 2, inode.words[offset >> 2]! + 1 >>> 0);
    return world.wake(inode, offset >> 2, Infinity);
  });
}

/**
 * Puts a barrier into one actor after the other, as the kernel does at no common moment. Where
 * memory is not weak, it is no operation at all.
 */
export function orderOthers(): number {
  currentActor().world.barriers.forEach((_, i) =>
    shared(() => `put a barrier into actor ${i}`, ({ barriers }) => barriers[i]!())
  );
  return 0;
}

export function interrupts(): number {
  return 0;
}

export function hasWaitv(): boolean {
  return true;
}

export class FutexVector {
  #watched: Watched[] = [];

  get length(): number {
    return this.#watched.length;
  }
  clear(): void {
    this.#watched = [];
  }
  push(address: number, expected: number): void {
    this.#watched.push({ address, expected });
  }
  waitSync(deadline: number, _slice = Infinity, _interruptsBefore = 0): number {
    const result = currentActor().operate(sleepOn(this.#watched, deadline));
    return result === -EAGAIN ? 0 : result;
  }
  async wait(deadline: number, _slice = Infinity): Promise<number> {
    const result = await currentActor().promise(sleepOn(this.#watched, deadline));
    return result === -EAGAIN ? 0 : result;
  }
  close(): void {
    this.clear();
  }
}
