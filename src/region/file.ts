/**
 * The life of a region: a file in /dev/shm that is built completely, found by name, and removed
 * with its last member.
 *
 * Locks, each on one byte of the file (liveness.ts):
 *
 *   MEMBER   held for reading by every attachment, for as long as it is attached
 *   NAME     held for writing while a process checks whether the name still is this file and
 *            unlinks it; so a name is never unlinked from under the region that took it over
 *   ROLE+k   held for writing by the one process that has role k
 *   COUNT+r  held for reading by every attachment, each at a random r, so that members can be
 *            counted
 *
 * States of a region, and the transitions out of them:
 *
 *   unnamed    built by its creator in a file without a name; gone if the creator dies
 *   live       has a name and at least one member; the creator is a member before the name exists
 *   abandoned  has a name and no member: its members were killed, or the last one was killed while
 *              closing. The next opener finds MEMBER free (it can lock it for writing). It removes
 *              the name, or joins the region if it persists. A sweep removes the name in the same
 *              way. A process may join the region while the kernel is still dropping the locks of
 *              the dead
 *   kept       an abandoned region with `persist`
 *   nameless   was unlinked while members use it; they keep using it, and newcomers create another
 *
 * I1  A name is given by one link(2) to a file that is complete and reserved; EEXIST means join.
 * I2  A joiner is a member only if the file still has a name while the joiner holds MEMBER.
 *     Otherwise it looks again for the file that has the name now.
 * I3  The last one out gives up MEMBER and then tries to lock it for writing. Of several that leave
 *     together at most one gets it. The last one to give up is among those that try, so the name is
 *     removed. While the lock is held nobody can join.
 * C1  Killed anywhere while creating: the file has no name, or the region is abandoned.
 * C2  Killed anywhere while closing: the region is abandoned, or already gone.
 *
 * Fully reserved types stay without holes: a joiner allocates memory for the holes of a copied
 * file, and fails on a full file system. Sparse types (topics, slots) record which parts have
 * memory.
 *
 * A read-only member cannot unlink: if it is the last one, the region is abandoned.
 *
 * @module
 */

import { check, Errno, LayoutMismatchError, OsError, VringError } from "../errors.ts";
import { randomId } from "../os/clock.ts";
import * as files from "../os/files.ts";
import { availableMemory, pageSize } from "../os/page.ts";
import { kindError, makeError, openError, otherKind } from "./access.ts";
import { LockFile } from "./liveness.ts";
import { Again, PATIENCE_MS } from "./poll.ts";
import { Mapping } from "../memory/mapping.ts";
import { mapMirrored } from "../memory/mirror.ts";
import {
  checkHeader,
  composeHeader,
  dataBytesOf,
  dataOffsetOf,
  isDataSize,
  LARGEST_BYTES,
  type MessageType,
  parseHeader,
  partBytesOf,
  REGION_HEADER,
  type RegionHeader,
  type RegionKind,
  RegionState,
} from "./header.ts";
import { DIRECTORY, parseFileName } from "./names.ts";
import { copyIn } from "../memory/word.ts";

/** The byte that every attachment holds for reading. */
export const MEMBER = 0;
const NAME = 1;
/** The byte of role 0; role k is k bytes further. */
export const FIRST_ROLE = 2;
/** The first of the bytes to count members by: each attachment holds a random one. */
export const FIRST_COUNT: number = 2 ** 32;
/** The number of bytes from {@linkcode FIRST_COUNT} on. */
export const COUNTS: number = 2 ** 40;

/** The options of every way to attach. */
export interface AttachOptions {
  /** The type of the messages, checked when attaching. */
  readonly message?: MessageType | undefined;
  /** Also attaches if the file belongs to another user than you or root. */
  readonly anyOwner?: boolean | undefined;
}

/** The options for joining an existing region. */
export interface ConnectOptions extends AttachOptions {
  /** The exact number of data bytes; any by default. */
  readonly dataBytes?: number | undefined;
  /** The exact number of bytes in each part that is mapped twice; any by default. */
  readonly partBytes?: number | undefined;
  /** Maps the region for reading only: it can hold no role and unlink nothing. */
  readonly readOnly?: boolean | undefined;
}

