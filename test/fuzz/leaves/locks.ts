/**
 * Replaces src/os/locks.ts: another process is a member of the region, and no role is held.
 *
 * @module
 */

import { LOCKS } from "./files.ts";

const EAGAIN = 11;
const ENOENT = 2;
const MEMBER = 2 ** 52;

export const Lock = { read: 0, write: 1, none: 2 } as const;

export function openLockFile(_path: string, _write: boolean): number {
  return LOCKS;
}

export function closeLockFile(_fd: number): number {
  return 0;
}

export function setLock(_fd: number, type: number, byte: number, _count = 1): number {
  return type === Lock.write && byte === MEMBER ? -EAGAIN : 0;
}

export function testLock(_fd: number, _type: number, byte: number): number {
  return byte === MEMBER ? Lock.read : Lock.none;
}

export function findLock(_fd: number, _byte: number, _count: number): number {
  return -ENOENT;
}
