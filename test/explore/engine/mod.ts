/**
 * The explorer's engine: runs code through every order of its operations and through the death of an
 * actor at each of them. It imports nothing from outside of this folder, and runs in a browser too.
 *
 * A leaf stand-in asks {@linkcode currentActor} to `operate` on what others can reach, to do
 * something `local` that only the actor can see, or for a `promise` of its pool; an
 * {@linkcode Operation} acts on the {@linkcode World} that it is given, and has `choices` where it
 * can go in several ways. A {@linkcode Scenario} names actors, bounds and an invariant.
 * {@linkcode explore} searches its runs, {@linkcode replay} repeats one, and a {@linkcode Run} can be
 * driven step by step.
 *
 * @module
 */

export { type Actor, AGAIN, currentActor } from "./actor.ts";
export type { Event, Problem, RunOptions, Transition } from "./actors.ts";
export type { Access, Cells, Operation } from "./operation.ts";
export {
  HIGH_HALF,
  inHex,
  nameOf,
  nameWord,
  on,
  PAGE_BYTES,
  process,
  resolve,
  shared,
} from "./process.ts";
export { replay, type Replayed, type ReplayOptions } from "./replay.ts";
export { type Guide, type Position, Run } from "./run.ts";
export {
  type ActorSpec,
  arranged,
  type Bounds,
  type Conventions,
  type End,
  type FindingKind,
  type Scenario,
  unarranged,
} from "./scenario.ts";
export { explore, exploreSync, type Finding, type Report, type SearchOptions } from "./search.ts";
export { decode, encode } from "./token.ts";
export { ASLEEP, type Inode, type Sleeper, type Wakening, type World } from "./world.ts";
