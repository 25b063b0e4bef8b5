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
 * With `interop` the semaphore may also be held by a program that knows nothing of record locks.
 * Then 0 may mean a living owner, so nothing is inherited. A killed owner then blocks everyone, as
 * it does in C.
 *
 * A semaphore's futex is private to the C library, so a wait polls, at most 5 ms apart.
 *
 * @module
 */

import { checkedOptions, checkWaits, inWords } from "../arguments.ts";
import {
  check,
  ClosedError,
  Errno,
  LayoutMismatchError,
  OsError,
  timeoutError,
  VringError,
} from "../errors.ts";
import { openError } from "../region/access.ts";
import { LockFile } from "../region/liveness.ts";
import { checkName } from "../region/names.ts";
import { now, sleep, sleepSync } from "../os/clock.ts";
import { interrupts } from "../os/futex.ts";
import * as semaphores from "../os/semaphore.ts";
import { interrupted, type SyncWaitOptions, type WaitOptions } from "../wait/until.ts";

/** The locks that are held. A garbage-collected handle would lose its record lock. */
const held = new Set<SemaphoreLock>();

const OWNER = 0;
const FIRST_PAUSE_MS = 0.05;
const LONGEST_PAUSE_MS = 5;
const OPEN_ATTEMPTS = 1000;

/** The size of sem_t on 64-bit systems, with glibc and musl alike. */
const SEMAPHORE_BYTES = 32;

/** The options for opening a {@linkcode SemaphoreLock}. */
export interface SemaphoreLockOptions {
  /**
   * Whether a program that does not use vring may hold the semaphore. Nothing is recovered then: a
   * killed owner blocks everyone. All vring programs must pass the same value.
   */
  interop?: boolean | undefined;
  /** The permission bits of a new semaphore, less the umask; 0o600 by default. */
  mode?: number | undefined;
}

/**
 * The right to hold a lock, until it is released or disposed. A forgotten permit is held until its
 * process or Worker ends: the garbage collector never releases a lock.
 */
export interface Permit extends Disposable {
  /** Whether the last owner died while holding the lock: the protected data may be half changed. */
  readonly recovered: boolean;
  /** Releases the lock; throws if the permit was already released. */
  release(): void;
}

/**
 * A lock between processes, by name, on a POSIX semaphore. `sem_open` in C opens the same one by
 * this name.
 *
 * @example Only one process at a time
 * ```ts
 * import { SemaphoreLock } from "@vring/vring";
 *
 * using lock = new SemaphoreLock("example-lock");
 * {
 *   using permit = lock.acquireSync({ timeout: 1000 });
 *   console.log(permit.recovered ? "the last owner died inside" : "inside");
 * }
 * lock.unlink();
 * ```
 */
export class SemaphoreLock implements Disposable {
  /** The name. */
  readonly name: string;
  /** Whether a killed owner's permit is recovered; false with `interop`. */
  readonly recovers: boolean;
  readonly #file: LockFile;
  readonly #semaphore: number;
  #permit: Permit | undefined;
  #closed = false;

  /** Opens the semaphore of this name, or creates a free one. */
  constructor(name: string, options: SemaphoreLockOptions = {}) {
    const action = `open semaphore ${inWords(name)}`;
    const { interop = false, mode = 0o600 } = checkedOptions(options, action);
    this.name = checkName(name);
    this.recovers = !interop;
    const { file, semaphore } = openBoth(this.name, mode);
    this.#file = file;
    this.#semaphore = semaphore;
  }

  /**
   * Removes the name, so that the next opener creates another semaphore; returns false if it does
   * not exist.
   */
  static unlink(name: string): boolean {
    const result = semaphores.unlinkSemaphore(checkName(name));
    if (result === -Errno.ENOENT) return false;
    check(result, { syscall: "sem_unlink", action: `unlink semaphore "${name}"` });
    return true;
  }

