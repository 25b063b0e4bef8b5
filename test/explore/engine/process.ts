/**
 * What the leaves share: the simulated machine, and each actor's own files and mappings.
 *
 * @module
 */

import { currentActor, type Operation } from "./actor.ts";
import { type Inode, World } from "./world.ts";

/** The machine that all actors run on. */
export let world: World = new World();

/** Starts over with an empty machine. */
export function resetWorld(): void {
  world = new World();
}

/** The size of a page; small, so that copying one costs little. */
export const PAGE_BYTES = 512;

/** Open files of an actor are numbered from `index * FILES_EACH`: locks belong to such a number. */
export const FILES_EACH = 10_000;

/** An open file of an actor. */
export interface OpenFile {
  readonly number: number;
  inode: Inode | undefined;
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly inode: Inode | undefined;
  readonly offset: number;
}

/** What belongs to one run of an actor's body: all of it is made again by running it again. */
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

  /** A file or memory that nobody else can see yet. */
  makeInode(label: string, sizeBytes: number): Inode {
    const id = this.#nextInode++;
    return currentActor().local(() => world.makeInode(id, label, sizeBytes));
  }

  openFile(inode: Inode | undefined): number {
    const fd = this.#nextFd++;
    this.files.set(fd, { number: this.#nextFile++, inode });
    return fd;
  }

  addresses(length: number): number {
    const address = this.#nextAddress;
    this.#nextAddress += Math.ceil(length / PAGE_BYTES + 1) * PAGE_BYTES;
    return address;
  }
}

/** The process that the current actor is. */
export function process(): Process {
  const actor = currentActor();
  let own = actor.locals.get(Process) as Process | undefined;
  if (own === undefined) actor.locals.set(Process, own = new Process(actor.index));
  return own;
}

/** What an address of the current actor means: a file, an offset, and how much is mapped behind. */
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

/** Tells traces what a word is called. */
export function nameWord({ inode, offset }: { inode: Inode; offset: number }, path: string): void {
  if (!inode.names.has(offset >> 2)) inode.names.set(offset >> 2, path);
}

/** What a word is called. */
export function nameOf(inode: Inode, index: number): string {
  return inode.names.get(index) ?? `${inode.label}+${4 * index}`;
}

/** Bytes as a trace shows them: the first eight. */
export function inHex(bytes: Uint8Array): string {
  return bytes.subarray(0, 8).toHex() + (bytes.length > 8 ? `.. (${bytes.length} bytes)` : "");
}

/** An operation on an inode: the scheduler decides when, unless nobody else can see the inode. */
export function on<T>(inode: Inode, label: () => string, perform: () => T): T {
  const actor = currentActor();
  if (!inode.shared) return actor.local(perform);
  return actor.operate({ label, perform });
}

/** An operation on the file system or a lock, which are always shared. */
export function shared<T>(label: () => string, perform: () => T): T {
  return currentActor().operate({ label, perform });
}

/** An operation that may put the thread to sleep. */
export function mayBlock<T>(operation: Operation<T>): T {
  return currentActor().operate(operation);
}
