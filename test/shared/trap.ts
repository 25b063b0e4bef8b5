/**
 * Steps between which a process can be killed: a trap before every call of a leaf. In force where
 * trap.json is the import map.
 *
 * @module
 */

let deadly: string | undefined;
let left = 0;
let noted: string[] | undefined;

/** A step is about to be made. */
export function spring(step: string): void {
  noted?.push(step);
  if (step === deadly && --left === 0) Deno.kill(Deno.pid, "SIGKILL");
}

/** Kills this process before it makes this step for the n-th time from now. */
export function dieBefore(step: string, time = 1): void {
  deadly = step;
  left = time;
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