/** The options for creating a region, or joining an existing one. */
export interface OpenOptions extends AttachOptions {
  /** The number of data bytes; whole pages if the data is mirrored. */
  readonly dataBytes: number;
  /** The number of mirrored bytes in each part; one part by default. */
  readonly partBytes?: number | undefined;
  /** The permission bits of a new file; 0o600 by default. */
  readonly mode?: number | undefined;
  /** Keeps the region when its last member leaves. */
  readonly persist?: boolean | undefined;
  /** The number of data bytes that get memory now; all by default. See `Region.allocate`. */
  readonly reservedBytes?: number | undefined;
  /** Fills the control block and data of a new region before any other process can see them. */
  readonly initialise?: ((mapping: Mapping) => void) | undefined;
}

/** The parts of an attachment. */
export interface Parts {
  kind: RegionKind;
  path: string;
  what: string;
  readOnly: boolean;
  created: boolean;
  header: RegionHeader;
  mapping: Mapping;
  member: LockFile;
}

/** A file opened by its name, with its status at that time. */
interface OpenFile extends Disposable {
  readonly fd: number;
  readonly status: files.FileStatus;
}

/** Identifies a file among all that exist, whatever its name. */
export function identityOf({ device, inode }: files.FileStatus): string {
  return `${device}:${inode}`;
}

/** Opens the file of this name if it is regular and trusted; undefined if none exists. */
export function openFile(
  path: string,
  what: string,
  options: { readOnly?: boolean | undefined; anyOwner?: boolean | undefined },
): OpenFile | undefined {
  const fd = files.open(path, options.readOnly ? 0 : files.Open.write);
  if (fd === -Errno.ENOENT) return undefined;
  const action = `open ${what}`;
  if (fd < 0) throw openError(-fd, path, { syscall: "openat", action });
  using stack = new DisposableStack();
  stack.defer(() => files.close(fd));
  const status = files.stat(fd);
  if (typeof status === "number") {
    throw new OsError(-status, { syscall: "fstat", action });
  }
  const kind = otherKind(status.mode);
  if (kind !== undefined) throw kindError(kind, path, action);
  const me = files.userId();
  if (status.uid !== me && status.uid !== 0 && !options.anyOwner) {
    const state = `it belongs to user ${status.uid}, and you are user ${me}`;
    const remedy = "pass anyOwner: true if you trust that user";
    throw new OsError(Errno.EACCES, { syscall: "fstat", action, state, remedy });
  }
  const opened = stack.move();
  return { fd, status, [Symbol.dispose]: () => opened.dispose() };
}

/** Reads the header without mapping it: a short file then ends the read and not the process. */
function readHeader(fd: number, what: string): RegionHeader {
  const bytes = new Uint8Array(REGION_HEADER.size);
  const length = check(files.read(fd, bytes), { syscall: "read", action: `open ${what}` });
  const header = parseHeader(bytes.subarray(0, length));
  if (typeof header === "object") return header;
  throw new LayoutMismatchError(`Cannot open ${what}: ${header}; remove it or use another name`);
}

/** Becomes a member of the region that has the name. */
export function tryJoin(
  kind: RegionKind,
  path: string,
  what: string,
  options: ConnectOptions,
): Parts | Again | "absent" {
  using file = openFile(path, what, options);
  if (file === undefined) return "absent";
  const readOnly = options.readOnly ?? false;
  using stack = new DisposableStack();
  const member = stack.use(openMember(file.fd, path, what, { readOnly }));
  const state = readOnly ? checkAlive(member, file, what) : lockAlive(member, file, path, what);
  if (state === "again") return again(what);
  if (state === "absent") return state;
  // Everything that can fail comes before joining: a member that leaves meanwhile is the last one
  // out, and must see that it is.
  const header = readHeader(file.fd, what);
  checkHeader(header, file.status.size, { kind, ...options }, what);
  if (!kind.sparse) fillHoles(file, what, readOnly);
  const mapping = stack.use(mapRegion(kind, file.fd, header, { what, readOnly }));
  if (!member.tryLock(MEMBER, "read")) return again(what); // the last one out is at work
  if (member.status().links === 0) return again(what); // I2
  stack.move();
  return { kind, path, what, readOnly, created: false, header, mapping, member };
}

/**
 * Allocates memory for the holes of a file that was created without any. A copy or a restored
 * backup can have holes, and touching one is a SIGBUS when the file system is full.
 */
