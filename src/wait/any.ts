/**
 * Waiting for the first of several receivers: one sleep on all their bells.
 *
 * A receiver whose peers are gone counts as ready, because its next call reports that: once its
 * peers have closed it has `ended`, and once they are lost a call that finds nothing throws a
 * PeerLostError.
 *
 * A list of many that is waited for again keeps its preparation (ready_set.ts). A shorter one, or the
 * first wait for a list, looks at each.
 *
 * @module
 */

import { checkSyncWaits, checkWaits, inWords, isView } from "../arguments.ts";
import type { Attempt, Condition, Waiter } from "./condition.ts";
import { onCollected, perIsolate } from "../os/clock.ts";
import { MANY, ReadySet, type Thing } from "./ready_set.ts";
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
 * With many receivers, pass the same array each time: from the second time on a wait costs the same
 * for ten receivers and for thousands. It compares the array with what it was; a frozen array
 * (`Object.freeze`) saves that, too.
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
  const kept = keptFor(waitables);
  if (kept !== undefined) return kept.attempt() ?? untilSync(kept.attempt, kept.waiter, options);
  const ready = readyNow(waitables);
  if (ready !== undefined) return ready;
  const { attempt, waiter } = all(waitables);
  return untilSync(attempt, waiter, options);
}

/**
 * Resolves with the first of the receivers that has a message, or whose peers are gone. Leaves the
 * event loop free. With many receivers, pass the same array each time, as for `waitAnySync()`.
 */
export async function waitAny<W extends Waitable>(
  waitables: readonly W[],
  options?: WaitOptions,
): Promise<W> {
  if (options === undefined) options = {};
  checkWaits(options);
  options.signal?.throwIfAborted();
  const { attempt, waiter } = keptFor(waitables) ?? all(waitables);
  return await until(attempt, waiter, options);
}

const ACTION = "see any of several become ready";

function stateOf(owners: readonly unknown[]): string {
  return `none of ${new Set(owners).size} handles has anything`;
}

/** A wait for receivers, as until.ts needs it. */
interface Wait<W> {
  readonly attempt: Attempt<W>;
  readonly waiter: Waiter;
}

/** A list of many that was waited for before. */
class Kept {
  readonly #copy: readonly Waitable[];
  #set: ReadySet<Waitable> | undefined;
  #isRefused = false;

  constructor(list: readonly Waitable[]) {
    this.#copy = list.slice();
    onCollected(list, () => this.#set?.[Symbol.dispose]());
  }

  /** Whether the list has not changed. */
  isOf(list: readonly Waitable[]): boolean {
    if (Object.isFrozen(list)) return true;
    const copy = this.#copy;
    if (list.length !== copy.length) return false;
    for (let i = 0; i < copy.length; i++) if (list[i] !== copy[i]) return false;
    return true;
  }

  /** Returns the wait for it, which the first call prepares; undefined if that is not possible. */
  wait(): Wait<Waitable> | undefined {
    if (this.#isRefused) return undefined;
    if (this.#set === undefined || this.#set.isClosed) this.#set = this.#prepare();
    else if (!this.#set.isDeaf) return this.#wait;
    else this.#set[Symbol.dispose]();
    this.#isRefused = this.#set === undefined || this.#set.isClosed;
    return this.#isRefused ? undefined : this.#wait;
  }

  #prepare(): ReadySet<Waitable> | undefined {
    const things: Thing<Waitable>[] = [];
    for (const owner of this.#copy) {
      checkWaitable(owner);
      for (const condition of owner[CONDITIONS]()) things.push({ owner, condition });
    }
    return ReadySet.of(things, ({ owner, condition }) => owner[LOST]?.(condition));
  }

  readonly #wait: Wait<Waitable> = {
    attempt: () => {
      try {
        const owner = this.#set!.take()?.owner;
        owner?.[CONDITIONS](); // throws if it is in use
        return owner;
      } catch (error) {
        for (const owner of this.#copy) owner[CONDITIONS](); // that of a closed handle is better
        throw error;
      }
    },
    waiter: {
      action: ACTION,
      conditions: () => [this.#set!.condition],
      state: () => stateOf(this.#copy),
    },
  };

  /** Ends what a list that has changed has prepared. */
  [Symbol.dispose](): void {
    this.#set?.[Symbol.dispose]();
  }
}

const lists = perIsolate(() => new WeakMap<readonly Waitable[], Kept>());

/** Returns the wait that is kept for a list of many; undefined if it is short, new or changed. */
function keptFor<W extends Waitable>(list: readonly W[]): Wait<W> | undefined {
  if (!Array.isArray(list) || list.length < MANY) return undefined;
  const kept = lists().get(list);
  if (kept?.isOf(list)) return kept.wait() as Wait<W> | undefined;
  kept?.[Symbol.dispose]();
  lists().set(list, new Kept(list));
  return undefined;
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
function all<W extends Waitable>(waitables: readonly W[]): Wait<W> {
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
      action: ACTION,
      conditions: () => conditions,
      state: () => stateOf(owners),
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
