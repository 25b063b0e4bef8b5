/**
 * Replaces src/os/files.ts: one file in an arena, which the fuzzer rewrites before each execution.
 *
 * @module
 */

import * as real from "../../../src/os/files.ts?real";
import type { FileStatus, MapRequest } from "../../../src/os/files.ts?real";

export * from "../../../src/os/files.ts?real";

const [ENOENT, EROFS, ENOMEM] = [2, 30, 12];
/** The file descriptors of the file, and of its locks. */
export const FILE = 100_000;
export const LOCKS = 100_001;
/** Room for a file and its mirror. */
const ARENA_BYTES = 2 ** 20;

const { anonymous, shared } = real.MapFlag;
const arena = real.map({
  length: ARENA_BYTES,
  protection: real.Protection.read | real.Protection.write,
  flags: shared | anonymous,
});
const memory = new Uint8Array(real.bufferAt(arena, ARENA_BYTES));
const me = real.userId();

let path = "";
let size = 0;

/** What a mapping asked for beyond the end of the file; undefined if none did. */
export let beyond: string | undefined;

/** Gives the file its name and its bytes. */
export function setFile(name: string, bytes: Uint8Array): void {
  path = name;
  size = bytes.length;
  memory.set(bytes);
  memory.fill(0, size, Math.min(size + 4096, ARENA_BYTES));
  beyond = undefined;
}

function isOurs(name: string): boolean {
  return name === path || name === `/proc/self/fd/${FILE}` || name === `/proc/self/fd/${LOCKS}`;
}

export function open(name: string, flags: number, mode = 0): number {
  if (isOurs(name)) return FILE;
  if (name.startsWith("/dev/shm")) return (flags & real.Open.unnamed) !== 0 ? -EROFS : -ENOENT;
  return real.open(name, flags, mode);
}

export function close(fd: number): number {
  return fd >= FILE ? 0 : real.close(fd);
}

function status(): FileStatus {
  const mode = 0o100600;
  return { device: 1, inode: 2, size, mode, uid: me, links: 1, allocated: size };
}

export function stat(fd: number): FileStatus | number {
  return fd >= FILE ? status() : real.stat(fd);
}

export function statPath(name: string): FileStatus | number {
  return isOurs(name) ? status() : -ENOENT;
}

export function list(_path: string): string[] {
  return [path.slice("/dev/shm/".length)];
}

export function read(fd: number, target: Uint8Array<ArrayBuffer>, offset = 0): number {
  if (fd < FILE) return real.read(fd, target, offset);
  const length = Math.max(0, Math.min(target.length, size - offset));
  target.set(memory.subarray(offset, offset + length));
  return length;
}

export function truncate(): number {
  return 0;
}

export function allocate(): number {
  return 0;
}

export function fill(): number {
  return 0;
}

export function chmod(): number {
  return 0;
}

export function unlink(): number {
  return 0;
}

export function link(): number {
  return -EROFS;
}

export function map(request: MapRequest): number {
  const { address = 0, length, flags, fd, offset = 0 } = request;
  if (fd === FILE && offset + length > Math.ceil(size / 4096) * 4096) {
    beyond ??= `${length} bytes at ${offset} of a file of ${size} were mapped`;
  }
  if (length > ARENA_BYTES) return -ENOMEM;
  return (flags & real.MapFlag.fixed) !== 0 ? address : arena;
}

export function unmap(): number {
  return 0;
}

export function retire(): number {
  return 0;
}
