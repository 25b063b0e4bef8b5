/**
 * A named piece of shared memory: a file in /dev/shm that is made whole, found by name, and gone
 * with its last member.
 *
 * ```
 *   | header 256 B | control block | .. to the page | data .......... | (data again, if mirrored) |
 * ```
 *
 * Locks, each a byte of the file (liveness.ts):
 *
 *   MEMBER   held for reading by every attachment, for as long as it is attached
 *   NAME     held for writing while somebody looks whether the name is still this file and unlinks
 *            it; so a name is never unlinked from under the region that took it over
 *   ROLE+k   held for writing by the one party that has role k
 *   COUNT+r  held for reading by every attachment, each at a random r: to be counted
 *
 * States of a region, and who moves it on:
 *
 *   unnamed     built by its creator in a file without a name; gone if the creator dies
 *   live        has a name and at least one member; the creator is a member before the name exists
 *   abandoned   has a name and no member: its members were killed, or the last one was killed
 *               while closing. Whoever opens it next finds nobody at MEMBER (it can lock that for
 *               writing) and removes the name, or, if the region persists, joins it. Whoever comes
 *               while the kernel is still dropping the locks of the dead may join it as it is
 *   kept        the same, of a region with `persist`
 *   nameless    was unlinked while members use it; they go on, newcomers make another
 *
 * I1  A name is given by one link(2) to a file that is complete and reserved; EEXIST means join.
 * I2  A joiner is a member only if, with MEMBER held, the file still has a name; or else it looks
 *     again for what has the name now.
 * I3  The last one out gives up MEMBER and then tries to lock it for writing. Of several that
 *     leave together at most one gets it, and whoever is the last to give up is among those that
 *     try, so the name is removed. While it is held nobody can join.
 * C1  Killed anywhere while creating: the file has no name, or the region is abandoned.
 * C2  Killed anywhere while closing: the region is abandoned, or already gone.
 *
 * A member that may only read cannot unlink: if it is the last one, the region is abandoned.
 *
 * @module
 */

import { check, ClosedError, Errno, LayoutMismatchError, OsError, VringError } from "../errors.ts";
import { now, randomId, sleepSync } from "../os/clock.ts";
import * as files from "../os/files.ts";
import { availableMemory, pageSize } from "../os/page.ts";
import { type FreeOptions, LockFile, Role, untilFree } from "./liveness.ts";
import { Mapping } from "./mapping.ts";
import { mapMirrored } from "./mirror.ts";
import {
  checkHeader,
  composeHeader,
  dataBytesOf,
  dataOffsetOf,
  type MessageType,
  parseHeader,
  REGION_HEADER,
  type RegionHeader,
  type RegionKind,
  RegionState,
} from "./region_header.ts";
import { DIRECTORY, parseFileName } from "./region_name.ts";
import { copyIn, Word32 } from "./word.ts";

/** The byte that every attachment holds for reading. */
export const MEMBER = 0;
const NAME = 1;
const FIRST_ROLE = 2;
const FIRST_COUNT = 2 ** 32;
const COUNTS = 2 ** 40;

/** A region may be unlinked or closed by another process at the moment of opening; that is brief. */
const PATIENCE_MS = 5000;

/** The largest region: far above any memory, far below where numbers lose their last bit. */
const LARGEST_BYTES = 2 ** 46;

/** What every way of attaching needs to know. */
export interface AttachOptions {
  /** The type of the messages; checked when attaching. */
  readonly message?: MessageType | undefined;
  /** Attach also if the file belongs to another user than you or root. */
  readonly anyOwner?: boolean | undefined;
}

/** How to attach to a region that exists. */
export interface ConnectOptions extends AttachOptions {
  /** The exact number of data bytes; any by default. */
  readonly dataBytes?: number | undefined;
  /** Map for reading only: no role can be held, and nothing can be unlinked. */
  readonly readOnly?: boolean | undefined;
}

/** How to make a region, or join it if it is already there. */
export interface OpenOptions extends AttachOptions {
  /** How many bytes of data; whole pages if the data is mirrored. */
  readonly dataBytes: number;
  /** The permission bits of a new file; 0o600 by default. */
  readonly mode?: number | undefined;
  /** Keep the region when its last member leaves. */
  readonly persist?: boolean | undefined;
  /** Fills the control block and data of a new region, before anyone can see it. */
  readonly initialise?: ((mapping: Mapping) => void) | undefined;
}

interface Parts {
  kind: RegionKind;
  path: string;
  what: string;
  readOnly: boolean;
  created: boolean;
  header: RegionHeader;
  mapping: Mapping;
  member: LockFile;
}

