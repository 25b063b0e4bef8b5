/**
 * What is planned for one process: where it dies or stops, or after how long.
 *
 * @module
 */

import type { Random } from "./random.ts";
import type { Trap } from "./steps.ts";

/** How the processes of a part are harmed. */
export interface Harm {
  /** Parts of step names where death is most interesting; any step is a target besides. */
  readonly steps: readonly string[];
  /** A process that does not die at a step lives between so many milliseconds, rather few. */
  readonly lifeMs: readonly [least: number, most: number];
  /** How long a stopped process stays stopped, rather short; at most 1000. */
  readonly stopMs: readonly [least: number, most: number];
}

/** Something done to a process from outside, so long after the act before. */
export type Act =
  | { readonly act: "kill"; readonly afterMs: number }
  | { readonly act: "stop"; readonly afterMs: number; readonly forMs: number };

/** The plan for one process. */
export interface Fate {
  /** Where it is caught by itself. */
  readonly trap?: Trap;
  /** How long it stays stopped if the trap stops it. */
  readonly trapMs: number;
  /** What is done to it from outside. */
  readonly acts: readonly Act[];
}

/** Nothing happens. */
export const UNHARMED: Fate = { trapMs: 0, acts: [] };

const ANY_STEP_MOST = 3000;
const NAMED_STEP_MOST = 60;

/** Nine in twenty die at a step, one in ten stops at one, the others die or stop at any moment. */
export function planFate(random: Random, harm: Harm): Fate {
  const afterMs = random.skewed(...harm.lifeMs);
  const forMs = random.skewed(...harm.stopMs);
  const trapMs = forMs;
  const kill: Act = { act: "kill", afterMs };
  const stop: Act = { act: "stop", afterMs, forMs };
  const chance = random.next();
  const trap = planTrap(random, harm, chance < 0.45 ? "kill" : "stop");
  if (chance < 0.55) return { trap, trapMs, acts: [{ ...kill, afterMs: harm.lifeMs[1] }] };
  if (chance < 0.75) return { trapMs, acts: [kill] };
  if (chance < 0.9) return { trapMs, acts: [stop, { ...stop, afterMs: forMs }, kill] };
  return { trapMs, acts: [{ ...stop, forMs: Infinity }, { act: "kill", afterMs: forMs }] };
}

function planTrap(random: Random, { steps }: Harm, act: "kill" | "stop"): Trap {
  const matching = random.chance(0.6) && steps.length > 0 ? random.pick(steps) : undefined;
  const at = random.small(matching === undefined ? ANY_STEP_MOST : NAMED_STEP_MOST);
  return { act, at, matching };
}
