/**
 * Files and mappings, as the kernel gives them: every function returns a value or -errno and adds
 * no policy. A leaf: the explorer swaps this file for one that a scheduler drives.
 *
 * @module
 */

import { native } from "../native/load.ts";

/** Bits of the flags of {@linkcode open}; without `write` a file is opened for reading only. */
export const Open = { write: 1, unnamed: 2, directory: 4, follow: 8 } as const;

/** Protection bits of {@linkcode map}. */
export const Protection = { none: 0, read: 1, write: 2 } as const;

/** Flags of {@linkcode map}; the same numbers on x86_64 and aarch64. */
export const MapFlag = {
  shared: 0x1,
  private: 0x2,
  fixed: 0x10,
  anonymous: 0x20,
  noReserve: 0x4000,
} as const;

/** Flags of {@linkcode memfd}. */
export const MemfdFlag = { closeOnExec: 1, hugePages: 4 } as const;

/** What `stat` tells about a file. */
export interface FileStatus {
  /** The device and the inode: together the identity of a file, whatever its name. */
  readonly device: number;
  /** See `device`. */
  readonly inode: number;
  /** The length in bytes. */
  readonly size: number;
  /** The type and permission bits. */
  readonly mode: number;
  /** The owner. */
  readonly uid: number;
  /** How many names the file has; 0 once it is unlinked. */
  readonly links: number;
  /** The memory behind it in bytes, which is less than `size` if the file has holes. */
  readonly allocated: number;
}

/** Whether a mode is that of a regular file. */
export function isRegular(mode: number): boolean {
  return (mode & 0o170000) === 0o100000;
}

const encoder = new TextEncoder();

function cString(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${text}\0`);
}

/**
 * Opens a file, never through a symbolic link unless `follow` is set; gives an fd. It belongs to
 * this isolate: its sentinel closes what is open at its end.
 */
export function open(path: string, flags: number, mode = 0): number {
  return native().sentinel_open(cString(path), flags, mode);
}

/** The path that opens the file behind an fd again, as another open file description. */
export function pathOfFd(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** Makes a file that is only memory and has no name; gives an fd. */
export function memfd(name: string, flags: number = MemfdFlag.closeOnExec): number {
  return native().sentinel_memfd(cString(name), flags);
}

/** Closes an fd. */
export function close(fd: number): number {
  return native().sentinel_close(fd);
}

/** Sets a file's length; what is added is a hole. */
export function truncate(fd: number, sizeBytes: number): number {
  return native().vring_truncate(fd, sizeBytes);
}

/** Reserves memory for a range of a file, and extends the file if the range ends beyond it. */
export function allocate(fd: number, offset: number, sizeBytes: number): number {
  return native().vring_allocate(fd, offset, sizeBytes);
}

/** Sets a file's permission bits; the umask has no say. */
export function chmod(fd: number, mode: number): number {
  return native().vring_chmod(fd, mode);
}

/** Gives an unnamed file its name; -EEXIST if the name is taken. */
export function link(fd: number, path: string): number {
  return native().vring_link(cString(pathOfFd(fd)), cString(path));
}

/** Removes a name; the file lives on until its last user is gone. */
export function unlink(path: string): number {
  return native().vring_unlink(cString(path));
}

/** The status of an open file. */
export function stat(fd: number): FileStatus | number {
  const out = new Float64Array(7);
  return statusOf(native().vring_stat(fd, out), out);
}

/** The status of whatever has this name, a symbolic link included. */
export function statPath(path: string): FileStatus | number {
  const out = new Float64Array(7);
  return statusOf(native().vring_stat_path(cString(path), out), out);
}

function statusOf(result: number, out: Float64Array): FileStatus | number {
  if (result < 0) return result;
  const [device, inode, size, mode, uid, links, allocated] = out as unknown as number[];
  return { device, inode, size, mode, uid, links, allocated } as FileStatus;
}

/** The free and total bytes of the file system that holds a path. */
export function space(path: string): { free: number; total: number } | number {
  const out = new Float64Array(2);
  const result = native().vring_space(cString(path), out);
  return result < 0 ? result : { free: out[0]!, total: out[1]! };
}

/** The names in a directory, in no order. */
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

/** struct linux_dirent64: inode u64, offset i64, record length u16, type u8, name with a NUL. */
function addNames(names: string[], records: Uint8Array<ArrayBuffer>): void {
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  const decoder = new TextDecoder();
  for (let at = 0; at < records.length; at += view.getUint16(at + 16, true)) {
    const name = records.subarray(at + 19, records.indexOf(0, at + 19));
    names.push(decoder.decode(name));
  }
}

/** Fills the target from a place in the file; gives how many bytes there were. */
export function read(fd: number, target: Uint8Array<ArrayBuffer>, offset = 0): number {
  return native().vring_read(fd, target, target.length, offset);
}

/** All bytes of a file, such as one under /proc. */
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

/** The user on whose behalf this process acts. */
export function userId(): number {
  return native().vring_uid();
}

/** Arguments of {@linkcode map}. */
export interface MapRequest {
  /** With `MapFlag.fixed`: the place within a range that is mapped already. */
  readonly address?: number;
  /** How many bytes. */
  readonly length: number;
  /** What the address is a multiple of, if more than a page; only without a file. */
  readonly alignment?: number;
  /** Bits of `Protection`. */
  readonly protection: number;
  /** Bits of `MapFlag`. */
  readonly flags: number;
  /** The file, or none for anonymous memory. */
  readonly fd?: number;
  /** Where in the file the mapping begins. */
  readonly offset?: number;
}

/**
 * Maps memory; gives its address. It belongs to this isolate: its sentinel retires what is mapped
 * at its end. With `MapFlag.fixed` it replaces a part of such memory.
 */
export function map(request: MapRequest): number {
  const { address = 0, length, alignment = 0, protection, flags, fd = -1, offset = 0 } = request;
  if ((flags & MapFlag.fixed) !== 0) {
    return native().vring_map_part(address, length, protection, flags, fd, offset);
  }
  const owner = native().sentinel_owner();
  return native().vring_map(owner, length, alignment, protection, flags, fd, offset);
}

/** Removes the mapping of an address range, which nobody else may be using. */
export function unmap(address: number, length: number): number {
  return native().vring_unmap(address, length);
}

/**
 * Gives the memory of a range back, at whose address `map` began it, and keeps its addresses: what
 * still uses it finds zeros of its own. See native/vring.c.
 */
export function retire(address: number): number {
  return native().vring_retire(address);
}

/** Counts of the ranges that this library has mapped in this process, in all its isolates. */
export interface Ranges {
  /** How many bytes of addresses are retired. */
  readonly retiredBytes: number;
  /** How many ranges are retired. */
  readonly retired: number;
  /** How many bytes of addresses can be retired; beyond it the oldest range is unmapped. */
  readonly retiredBytesLimit: number;
  /** How many ranges are mapped and not retired. */
  readonly mapped: number;
}

/** Counts the ranges of this process. */
export function ranges(): Ranges {
  const out = new Float64Array(4);
  native().vring_ranges(out);
  const [retiredBytes, retired, retiredBytesLimit, mapped] = out as unknown as number[];
  return { retiredBytes, retired, retiredBytesLimit, mapped } as Ranges;
}

/** An ArrayBuffer over mapped memory. It must be detached before the memory is unmapped. */
export function bufferAt(address: number, length: number): ArrayBuffer {
  const pointer = Deno.UnsafePointer.create(BigInt(address));
  if (pointer === null) throw new TypeError("Cannot view memory: the address is null");
  return Deno.UnsafePointerView.getArrayBuffer(pointer, length);
}