/** An attachment to a named piece of shared memory. */
export class Region implements Disposable {
  /** The header as it was checked at attaching. */
  readonly header: RegionHeader;
  /** The memory: header, control block and data. */
  readonly mapping: Mapping;
  /** Whether this attachment made the region. */
  readonly created: boolean;
  /** Whether this attachment can only read. */
  readonly readOnly: boolean;
  /** Where in the mapping the control block begins. */
  readonly controlOffset: number = REGION_HEADER.size;
  /** Where in the mapping the data begins. */
  readonly dataOffset: number;
  /** How many bytes of data there are. */
  readonly dataBytes: number;
  readonly #path: string;
  readonly #what: string;
  readonly #member: LockFile;
  readonly #state: Word32;
  #closed = false;

  private constructor(parts: Parts) {
    this.header = parts.header;
    this.mapping = parts.mapping;
    this.created = parts.created;
    this.readOnly = parts.readOnly;
    this.dataOffset = dataOffsetOf(parts.kind);
    this.dataBytes = dataBytesOf(parts.header);
    this.#path = parts.path;
    this.#what = parts.what;
    this.#member = parts.member;
    this.#state = new Word32(parts.mapping, REGION_HEADER.fields.state);
    parts.member.tryLock(FIRST_COUNT + randomCount(), "read");
  }

  /** Makes the region at `path`, or joins it if it is there. */
  static open(kind: RegionKind, path: string, options: OpenOptions): Region {
    const what = describe(kind, path);
    checkSize(kind, options.dataBytes, what);
    const parts = retry(what, () => {
      const joined = tryJoin(kind, path, what, options);
      return joined === "absent" ? tryCreate(kind, path, what, options) ?? "again" : joined;
    });
    const region = new Region(parts);
    if (options.persist) region.#state.or(RegionState.persist);
    return region;
  }

  /** Makes the region at `path`; an OsError (EEXIST) if a living party uses one. */
  static create(kind: RegionKind, path: string, options: OpenOptions): Region {
    const what = describe(kind, path);
    checkSize(kind, options.dataBytes, what);
    const parts = retry(what, () => {
      if (isInUse(path, what, options)) return "taken";
      return tryCreate(kind, path, what, options) ?? "again";
    });
    if (parts !== "taken") return new Region(parts);
    const remedy = "open it to join, or choose another name";
    throw new OsError(Errno.EEXIST, { syscall: "linkat", action: `create ${what}`, remedy });
  }

  /** Joins the region at `path`; undefined if it is not there. */
  static tryConnect(
    kind: RegionKind,
    path: string,
    options: ConnectOptions = {},
  ): Region | undefined {
    const what = describe(kind, path);
    const parts = retry(what, () => tryJoin(kind, path, what, options));
    return parts === "absent" ? undefined : new Region(parts);
  }

  /** Removes the name, so that the next opener makes a new region; false if there is none. */
  static unlink(kind: RegionKind, path: string): boolean {
    const what = describe(kind, path);
    return retry(what, () => {
      using file = openFile(path, what, { anyOwner: true });
      if (file === undefined) return false;
      using lock = new LockFile(files.pathOfFd(file.fd), { write: true, what });
      const result = removeName(lock, path);
      if (result === -Errno.EAGAIN) return "again";
      check(result, { syscall: "unlinkat", action: `unlink ${what}` });
      return true;
    });
  }

