/**
 * An attachment to a named piece of shared memory.
 *
 * ```
 *   | header 256 B | control block | description | .. to the page | data .... | (data again, if mirrored) |
 * ```
 *
 * The life of a region, from creation to removal, is described in region/file.ts.
 *
 * @module
 */

import { check, Errno } from "../errors.ts";
import { disposeAtEnd, randomId } from "../os/clock.ts";
import * as files from "../os/files.ts";
import { LockFile, Role } from "./liveness.ts";
import { Again, retrySync } from "./poll.ts";
import type { Mapping } from "../memory/mapping.ts";
import {
  again,
  type CreateOptions,
  describe,
  type JoinOptions,
  type Parts,
  tryCreate,
  tryJoin,
} from "./file.ts";
import { COUNTS, FIRST_COUNT, FIRST_ROLE, identityOf, isNameOf, openFile } from "./opened.ts";
import { leave, removeName } from "./removal.ts";
import { noteDirectory } from "./elsewhere.ts";
import { noteOpen } from "./registry.ts";
import { reserve } from "./reserve.ts";
import {
  dataBytesOf,
  MAGIC_WORD,
  partBytesOf,
  REGION_HEADER,
  RegionState,
  type RegionType,
} from "./header.ts";
import { Word32 } from "../memory/word.ts";

/** Keeps an attachment and its roles alive while any view of its memory is in use. */
const attachments = new WeakMap<ArrayBuffer, Region>();

/** An attachment to a named piece of shared memory. */
export class Region implements Disposable {
  /** The parts of the header that never change, as checked when attaching. */
  readonly header: {
    readonly kind: string;
    readonly creator: Uint8Array;
    readonly message_name: string;
    readonly description_bytes: number;
  };
  /** The memory: header, control block and data. */
  readonly mapping: Mapping;
  /** Whether this attachment created the region. */
  readonly created: boolean;
  /** Whether this attachment is an observer: it only reads, and does not count as a member. */
  readonly readOnly: boolean;
  /** The offset of the control block in the mapping. */
  readonly controlOffset: number = REGION_HEADER.size;
  /** The offset of the data in the mapping. */
  readonly dataOffset: number;
  /** The number of data bytes. */
  readonly dataBytes: number;
  /** The number of bytes in a part that is mapped twice: part k begins 2k parts into the data. */
  readonly partBytes: number;
  readonly #path: string;
  readonly #what: string;
  readonly #member: LockFile;
  readonly #roles = new Set<Role>();
  readonly #state: Word32;
  readonly #forget: () => void;
  #identity: string | undefined;
  #closed = false;

  private constructor(parts: Parts) {
    this.header = parts.header;
    this.mapping = parts.mapping;
    this.created = parts.created;
    this.readOnly = parts.readOnly;
    this.dataOffset = Number(parts.header.data_offset);
    this.dataBytes = dataBytesOf(parts.header);
    this.partBytes = partBytesOf(parts.header);
    this.#path = parts.path;
    this.#what = parts.what;
    this.#member = parts.member;
    noteDirectory(parts.mapping, parts.path);
    parts.mapping.seed = new DataView(parts.header.creator.slice().buffer).getUint32(0);
    attachments.set(parts.mapping.bytes.buffer, this);
    disposeAtEnd(this);
    this.#forget = noteOpen(this, parts.what, parts.path);
    this.#state = new Word32(parts.mapping, REGION_HEADER.fields.state);
    if (!parts.readOnly) parts.member.tryLock(FIRST_COUNT + randomCount(), "read");
    const magic = new Word32(parts.mapping, REGION_HEADER.fields.magic);
    const length = Number(parts.header.byte_length);
    parts.mapping.watchFile(() =>
      magic.load() === MAGIC_WORD && parts.member.status().size >= length
    );
    parts.mapping.checkWhole();
  }

  /**
   * Performs one step of joining the region at `path`; returns undefined if it does not exist, and
   * `Again` while another process is in the way.
   */
  static joinOnce(
    regionType: RegionType,
    path: string,
    options: JoinOptions = {},
  ): Region | Again | undefined {
    const parts = tryJoin(regionType, path, describe(regionType, path), options);
    if (parts === "absent") return undefined;
    return parts instanceof Again ? parts : new Region(parts);
  }

