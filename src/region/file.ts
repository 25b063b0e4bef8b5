/**
 * The life of a region: a file in /dev/shm that is built completely, found by name, and removed
 * with its last member.
 *
 * Locks, each on one byte of the file (liveness.ts):
 *
 *   MEMBER   held for reading by every member, for as long as it is attached
 *   NAME     held for writing while a process checks whether the name still is this file and
 *            unlinks it; so a name is never unlinked from under the region that took it over
 *   ROLE+k   held for writing by the one process that has role k
 *   COUNT+r  held for reading by every member, each at a random r, so that members can be counted
 *
 * An attachment is a member or an observer. An observer (`readOnly`) opens and maps the file for
 * reading only, and needs no right to write. It takes no lock, stores nothing and wakes no process,
 * so it can neither disturb a member nor keep a region alive.
 *
 * States of a region, and the transitions out of them:
 *
 *   unnamed    built by its creator in a file without a name; gone if the creator dies
 *   live       has a name and at least one member; the creator is a member before the name exists
 *   abandoned  has a name and no member: its members were killed, or the last one was killed while
 *              closing. The next opener can lock MEMBER for writing. It then removes the name, or
 *              joins the region if it persists. A sweep removes the name in the same way. A process
 *              may join the region while the kernel is still dropping the locks of dead members
 *   kept       an abandoned region with `persist`
 *   nameless   was unlinked while members use it; they keep using it, and newcomers create another
 *
 * I1  A name is given by one link(2) to a file that is complete and reserved; EEXIST means join.
 * I2  A joiner is a member only if the file still has a name while the joiner holds MEMBER.
 *     Otherwise it looks again for the file that has the name now.
 * I3  The last one out gives up MEMBER and then tries to lock it for writing. Of several that leave
 *     together, at most one gets the lock. The last one to give up MEMBER is among those that try,
 *     so one of them removes the name. While that process holds the lock, no process can join.
 * I4  An observer attaches to a region with a name and a member, or to one that is kept. The region
 *     may be abandoned or lose its name at any time after that, also before the attachment is
 *     complete. The memory stays mapped, so an observer continues to read. From time to time it
 *     checks whether the name still belongs to this region (observed.ts).
 * C1  Killed anywhere while creating: the file has no name, or the region is abandoned.
 * C2  Killed anywhere while closing: the region is abandoned, or already gone.
 * C3  An observer dies: no other process can tell.
 *
 * Fully reserved types stay without holes: a joiner allocates memory for the holes of a copied
 * file, and fails on a full file system. Sparse types (topics, slots, calls) record which parts
 * have memory.
 *
 * @module
 */

import { check, Errno, OsError, VringError } from "../errors.ts";
import { Mapping } from "../memory/mapping.ts";
import { mapMirrored } from "../memory/mirror.ts";
import { copyIn } from "../memory/word.ts";
import { randomId } from "../os/clock.ts";
import * as files from "../os/files.ts";
import { pageSize } from "../os/page.ts";
import { giveToGroup, makeError } from "./access.ts";
import {
  checkHeader,
  composeHeader,
  dataBytesOf,
  dataOffsetOf,
  descriptionOffsetOf,
  isDataSize,
  LARGEST_BYTES,
  type MessageType,
  partBytesOf,
  REGION_HEADER,
  type RegionHeader,
  RegionState,
  type RegionType,
} from "./header.ts";
import { LockFile } from "./liveness.ts";
import { directoryOf, fileNameOf, parseFileName } from "./names.ts";
import { MEMBER, openFile, readDescription, readHeader } from "./opened.ts";
import { Again, PATIENCE_MS } from "./poll.ts";
import { checkAlive, lockAlive, removeAbandoned } from "./removal.ts";
import { fillHoles, reserve } from "./reserve.ts";

/** The options for joining an existing region. */
export interface JoinOptions {
  /** The type of the messages, checked when joining; any by default. */
  readonly message?: MessageType | undefined;
  /** Also joins if the file belongs to another user than you or root. */
  readonly anyOwner?: boolean | undefined;
  /** Attaches as an observer: maps the region for reading only, without becoming a member. */
  readonly readOnly?: boolean | undefined;
}

/** The options for creating a region. */
export interface CreateOptions {
  /** The type of the messages; none by default. */
  readonly message?: MessageType | undefined;
  /** The number of data bytes; whole pages if the data is mirrored. */
  readonly dataBytes: number;
  /** The number of mirrored bytes in each part; one part by default. */
  readonly partBytes?: number | undefined;
  /** The permission bits of a new file; 0o600 by default, and 0o640 with a group. */
  readonly mode?: number | undefined;
  /** The name or number of a new file's group; the creator's by default. */
  readonly group?: string | number | undefined;
  /** Keeps the region when its last member leaves. */
  readonly persist?: boolean | undefined;
  /** The number of data bytes that get memory now; all by default. See `Region.allocate`. */
  readonly reservedBytes?: number | undefined;
  /** Fills the control block and data of a new region before any other process can see them. */
  readonly initialise?: ((mapping: Mapping, dataOffset: number) => void) | undefined;
  /** The description, as `encodeDescription` made it; none by default. */
  readonly description?: Uint8Array<ArrayBuffer> | undefined;
  /** The names of the features that the region uses; none by default. */
  readonly features?: readonly string[] | undefined;
}

