/**
 * The explorer's engine: runs code through every order of its operations and through the death of an
 * actor at each of them. It imports nothing of the code under test.
 *
 * @module
 */

export { ASLEEP, currentActor, type Operation } from "./actor.ts";
export {
  inHex,
  mayBlock,
  nameOf,
  nameWord,
  on,
  PAGE_BYTES,
  process,
  resolve,
  shared,
  world,
} from "./process.ts";
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
export {
  explore,
  type Finding,
  replay,
  type Replayed,
  type Report,
  type SearchOptions,
} from "./search.ts";
export { type Inode, World } from "./world.ts";
