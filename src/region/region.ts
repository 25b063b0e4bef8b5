/**
 * A named piece of shared memory, as whoever is attached sees it.
 *
 * ```
 *   | header 256 B | control block | .. to the page | data .......... | (data again, if mirrored) |
 * ```
 *
 * How it comes to be and goes is told in region/file.ts.
 *
 * @module
 */

import { check, Errno, OsError } from "../errors.ts";
import { disposeAtEnd } from "../os/clock.ts";
import * as files from "../os/files.ts";
import { LockFile, Role, untilFree } from "./liveness.ts";
import { Again, type LookOptions, retrySync } from "./poll.ts";
import type { Mapping } from "../memory/mapping.ts";
import {
  again,
  checkSize,
  type ConnectOptions,
  COUNTS,
  createUnlessMade,
  describe,
  FIRST_COUNT,
  FIRST_ROLE,
  identityOf,
  isInUse,
  leave,
  openFile,
  type OpenOptions,
  type Parts,
  randomCount,
  removeName,
  reserve,
  tryCreate,
  tryJoin,
} from "./file.ts";
import {
  dataBytesOf,
  dataOffsetOf,
  partBytesOf,
  REGION_HEADER,
  type RegionHeader,
  type RegionKind,
  RegionState,
} from "./header.ts";
import { Word32 } from "../memory/word.ts";

