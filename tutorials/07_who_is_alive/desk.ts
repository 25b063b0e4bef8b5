/**
 * Chapter 7: a page in /dev/shm that a worker and this process share, and what each puts into it.
 *
 * @module
 */

import { check } from "../../src/errors.ts";
import {
  allocate,
  bufferAt,
  close,
  link,
  map,
  MapFlag,
  Open,
  open,
  Protection,
  statPath,
} from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";

const WORDS = ["pid", "beat", "work", "heirsWork", "other"] as const;

/** One of the numbers on a desk. */
type Word = (typeof WORDS)[number];

/** A shared page with a few numbers. */
export type Desk = { readonly path: string } & { [word in Word]: number };

/** Opens the desk of a telling, or makes it. */
export function openDesk(name: string): Desk {
  const path = `/dev/shm/desk.${name}`;
  const length = pageSize();
  const isThere = typeof statPath(path) !== "number";
  const fd = isThere ? open(path, Open.write) : open("/dev/shm", Open.write | Open.unnamed, 0o600);
  check(fd, { syscall: "open", action: `open ${path}` });
  if (!isThere) {
    check(allocate(fd, 0, length), { syscall: "fallocate", action: `reserve ${path}` });
    check(link(fd, path), { syscall: "linkat", action: `name ${path}` });
  }
  const protection = Protection.read | Protection.write;
  const address = map({ length, protection, flags: MapFlag.shared, fd });
  close(fd);
  const words = new Int32Array(bufferAt(address, length));
  const desk = { path } as Desk;
  for (const [i, word] of WORDS.entries()) {
    Object.defineProperty(desk, word, {
      enumerable: true,
      get: () => Atomics.load(words, i),
      set: (value: number) => Atomics.store(words, i, value),
    });
  }
  return desk;
}
