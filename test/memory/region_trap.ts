/**
 * A trap before every call of a leaf, for tests that must act between two of them: kill the
 * process, or let another party act. In force where region_trap.json is the import map.
 *
 * @module
 */

/** What happens before the calls: their number, from 1, and name. */
export type Trap = (call: number, name: string) => void;

let trap: Trap | undefined;
let calls = 0;

/** Runs the body with the trap set; the trap itself runs without one. */
export function withTrap<T>(set: Trap, body: () => T): T {
  calls = 0;
  trap = set;
  try {
    return body();
  } finally {
    trap = undefined;
  }
}

/** The function with the trap before it. */
export function trapped<A extends unknown[], R>(
  name: string,
  call: (...args: A) => R,
): (...args: A) => R {
  return (...args) => {
    spring(name);
    return call(...args);
  };
}

/** Reports a call that is about to happen. */
export function spring(name: string): void {
  const set = trap;
  if (set === undefined) return;
  trap = undefined;
  const call = ++calls;
  set(call, name);
  calls = call;
  trap = set;
}

let leadNs: number | undefined;

/** While the body runs, every look at the clock finds it a second further: patience ends soon. */
export function inHurry<T>(body: () => T): T {
  leadNs = 0;
  try {
    return body();
  } finally {
    leadNs = undefined;
  }
}

/** How far the clock is ahead, in nanoseconds. */
export function clockLead(): number {
  return leadNs === undefined ? 0 : leadNs += 1e9;
}
