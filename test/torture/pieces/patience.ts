/**
 * The patience of tortured processes: how long they do one thing, and how long they wait for
 * others, which may be dead or stopped.
 *
 * @module
 */

import { PeerLostError, RoleTakenError } from "../../../src/errors.ts";
import { now, sleep, sleepSync } from "../../../src/os/clock.ts";
import type { Actor } from "../workload.ts";

/** The timeout of waits for others, which may be dead, stopped or elsewhere. */
export const WAIT = { timeout: 30 };

/** Returns whether a time is over that chance chooses, mostly a short one. */
export function tenure(actor: Pick<Actor, "random" | "over">, mostMs = 2000): () => boolean {
  const end = now() + actor.random.skewed(1, mostMs) * 1e6;
  return () => actor.over || now() > end;
}

/** Returns the outcome of a wait, or undefined if it timed out or was aborted. */
export async function inTime<T>(wait: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await wait();
  } catch (error) {
    const { name } = error as Error;
    if (name === "TimeoutError" || name === "AbortError") return undefined;
    throw error;
  }
}

/** Returns whether a wait ended with the event that it was for. */
export async function endsInTime(wait: () => unknown): Promise<boolean> {
  return await inTime(async () => {
    await wait();
    return true;
  }) === true;
}

/** Returns the outcome of a wait in one of two ways, or undefined if it timed out. */
export function inEitherWay<T>(
  { random }: Pick<Actor, "random">,
  sync: () => T,
  async: () => Promise<T>,
): Promise<T | undefined> {
  return inTime<T>(random.chance(0.5) ? sync : async);
}

/** Opens an end; undefined while another process has its role. */
export function tryOpen<E>(open: () => E): E | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof RoleTakenError) return undefined;
    throw error;
  }
}

/** How long the kernel may take to drop the locks of killed processes. */
const DROPPED_WITHIN_NS = 30e9;

/** Repeats an attempt until it succeeds or the kernel must have dropped the locks of the dead. */
export function soon<T>(attempt: () => T | undefined): T | undefined {
  const deadline = now() + DROPPED_WITHIN_NS;
  for (;;) {
    const result = attempt();
    if (result !== undefined || now() > deadline) return result;
    sleepSync(1);
  }
}

/** Opens an end whose role only a dead process can have. */
export function openSoon<E>(open: () => E): E {
  return soon(() => tryOpen(open)) ?? open();
}

/** A role that is taken for a while. */
export interface Post<E> {
  /** Opens the end; throws a RoleTakenError or times out while another process has it. */
  open(): E | Promise<E>;
  /** The resource that the holder states to have. */
  resource(end: E): string;
  work(end: E): void | Promise<void>;
  /** Runs after the statement, before the end is closed. */
  leave?(end: E): Promise<void>;
}

/** Takes one post after another whenever it is free, works, and gives it up. */
export async function attend<E extends Disposable>(actor: Actor, next: () => Post<E>) {
  while (!actor.over) {
    await serve(actor, next());
    await sleep(actor.random.between(1, 20));
  }
}

async function serve<E extends Disposable>(actor: Actor, post: Post<E>): Promise<void> {
  let opened: E | undefined;
  try {
    opened = await inTime(() => post.open());
  } catch (error) {
    if (!(error instanceof RoleTakenError)) throw error;
  }
  if (opened === undefined) return;
  using end = opened;
  const resource = post.resource(end);
  actor.declare(resource, actor.token);
  await post.work(end);
  actor.withdraw(resource, actor.token);
  await post.leave?.(end);
}

/** Works until that is done or the peer is gone, which is counted. */
export async function untilBereaved(
  scene: { count(name: "bereaved"): void },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof PeerLostError)) throw error;
    scene.count("bereaved");
  }
}