  /** Whether the region outlives its last member. */
  get persist(): boolean {
    return (this.#state.load() & RegionState.persist) !== 0;
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** How many attachments there are, this one included: what the kernel says, not what was noted. */
  countMembers(): number {
    this.checkOpen();
    return 1 + this.#member.countOthers(FIRST_COUNT, COUNTS);
  }

  /** Takes a role; undefined if a living party holds it. */
  tryHold(role: number): Role | undefined {
    this.checkOpen();
    if (this.readOnly) {
      throw new TypeError(`Cannot hold a role of ${this.#what}: it is attached for reading only`);
    }
    return Role.tryHold(this.#member.path, FIRST_ROLE + role, this.#what);
  }

  /** Whether some living party holds a role. */
  isHeld(role: number): boolean {
    this.checkOpen();
    return this.#member.isHeldByOther(FIRST_ROLE + role);
  }

  /** Resolves once a role is free: closed, or its holder is dead. */
  untilFree(role: number, options?: FreeOptions): Promise<void> {
    this.checkOpen();
    return untilFree(this.#member, FIRST_ROLE + role, options);
  }

  /** Detaches; the last one out removes the name, unless the region persists. */
  close(): void {
    if (this.#closed) return;
    const persist = this.persist;
    this.#closed = true;
    this.mapping.close();
    using member = this.#member; // dropped at the end, after which the region may be abandoned
    if (this.readOnly) return;
    member.unlock(MEMBER);
    if (persist || !member.tryLock(MEMBER, "write")) return; // I3
    // A refusal (another owner's file in a sticky directory) leaves the region abandoned: its
    // owner's next open removes it.
    removeName(member, this.#path);
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Throws a ClosedError once it is closed. */
  checkOpen(): void {
    if (this.#closed) throw new ClosedError(`Cannot use ${this.#what}: it is closed`);
  }
}

/** A file opened by its name, with what it was like then. */
interface OpenFile extends Disposable {
  readonly fd: number;
  readonly status: files.FileStatus;
}

/** Opens what has this name, if it is a regular file that may be trusted; undefined if nothing has. */
function openFile(
  path: string,
  what: string,
  options: { readOnly?: boolean | undefined; anyOwner?: boolean | undefined },
): OpenFile | undefined {
  const fd = files.open(path, options.readOnly ? 0 : files.Open.write);
  if (fd === -Errno.ENOENT) return undefined;
  check(fd, { syscall: "openat", action: `open ${what}` });
  using stack = new DisposableStack();
  stack.defer(() => files.close(fd));
  const status = files.stat(fd);
  if (typeof status === "number") {
    throw new OsError(-status, { syscall: "fstat", action: `open ${what}` });
  }
  if (!files.isRegular(status.mode)) {
    throw new LayoutMismatchError(`Cannot open ${what}: ${path} is not a regular file; remove it`);
  }
  const me = files.userId();
  if (status.uid !== me && status.uid !== 0 && !options.anyOwner) {
    const state = `it belongs to user ${status.uid}, and you are user ${me}`;
    const remedy = "pass anyOwner: true if you trust that user";
    throw new OsError(Errno.EACCES, { syscall: "fstat", action: `open ${what}`, state, remedy });
  }
  const opened = stack.move();
  return { fd, status, [Symbol.dispose]: () => opened.dispose() };
}

/** The header, read rather than mapped: a short file then ends the read and not the process. */
function readHeader(fd: number, what: string): RegionHeader {
  const bytes = new Uint8Array(REGION_HEADER.size);
  const length = check(files.read(fd, bytes), { syscall: "read", action: `open ${what}` });
  const header = parseHeader(bytes.subarray(0, length));
  if (typeof header === "object") return header;
  throw new LayoutMismatchError(`Cannot open ${what}: ${header}; remove it or use another name`);
}

/** Becomes a member of what has the name. */
function tryJoin(
  kind: RegionKind,
  path: string,
  what: string,
  options: ConnectOptions,
): Parts | "absent" | "again" {
  using file = openFile(path, what, options);
  if (file === undefined) return "absent";
  const readOnly = options.readOnly ?? false;
  using stack = new DisposableStack();
  const member = stack.use(new LockFile(files.pathOfFd(file.fd), { write: !readOnly, what }));
  const header = readHeader(file.fd, what);
  const entered = enter(member, header, path, readOnly);
  if (entered !== "member") return entered;
  checkHeader(header, file.status.size, { kind, ...options }, what);
  const mapping = mapRegion(kind, file.fd, dataBytesOf(header), what, readOnly);
  stack.move();
  return { kind, path, what, readOnly, created: false, header, mapping, member };
}

/** Locks MEMBER for reading, unless nobody is there or the name is gone. */
function enter(
  member: LockFile,
  header: RegionHeader,
  path: string,
  readOnly: boolean,
): "member" | "absent" | "again" {
  const persist = (header.state & RegionState.persist) !== 0;
  if (!readOnly && member.tryLock(MEMBER, "write")) { // nobody is alive in it
    if (!persist) {
      removeName(member, path);
      return "again";
    }
  }
  if (!member.tryLock(MEMBER, "read")) return "again"; // the last one out is at work
  if (member.status().links === 0) return "again"; // I2
  if (readOnly && !persist && !member.isHeldByOther(MEMBER)) return "absent";
  return "member";
}

/** Whether living parties use what has the name; what is abandoned is removed. */
function isInUse(path: string, what: string, options: AttachOptions): boolean {
  using file = openFile(path, what, options);
  if (file === undefined) return false;
  using lock = new LockFile(files.pathOfFd(file.fd), { write: true, what });
  const header = readHeader(file.fd, what);
  if ((header.state & RegionState.persist) !== 0) return true;
  if (!lock.tryLock(MEMBER, "write")) return true;
  removeName(lock, path);
  return false;
}

/** Builds a region in a file without a name and gives it the name; undefined if that is taken. */
function tryCreate(
  kind: RegionKind,
  path: string,
  what: string,
  options: OpenOptions,
): Parts | undefined {
  const { dataBytes, message, mode = 0o600, persist, initialise } = options;
  using stack = new DisposableStack();
  const action = `create ${what}`;
  const unnamed = files.Open.unnamed | files.Open.write;
  const fd = check(files.open(DIRECTORY, unnamed, 0o600), { syscall: "openat", action });
  using _file = { [Symbol.dispose]: () => files.close(fd) };
  reserve(fd, dataOffsetOf(kind) + dataBytes, action);

  const mapping = stack.use(mapRegion(kind, fd, dataBytes, what, false));
  const state = persist ? RegionState.persist : 0;
  const bytes = composeHeader(kind, dataBytes, { creator: randomId(), message, state });
  copyIn(mapping, 0, bytes);
  initialise?.(mapping);

  const member = stack.use(new LockFile(files.pathOfFd(fd), { write: true, what }));
  member.tryLock(MEMBER, "read");
  check(files.chmod(fd, mode), { syscall: "fchmod", action });
  const linked = files.link(fd, path); // I1
  if (linked === -Errno.EEXIST) return undefined;
  check(linked, { syscall: "linkat", action });
  stack.move();
  const header = REGION_HEADER.read(bytes);
  return { kind, path, what, readOnly: false, created: true, header, mapping, member };
}

/** Gives the file its memory now: a page that is missing later is a SIGBUS. */
function reserve(fd: number, sizeBytes: number, action: string): void {
  const space = files.space(DIRECTORY);
  const free = Math.min(typeof space === "number" ? Infinity : space.free, availableMemory());
  // Asking first spares the kernel from filling the memory of the machine before it says no.
  const result = sizeBytes > free ? -Errno.ENOSPC : files.allocate(fd, 0, sizeBytes);
  const state = result === -Errno.ENOSPC
    ? `${DIRECTORY} has ${megabytes(free)} MB free and ${megabytes(sizeBytes)} MB are needed`
    : `${sizeBytes} bytes cannot be reserved`;
  const remedy = `ask for less or enlarge ${DIRECTORY}`;
  check(result, { syscall: "fallocate", action, state, remedy });
}

function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(bytes < 100 * 2 ** 20 ? 1 : 0);
}

function mapRegion(
  kind: RegionKind,
  fd: number,
  dataBytes: number,
  what: string,
  readOnly: boolean,
): Mapping {
  const header = dataOffsetOf(kind);
  if (kind.mirrored) return mapMirrored(fd, { header, capacity: dataBytes, readOnly, what });
  return Mapping.ofFile(fd, { length: header + dataBytes, readOnly, what });
}

/** Unlinks the name if it still is the name of this file; -EAGAIN if another party is at it. */
function removeName(lock: LockFile, path: string): number {
  if (!lock.tryLock(NAME, "write")) return -Errno.EAGAIN;
  const own = lock.status();
  const named = files.statPath(path);
  const same = typeof named === "object" && named.inode === own.inode &&
    named.device === own.device;
  const result = same ? files.unlink(path) : 0;
  lock.unlock(NAME);
  return result;
}

/** Tries until it is not "again", which another process causes, and only for a moment. */
function retry<T>(what: string, attempt: () => T | "again"): T {
  const deadline = now() + PATIENCE_MS * 1e6;
  for (;;) {
    const result = attempt();
    if (result !== "again") return result;
    if (now() >= deadline) {
      throw new VringError(
        `Cannot open ${what}: for ${PATIENCE_MS} ms another process has been removing it; ` +
          "see whether that process is stopped",
      );
    }
    sleepSync(1);
  }
}

function checkSize(kind: RegionKind, dataBytes: number, what: string): void {
  const unit = kind.mirrored ? pageSize() : 1;
  const fits = Number.isSafeInteger(dataBytes) && dataBytes >= 0 && dataBytes <= LARGEST_BYTES &&
    dataBytes % unit === 0 && (dataBytes > 0 || !kind.mirrored);
  if (fits) return;
  throw new RangeError(
    `Cannot open ${what} with ${dataBytes} bytes: the size is a multiple of ${unit} ` +
      `up to ${LARGEST_BYTES}`,
  );
}

/** One of 2^40, so that two members having the same is out of the question. */
function randomCount(): number {
  const view = new DataView(randomId().buffer);
  return view.getUint32(0) * 2 ** 8 + view.getUint8(4);
}

/** Such as `region "demo" (spsc)`. */
function describe(kind: RegionKind, path: string): string {
  const { name } = parseFileName(path.slice(DIRECTORY.length + 1)) ?? { name: path };
  return `region ${JSON.stringify(name)} (${kind.name})`;
}
