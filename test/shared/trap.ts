/**
 * Steps between which a process can be killed, or another party act: a trap before every call of a
 * leaf. In force where trap.json is the import map.
 *
 * @module
 */

let awaited: string | undefined;
let left = 0;
let due = () => {};
let noted: string[] | undefined;

/** A step is about to be made. */
export function spring(step: string): void {
  noted?.push(step);
  if (step === awaited && --left === 0) due();
}

/** Does something before this step is made for the n-th time from now. */
export function actBefore(step: string, act: () => void, time = 1): void {
  awaited = step;
  left = time;
  due = act;
}

/** Kills this process before it makes this step for the n-th time from now. */
export function dieBefore(step: string, time = 1): void {
  actBefore(step, () => Deno.kill(Deno.pid, "SIGKILL"), time);
}

/** The steps that the function makes. */
export function stepsOf(act: () => unknown): string[] {
  const steps = noted = [] as string[];
  act();
  noted = undefined;
  return steps;
}

/** The function with a step before it. */
export function trapped<A extends unknown[], R>(
  step: string,
  call: (...args: A) => R,
): (...args: A) => R {
  return (...args) => {
    spring(step);
    return call(...args);
  };
}
