/**
 * A POSIX named semaphore as a lock between processes, which survives the death of its owner.
 *
 * It consists of two locks, always acquired in this order:
 *
 *   1. a record lock on the semaphore's file: held by at most one living vring party
 *   2. the semaphore itself (1 is free, 0 is taken): the lock that programs in C see
 *
 * A semaphore does not know its owner, so it stays at 0 for ever after its owner was killed. The
 * record lock vanishes with the owner. A party that acquires the record lock and finds the
 * semaphore at 0 knows that the owner is dead, and inherits the permit. It does not post, or two
 * could hold the lock.
 *
 * C1  Killed before the semaphore is acquired: it is at 1, and the next party acquires it.
 * C2  Killed while owning: it is at 0, and the next party inherits it (with `recovered` set).
 * C3  Killed between post and unlock, when releasing: it is at 1, and the next party acquires it.
 *
 * With `interop`, a program that takes no record lock may also hold the semaphore. Then 0 may mean
 * a living owner, so no party inherits the permit. A killed owner blocks every waiter, as it does
 * in C.
 *
 * A semaphore's futex is private to the C library, so a wait polls, at most 5 ms apart.
 *
 * @module
 */

import { checkedOptions, checkSyncWaits, checkWaits, inWords } from "../arguments.ts";
import {
  check,
  ClosedError,
  CorruptRegionError,
  Errno,
  LayoutMismatchError,
  OsError,
  timeoutError,
  VringError,
} from "../errors.ts";
import { openError } from "../region/access.ts";
import { LockFile } from "../region/liveness.ts";
import { checkName, semaphoreName } from "../region/names.ts";
import { pollUntil } from "../region/poll.ts";
import { noteOpen } from "../region/registry.ts";
import { now, processId, sleep, sleepSync } from "../os/clock.ts";
import { statPath } from "../os/files.ts";
import { interrupts } from "../os/futex.ts";
import * as semaphores from "../os/semaphore.ts";
import { interrupted, type SyncWaitOptions, type WaitOptions } from "../wait/until.ts";
import { makePermit, type Permit } from "./permit.ts";

/** The locks that are held. A garbage-collected handle would lose its record lock. */
const held = new Set<SemaphoreLock>();

/**
 * The byte whose holder owns the lock. An owner locks the bytes before it too, as many as its pid:
 * so a waiter whose time is up sees which process holds the lock.
 */
const OWNER = 2 ** 22; // the largest pid of Linux
const FIRST_PAUSE_MS = 0.05;
const LONGEST_PAUSE_MS = 5;
const OPEN_ATTEMPTS = 1000;

/** The size of sem_t on 64-bit systems, with glibc and musl alike. */
const SEMAPHORE_BYTES = 32;

/** The options of {@linkcode lock}. */
export interface LockOptions {
  /**
   * Whether programs without vring may hold the semaphore. If so, vring recovers nothing: a killed
   * owner blocks every waiter for ever. All vring programs must pass the same value.
   */
  interop?: boolean | undefined;
  /** The permission bits of a new semaphore, less the umask; 0o600 by default. */
  mode?: number | undefined;
}

/**
 * Defines a lock for one process at a time, on a POSIX semaphore. `sem_open` in C opens the same
 * semaphore by this name.
 *
 * @example Only one process at a time
 * ```ts
 * import { lock } from "@vring/vring";
 *
 * const door = lock("example-lock"); // a module that all programs import
 *
 * using handle = door.open();
 * {
 *   using permit = handle.lockSync({ timeout: 1000 });
 *   console.log(permit.recovered ? "the last owner died inside" : "inside");
 * }
 * door.unlink();
 * ```
 */
export function lock(name: string, options?: LockOptions): LockDefinition {
  if (options === undefined) options = {};
  return new LockDefinition(name, options);
}

/**
 * Opens or unlinks a lock; {@linkcode lock} makes this definition. A semaphore stays after its last
 * handle closes, until it is unlinked.
 */
export class LockDefinition {
  /** The name of the lock. */
  readonly name: string;
  readonly #options: LockOptions;

