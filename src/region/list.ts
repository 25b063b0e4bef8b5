/**
 * Lists the regions of this system, and removes those that no process uses.
 *
 * @module
 */

import { checkedOptions } from "../arguments.ts";
import { Errno } from "../errors.ts";
import { removeAbandonedFifos } from "../os/fifo.ts";
import * as files from "../os/files.ts";
import { LockFile } from "./liveness.ts";
import { MEMBER, readDescription } from "./opened.ts";
import { removeAbandoned } from "./removal.ts";
import type { Properties } from "./description.ts";
import {
  dataBytesOf,
  featureNames,
  LARGEST_BYTES,
  type MessageType,
  parseHeader,
  REGION_HEADER,
  RegionState,
} from "./header.ts";
import { directoryOf, fileNameOf, parseFileName, usualDirectory } from "./names.ts";

/** The properties of a region that a program can read without joining it. */
export interface RegionInfo {
  /** The name of its definition; topics keep their slashes. */
  readonly name: string;
  /** The kind of region, such as `spsc` or `topic`. */
  readonly kind: string;
  /** The path of its file. */
  readonly path: string;
  /** The length of the file. */
  readonly sizeBytes: number;
  /** The bytes of memory that it occupies: less than `sizeBytes` while parts have no memory. */
  readonly allocatedBytes: number;
  /** The permission bits. */
  readonly mode: number;
  /** The user id of its owner. */
  readonly owner: number;
  /**
   * Whether it has a living member (observers do not count); undefined if the file is unreadable.
   */
  readonly inUse: boolean | undefined;
  /** The contents of its header and description; undefined if they are unreadable or invalid. */
  readonly details: RegionDetails | undefined;
  /** The reason why `details` is undefined; undefined if there are details. */
  readonly problem: string | undefined;
}

/** The contents of a region's header. */
export interface RegionDetails {
  /** The random identity of the region, in hexadecimal. */
  readonly id: string;
  /** The number of data bytes. */
  readonly dataBytes: number;
  /** The identity of the control block's layout. */
  readonly abiHash: bigint;
  /** The offset of the data in the file. */
  readonly dataOffset: number;
  /** Whether it stays when its last member leaves. */
  readonly persist: boolean;
  /** The message type, with its description if there is one; undefined if none was declared. */
  readonly type: MessageType | undefined;
  /** The sizes in the creator's description; undefined if that is missing or invalid. */
  readonly geometry: Properties | undefined;
  /** The policy in the creator's description; undefined if that is missing or invalid. */
  readonly policy: Properties | undefined;
  /** The features that it uses, by name; `bit 3` for one without a name. */
  readonly features: readonly string[];
}

/** The options of listings and of {@linkcode sweep}. */
export interface DirectoryOptions {
  /** The directory of the regions, as in their definitions; `/dev/shm` by default. */
  directory?: string | undefined;
}

/**
 * Lists every region in a directory, by name.
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
 * @returns A value for each file in the directory that is named as a region.
 */
export function regions(options?: DirectoryOptions): RegionInfo[] {
  const { directory } = checkedOptions(options, "list regions", ["directory"]);
  return regionFiles(directory).flatMap(({ path }) => regionAt(path) ?? []);
}

/** Lists the files that are named as regions, by name. */
export function regionFiles(
  directory: string = usualDirectory(),
): { kind: string; name: string; path: string }[] {
  const names = files.list(directory);
  if (typeof names === "number") return []; // no such directory: no regions
  return names.sort().flatMap((fileName) => {
    const parsed = parseFileName(fileName);
    return parsed === undefined ? [] : [{ ...parsed, path: `${directory}/${fileName}` }];
  });
}

/**
 * Removes every region that has no living member, does not persist, and that you may remove. A
 * program leaves such regions when it is killed, or when a signal or an uncaught error ends it. The
 * next open of the same name also removes the region.
 *
 * It is safe at any time: a region that another process opens at the same moment is not removed.
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
 * @returns The regions that were removed.
 */
export function sweep(options?: DirectoryOptions): RegionInfo[] {
  const own = checkedOptions(options, "remove abandoned regions", ["directory"]);
  removeAbandonedFifos();
  return regions(own).filter(({ path, details, inUse }) =>
    details !== undefined && !details.persist && !inUse && removeAbandoned(path)
  );
}

/**
 * Names the other types of regions that have the name of this path, such as `, but a region of type
 * "topic" has this name`; returns an empty string if there are none.
 */
export function namesakesOf(path: string): string {
  const own = parseFileName(fileNameOf(path));
  const kinds = regionFiles(directoryOf(path))
    .filter(({ kind, name }) => name === own?.name && kind !== own.kind)
    .map(({ kind }) => `"${kind}"`);
  return kinds.length === 0 ? "" : `, but a region of type ${kinds.join(" and ")} has this name`;
}

/**
 * Appends to the state of a handle that regions of several types have its name: its peers may use
 * another type.
 */
export function withNamesakes(state: string, name: string): string {
  const all = regionFiles().filter((file) => file.name === name).map(({ kind }) => `"${kind}"`);
  const kinds = [...new Set(all)];
  return kinds.length < 2
    ? state
    : `${state}, but regions of types ${kinds.join(" and ")} have this name`;
}

/** Describes the region of this path; returns undefined if none exists. */
export function regionAt(path: string): RegionInfo | undefined {
  const parsed = parseFileName(fileNameOf(path));
  const status = files.statPath(path);
  if (parsed === undefined || typeof status === "number") return undefined;
  const base = {
    ...parsed,
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

/** Returns the contents of the header of an open file, or the reason why it cannot. */
export function detailsOf(fd: number): RegionDetails | string {
  const bytes = new Uint8Array(REGION_HEADER.size);
  const length = files.read(fd, bytes);
  const header = parseHeader(bytes.subarray(0, Math.max(length, 0)));
  if (typeof header === "string") return header;
  const { byte_length, data_offset } = header;
  if (data_offset > byte_length || byte_length > LARGEST_BYTES) {
    return `its header states ${byte_length} bytes with data from ${data_offset}`;
  }
  const description = readDescription(fd, header);
  const type = description?.type;
  const message = { name: header.message_name, hash: header.message_hash };
  return {
    id: Array.from(header.creator, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    dataBytes: dataBytesOf(header),
    abiHash: header.abi_hash,
    dataOffset: Number(header.data_offset),
    persist: (header.state & RegionState.persist) !== 0,
    type: message.hash === 0n ? undefined : { ...message, ...(type && { description: type }) },
    geometry: description?.geometry,
    policy: description?.policy,
    features: [
      ...featureNames(header.compatible, description?.features.compatible),
      ...featureNames(header.incompatible, description?.features.incompatible),
    ],
  };
}
