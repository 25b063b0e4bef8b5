/** Stands in for src/os/clock.ts: time moves only when everyone waits for it. @module */

import { ASLEEP, currentActor, mayBlock, type Operation, world } from "../engine/mod.ts";

export function now(): number {
  return currentActor().local(() => world.time);
}

export const hasManyCpus = false;

function pause(ms: number): Operation<number> {
  return {
    label: () => `pause ${ms} ms`,
    perform: (thread) => {
      const since = world.time;
      world.fallAsleep({ thread, words: [], deadline: since + ms * 1e6, since, woken: "" });
      return ASLEEP;
    },
    wakeResult: (thread) => {
      world.getUp(thread);
      return 0;
    },
  };
}

export async function sleep(ms: number, _signal?: AbortSignal): Promise<void> {
  await currentActor().promise(pause(ms));
}

/** There is nothing else in an event loop here. */
export function nextTurn(): Promise<void> {
  return Promise.resolve();
}

export function sleepSync(ms: number): void {
  mayBlock(pause(ms));
}

/** Different for each region that an actor makes, the same each time the actor is run again. */
export function randomId(): Uint8Array<ArrayBuffer> {
  const { locals, index } = currentActor();
  const serial = (locals.get(randomId) as number | undefined ?? 0) + 1;
  locals.set(randomId, serial);
  return new Uint8Array(16).fill(16 * (index + 1) + serial);
}

export function perIsolate<T>(make: () => T): () => T {
  return () => {
    const { locals } = currentActor();
    if (!locals.has(make)) locals.set(make, make());
    return locals.get(make) as T;
  };
}

export function onCollected(_target: WeakKey, _callback: () => void): () => void {
  return () => {};
}
