/**
 * Time, random numbers, garbage collection and the end of the program: everything that a test must
 * control. A leaf: the explorer replaces this file with one that a scheduler drives.
 *
 * @module
 */

import { directWide, directWords, native } from "../native/load.ts";

/** Returns the monotonic clock in nanoseconds, the clock of futex deadlines. */
export function now(): number {
  return directWords().vring_now();
}

/**
 * Returns the time of day in milliseconds since 1970, as `Date.now()` does, to a quarter of a
 * microsecond. All processes of a machine read the same clock, at every call: an offset taken once,
 * as `performance.timeOrigin` is, would differ between them and outlive a step of the clock. Like
 * the time of day everywhere, it may step back. Costs as much as `now`.
 */
export function time(): number {
  return directWide().vring_time();
}

/** Whether two threads can run at the same time, so that spinning can pay. */
export const hasManyCpus: () => boolean = perIsolate(() => navigator.hardwareConcurrency > 1);

/** Whether another thread can terminate this one, which ends no sooner than its next call returns. */
export const isWorker: () => boolean = perIsolate(() => "WorkerGlobalScope" in globalThis);

/**
 * Resolves after `ms` milliseconds, or at once when the signal aborts; with false if it has aborted.
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve(!signal?.aborted);
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}

/**
 * Resolves in the next turn of the event loop, after everything else that is due. An immediate
 * takes 4 us, and a timer of 0 ms takes 1 to 2 ms. Web pages have no immediates.
 */
export function nextTurn(): Promise<void> {
  // Deno 2.5 has no type for it.
  const { setImmediate } = globalThis as { setImmediate?: (call: () => void) => void };
  return new Promise((resolve) => {
    if (setImmediate !== undefined) setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

/** Blocks this thread for `ms` milliseconds. */
export function sleepSync(ms: number): void {
  native().vring_sleep(now() + ms * 1e6);
}

/** The pid of this process in its own pid namespace. It only appears in messages. */
export const processId: () => number = perIsolate(() => Deno.pid);

/** Returns sixteen random bytes: an identity that is independent of pids and boots. */
export function randomId(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(16));
}

/** Makes a value at first use and shares it with all code of an isolate. */
export function perIsolate<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => value ??= make();
}

const collected = new FinalizationRegistry((callback: () => void) => callback());

/**
 * Calls back after `target` was garbage collected, unless the returned function is called before.
 */
export function onCollected(target: WeakKey, callback: () => void): () => void {
  const token = {};
  collected.register(target, callback, token);
  return () => collected.unregister(token);
}

const handles = perIsolate(() => {
  addEventListener("unload", disposeHandles);
  return new Set<WeakRef<Disposable>>();
});

/**
 * Disposes a handle when the program reaches its end or calls `Deno.exit`, if the handle is still
 * reachable. A signal or an uncaught error ends a program without this, and a Worker gets no such
 * event.
 */
export function disposeAtEnd(handle: Disposable): void {
  const reference = new WeakRef(handle); // a forgotten handle can still be collected
  handles().add(reference);
  onCollected(handle, () => handles().delete(reference));
}

/** Disposes the newest first, as newer handles may depend on older ones. */
function disposeHandles(): void {
  for (const reference of [...handles()].reverse()) {
    try {
      reference.deref()?.[Symbol.dispose]();
    } catch {
      // One handle that fails to close must not keep the others open.
    }
  }
}
