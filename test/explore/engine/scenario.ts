/**
 * A scenario: who acts on what, and what must hold at the end of every run.
 *
 * @module
 */

/** What can be wrong. */
export type FindingKind = "lost wake-up" | "invariant" | "error" | "hang";

/** How a run ended, for the invariant. */
export interface End {
  /** What each actor returned, by name; undefined if it died or never began. */
  readonly results: Readonly<Record<string, unknown>>;
  /** Who died. */
  readonly dead: ReadonlySet<string>;
  /** The names in the file system. */
  readonly names: readonly string[];
  /** The bytes of a shared memory that `setup` made. */
  bytes(label: string): Uint8Array;
}

/** An actor of a scenario. */
export interface ActorSpec {
  /** The code: builds everything inside, and returns what the invariant needs, as plain data. */
  readonly body: (arranged: never) => unknown;
  /**
   * What is not the subject, such as opening: done alone when the actor begins, up to its first
   * sleep, without preemption or death. What it gives is handed to `body`.
   */
  readonly arrange?: () => unknown;
  /** Begins only once this actor has finished, or is dead. */
  readonly after?: string;
  /** Begins only once every other actor has finished or is dead; all of these are gone then. */
  readonly last?: boolean;
  /** Must not be killed, though the scenario allows deaths. */
  readonly immortal?: boolean;
}

/** An actor that has done this much when the exploration begins. */
export function arranged<T>(
  arrange: () => T,
  body: (arranged: T) => unknown,
  rest: Pick<ActorSpec, "after" | "last" | "immortal"> = {},
): ActorSpec {
  return { arrange, body, ...rest };
}

/** The same actor with nothing arranged: it opens what it needs amid the others. */
export function unarranged({ arrange, body, ...rest }: ActorSpec): ActorSpec {
  return { body: () => body(arrange?.() as never), ...rest };
}

/** How far the search goes. */
export interface Bounds {
  /** How often a run may switch away from an actor that could go on. */
  readonly preemptions: number;
  /** How many actors may die in a run. */
  readonly deaths: number;
  /** How many spurious wake-ups and early time-outs a run may have. */
  readonly noise: number;
}

/** What the engine has to know about the code under test. */
export interface Conventions {
  /**
   * The length of a slice in nanoseconds: code that waits looks at its peers at least this often, in
   * case one has died. So a sleep of one slice, or up to a multiple of it, ends only after a death.
   */
  readonly sliceNs?: number;
  /** Names an error number for traces; operations return such a number negated. */
  readonly errorName?: (error: number) => string;
}

/** What is explored. */
export interface Scenario {
  /** The name, by which the command line finds it. */
  readonly name: string;
  /** Makes what is there before anyone acts. */
  readonly setup?: () => void;
  /** The actors, by name. */
  readonly actors: Readonly<Record<string, ActorSpec | (() => unknown)>>;
  /** The bounds of the full search; the short one has at most 2, 1 and 1. */
  readonly bounds: Bounds;
  /** Still tighter bounds for the short search of a large scenario. */
  readonly short?: Partial<Bounds>;
  /** What is wrong with the end of a run, if anything is. */
  readonly check: (end: End) => string | undefined;
  /** For code that is broken on purpose: what must be found. */
  readonly expect?: FindingKind;
  /** What it shows; a sentence. */
  readonly about: string;
}
