/**
 * A scenario: the actors, the memory they act on, and the invariant at the end of every run.
 *
 * @module
 */

/** The kinds of defects that a search finds. */
export type FindingKind = "lost wake-up" | "invariant" | "error" | "hang";

/** The end of a run, for the invariant. */
export interface End {
  /** The result of each actor, by name; undefined if it died or never began. */
  readonly results: Readonly<Record<string, unknown>>;
  /** The names of the actors that died. */
  readonly dead: ReadonlySet<string>;
  /** The names in the file system. */
  readonly names: readonly string[];
  /** Returns the bytes of a shared memory that `setup` made. */
  bytes(label: string): Uint8Array;
}

/** An actor of a scenario. */
export interface ActorSpec {
  /** The code: builds every object inside, and returns plain data for the invariant. */
  readonly body: (arranged: never) => unknown;
  /**
   * The part that is not the subject, such as opening. It runs alone when the actor begins, up to
   * its first sleep, without preemption or death. `body` receives its result.
   */
  readonly arrange?: () => unknown;
  /** Begins only once this actor has finished, or is dead. */
  readonly after?: string;
  /** Begins only once every other actor has finished or is dead; the kernel has dropped their locks. */
  readonly last?: boolean;
  /** Never dies, though the scenario allows deaths. */
  readonly immortal?: boolean;
}

/** Makes an actor whose first part is done when the exploration begins. */
export function arranged<T>(
  arrange: () => T,
  body: (arranged: T) => unknown,
  rest: Pick<ActorSpec, "after" | "last" | "immortal"> = {},
): ActorSpec {
  return { arrange, body, ...rest };
}

/** Makes an actor that does what it arranges amid the others, as an ordinary part of its code. */
export function unarranged({ arrange, body, ...rest }: ActorSpec): ActorSpec {
  return { body: () => body(arrange?.() as never), ...rest };
}

/** The bounds of a search. */
export interface Bounds {
  /** How often a run may switch away from an actor that could continue. */
  readonly preemptions: number;
  /** How many actors may die in a run. */
  readonly deaths: number;
  /** How many spurious wake-ups and early time-outs a run may have. */
  readonly noise: number;
  /**
   * How many stores may become visible late, and how many loads may be served early, in a run.
   * Without it, memory is sequentially consistent.
   */
  readonly reorderings?: number;
}

/** The conventions of the code under test that the engine needs. */
export interface Conventions {
  /**
   * The length of a slice in nanoseconds: code that waits looks at its peers at least this often, in
   * case one has died. So a sleep of one slice, or up to a multiple of it, ends only after a death.
   */
  readonly sliceNs?: number;
  /** Names an error number for traces; operations return such a number negated. */
  readonly errorName?: (error: number) => string;
}

/** A scenario. */
export interface Scenario {
  /** The name, by which the command line finds it. */
  readonly name: string;
  /** Makes the memory that is there before any actor begins. */
  readonly setup?: () => void;
  /** The actors, by name. */
  readonly actors: Readonly<Record<string, ActorSpec | (() => unknown)>>;
  /** The bounds of the full search; the short one has at most 2, 1 and 1. */
  readonly bounds: Bounds;
  /** Still tighter bounds for the short search of a large scenario. */
  readonly short?: Partial<Bounds>;
  /** The most steps of a run that ends; 1,500 by default. */
  readonly longest?: number;
  /** Returns what is wrong with the end of a run; undefined if it is right. */
  readonly check: (end: End) => string | undefined;
  /** For code that is broken on purpose: the defect that the search must find. */
  readonly expect?: FindingKind;
  /** A sentence about its subject. */
  readonly about: string;
}