function fillHoles({ fd, status }: OpenFile, what: string, readOnly: boolean): void {
  const { size, allocated } = status;
  if (allocated >= size) return;
  const action = `open ${what}`;
  if (!readOnly) return reserve(fd, 0, size, action, size - allocated);
  throw new OsError(Errno.ENOSPC, {
    syscall: "fstat",
    action,
    state: `${size - allocated} of the ${size} bytes of its file have no memory`,
    remedy: "open it once with the right to write, which reserves them",
  });
}

/** Opens the locks of an attachment; a forgotten one leaves the region as a closed one does. */
function openMember(
  fd: number,
  path: string,
  what: string,
  { readOnly }: { readOnly: boolean },
): LockFile {
  const onForgotten = () => {
    try {
      if (!readOnly) removeAbandoned(path);
    } catch {
      // The region stays abandoned: an error here would reach nobody and end the program.
    }
  };
  return new LockFile(files.pathOfFd(fd), { write: !readOnly, what, onForgotten });
}

/**
 * Returns `alive` if the region has a member, or persists (then MEMBER is locked if nobody else
 * held it). Otherwise removes the abandoned region and returns `again`.
 */
function lockAlive(
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

/** Checks for life without a lock: a reader must not look like a member. */
function checkAlive(member: LockFile, file: OpenFile, what: string): "alive" | "absent" {
  if (member.isHeldByOther(MEMBER)) return "alive";
  return isKept(readHeader(file.fd, what)) ? "alive" : "absent";
}

function isKept(header: RegionHeader): boolean {
  return (header.state & RegionState.persist) !== 0;
}

/** Throws if the name may not be removed; it is fine if another process has removed it. */
function checkRemoved(result: number, what: string): void {
  if (result === -Errno.EAGAIN || result === -Errno.ENOENT) return;
  const remedy = "ask its owner to open or unlink it";
  check(result, { syscall: "unlinkat", action: `remove the abandoned ${what}`, remedy });
}

/** Whether a living process uses the region, or it is kept; removes an abandoned one. */
export function isInUse(path: string, what: string, options: AttachOptions): boolean {
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

/** Builds a region in a file without a name and names it; undefined if the name is taken. */
export function tryCreate(
  kind: RegionKind,
  path: string,
  what: string,
  options: OpenOptions,
): Parts | undefined {
  const { dataBytes, partBytes, message, mode = 0o600, persist, initialise } = options;
  const { reservedBytes = dataBytes } = options;
  using stack = new DisposableStack();
  const action = `create ${what}`;
  const unnamed = files.Open.unnamed | files.Open.write;
  const fd = files.open(DIRECTORY, unnamed, 0o600);
  if (fd < 0) throw makeError(-fd, { syscall: "openat", action });
  using _file = { [Symbol.dispose]: () => files.close(fd) };
  check(files.chmod(fd, 0o600), { syscall: "fchmod", action }); // the umask cut the mode above
  const start = dataOffsetOf(kind);
  if (reservedBytes < dataBytes) {
    check(files.truncate(fd, start + dataBytes), { syscall: "ftruncate", action });
  }
  reserve(fd, 0, start + reservedBytes, action);

  const state = persist ? RegionState.persist : 0;
  const creator = randomId();
  const bytes = composeHeader(kind, dataBytes, { creator, message, partBytes, state });
  const header = REGION_HEADER.read(bytes);
  const mapping = stack.use(mapRegion(kind, fd, header, { what, readOnly: false }));
  copyIn(mapping, 0, bytes);
  initialise?.(mapping);

  const member = stack.use(openMember(fd, path, what, { readOnly: false }));
  member.tryLock(MEMBER, "read");
  check(files.chmod(fd, mode), { syscall: "fchmod", action });
  const linked = files.link(fd, path); // I1
  if (linked === -Errno.EEXIST) return undefined;
  check(linked, { syscall: "linkat", action });
  stack.move();
  return { kind, path, what, readOnly: false, created: true, header, mapping, member };
}

/**
 * Calls `tryCreate()`; returns `Again` if another process created the region or took the memory for
 * it.
 */
export function createUnlessMade(
  kind: RegionKind,
  path: string,
  what: string,
  options: OpenOptions,
): Parts | Again {
  try {
    return tryCreate(kind, path, what, options) ?? again(what);
  } catch (error) {
    const full = error instanceof OsError && error.errno === Errno.ENOSPC;
    if (full && typeof files.statPath(path) === "object") return again(what);
    throw error;
  }
}

/**
 * Allocates memory for a part of a file now: a page that is missing later is a SIGBUS. `missing` is
 * the number of its bytes without memory, if only some are.
 */
export function reserve(
  fd: number,
  offset: number,
  sizeBytes: number,
  action: string,
  missing: number = sizeBytes,
): void {
  // Without this check the kernel would fill the memory of the machine before it refuses.
  const result = missing > freeBytes() ? -Errno.ENOSPC : files.allocate(fd, offset, sizeBytes);
  if (result !== -Errno.ENOSPC) {
    check(result, { syscall: "fallocate", action, state: `${missing} bytes cannot be reserved` });
    return;
  }
  const [free, needed] = inWords(freeBytes(), missing);
  throw new OsError(Errno.ENOSPC, {
    syscall: "fallocate",
    action,
    state: `${DIRECTORY} has ${free} free and ${needed} are needed`,
    remedy: `${
      missing < sizeBytes ? "remove files there" : "ask for less"
    } or enlarge ${DIRECTORY}`,
  });
}

/** The bytes that the file system, and the memory behind it, can still give. */
function freeBytes(): number {
  const space = files.space(DIRECTORY);
  return Math.min(typeof space === "number" ? Infinity : space.free, availableMemory());
}

/** Writes sizes in MB, or in bytes if they would look equal. */
function inWords(...sizes: number[]): string[] {
  const rounded = sizes.map((bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`);
  return new Set(rounded).size === sizes.length ? rounded : sizes.map((bytes) => `${bytes} B`);
}

function mapRegion(
  kind: RegionKind,
  fd: number,
  header: RegionHeader,
  { what, readOnly }: { what: string; readOnly: boolean },
): Mapping {
  const dataBytes = dataBytesOf(header);
  const before = dataOffsetOf(kind);
  if (!kind.mirrored) return Mapping.ofFile(fd, { length: before + dataBytes, readOnly, what });
  const capacity = partBytesOf(header);
  const rings = dataBytes / capacity;
  return mapMirrored(fd, { header: before, capacity, rings, readOnly, what });
}

/**
 * Unlinks the name if it still is the name of this file; returns -ENOENT if it is not, and -EAGAIN
 * if another process is removing it.
 */
export function removeName(lock: LockFile, path: string): number {
  if (!lock.tryLock(NAME, "write")) return -Errno.EAGAIN;
  const own = lock.status();
  const named = files.statPath(path);
  const same = typeof named === "object" && identityOf(named) === identityOf(own);
  const result = same ? files.unlink(path) : -Errno.ENOENT;
  lock.unlock(NAME);
  return result;
}

/** Makes the outcome of a step while another process is in its way. */
export function again(what: string): Again {
  return new Again(() =>
    new VringError(
      `Cannot open ${what}: for ${PATIENCE_MS} ms another process has been removing it; ` +
        "see whether that process is stopped",
    )
  );
}

export function checkSize(kind: RegionKind, options: OpenOptions, what: string): void {
  const { dataBytes, partBytes } = options;
  if (isDataSize(kind, dataBytes, partBytes)) return;
  const unit = kind.mirrored ? partBytes ?? pageSize() : 1;
  throw new RangeError(
    `Cannot open ${what} with ${dataBytes} bytes: the size is a multiple of ${unit} ` +
      `up to ${LARGEST_BYTES}`,
  );
}

/** A random number below 2^40: two members practically never have the same. */
export function randomCount(): number {
  const view = new DataView(randomId().buffer);
  return view.getUint32(0) * 2 ** 8 + view.getUint8(4);
}

/**
 * Names a region in messages, such as `circular buffer "demo"`; `region "demo" (kind)` if its type
 * has no title.
 */
export function describe(kind: RegionKind, path: string): string {
  const { name } = parseFileName(path.slice(DIRECTORY.length + 1)) ?? { name: path };
  const quoted = JSON.stringify(name);
  return kind.title === undefined ? `region ${quoted} (${kind.name})` : `${kind.title} ${quoted}`;
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
