/**
 * Ways to sleep until there is a message, and to wake the sleepers. Some of them lose wake-ups.
 *
 * @module
 */

import type { Party, Shared } from "./machine.ts";

/** How to sleep and how to wake. */
export interface Bell {
  /** Sleeps for a while unless `ready()`. It may return too early, and is then called again. */
  readonly sleep: (shared: Shared, ready: () => boolean) => void;
  /** Called after each new message. */
  readonly ring: (shared: Shared) => void;
}

/** Sleeps on the count. Loses nothing, and makes a system call for each message. */
export const onPosition: Bell = {
  sleep({ count }, ready) {
    const seen = count.load();
    if (!ready()) count.sleepWhile(seen);
  },
  ring({ count }) {
    count.wakeAll();
  },
};

/** Raises the flag and sleeps at once. */
export const unlooked: Bell = {
  sleep({ bell }) {
    bell.store(1);
    bell.sleepWhile(1);
  },
  ring({ bell }) {
    if (bell.exchange(0) === 1) bell.wakeAll();
  },
};

/** Raises the flag, looks again, and then sleeps. */
export const flag: Bell = {
  sleep({ bell }, ready) {
    bell.store(1);
    if (!ready()) bell.sleepWhile(1);
  },
  ring({ bell }) {
    if (bell.exchange(0) === 1) bell.wakeAll();
  },
};

/** `sequence << 1 | waiting`, as in src/wait/doorbell.ts. */
export const sequence: Bell = {
  sleep({ bell }, ready) {
    const raised = bell.or(1) | 1;
    if (!ready()) bell.sleepWhile(raised);
  },
  ring({ bell }) {
    if ((bell.load() & 1) === 1) bell.addAndWake();
  },
};

/** A bell with a number, like `sequence`, which takes two operations to ring. */
export const inTwoSteps: Bell = {
  sleep: sequence.sleep,
  ring({ bell }) {
    if ((bell.load() & 1) === 0) return;
    bell.add(1);
    bell.wakeAll();
  },
};

/** By name, for play.ts. */
export const BELLS: Readonly<Record<string, Bell>> = {
  onPosition,
  unlooked,
  flag,
  sequence,
  inTwoSteps,
};

/** A party that waits until so many messages are there. */
export function sleeper(name: string, bell: Bell, wanted = 1): Party {
  return {
    name,
    code: (shared) => {
      const ready = () => shared.count.load() >= wanted;
      if (ready()) return true;
      bell.sleep(shared, ready);
      return false;
    },
  };
}

/** A party that publishes so many messages, and rings after each. */
export function waker(
  name: string,
  bell: Bell,
  options: Partial<Party> & { publishes?: number } = {},
): Party {
  const { publishes = 1, ...rest } = options;
  const code = (shared: Shared) => {
    for (let i = 0; i < publishes; i++) {
      shared.count.add(1);
      bell.ring(shared);
    }
    return true;
  };
  return { name, code, ...rest };
}