/** The attachment and its roles last as long as its memory is in use, also by views of it alone. */
const attachments = new WeakMap<ArrayBuffer, Region>();

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
  /** How many of them make a part that is mapped twice: part k begins 2k parts into the data. */
  readonly partBytes: number;
  readonly #path: string;
  readonly #what: string;
  readonly #member: LockFile;
  readonly #roles = new Set<Role>();
  readonly #state: Word32;
  #closed = false;

  private constructor(parts: Parts) {
    this.header = parts.header;
    this.mapping = parts.mapping;
    this.created = parts.created;
    this.readOnly = parts.readOnly;
    this.dataOffset = dataOffsetOf(parts.kind);
    this.dataBytes = dataBytesOf(parts.header);
    this.partBytes = partBytesOf(parts.header);
    this.#path = parts.path;
    this.#what = parts.what;
    this.#member = parts.member;
    attachments.set(parts.mapping.bytes.buffer, this);
    disposeAtEnd(this);
    this.#state = new Word32(parts.mapping, REGION_HEADER.fields.state);
    parts.member.tryLock(FIRST_COUNT + randomCount(), "read");
  }

  /** Makes the region at `path`, or joins it if it is there. */
  static open(kind: RegionKind, path: string, options: OpenOptions): Region {
    return retrySync(() => Region.openOnce(kind, path, options));
  }

  /** A step of `open()`: never waits, and gives an `Again` where another process is in the way. */
  static openOnce(kind: RegionKind, path: string, options: OpenOptions): Region | Again {
    checkSize(kind, options, describe(kind, path));
    const joined = Region.connectOnce(kind, path, options);
    if (joined instanceof Region && options.persist) joined.keep();
    return joined ?? Region.makeOnce(kind, path, options);
  }

  /** A step of making the region at `path`: an `Again` where another process has just made it. */
  static makeOnce(kind: RegionKind, path: string, options: OpenOptions): Region | Again {
    const what = describe(kind, path);
    checkSize(kind, options, what);
    const parts = createUnlessMade(kind, path, what, options);
    return parts instanceof Again ? parts : new Region(parts);
  }

  /** Makes the region at `path`; an OsError (EEXIST) if a living party uses one. */
  static create(kind: RegionKind, path: string, options: OpenOptions): Region {
    const what = describe(kind, path);
    checkSize(kind, options, what);
    const parts = retrySync(() => {
      if (isInUse(path, what, options)) return "taken";
      return tryCreate(kind, path, what, options) ?? again(what);
    });
    if (parts !== "taken") return new Region(parts);
    const remedy = "open it to join, or choose another name";
    throw new OsError(Errno.EEXIST, { syscall: "linkat", action: `create ${what}`, remedy });
  }

  /**
   * Joins the region at `path`; undefined if it is not there. Blocks the thread while another
   * process is in the way.
   */
  static tryConnect(
    kind: RegionKind,
    path: string,
    options: ConnectOptions = {},
  ): Region | undefined {
    return retrySync(() => Region.connectOnce(kind, path, options));
  }

  /** A step of `tryConnect()`: never waits, and gives an `Again` where another process is in the way. */
  static connectOnce(
    kind: RegionKind,
    path: string,
    options: ConnectOptions = {},
  ): Region | Again | undefined {
    const parts = tryJoin(kind, path, describe(kind, path), options);
    if (parts === "absent") return undefined;
    return parts instanceof Again ? parts : new Region(parts);
  }

  /** Removes the name, so that the next opener makes a new region; false if there is none. */
  static unlink(kind: RegionKind, path: string): boolean {
    const what = describe(kind, path);
    return retrySync(() => {
      using file = openFile(path, what, { anyOwner: true });
      if (file === undefined) return false;
      using lock = new LockFile(files.pathOfFd(file.fd), { write: true, what });
      const result = removeName(lock, path);
      if (result === -Errno.EAGAIN || result === -Errno.ENOENT) return again(what);
      check(result, { syscall: "unlinkat", action: `unlink ${what}` });
      return true;
    });
  }

  /** Whether the region outlives its last member. */
  get persist(): boolean {
    this.checkOpen();
    return (this.#state.load() & RegionState.persist) !== 0;
  }

  /** Has the region outlive its last member, until it is unlinked. */
  keep(): void {
    this.checkOpen();
    this.#state.or(RegionState.persist);
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Tells this region from every other, also from one that took over its name (`identityOf`). */
  get identity(): string {
    return identityOf(this.#member.status());
  }

  /** How many attachments there are, this one included: what the kernel says, not what was noted. */
  countMembers(): number {
    this.checkOpen();
    return 1 + this.#member.countOthers(FIRST_COUNT, COUNTS);
  }

  /**
   * Gives a part of a region that was made with less memory than data (`reservedBytes`) its memory;
   * an OsError (ENOSPC) if there is too little. Only then may it be touched, also for reading.
   */
  allocate(offset: number, sizeBytes: number): void {
    this.checkOpen();
    const action = `give ${this.#what} more memory`;
    const flags = files.Open.write | files.Open.follow;
    const fd = check(files.open(this.#member.path, flags), { syscall: "openat", action });
    using _file = { [Symbol.dispose]: () => files.close(fd) };
    reserve(fd, offset, sizeBytes, action);
  }

  /**
   * Takes a role; undefined if a living party holds it. It is given back with the region at the
   * latest, and kept for as long as the memory is in use.
   */
  tryHold(role: number): Role | undefined {
    this.checkOpen();
    if (this.readOnly) {
      throw new TypeError(`Cannot hold a role of ${this.#what}: it is attached for reading only`);
    }
    return Role.tryHold(this.#member.path, FIRST_ROLE + role, this.#what, this.#roles);
  }

  /** Whether some living party holds a role. */
  isHeld(role: number): boolean {
    this.checkOpen();
    return this.#member.isHeldByOther(FIRST_ROLE + role);
  }

  /** Resolves once a role is free: closed, or its holder is dead. */
  untilFree(role: number, options?: LookOptions): Promise<void> {
    this.checkOpen();
    return untilFree(this.#member, FIRST_ROLE + role, options);
  }

  /**
   * Detaches; the last one out removes the name, unless the region persists. Before that `farewell`
   * tells the others through the memory and gives roles back, unless the memory was transferred away.
   * Whatever that throws, all roles are given back, the file is closed and the memory retired.
   */
  close(farewell?: () => void): void {
    if (this.#closed) return;
    using stack = new DisposableStack();
    stack.use(this.#member); // dropped at the end, after which the region may be abandoned
    stack.defer(() => this.#leave());
    stack.defer(() => this.#roles.forEach((role) => role.close()));
    // First of all, and a TypeError if the memory was transferred away: a call of the runtime that
    // still writes into a view must write nothing shared once another party can take the role.
    stack.use(this.mapping);
    if (this.mapping.usable) farewell?.();
  }

  #leave(): void {
    this.#closed = true;
    if (!this.readOnly) leave(this.#member, this.#path);
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Throws a ClosedError once it is closed, a TypeError once its memory was transferred away. */
  checkOpen(what: string = this.#what): void {
    if (!this.mapping.usable) throw this.mapping.whyUnusable(what);
  }
}
