/**
 * Replaces src/os/semaphore.ts: named semaphores of the simulated machine, opened in the steps
 * that the C library takes: a new one is made whole without a name, and linked.
 *
 * @module
 */

import { currentActor, type Inode, on, process, resolve, shared } from "../engine/mod.ts";
import { MapFlag, Protection } from "../../../src/os/files.ts?real";
import { semaphoreFile } from "../../../src/os/semaphore.ts?real";
import * as files from "./files.ts";

export { semaphoreFile };

const ENOENT = 2;
const EAGAIN = 11;
const BYTES = 32;

export function openSemaphore(name: string, _mode: number): number {
  const path = semaphoreFile(name);
  for (;;) {
    const found = shared(() => `open ${path}`, (world) => world.names.get(path));
    if (found !== undefined) return mapped(found);
    const made = process().makeInode(`${currentActor().name}'s semaphore`, BYTES);
    on(made, () => "value 1", (world) => world.setWord(made, 0, 1));
    const linked = shared(() => `link ${path}`, (world) => {
      if (world.names.has(path)) return false;
      world.setName(path, made);
      world.share(made);
      return true;
    });
    if (linked) return mapped(made);
  }
}

function mapped(inode: Inode): number {
  const fd = process().openFile(inode);
  const protection = Protection.read | Protection.write;
  const address = files.map({ length: BYTES, protection, flags: MapFlag.shared, fd });
  files.close(fd);
  return address;
}

export function inodeOf(semaphore: number): number {
  return resolve(semaphore).inode.id;
}

export function closeSemaphore(semaphore: number): number {
  return files.unmap(semaphore, BYTES);
}

export function unlinkSemaphore(name: string): number {
  const path = semaphoreFile(name);
  return shared(() => `unlink ${path}`, (world) => {
    if (!world.names.has(path)) return -ENOENT;
    world.setName(path, undefined);
    return 0;
  });
}

export function tryWait(semaphore: number): number {
  const { inode } = resolve(semaphore);
  return on(inode, () => "semaphore try", (world) => {
    const value = inode.words[0]!;
    if (value === 0) return -EAGAIN;
    world.setWord(inode, 0, value - 1);
    return 0;
  });
}

export function post(semaphore: number): number {
  const { inode } = resolve(semaphore);
  return on(inode, () => "semaphore post", (world) => {
    world.setWord(inode, 0, inode.words[0]! + 1);
    return 0;
  });
}
