/** Replaces src/os/clock.ts: time passes only while every actor waits for it. @module */

import { currentActor, type Operation } from "../engine/mod.ts";

export function now(): number {
  return currentActor().local((world) => world.time);
}

const EPOCH_MS = 2 ** 40; // a time of day whose fraction is exact

export function time(): number {
  return EPOCH_MS + now() / 1e6;
}

/** No pid, so that all actors lock and store the same. */
export const processId = (): number => 0;

export const hasManyCpus = (): boolean => false;
export const isWorker = (): boolean => false;

function pause(ms: number): Operation<number> {
  return {
    label: () => `pause ${ms} ms`,
    perform: (world, thread) => world.fallAsleep(thread, [], world.time + ms * 1e6),
    wakeResult: () => 0,
  };
}

export async function sleep(ms: number, _signal?: AbortSignal): Promise<boolean> {
  await currentActor().promise(pause(ms));
  return true;
}

/** An actor's event loop has no other work. */
export function nextTurn(): Promise<void> {
  return Promise.resolve();
}

export function sleepSync(ms: number): void {
  currentActor().operate(pause(ms));
}

/** Differs for each region that an actor makes, and is equal in every run of the actor. */
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

/** A program of the explorer has no end but that of its actors. */
export function disposeAtEnd(_handle: Disposable): void {}