  /** @ignore */
  constructor(name: string, options: LockOptions) {
    this.name = checkName(name, "the name of a lock");
    this.#options = checkedOptions(options, `define lock ${inWords(name)}`, ["interop", "mode"]);
  }

  /** Opens the lock, or creates a free one. */
  open(): SemaphoreLock {
    return new SemaphoreLock(this.name, this.#options);
  }

  /** Resolves once the semaphore exists, whichever program creates it. */
  async ready(options?: WaitOptions): Promise<void> {
    const action = `find lock "${this.name}"`;
    const own = checkedOptions(options, action);
    const path = semaphores.semaphoreFile(semaphoreName(this.name));
    const look = () => typeof statPath(path) === "object" || undefined;
    await pollUntil({ look, action, missing: () => "which does not exist" }, own);
  }

  /**
   * Removes the name, so that the next handle creates another semaphore. Existing handles keep
   * working. Returns false if the semaphore does not exist.
   */
  unlink(): boolean {
    const result = semaphores.unlinkSemaphore(semaphoreName(this.name));
    if (result === -Errno.ENOENT) return false;
    check(result, { syscall: "sem_unlink", action: `unlink semaphore "${this.name}"` });
    return true;
  }
}

/** A lock that one process holds at a time, on a named POSIX semaphore. */
export class SemaphoreLock implements Disposable {
  /** The name of the lock. */
  readonly name: string;
  /** Whether a killed owner's permit is recovered; false with `interop`. */
  readonly recovers: boolean;
  readonly #file: LockFile;
  readonly #semaphore: number;
  readonly #forget: () => void;
  #permit: Permit | undefined;
  #closed = false;

  /** @ignore */
  constructor(name: string, { interop = false, mode = 0o600 }: LockOptions) {
    this.name = name;
    this.recovers = !interop;
    const { file, semaphore } = openBoth(semaphoreName(name), mode);
    this.#file = file;
    this.#semaphore = semaphore;
    this.#forget = noteOpen(this, this.#what, semaphores.semaphoreFile(semaphoreName(name)));
  }

  /** Whether the handle is closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether this handle holds the lock. */
  get held(): boolean {
    return this.#permit !== undefined;
  }

