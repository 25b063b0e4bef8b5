/**
 * The regions of this system: a list, and the removal of those that nobody uses.
 *
 * @module
 */

import { Errno } from "../errors.ts";
import * as files from "../os/files.ts";
import { LockFile } from "./liveness.ts";
import { MEMBER, removeAbandoned } from "./file.ts";
import { dataBytesOf, parseHeader, REGION_HEADER, RegionState } from "./header.ts";
import { DIRECTORY, parseFileName } from "./names.ts";

/** What can be told of a region from outside. */
export interface RegionInfo {
  /** The name it is opened by; topics keep their slashes. */
  readonly name: string;
  /** What it is, such as `spsc`, by its file name. */
  readonly kind: string;
  /** The file that holds it. */
  readonly path: string;
  /** The length of the file. */
  readonly sizeBytes: number;
  /** The memory that it takes. */
  readonly allocatedBytes: number;
  /** The permission bits. */
  readonly mode: number;
  /** The user it belongs to. */
  readonly owner: number;
  /** Whether a living party is attached; undefined if the file may not be looked into. */
  readonly inUse: boolean | undefined;
  /** What the header says; undefined if it cannot be read or is not one. */
  readonly details: RegionDetails | undefined;
  /** Why there are no details. */
  readonly problem: string | undefined;
}

/** What the header of a region says. */
export interface RegionDetails {
  /** The random identity of the region, in hexadecimal. */
  readonly id: string;
  /** How many bytes of data it holds. */
  readonly dataBytes: number;
  /** The name of the message type; empty if none was declared. */
  readonly messageName: string;
  /** The identity of the message type. */
  readonly messageHash: bigint;
  /** The identity of the control block's layout. */
  readonly abiHash: bigint;
  /** Whether it stays when its last member leaves. */
  readonly persist: boolean;
}

/**
 * Every region on this system, by name.
 *
 * @example See what is there
 * ```ts
 * import { regions } from "@vring/vring";
 *
 * for (const { kind, name, sizeBytes, inUse } of regions()) {
 *   console.log(kind, name, sizeBytes, inUse ? "in use" : "abandoned");
 * }
 * ```
 *
 * @returns A value for each file in /dev/shm that is named as a region.
 */
export function regions(): RegionInfo[] {
  const names = files.list(DIRECTORY);
  if (typeof names === "number") return []; // no /dev/shm: no regions
  const infos: RegionInfo[] = [];
  for (const fileName of names.sort()) {
    const parsed = parseFileName(fileName);
    const info = parsed && look(parsed.kind, parsed.name, `${DIRECTORY}/${fileName}`);
    if (info !== undefined) infos.push(info);
  }
  return infos;
}

/**
 * Removes every region that no living process has open, that does not persist, and that you may
 * remove. A program that is killed, or ended by a signal or an uncaught error, leaves such regions;
 * the next open of the same name removes one too.
 *
 * Safe at any time: a region that another process opens at the same moment is not removed.
 *
 * @example Remove what killed programs have left
 * ```ts ignore
 * import { sweep } from "@vring/vring";
 *
 * for (const { kind, name, allocatedBytes } of sweep()) {
 *   console.log(`removed ${kind} ${name}: ${allocatedBytes} bytes`);
 * }
 * ```
 *
 * @returns The regions that were removed, as they were.
 */
export function sweep(): RegionInfo[] {
  return regions().filter(({ path, details, inUse }) =>
    details !== undefined && !details.persist && !inUse && removeAbandoned(path)
  );
}

/** Undefined if the name has gone meanwhile. */
function look(kind: string, name: string, path: string): RegionInfo | undefined {
  const status = files.statPath(path);
  if (typeof status === "number") return undefined;
  const base = {
    name,
    kind,
    path,
    sizeBytes: status.size,
    allocatedBytes: status.allocated,
    mode: status.mode & 0o7777,
    owner: status.uid,
  };
  const unknown = (problem: string) => ({ ...base, inUse: undefined, details: undefined, problem });
  if (!files.isRegular(status.mode)) return unknown("it is not a regular file");
  const fd = files.open(path, 0);
  if (fd === -Errno.ENOENT) return undefined;
  if (fd < 0) return unknown("it may not be read");
  using _file = { [Symbol.dispose]: () => files.close(fd) };
  using locks = new LockFile(files.pathOfFd(fd), { write: false, what: path });
  const inUse = locks.isHeldByOther(MEMBER);
  const details = detailsOf(fd);
  if (typeof details === "string") return { ...unknown(details), inUse };
  return { ...base, inUse, details, problem: undefined };
}

function detailsOf(fd: number): RegionDetails | string {
  const bytes = new Uint8Array(REGION_HEADER.size);
  const length = files.read(fd, bytes);
  const header = parseHeader(bytes.subarray(0, Math.max(length, 0)));
  if (typeof header === "string") return header;
  return {
    id: Array.from(header.creator, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    dataBytes: dataBytesOf(header),
    messageName: header.message_name,
    messageHash: header.message_hash,
    abiHash: header.abi_hash,
    persist: (header.state & RegionState.persist) !== 0,
  };
}
