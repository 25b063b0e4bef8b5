/**
 * The vocabulary of scenarios: memory, patterns of bytes, and what the engine must know of vring.
 *
 * @module
 */

import { errnoName, PeerLostError, RoleTakenError } from "../../src/errors.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { sleepSync } from "../../src/os/clock.ts";
import * as files from "../../src/os/files.ts";
import { SLICE_NS } from "../../src/wait/sleep.ts";
import {
  type ActorSpec,
  type Bounds,
  type Conventions,
  currentActor,
  type Inode,
  process,
  type Scenario,
  unarranged,
} from "./engine/mod.ts";

export { type ActorSpec, arranged, type End, type Scenario, unarranged } from "./engine/mod.ts";

/** The conventions of vring. */
export const CONVENTIONS: Conventions = { sliceNs: SLICE_NS, errorName: errnoName };

/** A scenario with its bounds as the reports print them. */
export interface Row extends Omit<Scenario, "bounds" | "short"> {
  /** Preemptions, deaths and noise of the full search. */
  readonly bounds: `${number}/${number}/${number}` | `${number}/${number}/${number}/${number}`;
  /** The preemptions of the short search, or several tighter bounds. */
  readonly short?: number | Partial<Bounds>;
}

/** Makes the scenarios of a table. */
export function scenarios(rows: readonly Row[]): readonly Scenario[] {
  return rows.map(({ bounds, short, ...row }) => {
    const [preemptions, deaths, noise, reorderings] = bounds.split("/").map(Number) as
      & number[]
      & [number, number, number];
    const tighter = typeof short === "number" ? { preemptions: short } : short;
    return {
      ...row,
      bounds: { preemptions, deaths, noise, ...reorderings && { reorderings } },
      ...tighter && { short: tighter },
    };
  });
}

/** The parts of a scenario that it shares with its twin. */
export type Parts = Pick<Row, "actors" | "bounds" | "check"> & Partial<Pick<Row, "setup">>;

/** Makes a broken scenario and its twin. */
export function pair<T>(
  { name, about, expect }: { name: string; about: string } & Required<Pick<Row, "expect">>,
  [broken, right]: readonly [broken: new () => T, right: new () => T],
  parts: (make: () => T) => Parts,
): Row[] {
  const setup = () => makeMemory("shared", 64 * 8);
  return [
    { name: `broken-${name}`, about, expect, setup, ...parts(() => new broken()) },
    { name: `twin-${name}`, about: "the same, done right", setup, ...parts(() => new right()) },
  ];
}

/** An actor, or the code of one. */
export type Actor = ActorSpec | (() => unknown);

/** The actors of a scenario, by name. */
export type Actors = Readonly<Record<string, Actor>>;

/** Makes an actor that never dies. */
export function immortal(actor: Actor, rest: Partial<ActorSpec> = {}): ActorSpec {
  return { ...typeof actor === "function" ? { body: actor } : actor, immortal: true, ...rest };
}

/** Makes an immortal actor that begins once another has finished or is dead, and opens then. */
export function heir(of: string, actor: Actor): ActorSpec {
  return unarranged(immortal(actor, { after: of }));
}

/** Makes an immortal actor that begins once all others have finished or are dead. */
export function last(actor: Actor): ActorSpec {
  return immortal(actor, { last: true });
}

/** Repeats an act until it returns an end; also ends with a lost peer, and with a timeout. */
export function untilEnd(act: () => string | undefined): string {
  for (;;) {
    try {
      const end = act();
      if (end !== undefined) return end;
    } catch (error) {
      if (error instanceof PeerLostError) return "lost";
      if (error instanceof DOMException) return "timeout"; // the peer died before it was there
      throw error;
    }
  }
}

/** Returns whether each number is the one before it plus 1. */
export function isConsecutive(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number === numbers[i - 1]! + 1);
}

/** Makes shared memory under a label; call it in `setup`. */
export function makeMemory(label: string, sizeBytes: number): void {
  const inode = process().makeInode(label, sizeBytes);
  currentActor().local((world) => {
    world.share(inode);
    world.setName(pathOfMemory(label), inode);
  });
}

function pathOfMemory(label: string): string {
  return `/dev/shm/${label}`;
}

function inodeOf(label: string): Inode {
  return currentActor().world.names.get(pathOfMemory(label))!;
}

/** Maps memory that `setup` made. */
export function mapMemory(label: string): Mapping {
  const inode = inodeOf(label);
  const fd = process().openFile(inode);
  return Mapping.ofFile(fd, { length: inode.bytes.length, what: label });
}

/** Returns a path that opens the memory's file, for locks. */
export function pathOf(label: string): string {
  return files.pathOfFd(process().openFile(inodeOf(label)));
}

const patterns = new Map<number, Uint8Array<ArrayBuffer>>();

/** Returns bytes that differ with every position and every message. */
export function pattern(length: number, message: number): Uint8Array<ArrayBuffer> {
  return knownPattern(length, message).slice();
}

/** Makes a pattern once, because actors ask for it again in every run. */
function knownPattern(length: number, message: number): Uint8Array<ArrayBuffer> {
  const key = length * 2 ** 20 + message;
  let known = patterns.get(key);
  if (known === undefined) {
    known = Uint8Array.from({ length }, (_, i) => (message * 37 + i * 11 + 5) & 0xff);
    patterns.set(key, known);
  }
  return known;
}

/** Returns the message of these bytes; undefined for others, such as halves of two messages. */
export function messageOf(bytes: Uint8Array, highest: number): number | undefined {
  for (let message = 1; message <= highest; message++) {
    if (knownPattern(bytes.length, message).every((byte, i) => byte === bytes[i])) return message;
  }
  return undefined;
}

/** Opens an end, and tries again while a dead holder's role is not released yet. */
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
