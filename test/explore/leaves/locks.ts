/** Replaces src/os/locks.ts: record locks of the simulated machine. @module */

import { process, shared } from "../engine/mod.ts";
import { Lock } from "../../../src/os/locks.ts?real";
import * as files from "./files.ts";

export { Lock };

const ENOENT = 2;
const EAGAIN = 11;

export function openLockFile(path: string, _write: boolean): number {
  return files.open(path, 0);
}

export function closeLockFile(fd: number): number {
  const file = process().files.get(fd)!;
  process().files.delete(fd);
  return shared(() => "close and unlock", (world) => {
    world.dropLocks(file.number);
    return 0;
  });
}

/** Locks one byte only: ranges are for pids, and the machine has none. */
export function setLock(fd: number, type: number, byte: number, _count = 1): number {
  const { number, inode } = process().files.get(fd)!;
  const verb = type === Lock.none
    ? "unlock"
    : type === Lock.read
    ? "lock to read"
    : "lock to write";
  return shared(() => `${verb} byte ${byte % 2 ** 20}`, (world) => {
    const refused = type !== Lock.none && world.conflicts(number, inode!, byte, type).length > 0;
    if (refused) return -EAGAIN;
    world.setLock(number, inode!, byte, type);
    return 0;
  });
}

export function testLock(fd: number, type: number, byte: number): number {
  const { number, inode } = process().files.get(fd)!;
  return shared(() => `test lock of byte ${byte % 2 ** 20}`, (world) => {
    const [conflict] = world.conflicts(number, inode!, byte, type);
    return conflict === undefined ? Lock.none : conflict.type;
  });
}

export function findLock(fd: number, byte: number, count: number): number {
  const { number, inode } = process().files.get(fd)!;
  return shared(
    () => `find a lock`,
    (world) => world.lockWithin(number, inode!, byte, count) ?? -ENOENT,
  );
}