  /** Acquires the lock if it is free; returns undefined if it is held, also by this handle. */
  tryLock(): Permit | undefined {
    this.#checkOpen();
    if (this.#permit !== undefined || !this.#tryOwn()) return undefined;
    using stack = new DisposableStack();
    stack.defer(() => this.#unlock()); // unless the lock is acquired
    const result = semaphores.tryWait(this.#semaphore);
    if (result === -Errno.EFAULT) throw this.#lost();
    if (result !== -Errno.EAGAIN) check(result, { syscall: "sem_trywait", action: this.#action });
    const inherited = result === -Errno.EAGAIN; // C2
    if (inherited && !this.recovers) return undefined;
    stack.move();
    held.add(this);
    const permit = makePermit(inherited, this.#what, () => this.#release(permit));
    return this.#permit = permit;
  }

  /**
   * Blocks the thread until it has acquired the lock. A Worker that is terminated during the wait
   * ends only after this method returns, and then releases the lock.
   */
  lockSync(options?: SyncWaitOptions): Permit {
    if (options === undefined) options = {};
    checkSyncWaits(options);
    const pauses = this.#pauses(options);
    const interruptsBefore = interrupts();
    for (;;) {
      const permit = this.tryLock();
      if (permit !== undefined) return permit;
      sleepSync(pauses.next());
      if (interrupts() !== interruptsBefore) throw interrupted();
    }
  }

  /** Resolves once it has acquired the lock. */
  async lock(options?: WaitOptions): Promise<Permit> {
    if (options === undefined) options = {};
    const pauses = this.#pauses(options);
    const { signal } = options;
    for (;;) {
      signal?.throwIfAborted();
      const permit = this.tryLock();
      if (permit !== undefined) return permit;
      await sleep(pauses.next(), signal);
    }
  }

  /** Releases the lock; returns false unless this permit holds it. */
  #release(permit: Permit): boolean {
    if (this.#permit !== permit) return false;
    this.#permit = undefined;
    held.delete(this);
    const result = semaphores.post(this.#semaphore);
    this.#unlock(); // after the post: C3
    if (result === -Errno.EFAULT) throw this.#lost();
    check(result, { syscall: "sem_post", action: `release ${this.#what}` });
    return true;
  }

  /** Releases the lock, if this handle holds it, and closes the semaphore. */
  close(): void {
    if (this.#closed) return;
    try {
      if (this.#permit !== undefined) this.#release(this.#permit);
    } catch (error) {
      if (!(error instanceof CorruptRegionError)) throw error; // it has released what it holds
    } finally {
      this.#closed = true;
      this.#forget();
      this.#file.close();
      semaphores.closeSemaphore(this.#semaphore);
    }
  }

  /** Closes the lock, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  get #what(): string {
    return `lock "${this.name}"`;
  }

  #lost(): CorruptRegionError {
    return new CorruptRegionError(
      `Cannot use ${this.#what}: its file was truncated by a peer; close it, unlink it and open ` +
        "another one",
    );
  }

  get #action(): string {
    return `acquire ${this.#what}`;
  }

  #tryOwn(): boolean {
    return this.#file.tryLock(OWNER - processId(), "write", 1 + processId());
  }

  #unlock(): void {
    this.#file.unlock(OWNER - processId(), 1 + processId());
  }

  /** Describes the holder, for a waiter whose time is up. */
  #describeHolder(): string {
    if (this.#permit !== undefined) return "this handle holds it";
    const start = this.#file.startOfOther(OWNER);
    if (start === OWNER - processId()) return "another handle of this process holds it";
    if (start !== undefined) return `process ${OWNER - start} holds it`;
    return "no vring program holds it: a program in C does, or a killed one did";
  }

  /** Returns a source of ever longer pauses, in milliseconds, that throws after the timeout. */
  #pauses(options: SyncWaitOptions): { next(): number } {
    checkWaits(options);
    const { timeout = Infinity } = options;
    const deadline = now() + timeout * 1e6;
    let pauseMs = FIRST_PAUSE_MS;
    return {
      next: () => {
        const leftMs = (deadline - now()) / 1e6;
        if (leftMs <= 0) throw timeoutError(this.#action, timeout, this.#describeHolder());
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
        return Math.min(pauseMs, leftMs);
      },
    };
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError(`Cannot use ${this.#what}: it is closed`);
  }
}

/** Opens the semaphore and a lock file on the same file. */
function openBoth(name: string, mode: number): { file: LockFile; semaphore: number } {
  const action = `open semaphore "${name}"`;
  for (let attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
    using stack = new DisposableStack();
    const semaphore = semaphores.openSemaphore(name, mode);
    if (semaphore < 0) {
      throw openError(-semaphore, semaphores.semaphoreFile(name), { syscall: "sem_open", action });
    }
    stack.defer(() => semaphores.closeSemaphore(semaphore));
    const file = stack.use(tryOpenFile(name));
    const status = file?.status();
    // If they differ, the name was unlinked between the two calls and now names another file.
    if (status === undefined || status.inode !== semaphores.inodeOf(semaphore)) continue;
    if (status.size < SEMAPHORE_BYTES) throw notSemaphore(name, status.size);
    stack.move();
    return { file: file!, semaphore };
  }
  throw new VringError(
    `Cannot ${action}: it is unlinked again and again; find out by which program`,
  );
}

/**
 * Makes the error for a file that is too short. The C library maps a file of any size, and any use
 * beyond its end is a SIGBUS.
 */
function notSemaphore(name: string, sizeBytes: number): LayoutMismatchError {
  const path = semaphores.semaphoreFile(name);
  return new LayoutMismatchError(
    `Cannot open semaphore "${name}": ${path} has ${sizeBytes} bytes, and a semaphore has ` +
      `${SEMAPHORE_BYTES}; remove it or use another name`,
  );
}

function tryOpenFile(name: string): LockFile | undefined {
  try {
    const what = `semaphore "${name}"`;
    return new LockFile(semaphores.semaphoreFile(name), { write: true, what });
  } catch (error) {
    if (error instanceof OsError && error.errno === Errno.ENOENT) return undefined;
    throw error;
  }
}
