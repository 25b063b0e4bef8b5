/**
 * Waiting for what happens without an event: a name that appears, a lock that vanishes.
 *
 * @module
 */

import { timeoutError } from "../errors.ts";
import { now, sleep } from "../os/clock.ts";

/** How long to look, and who may call it off. */
export interface LookOptions {
  /** Milliseconds until the wait gives up with a TimeoutError; for ever by default. */
  timeout?: number;
  /** Ends the wait with the signal's reason. */
  signal?: AbortSignal;
}

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;

/** Looks again and again, up to 50 ms apart, until there is something. */
export async function lookUntil<T>(
  look: () => T | undefined,
  { timeout = Infinity, signal }: LookOptions,
  action: string,
): Promise<T> {
  if (!(timeout >= 0)) {
    throw new RangeError(`Cannot wait ${timeout} ms: a timeout is 0 or more milliseconds`);
  }
  const deadline = now() + timeout * 1e6;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    signal?.throwIfAborted();
    const found = look();
    if (found !== undefined) return found;
    const leftMs = (deadline - now()) / 1e6;
    if (leftMs <= 0) throw timeoutError(action, timeout);
    await sleep(Math.min(pauseMs, leftMs), signal);
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }
}