  /**
   * Performs one step of creating a region; returns `Again` if another process has just created it.
   */
  static createOnce(regionType: RegionType, path: string, options: CreateOptions): Region | Again {
    const parts = tryCreate(regionType, path, describe(regionType, path), options);
    return parts instanceof Again ? parts : new Region(parts);
  }

  /**
   * Removes the name, so that the next opener creates a new region; returns false if it does not
   * exist.
   */
  static unlink(regionType: Pick<RegionType, "name" | "title">, path: string): boolean {
    const what = describe(regionType, path);
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

  /** Keeps the region when its last member leaves, until it is unlinked. */
  keep(): void {
    this.checkOpen();
    this.#state.or(RegionState.persist);
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** A text that no other region has, not even one with the same name (`identityOf`). */
  get identity(): string {
    return this.#identity ??= identityOf(this.#member.status());
  }

  /**
   * Whether the name still belongs to this region. Observers check this, because a region can lose
   * its name while they have it open, and another region can take it.
   */
  hasName(): boolean {
    this.checkOpen();
    return isNameOf(this.#path, this.identity);
  }

  /** Counts the members, this one included, by the locks that the kernel reports. */
  countMembers(): number {
    this.checkOpen();
    return Number(!this.readOnly) + this.#member.countOthers(FIRST_COUNT, COUNTS);
  }

  /**
   * Allocates memory for a part of a region that was created with less memory than data
   * (`reservedBytes`). Nothing may touch that part before, not even to read it. Throws an OsError
   * (ENOSPC) if too little memory is free.
   */
  allocate(offset: number, sizeBytes: number): void {
    this.checkOpen();
    const action = `give ${this.#what} more memory`;
    const flags = files.Open.write | files.Open.follow;
    const fd = check(files.open(this.#member.path, flags), { syscall: "openat", action });
    using _file = { [Symbol.dispose]: () => files.close(fd) };
    reserve({ fd, path: this.#path }, offset, sizeBytes, action, { isShared: true });
  }

  /**
   * Acquires a role; returns undefined if a living holder has it. The region releases the role at
   * its own close at the latest. A region that is forgotten keeps it while its memory is in use.
   */
  tryHold(role: number): Role | undefined {
    this.checkOpen();
    if (this.readOnly) {
      throw new TypeError(`Cannot hold a role of ${this.#what}: it is attached for reading only`);
    }
    return Role.tryHold(this.#member.path, FIRST_ROLE + role, this.#what, this.#roles);
  }

  /** Whether a role has a living holder. */
  isHeld(role: number): boolean {
    this.checkOpen();
    return this.#member.isHeldByOther(FIRST_ROLE + role);
  }

  /**
   * Detaches; the last member to leave removes the name, unless the region persists. Before that,
   * `farewell` informs the peers through the memory and releases roles; it does not run if the
   * memory was transferred or taken away. If `farewell` throws, this method still releases all roles, closes
   * the file and retires the memory.
   */
  close(farewell?: () => void): void {
    if (this.#closed) return;
    using stack = new DisposableStack();
    stack.use(this.#member); // released last: from then on the region may be abandoned
    stack.defer(() => this.#leave());
    stack.defer(() => this.#roles.forEach((role) => role.close()));
    // The mapping closes before the roles, and throws a TypeError if the memory was transferred
    // away. A call of the runtime may still be writing into a view: it must not reach shared memory
    // once another holder can acquire the role.
    stack.use(this.mapping);
    if (!this.mapping.usable || this.mapping.isLost) return;
    try {
      farewell?.();
    } catch (error) {
      if (!this.mapping.isLost) throw error; // to its peers this process was killed
    }
  }

  #leave(): void {
    this.#closed = true;
    this.#forget();
    if (!this.readOnly) leave(this.#member, this.#path);
  }

  /** Closes it, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Throws a ClosedError if it is closed, and a TypeError if its memory was transferred away.
   */
  checkOpen(): void {
    if (!this.mapping.usable) throw this.mapping.whyUnusable(this.#what);
  }
}

/** A random number below 2^40: two members practically never have the same. */
function randomCount(): number {
  const view = new DataView(randomId().buffer);
  return view.getUint32(0) * 2 ** 8 + view.getUint8(4);
}
