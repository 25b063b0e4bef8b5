/**
 * The plan for one process: where it dies or stops, or after how long.
 *
 * @module
 */

import type { Trap } from "../trap/trap.ts";
import type { Random } from "../random.ts";

/** How the processes of a part are harmed. */
export interface Harm {
  /** Parts of step names where death is most interesting; any step is a target besides. */
  readonly steps: readonly string[];
  /** A process that does not die at a step lives for so long, mostly rather short; 10 to 2000. */
  readonly lifeMs?: readonly [least: number, most: number];
  /** How long a process stays stopped, mostly rather short; 2 to 500, and never above 1000. */
  readonly stopMs?: readonly [least: number, most: number];
}

/** Something done to a process from outside, so long after the act before. */
export type Act =
  | { readonly act: "kill"; readonly afterMs: number }
  | { readonly act: "stop"; readonly afterMs: number; readonly forMs: number };

/** The plan for one process. */
export interface Fate {
  /** Where it is caught by itself. */
  readonly trap?: Trap;
  /** How long it stays stopped if the trap stops it, or dawdles, in milliseconds. */
  readonly trapMs: number;
  /** The acts from outside. */
  readonly acts: readonly Act[];
}

/** Nothing happens. */
export const UNHARMED: Fate = { trapMs: 0, acts: [] };

const ANY_STEP_MOST = 3000;
const NAMED_STEP_MOST = 60;
const DELAY_MS = [0.1, 10] as const;

/** With so many steps from one delay to the next they come at all steps in turn. */
const DELAY_STRIDE_MOST = 40;
const NAMED_DELAY_STRIDE_MOST = 4;

/**
 * Plans a fate. Seven in twenty processes die at a step, two stop at one, and four pause at some, so
 * that others act where they seldom can. All others are killed or stopped at any moment.
 */
export function planFate(random: Random, harm: Harm): Fate {
  const { lifeMs = [10, 2000], stopMs = [2, 500] } = harm;
  const afterMs = random.skewed(...lifeMs);
  const forMs = random.skewed(...stopMs);
  const kill: Act = { act: "kill", afterMs };
  const late: Act = { act: "kill", afterMs: lifeMs[1] };
  const stop: Act = { act: "stop", afterMs, forMs };
  const chance = random.next();
  if (chance < 0.35) return { trap: planTrap(random, harm, "kill"), trapMs: 0, acts: [late] };
  if (chance < 0.45) return { trap: planTrap(random, harm, "stop"), trapMs: forMs, acts: [late] };
  if (chance < 0.65) {
    const trapMs = random.skewed(...DELAY_MS);
    const acts: Act[] = [{ ...late, afterMs: late.afterMs / 2 }];
    return { trap: planTrap(random, harm, "delay"), trapMs, acts };
  }
  if (chance < 0.8) return { trapMs: 0, acts: [kill] };
  if (chance < 0.92) return { trapMs: 0, acts: [stop, { ...stop, afterMs: forMs }, kill] };
  return { trapMs: 0, acts: [{ ...stop, forMs: Infinity }, { act: "kill", afterMs: forMs }] };
}

function planTrap(random: Random, { steps }: Harm, act: Trap["act"]): Trap {
  const matching = random.chance(0.6) && steps.length > 0 ? random.pick(steps) : undefined;
  const [any, named] = act === "delay"
    ? [DELAY_STRIDE_MOST, NAMED_DELAY_STRIDE_MOST]
    : [ANY_STEP_MOST, NAMED_STEP_MOST];
  return { act, at: random.small(matching === undefined ? any : named), matching };
}
