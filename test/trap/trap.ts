/**
 * Steps: the places where a process is made to die, to stop or to dawdle, or another party is let
 * in. Each has a name, such as `head store`, and may say what it is done to.
 *
 * In a process whose import map is import_map.json every operation of a leaf is announced here
 * before it happens. All others run the leaves as shipped, and only what announces itself is seen.
 *
 * @module
 */

/** Told of every step that is about to be made, and to what it will be done. */
type Watcher = (step: string, to: string) => void;

let watcher: Watcher | undefined;

/** Announces the next step to the watcher. Steps that the watcher makes meanwhile do not count. */
export function spring(step: string, to = ""): void {
  const told = watcher;
  if (told === undefined) return;
  watcher = undefined;
  try {
    told(step, to);
  } finally {
    watcher ??= told;
  }
}

/** The function with a step before it, done to whatever texts it is given. */
export function trapped<A extends unknown[], R>(
  step: string,
  call: (...given: A) => R,
): (...given: A) => R {
  return (...given) => {
    // Not even announced: it never happens.
    if (step === refused && (refusalsIn === Infinity || --refusalsIn === 0)) return refusal as R;
    if (watcher !== undefined) {
      spring(step, given.filter((argument) => typeof argument === "string").join(" "));
    }
    return call(...given);
  };
}

// ---- by the kernel's refusal ----

let refused: string | undefined;
let refusal: unknown;
let refusalsIn = Infinity; // counts down to the only refusal; Infinity refuses every time

/**
 * While the body runs the step of that name is not made, and gives this, such as -ENOSPC: each time,
 * or the n-th time only.
 */
export function withRefusal<T>(step: string, result: number, body: () => T, time = Infinity): T {
  refused = step;
  refusal = result;
  refusalsIn = time;
  try {
    return body();
  } finally {
    refused = undefined;
  }
}

/** Whether the step was reached that was to be refused last. */
export function wasRefused(): boolean {
  return refusalsIn <= 0;
}

// ---- at a step of a name ----

let awaited: string | undefined;
let left = 0;
let due = () => {};
let noted: string[] | undefined;

function follow(step: string): void {
  noted?.push(step);
  if (step === awaited && --left === 0) due();
}

/** Does something before this step is made for the n-th time from now. */
export function actBefore(step: string, act: () => void, time = 1): void {
  awaited = step;
  left = time;
  due = act;
  watcher = follow;
}

/** Kills this process before it makes this step for the n-th time from now. */
export function dieBefore(step: string, time = 1): void {
  actBefore(step, () => Deno.kill(Deno.pid, "SIGKILL"), time);
}

/** Acts up to a step, as actBefore() counts it. */
export interface Unfinished {
  readonly step: string;
  readonly time: number;
  act(): unknown;
}

/**
 * Performs acts one inside the other, each up to its step. Before the last of these steps this
 * process is killed, in the middle of all the acts at once. Some steps may be missing: those that wake
 * a sleeper, because nothing sleeps, and a sleep, because its time was over before. Then that act is
 * over at the death.
 */
export function dieAmid([first, ...rest]: readonly Unfinished[]): void {
  const { step, time, act } = first!;
  const goOn = () => rest.length === 0 ? Deno.kill(Deno.pid, "SIGKILL") : dieAmid(rest);
  actBefore(step, goOn, time);
  act();
  if (!["wake", "loop load", "sleep"].includes(step)) {
    throw new Error(`The act made no step "${step}" number ${time}`);
  }
  goOn();
}

/** The steps that the function makes. */
export function stepsOf(act: () => unknown): string[] {
  const steps = noted = [] as string[];
  watcher = follow;
  act();
  noted = undefined;
  return steps;
}

// ---- at every step ----

/** Acts before each step, given its number from 1, its name and the text that it is done to. */
export type EachTrap = (number: number, step: string, to: string) => void;

let stillness = 0;

/** Runs the body with something done before each of its steps. Nobody else acts while it sleeps. */
export function withTrap<T>(set: EachTrap, body: () => T): T {
  let number = 0;
  watcher = (step, to) => set(++number, step, to);
  stillness++;
  try {
    return body();
  } finally {
    stillness--;
    watcher = undefined;
  }
}

let leadNs: number | undefined;

/** While the body runs, every look at the clock finds it a second further: patience ends soon. */
export function inHurry<T>(body: () => T): T {
  leadNs = 0;
  stillness++;
  try {
    return body();
  } finally {
    stillness--;
    leadNs = undefined;
  }
}

/** How far the clock is ahead, in nanoseconds. */
export function clockLead(): number {
  return leadNs === undefined ? 0 : leadNs += 1e9;
}

/** Whether there is nothing that a sleep could wait for. */
export function isStill(): boolean {
  return stillness > 0;
}

// ---- as planned ----

/** The step at which a process stops, and its fate there. */
export interface Trap {
  /** Its fate: it dies, is stopped once, or pauses each time. */
  readonly act: "kill" | "stop" | "delay";
  /** At the how manieth step that matches, from 1; a delay comes at every so manieth. */
  readonly at: number;
  /** A part of the steps that count, with what they are done to; every step if it is absent. */
  readonly matching?: string | undefined;
}

/** Sets the trap; `sprung` is called with the step, before it is made. */
export function arm({ act, at, matching }: Trap, sprung: (step: string) => void): void {
  let passed = 0;
  let done = false;
  watcher = (name, to) => {
    if (done) return;
    const step = to === "" ? name : `${name} ${to}`;
    if (matching !== undefined && !step.includes(matching)) return;
    if (++passed < at) return;
    passed = 0;
    done = act !== "delay";
    sprung(step);
  };
}
