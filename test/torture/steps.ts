/**
 * Named steps: the places where a process is made to die, to stop or to dawdle.
 *
 * In a process whose import map is import_map.json every operation of a leaf is announced here
 * before it happens, such as `bell.word or` or `link /dev/shm/vring.demo`. All others run the
 * leaves as shipped, and nothing is ever announced.
 *
 * @module
 */

/** Where a process is to be caught, and what becomes of it. */
export interface Trap {
  /** What happens to it: it dies, is stopped once, or dawdles each time. */
  readonly act: "kill" | "stop" | "delay";
  /** At the how manieth step that matches, from 1; a delay comes at every so manieth. */
  readonly at: number;
  /** Part of the names of the steps that count; every step counts if it is absent. */
  readonly matching?: string | undefined;
}

let armed: Trap | undefined;
let spring: (name: string) => void = () => {};
let passed = 0;

/** Sets the trap; `sprung` is called with the name of the step, before the step. */
export function arm(trap: Trap, sprung: (name: string) => void): void {
  armed = trap;
  spring = sprung;
  passed = 0;
}

/** Announces an operation that is about to happen. */
export function step(name: string): void {
  if (armed === undefined) return;
  const { matching, at } = armed;
  if (matching !== undefined && !name.includes(matching)) return;
  if (++passed < at) return;
  passed = 0;
  if (armed.act !== "delay") armed = undefined;
  spring(name);
}

/** The function with a step before it, called by a fixed name and whatever texts it is given. */
export function stepped<A extends unknown[], R>(
  name: string,
  call: (...given: A) => R,
): (...given: A) => R {
  return (...given) => {
    if (armed !== undefined) {
      step([name, ...given.filter((argument) => typeof argument === "string")].join(" "));
    }
    return call(...given);
  };
}
