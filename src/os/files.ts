/**
 * Files and mappings: each function is one kernel operation that returns a value or -errno, without
 * policy. A leaf: the explorer swaps this file for one that a scheduler drives.
 *
 * @module
 */

import { cString } from "../native/c_string.ts";
import { native } from "../native/load.ts";
import { perIsolate } from "./clock.ts";

/**
 * Bits of the flags of {@linkcode open}: `write` is for reading and writing, `sink` for writing
 * only; a file without either is opened for reading only.
 */
export const Open = { write: 1, unnamed: 2, directory: 4, follow: 8, sink: 16 } as const;

/** Protection bits of {@linkcode map}. */
export const Protection = { none: 0, read: 1, write: 2 } as const;

/** Flags of {@linkcode map}; the same numbers on x86_64 and aarch64. */
export const MapFlag = {
  shared: 0x1,
  private: 0x2,
  fixed: 0x10,
  anonymous: 0x20,
  noReserve: 0x4000,
  populate: 0x8000,
} as const;

/** Flags of {@linkcode memfd}. */
export const MemfdFlag = { closeOnExec: 1, hugePages: 4 } as const;

/** The status of a file. */
export interface FileStatus {
  /** The device that holds the file. */
  readonly device: number;
  /** The number of the file on its device; `device` and `inode` together identify the file. */
  readonly inode: number;
  /** The length in bytes. */
  readonly size: number;
  /** The type and permission bits. */
  readonly mode: number;
  /** The user id of the owner. */
  readonly uid: number;
  /** The number of names; 0 once the file is unlinked. */
  readonly links: number;
  /** The allocated memory in bytes, less than `size` if the file has holes. */
  readonly allocated: number;
}

/** Whether a mode is that of a regular file. */
export function isRegular(mode: number): boolean {
  return (mode & 0o170000) === 0o100000;
}

/**
 * Opens a file, through a symbolic link only if `follow` is set; returns an fd. The fd belongs to
 * this isolate: its sentinel closes it when the isolate ends.
 */
export function open(path: string, flags: number, mode = 0): number {
  return native().sentinel_open(cString(path), flags, mode);
}

