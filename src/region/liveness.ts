/**
 * Who is alive: a role is a byte of the region's file, locked by its holder.
 *
 * The kernel drops a record lock when the holder's open file goes, however the holder dies, and
 * keeps it while the holder is merely stopped or slow. No heartbeat, no pid and no time-out is
 * involved, and pid namespaces do not matter. Each holder has an open file of its own, which is
 * never mapped (a mapping would keep the lock past the close) and never shared; it belongs to the
 * isolate's sentinel, so a terminated Worker loses its roles as a killed process does; but not before
 * a call that blocks its thread returns, as Deno does not end a Worker amid synchronous JavaScript.
 * The kernel takes milliseconds to drop a dead process's files: death is awaited, never assumed
 * after a kill.
 *
 * @module
 */

import { check, ClosedError, Errno, OsError } from "../errors.ts";
import { onCollected } from "../os/clock.ts";
import { type FileStatus, pathOfFd, read, stat } from "../os/files.ts";
import { closeLockFile, findLock, Lock, openLockFile, setLock, testLock } from "../os/locks.ts";
import { type LookOptions, lookUntil } from "./poll.ts";

/** Lock bytes begin here, far beyond the contents of any file. */
const FIRST_BYTE = 2 ** 52;

/** How to open a {@linkcode LockFile}. */
export interface LockFileOptions {
  /** Whether bytes can be locked for writing; needs write permission on the file. */
  readonly write: boolean;
  /** What the locks are for, for the message if it fails, such as `region "demo"`. */
  readonly what: string;
  /** Called when a forgotten one was garbage collected and its locks are dropped. */
  readonly onForgotten?: () => void;
}

/** An open file of its own, for locking bytes of a file. */
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

  /** The fd, whose number may be that of another file once this one is closed. */
  #open(): number {
    if (this.#closed) {
      throw new ClosedError(`Cannot use the locks of ${this.#what}: they are closed`);
    }
    return this.#fd;
  }

  /** A path that opens the same file again, whatever has become of its name. */
  get path(): string {
    return pathOfFd(this.#open());
  }

  /** What the file is like now. */
  status(): FileStatus {
    const status = stat(this.#open());
    if (typeof status === "object") return status;
    throw new OsError(-status, { syscall: "fstat", action: `look at ${this.#what}` });
  }

  /** Fills the target from a place in the file; gives how many bytes there were. */
  read(target: Uint8Array<ArrayBuffer>, offset: number): number {
    const length = read(this.#open(), target, offset);
    return check(length, { syscall: "read", action: `read ${this.#what}` });
  }

  /** Locks a byte, or changes the kind of an own lock; false if somebody is in the way. */
  tryLock(byte: number, kind: "read" | "write"): boolean {
    const result = setLock(this.#open(), Lock[kind], FIRST_BYTE + byte);
    if (result === -Errno.EAGAIN || result === -Errno.EACCES) return false;
    check(result, { syscall: "fcntl", action: `lock byte ${byte} of ${this.#what}` });
    return true;
  }

  /** Gives a byte back. */
  unlock(byte: number): void {
    const result = setLock(this.#open(), Lock.none, FIRST_BYTE + byte);
    check(result, { syscall: "fcntl", action: `unlock byte ${byte} of ${this.#what}` });
  }

  /** Whether somebody else holds the byte at this moment, for reading or writing. */
  isHeldByOther(byte: number): boolean {
    const kind = testLock(this.#open(), Lock.write, FIRST_BYTE + byte);
    check(kind, { syscall: "fcntl", action: `look at byte ${byte} of ${this.#what}` });
    return kind !== Lock.none;
  }

  /** How many locks others hold on a range of bytes, none of which two of them hold. */
  countOthers(byte: number, count: number): number {
    if (count === 0) return 0;
    const found = findLock(this.#open(), FIRST_BYTE + byte, count);
    if (found === -Errno.ENOENT) return 0;
    check(found, { syscall: "fcntl", action: `count the members of ${this.#what}` });
    const at = found - FIRST_BYTE; // the kernel names some lock, not the first: look on both sides
    return 1 + this.countOthers(byte, at - byte) + this.countOthers(at + 1, byte + count - at - 1);
  }

  /** Drops every lock. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    closeLockFile(this.#fd);
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** A byte held by this party until it closes the role or dies. */
export class Role implements Disposable {
  readonly #file: LockFile;
  readonly #all: Set<Role> | undefined;

  private constructor(file: LockFile, all: Set<Role> | undefined) {
    this.#file = file;
    this.#all = all?.add(this);
  }

  /**
   * Holds a byte of the file at `path`; undefined if a living party holds it. The role is in the set
   * `all` until it is closed.
   */
  static tryHold(path: string, byte: number, what: string, all?: Set<Role>): Role | undefined {
    using stack = new DisposableStack();
    const file = stack.use(new LockFile(path, { write: true, what }));
    if (!file.tryLock(byte, "write")) return undefined;
    stack.move();
    return new Role(file, all);
  }

  /** Gives the role back. */
  close(): void {
    this.#all?.delete(this);
    this.#file.close();
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Resolves once nobody else holds the byte: its holder has closed it, or is dead. */
export async function untilFree(
  file: LockFile,
  byte: number,
  options: LookOptions = {},
): Promise<void> {
  const look = () => file.isHeldByOther(byte) ? undefined : true;
  await lookUntil({ look, action: "see the role become free" }, options);
}
