/**
 * Every error class of this package, and the meaning of each errno for a user.
 *
 * An invalid argument throws a built-in `TypeError` or `RangeError`, and a time-out throws a
 * `DOMException` named `TimeoutError`. The classes here are for conditions that a caller may catch.
 *
 * @module
 */

/** The root of every error class of this package. */
export class VringError extends Error {
  /** The class name, as `instanceof` does not survive a structured clone. */
  override name = "VringError";
}

/**
 * The names and meanings of the errno values that this package can meet (Linux, all architectures).
 */
const ERRNO: Record<number, readonly [name: string, meaning: string]> = {
  1: ["EPERM", "the operation is not permitted"],
  2: ["ENOENT", "there is nothing of that name"],
  4: ["EINTR", "a signal arrived"],
  6: ["ENXIO", "it is a socket, or a device that does not exist"],
  9: ["EBADF", "the file descriptor is closed or does not allow it"],
  11: ["EAGAIN", "it is taken or changed at this moment"],
  12: ["ENOMEM", "the kernel has no memory or address space left for it"],
  13: ["EACCES", "the permissions of the file do not allow it"],
  14: ["EFAULT", "the address is not mapped"],
  17: ["EEXIST", "the name is already in use"],
  18: ["EXDEV", "it would cross file systems"],
  20: ["ENOTDIR", "a part of the path is not a directory"],
  21: ["EISDIR", "it is a directory"],
  22: ["EINVAL", "the kernel refuses these arguments"],
  23: ["ENFILE", "the system has no file descriptors left"],
  24: ["EMFILE", "this process has no file descriptors left"],
  27: ["EFBIG", "the file would be larger than the file system allows"],
  28: ["ENOSPC", "the file system is full"],
  30: ["EROFS", "the file system is read-only"],
  36: ["ENAMETOOLONG", "the name is too long"],
  38: ["ENOSYS", "this kernel does not have the system call, or forbids it"],
  40: ["ELOOP", "the name is a symbolic link, which is never followed"],
  95: ["EOPNOTSUPP", "the file system does not support it"],
  110: ["ETIMEDOUT", "the deadline has passed"],
  122: ["EDQUOT", "the disk quota is used up"],
};

/** The errno values that the code of this package compares with. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  ENXIO: 6,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EEXIST: 17,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENOSPC: 28,
  EROFS: 30,
  ENOSYS: 38,
  ELOOP: 40,
  EOPNOTSUPP: 95,
  ETIMEDOUT: 110,
} as const;

/** Returns the symbolic name of an errno value, such as `ENOENT` for 2. */
export function errnoName(errno: number): string {
  return ERRNO[errno]?.[0] ?? `errno ${errno}`;
}

/** The facts about a system call that an {@linkcode OsError} reports. */
export interface CallContext {
  /** The system call, such as `mmap`. */
  syscall: string;
  /** The attempt, which begins the message, such as `open region "demo"`. */
  action: string;
  /** The problem, if the caller knows more than the errno says. */
  state?: string | undefined;
  /** The remedy, which completes the message. */
  remedy?: string | undefined;
}

/** Thrown when a system call fails. It names the call, its object, the errno and a remedy. */
export class OsError extends VringError {
  /** The class name, to tell errors of other threads and other copies of this module apart. */
  override name = "OsError";
  /** The system call that failed, such as `mmap`. */
  readonly syscall: string;
  /** The positive errno value. */
  readonly errno: number;
  /** The symbolic name of the errno value, such as `ENOSPC`. */
  readonly code: string;

  /** Describes the failure of one system call; `errno` is positive. */
  constructor(errno: number, context: CallContext) {
    const [code, meaning] = ERRNO[errno] ?? [`errno ${errno}`, "the kernel gives no more detail"];
    const remedy = context.remedy === undefined ? "" : `; ${context.remedy}`;
    const state = context.state ?? meaning;
    super(`Cannot ${context.action}: ${state} (${context.syscall}: ${code})${remedy}`);
    this.syscall = context.syscall;
    this.errno = errno;
    this.code = code;
  }
}

/** Returns `result`, or throws an {@linkcode OsError} if it is a negative errno. */
export function check(result: number, context: CallContext): number {
  if (result < 0) throw new OsError(-result, context);
  return result;
}

/**
 * Thrown when a file in /dev/shm is no region, or a region with another layout, type, size or
 * policy than the definition. The message names the difference.
 */
export class LayoutMismatchError extends VringError {
  /** The class name, to tell errors of other threads and other copies of this module apart. */
  override name = "LayoutMismatchError";
}

/** Thrown when shared memory holds a value that no correct peer stores. */
export class CorruptRegionError extends VringError {
  /** The class name, to tell errors of other threads and other copies of this module apart. */
  override name = "CorruptRegionError";
}

/** Thrown by the methods of a closed handle, and by the waits that its close ends. */
export class ClosedError extends VringError {
  /** The class name, to tell errors of other threads and other copies of this module apart. */
  override name = "ClosedError";
}

/**
 * Thrown when a receiver missed messages and cannot return their number, as in a loop over values.
 */
export class LostError extends VringError {
  /** The class name, to tell errors of other threads and other copies of this module apart. */
  override name = "LostError";
}

/**
 * Thrown when a living handle holds the role (producer, consumer, writer ...), or all its seats. An
 * mpsc ring throws it too while no free lane has been read to its end.
 */
export class RoleTakenError extends VringError {
  /** The class name, to tell errors of other threads and other copies of this module apart. */
  override name = "RoleTakenError";
}

/**
 * Thrown when a peer died or left before its work was finished: a producer that was disposed before
 * it ended, or a server that closed with unanswered calls.
 */
export class PeerLostError extends VringError {
  /** The class name, to tell errors of other threads and other copies of this module apart. */
  override name = "PeerLostError";
}

/** Thrown by a call whose handler threw an error at the server. */
export class RemoteError extends VringError {
  /** The class name, to tell errors of other threads and other copies of this module apart. */
  override name = "RemoteError";
  /** The name of the error that was thrown, such as "TypeError". */
  readonly remoteName: string;
  /** The `code` of the error that was thrown, such as "ENOENT", if it had one. */
  readonly code: string | number | undefined;

  /** Describes an error of this name, message and code that was thrown elsewhere. */
  constructor(remoteName: string, message: string, code?: string | number) {
    super(message);
    this.remoteName = remoteName;
    this.code = code;
  }
}

/** Counts something in words, such as `1 subscriber` or `2 subscribers`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Makes the TimeoutError of a wait. `state` describes the state that the waiter sees at the
 * deadline, such as `it has no publisher`.
 */
export function timeoutError(action: string, timeoutMs: number, state?: string): DOMException {
  const seen = state === undefined ? "" : `, and ${state}`;
  return new DOMException(`Cannot ${action}: ${timeoutMs} ms have passed${seen}`, "TimeoutError");
}