  /** Whether this handle holds the lock. */
  get held(): boolean {
    return this.#permit !== undefined;
  }

  /** Acquires the lock if it is free; returns undefined if it is not. */
  tryAcquire(): Permit | undefined {
    this.#checkOpen();
    if (this.#permit !== undefined || !this.#file.tryLock(OWNER, "write")) return undefined;
    using stack = new DisposableStack();
    stack.defer(() => this.#file.unlock(OWNER)); // unless the lock is acquired
    const result = semaphores.tryWait(this.#semaphore);
    if (result !== -Errno.EAGAIN) check(result, { syscall: "sem_trywait", action: this.#action });
    const inherited = result === -Errno.EAGAIN; // C2
    if (inherited && !this.recovers) return undefined;
    stack.move();
    held.add(this);
    return this.#permit = this.#makePermit(inherited);
  }

  /**
   * Acquires the lock, and blocks the thread until then; throws a TimeoutError after `timeout` ms.
   * A Worker that is terminated meanwhile ends only once this has returned, and then releases the
   * lock.
   */
  acquireSync(options: SyncWaitOptions = {}): Permit {
    const pauses = this.#pauses(options);
    const interruptsBefore = interrupts();
    for (;;) {
      const permit = this.tryAcquire();
      if (permit !== undefined) return permit;
      sleepSync(pauses.next());
      if (interrupts() !== interruptsBefore) throw interrupted();
    }
  }

  /**
   * Acquires the lock; rejects with a TimeoutError after `timeout` ms, or with the signal's reason.
   */
  async acquire(options: WaitOptions = {}): Promise<Permit> {
    const pauses = this.#pauses(options);
    const { signal } = options;
    for (;;) {
      signal?.throwIfAborted();
      const permit = this.tryAcquire();
      if (permit !== undefined) return permit;
      await sleep(pauses.next(), signal);
    }
  }

  /** Releases the lock; throws if this handle does not hold it. */
  release(): void {
    this.#checkOpen();
    if (this.#permit === undefined) {
      throw new VringError(`Cannot release lock "${this.name}": this handle does not hold it`);
    }
    this.#permit = undefined;
    held.delete(this);
    const result = semaphores.post(this.#semaphore);
    this.#file.unlock(OWNER); // after the post: C3
    check(result, { syscall: "sem_post", action: `release lock "${this.name}"` });
  }

  /** Removes the name; existing handles keep working. Returns false if it does not exist. */
  unlink(): boolean {
    return SemaphoreLock.unlink(this.name);
  }

  /** Releases the lock, if this handle holds it, and closes the semaphore. */
  close(): void {
    if (this.#closed) return;
    try {
      if (this.#permit !== undefined) this.release();
    } finally {
      this.#closed = true;
      this.#file.close();
      semaphores.closeSemaphore(this.#semaphore);
    }
  }

  /** Closes it, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  get #action(): string {
    return `acquire lock "${this.name}"`;
  }

  #makePermit(recovered: boolean): Permit {
    const isHeld = () => this.#permit === permit;
    const permit: Permit = {
      recovered,
      release: () => {
        if (isHeld()) return this.release();
        throw new VringError(
          `Cannot release lock "${this.name}": this permit was already released`,
        );
      },
      [Symbol.dispose]: () => {
        if (isHeld()) this.release();
      },
    };
    return permit;
  }

  /** Yields ever longer pauses, and throws once the time is up. */
  #pauses(options: SyncWaitOptions): { next(): number } {
    checkWaits(options);
    const { timeout = Infinity } = options;
    const deadline = now() + timeout * 1e6;
    let pauseMs = FIRST_PAUSE_MS;
    return {
      next: () => {
        const leftMs = (deadline - now()) / 1e6;
        if (leftMs <= 0) throw timeoutError(this.#action, timeout);
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
        return Math.min(pauseMs, leftMs);
      },
    };
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError(`Cannot use lock "${this.name}": it is closed`);
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
