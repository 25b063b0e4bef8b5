/**
 * The removal of regions: by the last member that leaves, by the next opener, or by a sweep.
 * region/file.ts describes the states and the locks.
 *
 * @module
 */

import { check, Errno, LayoutMismatchError, OsError } from "../errors.ts";
import * as files from "../os/files.ts";
import { REGION_HEADER, type RegionHeader, RegionState } from "./header.ts";
import { LockFile } from "./liveness.ts";
import {
  identityOf,
  isNameOf,
  MEMBER,
  NAME,
  type OpenFile,
  openFile,
  readHeader,
} from "./opened.ts";

/**
 * Returns `alive` if the region has a member, or persists (then MEMBER is locked if nobody else
 * held it). Otherwise removes the abandoned region and returns `again`.
 */
export function lockAlive(
  member: LockFile,
  file: OpenFile,
  path: string,
  what: string,
): "alive" | "again" {
  const removed = removeUnlessAlive(member, file, path, what);
  if (removed === undefined) return "alive";
  checkRemoved(removed, what);
  return "again";
}

/** Removes an abandoned region, as removeName() does; undefined if the region is alive or kept. */
function removeUnlessAlive(
  member: LockFile,
  file: OpenFile,
  path: string,
  what: string,
): number | undefined {
  if (!member.tryLock(MEMBER, "write")) return undefined;
  if (isKept(readHeader(file.fd, what))) return undefined; // read with MEMBER locked: it is final
  return removeName(member, path);
}

/**
 * Looks for a member without a lock, as an observer does. Returns `again` while another process has
 * MEMBER for writing: that process joins a region that is kept, or removes one that is not.
 */
export function checkAlive(
  member: LockFile,
  file: OpenFile,
  what: string,
): "alive" | "again" | "absent" {
  const held = member.lockOfOther(MEMBER);
  if (held !== undefined) return held === "read" ? "alive" : "again";
  return isKept(readHeader(file.fd, what)) ? "alive" : "absent";
}

function isKept(header: RegionHeader): boolean {
  return (header.state & RegionState.persist) !== 0;
}

/** Throws if this user may not remove the name; returns if another process has removed it. */
function checkRemoved(result: number, what: string): void {
  if (result === -Errno.EAGAIN || result === -Errno.ENOENT) return;
  const remedy = "ask its owner to open or unlink it";
  check(result, { syscall: "unlinkat", action: `remove the abandoned ${what}`, remedy });
}

/** Whether a living process uses the region, or it is kept; removes an abandoned one. */
export function isInUse(
  path: string,
  what: string,
  options: { anyOwner?: boolean | undefined },
): boolean {
  using file = openFile(path, what, options);
  if (file === undefined) return false;
  using lock = new LockFile(files.pathOfFd(file.fd), { write: true, what });
  return lockAlive(lock, file, path, what) === "alive";
}

/** Removes an abandoned region if this user may; returns whether it did. */
export function removeAbandoned(path: string): boolean {
  const what = `the file ${path}`;
  try {
    using file = openFile(path, what, { anyOwner: true });
    if (file === undefined) return false;
    using member = new LockFile(files.pathOfFd(file.fd), { write: true, what });
    const removed = removeUnlessAlive(member, file, path, what);
    if (removed === undefined) return false;
    if (removed === -Errno.EAGAIN || removed === -Errno.ENOENT) return false; // already removed
    check(removed, { syscall: "unlinkat", action: `remove ${what}` });
    return true;
  } catch (error) {
    if (error instanceof LayoutMismatchError) return false; // another file has the name now
    if (!(error instanceof OsError)) throw error;
    if (error.errno === Errno.EACCES || error.errno === Errno.EPERM) return false;
    throw error;
  }
}

/**
 * Unlinks the name if it still is the name of this file; returns -ENOENT if it is not, and -EAGAIN
 * if another process is removing it.
 */
export function removeName(lock: LockFile, path: string): number {
  if (!lock.tryLock(NAME, "write")) return -Errno.EAGAIN;
  const result = isNameOf(path, identityOf(lock.status())) ? files.unlink(path) : -Errno.ENOENT;
  lock.unlock(NAME);
  return result;
}

/** Gives up MEMBER; the last one out removes the name, unless the region persists. */
export function leave(member: LockFile, path: string): void {
  member.unlock(MEMBER);
  if (!member.tryLock(MEMBER, "write")) return; // I3
  if (persists(member)) return; // read only now, when nobody is left to change it
  // A refusal (another owner's file in a sticky directory) leaves the region abandoned. Its owner's
  // next open removes it.
  removeName(member, path);
}

/** Whether the region persists, by its file: the memory may have been transferred away. */
function persists(member: LockFile): boolean {
  const state = new Uint32Array(1);
  member.read(new Uint8Array(state.buffer), REGION_HEADER.fields.state.offset);
  return (state[0]! & RegionState.persist) !== 0;
}
