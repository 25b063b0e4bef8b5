/**
 * Waiting for the first of several receivers: one sleep on all their bells.
 *
 * A receiver whose peers are gone counts as ready, because its next call reports that: once its
 * peers have closed it has `ended`, and once they are lost a call that finds nothing throws a
 * PeerLostError.
 *
 * @module
 */

import { checkSyncWaits, checkWaits, inWords, isView } from "../arguments.ts";
import type { Attempt, Condition, Waiter } from "./condition.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "./until.ts";

/** The method by which `waitAny` asks a receiver for its conditions. */
export const CONDITIONS: unique symbol = Symbol.for("vring.conditions/1");

/** The method by which `waitAny` tells a receiver that its peers are lost. */
export const LOST: unique symbol = Symbol.for("vring.lost/1");

/** A handle that `waitAny` can wait for: a consumer, reader, subscriber, slot or listener. */
export interface Waitable {
  /** @ignore */
  [CONDITIONS](): readonly Condition[];
  /** @ignore */
  [LOST]?(condition: Condition): void;
}

/**
 * Blocks the thread until one of the receivers has a message, or its peers are gone, and returns
 * that receiver. If several are ready, it returns the first of the list. A receiver whose peers were
 * lost throws a PeerLostError from its next call that finds nothing, such as `tryReceive()`.
 *
 * @example The first of two rings
 * ```ts
 * import { spsc, waitAnySync } from "@vring/vring";
 *
 * const rings = [spsc("example-left"), spsc("example-right")] as const;
 * using left = rings[0].consumer();
 * using right = rings[1].consumer();
 * using producer = rings[1].producer(); // in another process
 * producer.trySend(new Uint8Array(3));
 * console.log(waitAnySync([left, right]) === right); // true
 * ```
 */
export function waitAnySync<W extends Waitable>(
  waitables: readonly W[],
  options?: SyncWaitOptions,
): W {
  if (options === undefined) options = {};
  checkSyncWaits(options);
  const ready = readyNow(waitables);
  if (ready !== undefined) return ready;
  const { attempt, waiter } = all(waitables);
  return untilSync(attempt, waiter, options);
}

/**
 * Resolves with the first of the receivers that has a message, or whose peers are gone. Leaves the
 * event loop free.
 */
export async function waitAny<W extends Waitable>(
  waitables: readonly W[],
  options?: WaitOptions,
): Promise<W> {
  if (options === undefined) options = {};
  checkWaits(options);
  options.signal?.throwIfAborted();
  const { attempt, waiter } = all(waitables);
  return await until(attempt, waiter, options);
}

/** Returns the first receiver that is ready, without making anything for a wait. */
function readyNow<W extends Waitable>(waitables: readonly W[]): W | undefined {
  checkList(waitables);
  for (const waitable of waitables) {
    checkWaitable(waitable);
    for (const condition of waitable[CONDITIONS]()) if (condition.ready()) return waitable;
  }
  return undefined;
}

function checkList(waitables: unknown): void {
  const isList = typeof Object(waitables)[Symbol.iterator] === "function" && !isView(waitables);
  if (isList) return;
  throw new TypeError(
    `Cannot wait for ${inWords(waitables)}: pass an array of handles that receive`,
  );
}

/** The attempt to find a receiver that is ready, and the wait for one. */
function all<W extends Waitable>(
  waitables: readonly W[],
): { attempt: Attempt<W>; waiter: Waiter } {
  const conditions: Condition[] = [];
  const owners: W[] = [];
  checkList(waitables);
  for (const waitable of waitables) {
    checkWaitable(waitable);
    for (const condition of waitable[CONDITIONS]()) {
      conditions.push(condition);
      owners.push(waitable);
    }
  }
  if (conditions.length === 0) {
    throw new RangeError("Cannot wait for the first of nothing: pass at least one handle");
  }
  const isReady = (condition: Condition) => condition.ready();
  return {
    attempt: (ended) => owners[ended ? conditions.indexOf(ended) : conditions.findIndex(isReady)],
    waiter: {
      action: "see any of several become ready",
      conditions: () => conditions,
      state: () => `none of ${new Set(owners).size} handles has anything`,
      lost: (condition) => owners[conditions.indexOf(condition)]![LOST]?.(condition),
    },
  };
}

/** Throws for arguments that TypeScript would not let pass, such as a sender. */
function checkWaitable(given: Waitable | null | undefined): void {
  if (typeof given?.[CONDITIONS] === "function") return;
  const { name } = Object(given?.constructor);
  throw new TypeError(
    `Cannot wait for ${
      name || inWords(given)
    }: it does not receive; pass consumers, readers, subscribers, slots or listeners`,
  );
}
