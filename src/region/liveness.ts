/**
 * Liveness: a role is a byte of the region's file, locked by its holder.
 *
 * The kernel drops a record lock when the holder's open file goes, however the holder dies. It
 * keeps the lock while the holder is merely stopped or slow. No heartbeat, pid or time-out is
 * involved, and pid namespaces do not matter.
 *
 * Each holder has an open file of its own. It is never mapped, as a mapping would keep the lock
 * past the close, and it is never shared. It belongs to the isolate's sentinel, so a terminated
 * Worker loses its roles as a killed process does. A Worker that blocks in a call keeps them until
 * the call returns, as Deno does not end a Worker amid synchronous JavaScript.
 *
 * The kernel takes milliseconds to drop a dead process's files. So code polls the lock after a
 * kill, and never assumes that the process is already dead.
 *
 * @module
 */

import { check, ClosedError, Errno, OsError } from "../errors.ts";
import { onCollected } from "../os/clock.ts";
import { type FileStatus, pathOfFd, read, stat } from "../os/files.ts";
import { closeLockFile, findLock, Lock, openLockFile, setLock, testLock } from "../os/locks.ts";

/** Lock bytes begin here, far beyond the contents of any file. */
export const FIRST_BYTE: number = 2 ** 52;

/** How to open a {@linkcode LockFile}. */
export interface LockFileOptions {
  /** Whether bytes can be locked for writing; needs write permission on the file. */
  readonly write: boolean;
  /** The purpose of the locks, for error messages, such as `region "demo"`. */
  readonly what: string;
  /** Called when a forgotten lock file was garbage collected and its locks are dropped. */
  readonly onForgotten?: () => void;
}

/** Locks bytes of a file through an open file of its own. */
export class LockFile implements Disposable {
  readonly #fd: number;
  readonly #what: string;
  readonly #forget: () => void;
  #closed = false;

  /** Opens the file at a path. */
  constructor(path: string, options: LockFileOptions) {
    const { write, what, onForgotten } = options;
    const fd = check(openLockFile(path, write), {
      syscall: "open",
      action: `open ${what} to lock`,
    });
    this.#fd = fd;
    this.#what = what;
    this.#forget = onCollected(this, () => {
      closeLockFile(fd);
      onForgotten?.();
    });
  }

  /** The fd; throws once it is closed, as its number may then belong to another file. */
  #open(): number {
    if (this.#closed) {
      throw new ClosedError(`Cannot use the locks of ${this.#what}: they are closed`);
    }
    return this.#fd;
  }

  /** A path that opens the same file again, even after it was renamed or unlinked. */
  get path(): string {
    return pathOfFd(this.#open());
  }

  /** The current status of the file. */
  status(): FileStatus {
    const status = stat(this.#open());
    if (typeof status === "object") return status;
    throw new OsError(-status, { syscall: "fstat", action: `look at ${this.#what}` });
  }

  /** Reads the file at `offset` into the target; returns the number of bytes read. */
  read(target: Uint8Array<ArrayBuffer>, offset: number): number {
    const length = read(this.#open(), target, offset);
    return check(length, { syscall: "read", action: `read ${this.#what}` });
  }

  /**
   * Locks a byte, or `count` of them, or changes this holder's lock; returns false if another lock
   * conflicts.
   */
  tryLock(byte: number, type: "read" | "write", count = 1): boolean {
    const result = setLock(this.#open(), Lock[type], FIRST_BYTE + byte, count);
    if (result === -Errno.EAGAIN || result === -Errno.EACCES) return false;
    check(result, { syscall: "fcntl", action: `lock byte ${byte} of ${this.#what}` });
    return true;
  }

  /** Unlocks a byte, or `count` of them. */
  unlock(byte: number, count = 1): void {
    const result = setLock(this.#open(), Lock.none, FIRST_BYTE + byte, count);
    check(result, { syscall: "fcntl", action: `unlock byte ${byte} of ${this.#what}` });
  }

  /** Whether another open file holds the byte at this moment, for reading or writing. */
  isHeldByOther(byte: number): boolean {
    return this.lockOfOther(byte) !== undefined;
  }

  /** Returns how another open file holds the byte at this moment; undefined if none does. */
  lockOfOther(byte: number): "read" | "write" | undefined {
    const type = testLock(this.#open(), Lock.write, FIRST_BYTE + byte);
    check(type, { syscall: "fcntl", action: `look at byte ${byte} of ${this.#what}` });
    return type === Lock.none ? undefined : type === Lock.read ? "read" : "write";
  }

  /** Returns the first byte of another open file's lock on a byte; undefined if there is none. */
  startOfOther(byte: number): number | undefined {
    const found = findLock(this.#open(), FIRST_BYTE + byte, 1);
    if (found === -Errno.ENOENT) return undefined;
    return check(found, { syscall: "fcntl", action: `look at byte ${byte} of ${this.#what}` }) -
      FIRST_BYTE;
  }

  /** Counts the locks that others hold on a range of bytes, at most one on each byte. */
  countOthers(byte: number, count: number): number {
    if (count === 0) return 0;
    const found = findLock(this.#open(), FIRST_BYTE + byte, count);
    if (found === -Errno.ENOENT) return 0;
    check(found, { syscall: "fcntl", action: `count the members of ${this.#what}` });
    const at = found - FIRST_BYTE; // any lock in the range, not the first: search both sides
    return 1 + this.countOthers(byte, at - byte) + this.countOthers(at + 1, byte + count - at - 1);
  }

  /** Drops every lock. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    closeLockFile(this.#fd);
  }

  /** Closes it, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** A locked byte, held until this handle closes the role or dies. */
export class Role implements Disposable {
  readonly #file: LockFile;
  readonly #all: Set<Role> | undefined;

  private constructor(file: LockFile, all: Set<Role> | undefined) {
    this.#file = file;
    this.#all = all?.add(this);
  }

  /**
   * Locks a byte of the file at `path`; returns undefined if a living holder has it. The role stays
   * in the set `all` until it is closed.
   */
  static tryHold(path: string, byte: number, what: string, all?: Set<Role>): Role | undefined {
    using stack = new DisposableStack();
    const file = stack.use(new LockFile(path, { write: true, what }));
    if (!file.tryLock(byte, "write")) return undefined;
    stack.move();
    return new Role(file, all);
  }

  /** Releases the role. */
  close(): void {
    this.#all?.delete(this);
    this.#file.close();
  }

  /** Closes it, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }
}
