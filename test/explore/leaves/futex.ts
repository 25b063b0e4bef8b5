/** Stands in for src/os/futex.ts: compare, sleep and wake on the simulated machine. @module */

import {
  ASLEEP,
  currentActor,
  mayBlock,
  nameOf,
  type Operation,
  resolve,
  shared,
  world,
} from "../engine/mod.ts";

export { MATCH_ANY, VECTOR_LIMIT } from "../../../src/os/futex.ts?real";

const EAGAIN = 11;
const ETIMEDOUT = 110;
const EVERYONE = 2 ** 31 - 1;

interface Watched {
  readonly address: number;
  readonly expected: number;
}

/** A sleep on some words: refused if one differs. */
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
    perform: (thread) => {
      if (words.some(({ inode, index, expected }) => inode.words[index] !== expected)) {
        return -EAGAIN;
      }
      world.fallAsleep({ thread, words, deadline, since: world.time, woken: "" });
      return ASLEEP;
    },
    wakeResult: (thread, why) => {
      world.getUp(thread);
      return why === "woken" ? 0 : -ETIMEDOUT;
    },
  };
}

export function wait(address: number, expected: number, deadline: number): number {
  return mayBlock(sleepOn([{ address, expected }], deadline));
}

export function wake(address: number, count: number): number {
  const { inode, offset } = resolve(address);
  const index = offset >> 2;
  return mayBlock({
    label: () => `${nameOf(inode, index)} wake ${count < EVERYONE ? count : "all"}`,
    perform: (_thread, choice) => world.wake(inode, index, count, choice),
    choices: () => {
      const asleep = world.sleepersOn(inode, index).length;
      return count < asleep ? asleep : 1; // the kernel may wake any of them
    },
  });
}

export function addAndWake(address: number): number {
  const { inode, offset } = resolve(address);
  return shared(() => `${nameOf(inode, offset >> 2)} add 1 and wake all`, () => {
    world.setWord(inode, offset >> 2, inode.words[offset >> 2]! + 1 >>> 0);
    return world.wake(inode, offset >> 2, Infinity);
  });
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
  waitSync(deadline: number): number {
    const result = mayBlock(sleepOn(this.#watched, deadline));
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
