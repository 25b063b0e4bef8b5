/**
 * The process that an actor is: its open files and mappings; and what leaves need to turn calls into
 * operations on the machine.
 *
 * @module
 */

import { type Actor, currentActor } from "./actor.ts";
import type { Access } from "./operation.ts";
import type { Inode, World } from "./world.ts";

/** The size of a page; small, because copying one then costs little. */
export const PAGE_BYTES = 512;

/** Open files of an actor have numbers from `index * FILES_EACH`; locks belong to such a number. */
const FILES_EACH = 10_000;

/** An open file of an actor. */
export interface OpenFile {
  readonly number: number;
  /** The file; undefined while a new file has no bytes yet. */
  inode: Inode | undefined;
}

interface Range {
  readonly start: number;
  readonly end: number;
  /** The file that is mapped; undefined if the range is only reserved. */
  readonly inode: Inode | undefined;
  readonly offset: number;
}

/** The objects of one run of an actor's code; the next run creates the same ones again. */
class Process {
  readonly files = new Map<number, OpenFile>();
  ranges: Range[] = [];
  #nextFd = 3;
  #nextFile: number;
  #nextInode: number;
  #nextAddress: number;

  constructor(index: number) {
    this.#nextFile = index * FILES_EACH;
    this.#nextInode = index * FILES_EACH;
    this.#nextAddress = (index + 1) * 2 ** 32;
  }

  /** Creates a file or memory that no other actor can reach yet. */
  makeInode(label: string, sizeBytes: number): Inode {
    const id = this.#nextInode++;
    return currentActor().local((world) => world.makeInode(id, label, sizeBytes));
  }

  /** Opens a file and returns its descriptor. */
  openFile(inode: Inode | undefined): number {
    const fd = this.#nextFd++;
    this.files.set(fd, { number: this.#nextFile++, inode });
    return fd;
  }

  /** Reserves addresses for a mapping, and returns the first. */
  addresses(length: number): number {
    const address = this.#nextAddress;
    this.#nextAddress += Math.ceil(length / PAGE_BYTES + 1) * PAGE_BYTES;
    return address;
  }
}

/** Returns the process of the actor whose code calls. */
export function process(): Process {
  const actor = currentActor();
  let own = actor.locals.get(Process) as Process | undefined;
  if (own === undefined) actor.locals.set(Process, own = new Process(actor.index));
  return own;
}

/** Returns the open files of an actor that hold locks. */
export function lockFilesOf(world: World, { index }: Actor): number[] {
  return world.lockFiles(index * FILES_EACH, (index + 1) * FILES_EACH);
}

/** Returns the number of an open file within its process: the same in every run. */
export function numberWithin(file: number): number {
  return file % FILES_EACH;
}

/** Finds the file and offset behind an address of the current actor, and how much is mapped. */
export function resolve(address: number): { inode: Inode; offset: number; left: number } {
  const { ranges } = process();
  for (let i = ranges.length - 1; i >= 0; i--) {
    const { start, end, inode, offset } = ranges[i]!;
    if (address < start || address >= end) continue;
    if (inode === undefined) break;
    return { inode, offset: offset + address - start, left: end - address };
  }
  throw currentActor().crash(new Error(`SIGSEGV: nothing is mapped at ${address}`));
}

/** Follows the name of a 64-bit word, in the name of the word of its higher 32 bits. */
export const HIGH_HALF = " (high half)";

/** Gives a word a name for traces, unless it has one. */
export function nameWord({ inode, offset }: { inode: Inode; offset: number }, path: string): void {
  if (!inode.names.has(offset >> 2)) inode.names.set(offset >> 2, path);
}

/** Returns the name of a word. */
export function nameOf(inode: Inode, index: number): string {
  return inode.names.get(index) ?? `${inode.label}+${4 * index}`;
}

/** Writes bytes as a trace shows them: the first eight. */
export function inHex(bytes: Uint8Array): string {
  return bytes.subarray(0, 8).toHex() + (bytes.length > 8 ? `.. (${bytes.length} bytes)` : "");
}

/** Operates on an inode: an operation of the scheduler, unless no other actor can reach the inode. */
export function on<T>(
  inode: Inode,
  label: () => string,
  perform: (world: World) => T,
  access?: Access,
): T {
  const actor = currentActor();
  if (!inode.shared) return actor.local(perform);
  return actor.operate({ label, perform, access });
}

/** Operates on the file system or a lock, which are always shared. */
export function shared<T>(label: () => string, perform: (world: World) => T): T {
  return currentActor().operate({ label, perform });
}
