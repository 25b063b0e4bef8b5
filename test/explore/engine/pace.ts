/**
 * Code that waits only where an actor is asynchronous: a generator that yields the promises to wait
 * for. With synchronous actors it yields none, and can also be run without a promise.
 *
 * @module
 */

/** Yields promises, each of which must settle before it goes on. */
export type Paced<T> = Generator<PromiseLike<unknown>, T, void>;

/** Yields what may be a promise. */
export function* pause(waiting: void | PromiseLike<unknown>): Paced<void> {
  if (waiting !== undefined) yield waiting;
}

/** Runs it, and waits for each promise. */
export async function paced<T>(work: Paced<T>): Promise<T> {
  let next = work.next();
  while (!next.done) {
    next = await next.value.then(() => work.next(), (error) => work.throw(error));
  }
  return next.value;
}

/** Runs it at once. Throws if it has to wait. */
export function atOnce<T>(work: Paced<T>, what: string): T {
  const { done, value } = work.next();
  if (done) return value;
  throw new Error(`Cannot run ${what} at once: an actor is asynchronous`);
}
