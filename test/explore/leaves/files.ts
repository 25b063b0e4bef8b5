/** Replaces src/os/files.ts: files and mappings of the simulated machine. @module */

import { currentActor, type Inode, PAGE_BYTES, process, shared } from "../engine/mod.ts";
import type { FaultWord, FileStatus, MapRequest } from "../../../src/os/files.ts?real";
import { MapFlag, MemfdFlag, Open, Protection } from "../../../src/os/files.ts?real";

export type { FaultWord, FileStatus, MapRequest };
export { MapFlag, MemfdFlag, Open, Protection };
export { isRegular } from "../../../src/os/files.ts?real";

const ENOENT = 2;
const EBADF = 9;
const EEXIST = 17;
const REGULAR = 0o100000;

export function open(path: string, flags: number, _mode = 0): number {
  if ((flags & Open.unnamed) !== 0) return process().openFile(undefined);
  const own = /^\/proc\/self\/fd\/(\d+)$/.exec(path);
  if (own !== null) return process().openFile(process().files.get(Number(own[1]))!.inode);
  const inode = shared(() => `open ${path}`, (world) => world.names.get(path));
  return inode === undefined ? -ENOENT : process().openFile(inode);
}

export function pathOfFd(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

export function memfd(_name: string, _flags?: number): number {
  return process().openFile(undefined);
}

export function close(fd: number): number {
  return process().files.delete(fd) ? 0 : -EBADF;
}

export function truncate(fd: number, sizeBytes: number): number {
  return allocate(fd, 0, sizeBytes);
}

/** A new file has no inode until here, where its size becomes known. */
export function allocate(fd: number, offset: number, sizeBytes: number): number {
  const file = process().files.get(fd)!;
  file.inode ??= process().makeInode(`${currentActor().name}'s file`, offset + sizeBytes);
  return 0;
}

export function fill(_fd: number, _offset: number, _sizeBytes: number): number {
  return 0;
}

export function chmod(fd: number, mode: number): number {
  const { inode } = process().files.get(fd)!;
  if (inode !== undefined) currentActor().local((world) => world.setMode(inode, mode));
  return 0; // a file without an inode has no mode that anyone could read
}

export function setGroup(_fd: number, _group: number): number {
  return 0;
}

export function link(fd: number, path: string): number {
  const inode = process().files.get(fd)!.inode!;
  return shared(() => `link ${path}`, (world) => {
    if (world.names.has(path)) return -EEXIST;
    world.setName(path, inode);
    world.share(inode);
    return 0;
  });
}

export function unlink(path: string): number {
  return shared(() => `unlink ${path}`, (world) => {
    if (!world.names.has(path)) return -ENOENT;
    world.setName(path, undefined);
    return 0;
  });
}

function statusOf(inode: Inode): FileStatus {
  return {
    device: 1,
    inode: inode.id,
    size: inode.bytes.length,
    mode: REGULAR | inode.mode,
    uid: 0,
    links: inode.links,
    allocated: inode.bytes.length,
  };
}

export function stat(fd: number): FileStatus | number {
  const inode = process().files.get(fd)!.inode!;
  return shared(() => `stat ${inode.label}`, () => statusOf(inode));
}

export function statPath(path: string): FileStatus | number {
  return shared(() => `stat ${path}`, (world) => {
    const inode = world.names.get(path);
    return inode === undefined ? -ENOENT : statusOf(inode);
  });
}

export function space(_path: string): { free: number; total: number } | number {
  return { free: 2 ** 30, total: 2 ** 30 };
}

export function list(path: string): string[] | number {
  return shared(
    () => `list ${path}`,
    (world) =>
      [...world.names.keys()].filter((name) => name.startsWith(`${path}/`))
        .map((name) => name.slice(path.length + 1)).sort(),
  );
}

export function read(fd: number, target: Uint8Array, offset = 0): number {
  const inode = process().files.get(fd)!.inode!;
  const bytes = shared(
    () => `read ${target.length} bytes of ${inode.label}`,
    () => inode.bytes.slice(offset, offset + target.length),
  );
  target.set(bytes);
  return bytes.length;
}

/** Code under test reads only the file with the page size as a whole. */
export function readAll(path: string): Uint8Array | number {
  if (path !== "/proc/self/auxv") return -ENOENT;
  const AT_PAGESZ = 6n;
  return new Uint8Array(new BigUint64Array([AT_PAGESZ, BigInt(PAGE_BYTES), 0n, 0n]).buffer);
}

export function userId(): number {
  return 0;
}

export function map(request: MapRequest): number {
  const { address, length, flags, fd, offset = 0 } = request;
  const own = process();
  const start = (flags & MapFlag.fixed) !== 0 ? address! : own.addresses(length);
  let inode = fd === undefined ? undefined : own.files.get(fd)!.inode;
  if (fd === undefined && request.protection !== Protection.none) {
    const made = inode = own.makeInode(`${currentActor().name}'s memory`, length);
    currentActor().local((world) => world.share(made)); // with the actor's own threads
  }
  own.ranges.push({ start, end: start + length, inode, offset });
  return start;
}

export function unmap(address: number, length: number): number {
  const end = address + length;
  const own = process();
  own.ranges = own.ranges.filter((range) => range.start < address || range.end > end);
  return 0;
}

/** Nothing can use the range afterwards: only real threads could. */
export function retire(address: number): number {
  const { start, end } = process().ranges.find((range) => range.start === address)!;
  return unmap(start, end - start);
}

/** No simulated memory is ever taken away; but a wait may find the header of a file gone. */
export function faultWordOf(_address: number): FaultWord {
  return { words: new Int32Array(1), place: 0 };
}

const buffers = new Map<number, ArrayBuffer>();

/**
 * Gives a buffer of the mapping's size, which the actor's next run uses again. The code under test
 * reads nothing through it, as it goes through words and copies.
 */
export function bufferAt(address: number, length: number): ArrayBuffer {
  let buffer = buffers.get(address);
  if (buffer?.byteLength === length) new Uint8Array(buffer).fill(0);
  else buffers.set(address, buffer = new ArrayBuffer(length));
  return buffer;
}
