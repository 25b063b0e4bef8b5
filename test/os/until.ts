/**
 * Waiting in tests: for a condition or a promise, with a deadline, never for a while.
 *
 * @module
 */

/** How much more time than x86_64 another processor gets: it is emulated (test/arm64.ts). */
export const PATIENCE = Deno.build.arch === "x86_64" ? 1 : 5;

/** Generous, because it is only reached when something is broken. */
const LIMIT_MS = 60_000 * PATIENCE;

/** Resolves once the condition holds; fails, naming it, when it does not come true. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = LIMIT_MS,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!await condition()) {
    if (performance.now() > end) throw new Error(`Waited ${limitMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Returns the promise's value; throws after a time limit, and names the awaited event. */
export async function within<T>(
  what: string,
  promise: PromiseLike<T>,
  limitMs = LIMIT_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Waited ${limitMs} ms in vain for ${what}`)),
      limitMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Acts on each item, two at a time; returns once all acts have ended, also when some failed. */
export async function inPairs<T>(items: Iterable<T>, act: (item: T) => Promise<void>) {
  const rest = Iterator.from(items);
  const lane = async () => {
    for (let next; !(next = rest.next()).done;) await act(next.value);
  };
  for (const end of await Promise.allSettled([lane(), lane()])) {
    if (end.status === "rejected") throw end.reason;
  }
}
