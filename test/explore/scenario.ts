/**
 * A scenario: who acts on what, and what must hold at the end of every run.
 *
 * @module
 */

import { RoleTakenError } from "../../src/errors.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { sleepSync } from "../../src/os/clock.ts";
import * as files from "../../src/os/files.ts";
import { process, world } from "./machine.ts";

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

/** Makes shared memory under a label, in `setup`. */
export function makeMemory(label: string, sizeBytes: number): void {
  const inode = process().makeInode(label, sizeBytes);
  world.share(inode);
  world.setName(`/dev/shm/${label}`, inode);
}

/** Maps memory that `setup` made. */
export function mapMemory(label: string): Mapping {
  const inode = world.names.get(`/dev/shm/${label}`)!;
  const fd = process().openFile(inode);
  return Mapping.ofFile(fd, { length: inode.bytes.length, what: label });
}

/** A path that opens the memory's file, for locks. */
export function pathOf(label: string): string {
  return files.pathOfFd(process().openFile(world.names.get(`/dev/shm/${label}`)!));
}

const patterns = new Map<number, Uint8Array<ArrayBuffer>>();

/** Bytes in which every position and every message shows. */
export function pattern(length: number, message: number): Uint8Array<ArrayBuffer> {
  return knownPattern(length, message).slice();
}

/** The same, made once, as actors ask for it again in every run. */
function knownPattern(length: number, message: number): Uint8Array<ArrayBuffer> {
  const key = length * 2 ** 20 + message;
  let known = patterns.get(key);
  if (known === undefined) {
    known = Uint8Array.from({ length }, (_, i) => (message * 37 + i * 11 + 5) & 0xff);
    patterns.set(key, known);
  }
  return known;
}

/** Which message these bytes are; undefined if they are none, such as two halves of two. */
export function messageOf(bytes: Uint8Array, highest: number): number | undefined {
  for (let message = 1; message <= highest; message++) {
    if (knownPattern(bytes.length, message).every((byte, i) => byte === bytes[i])) return message;
  }
  return undefined;
}

/** Opens an end, once locks of the dead are dropped, and what else they leave is cleared away. */
export function openSoon<T>(open: () => T): T {
  for (;;) {
    try {
      return open();
    } catch (error) {
      if (!(error instanceof RoleTakenError)) throw error;
      sleepSync(1);
    }
  }
}