/** Returns a path that opens the file behind an fd again, as another open file description. */
export function pathOfFd(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** Creates a file in memory without a name; returns an fd. */
export function memfd(name: string, flags: number = MemfdFlag.closeOnExec): number {
  return native().sentinel_memfd(cString(name), flags);
}

/** Closes an fd. */
export function close(fd: number): number {
  return native().sentinel_close(fd);
}

/** Sets a file's length; an added part is a hole. */
export function truncate(fd: number, sizeBytes: number): number {
  return native().vring_truncate(fd, sizeBytes);
}

/** Allocates memory for a range of a file, and extends the file if the range ends beyond it. */
export function allocate(fd: number, offset: number, sizeBytes: number): number {
  return native().vring_allocate(fd, offset, sizeBytes);
}

/** Allocates memory for a range of a file, and never changes the length of the file. */
export function fill(fd: number, offset: number, sizeBytes: number): number {
  return native().vring_fill(fd, offset, sizeBytes);
}

/** Sets a file's permission bits, ignoring the umask. */
export function chmod(fd: number, mode: number): number {
  return native().vring_chmod(fd, mode);
}

/** Sets a file's group. */
export function setGroup(fd: number, group: number): number {
  return native().vring_set_group(fd, group);
}

/** Gives an unnamed file its name; returns -EEXIST if the name is taken. */
export function link(fd: number, path: string): number {
  return native().vring_link(cString(pathOfFd(fd)), cString(path));
}

/** Removes a name; the file exists until its last user is gone. */
export function unlink(path: string): number {
  return native().vring_unlink(cString(path));
}

/** Returns the status of an open file. */
export function stat(fd: number): FileStatus | number {
  const out = new Float64Array(7);
  return statusOf(native().vring_stat(fd, out), out);
}

/** Returns the status of the file of this name, without following a symbolic link. */
export function statPath(path: string): FileStatus | number {
  const out = new Float64Array(7);
  return statusOf(native().vring_stat_path(cString(path), out), out);
}

function statusOf(result: number, out: Float64Array): FileStatus | number {
  if (result < 0) return result;
  const [device, inode, size, mode, uid, links, allocated] = out as unknown as number[];
  return { device, inode, size, mode, uid, links, allocated } as FileStatus;
}

/** Returns the free and total bytes of the file system that holds a path. */
export function space(path: string): { free: number; total: number } | number {
  const out = new Float64Array(2);
  const result = native().vring_space(cString(path), out);
  return result < 0 ? result : { free: out[0]!, total: out[1]! };
}

/** Lists the names in a directory, in no particular order. */
export function list(path: string): string[] | number {
  const fd = open(path, Open.directory);
  if (fd < 0) return fd;
  const names: string[] = [];
  const buffer = new Uint8Array(32768);
  let length: number;
  while ((length = native().vring_list(fd, buffer, buffer.length)) > 0) {
    addNames(names, buffer.subarray(0, length));
  }
  close(fd);
  return length < 0 ? length : names;
}

/**
 * Parses struct linux_dirent64: inode u64, offset i64, record length u16, type u8, name with a NUL.
 */
function addNames(names: string[], records: Uint8Array<ArrayBuffer>): void {
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  const decoder = new TextDecoder();
  for (let at = 0; at < records.length; at += view.getUint16(at + 16, true)) {
    const name = records.subarray(at + 19, records.indexOf(0, at + 19));
    names.push(decoder.decode(name));
  }
}

/** Reads a file at `offset` into the target; returns the number of bytes read. */
export function read(fd: number, target: Uint8Array<ArrayBuffer>, offset = 0): number {
  return native().vring_read(fd, target, target.length, offset);
}

/** Reads all bytes of a file, such as one under /proc. */
export function readAll(path: string): Uint8Array | number {
  const fd = open(path, Open.follow);
  if (fd < 0) return fd;
  let bytes = new Uint8Array(4096);
  let length = 0;
  let result: number;
  while ((result = read(fd, bytes.subarray(length), length)) > 0) {
    length += result;
    if (length < bytes.length) continue;
    const larger = new Uint8Array(2 * bytes.length);
    larger.set(bytes);
    bytes = larger;
  }
  close(fd);
  return result < 0 ? result : bytes.subarray(0, length);
}

/** Returns the user id of this process. */
export function userId(): number {
  return native().vring_uid();
}

/** Arguments of {@linkcode map}. */
export interface MapRequest {
  /** With `MapFlag.fixed`: the address, within a range that is already mapped. */
  readonly address?: number | undefined;
  /** The number of bytes. */
  readonly length: number;
  /** The alignment of the address, if more than a page; only without a file. */
  readonly alignment?: number | undefined;
  /** Bits of `Protection`. */
  readonly protection: number;
  /** Bits of `MapFlag`. */
  readonly flags: number;
  /** The file; omitted for anonymous memory. */
  readonly fd?: number | undefined;
  /** The offset in the file where the mapping begins. */
  readonly offset?: number | undefined;
}

/**
 * Maps memory; returns its address. The memory belongs to this isolate, whose sentinel retires it
 * when the isolate ends. With `MapFlag.fixed` the call replaces a part of such memory.
 */
export function map(request: MapRequest): number {
  const { address = 0, length, alignment = 0, protection, flags, fd = -1, offset = 0 } = request;
  if ((flags & MapFlag.fixed) !== 0) {
    return native().vring_map_part(address, length, protection, flags, fd, offset);
  }
  const owner = native().sentinel_owner();
  return native().vring_map(owner, length, alignment, protection, flags, fd, offset);
}

/** Unmaps an address range. No other code may use it any more. */
export function unmap(address: number, length: number): number {
  return native().vring_unmap(address, length);
}

/**
 * Retires the range that `map` returned at this address: releases its memory and keeps its
 * addresses reserved. Code that still uses the range reads private zeros. See native/memory.c.
 */
export function retire(address: number): number {
  return native().vring_retire(address);
}

/** The words that tell which ranges are unusable, and the place of one range among them. */
export interface FaultWord {
  /** The words of all ranges of this process. */
  readonly words: Int32Array<ArrayBuffer>;
  /** The place of the range: its word is 0 while all its memory is there. */
  readonly place: number;
}

/** The most ranges of a process (native/memory.c). */
const MOST_RANGES = 65536;

const allFaults = perIsolate(() =>
  new Int32Array(bufferAt(native().vring_faults(), 4 * MOST_RANGES))
);

/**
 * Returns the word of the range that `map` returned at this address. A touch of memory that a peer
 * has taken away sets it; the range has private zeros from then on. See native/signals.c.
 */
export function faultWordOf(address: number): FaultWord {
  return { words: allFaults(), place: native().vring_place(address) };
}

/** The counts of ranges that this library has mapped in this process, in all its isolates. */
export interface Ranges {
  /** The retired bytes of addresses. */
  readonly retiredBytes: number;
  /** The retired ranges. */
  readonly retired: number;
  /** The most bytes of addresses that stay retired; beyond it the oldest range is unmapped. */
  readonly retiredBytesLimit: number;
  /** The ranges that are mapped and not retired. */
  readonly mapped: number;
}

/** Counts the ranges of this process. */
export function ranges(): Ranges {
  const out = new Float64Array(4);
  native().vring_ranges(out);
  const [retiredBytes, retired, retiredBytesLimit, mapped] = out as unknown as number[];
  return { retiredBytes, retired, retiredBytesLimit, mapped } as Ranges;
}

/** Makes an ArrayBuffer over mapped memory. It must be detached before the memory is unmapped. */
export function bufferAt(address: number, length: number): ArrayBuffer {
  const pointer = Deno.UnsafePointer.create(BigInt(address));
  if (pointer === null) throw new TypeError("Cannot view memory: the address is null");
  return Deno.UnsafePointerView.getArrayBuffer(pointer, length);
}