/** The parts of an attachment. */
export interface Parts {
  path: string;
  what: string;
  readOnly: boolean;
  created: boolean;
  header: RegionHeader;
  mapping: Mapping;
  member: LockFile;
}

/** Joins the region that has the name, as a member or as an observer; "absent" if none has it. */
export function tryJoin(
  regionType: RegionType,
  path: string,
  what: string,
  options: JoinOptions,
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
  const { size } = file.status;
  const describe = () => readDescription(file.fd, header);
  checkHeader(header, { size, describe }, { regionType, ...options }, what);
  if (!regionType.sparse) fillHoles(file, path, what, readOnly);
  const mapping = stack.use(mapRegion(regionType, file.fd, header, { what, readOnly }));
  if (!readOnly) {
    if (!member.tryLock(MEMBER, "read")) return again(what); // the last one out is at work
    if (member.status().links === 0) return again(what); // I2
  }
  stack.move();
  return { path, what, readOnly, created: false, header, mapping, member };
}

/** Creates a region; returns `Again` if another process created it or took the memory for it. */
export function tryCreate(
  regionType: RegionType,
  path: string,
  what: string,
  options: CreateOptions,
): Parts | Again {
  checkSize(regionType, options, what);
  try {
    return build(regionType, path, what, options) ?? again(what);
  } catch (error) {
    const full = error instanceof OsError && error.errno === Errno.ENOSPC;
    if (full && typeof files.statPath(path) === "object") return again(what);
    throw error;
  }
}

/** Builds a region in a file without a name and names it; undefined if the name is taken. */
function build(
  regionType: RegionType,
  path: string,
  what: string,
  options: CreateOptions,
): Parts | undefined {
  const { dataBytes, partBytes, message, group, persist, initialise } = options;
  const { reservedBytes = dataBytes, mode = group === undefined ? 0o600 : 0o640 } = options;
  const { description = new Uint8Array(0), features = [] } = options;
  using stack = new DisposableStack();
  const action = `create ${what}`;
  const unnamed = files.Open.unnamed | files.Open.write;
  const directory = directoryOf(path);
  const fd = files.open(directory, unnamed, 0o600);
  if (fd < 0) throw makeError(-fd, { syscall: "openat", action }, directory);
  using _file = { [Symbol.dispose]: () => files.close(fd) };
  check(files.chmod(fd, 0o600), { syscall: "fchmod", action }); // the umask cut the mode above
  const start = dataOffsetOf(regionType, description.length);
  if (reservedBytes < dataBytes) {
    check(files.truncate(fd, start + dataBytes), { syscall: "ftruncate", action });
  }
  reserve({ fd, path }, 0, start + reservedBytes, action);

  const state = persist ? RegionState.persist : 0;
  const creator = randomId();
  const bytes = new Uint8Array(descriptionOffsetOf(regionType) + description.length);
  const descriptionBytes = description.length;
  const extra = { creator, message, partBytes, descriptionBytes, features, state };
  bytes.set(composeHeader(regionType, dataBytes, extra));
  bytes.set(description, descriptionOffsetOf(regionType));
  const header = REGION_HEADER.read(bytes);
  const mapping = stack.use(mapRegion(regionType, fd, header, { what, readOnly: false }));
  copyIn(mapping, 0, bytes);
  initialise?.(mapping, start);

  const member = stack.use(openMember(fd, path, what, { readOnly: false }));
  member.tryLock(MEMBER, "read");
  if (group !== undefined) giveToGroup(fd, group, action);
  check(files.chmod(fd, mode), { syscall: "fchmod", action });
  const linked = files.link(fd, path); // I1
  if (linked === -Errno.EEXIST) return undefined;
  check(linked, { syscall: "linkat", action });
  stack.move();
  return { path, what, readOnly: false, created: true, header, mapping, member };
}

/**
 * Opens the locks of an attachment. If it is forgotten, it leaves the region as if it had closed.
 */
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

function mapRegion(
  regionType: RegionType,
  fd: number,
  header: RegionHeader,
  { what, readOnly }: { what: string; readOnly: boolean },
): Mapping {
  const dataBytes = dataBytesOf(header);
  const before = Number(header.data_offset);
  if (!regionType.mirrored) {
    return Mapping.ofFile(fd, { length: before + dataBytes, readOnly, what });
  }
  const capacity = partBytesOf(header);
  const rings = dataBytes / capacity;
  return mapMirrored(fd, { header: before, capacity, rings, readOnly, what });
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

function checkSize(
  regionType: RegionType,
  { dataBytes, partBytes }: CreateOptions,
  what: string,
): void {
  if (isDataSize(regionType, dataBytes, partBytes)) return;
  const unit = regionType.mirrored ? partBytes ?? pageSize() : 1;
  throw new RangeError(
    `Cannot open ${what} with ${dataBytes} bytes: the size is a multiple of ${unit} ` +
      `up to ${LARGEST_BYTES}`,
  );
}

/**
 * Names a region in messages, such as `circular buffer "demo"`; `region "demo" (regionType)` if its type
 * has no title.
 */
export function describe(
  regionType: Pick<RegionType, "name" | "title">,
  path: string,
): string {
  const { name } = parseFileName(fileNameOf(path)) ?? { name: path };
  const quoted = JSON.stringify(name);
  return regionType.title === undefined
    ? `region ${quoted} (${regionType.name})`
    : `${regionType.title} ${quoted}`;
}
