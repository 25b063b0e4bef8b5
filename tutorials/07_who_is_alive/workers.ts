/**
 * Chapter 7: the other processes.
 *
 * @module
 */

import { sleepSync } from "../../src/os/clock.ts";
import { bufferAt, map, MapFlag, Protection } from "../../src/os/files.ts";
import { Lock, openLockFile, setLock } from "../../src/os/locks.ts";
import { pageSize } from "../../src/os/page.ts";
import { openDesk } from "./desk.ts";

const BEAT_MS = 5;

function forEver(): Promise<void> {
  return new Promise(() => setInterval(() => {}, 60_000));
}

/** Writes its number down and works. */
export function worker(name: string): Promise<void> {
  openDesk(name).pid = Deno.pid;
  return forEver();
}

/** Has nothing to do with the work. */
export function stranger(name: string): Promise<void> {
  openDesk(name).other = Deno.pid;
  return forEver();
}

/** Works and counts its heartbeats. */
export function beater(name: string): void {
  const desk = openDesk(name);
  for (;;) {
    desk.work++;
    desk.beat++;
    sleepSync(BEAT_MS);
  }
}

/** Works in the place of a worker that seems to be dead. */
export function heir(name: string): void {
  const desk = openDesk(name);
  for (;;) {
    desk.heirsWork++;
    sleepSync(BEAT_MS);
  }
}

/** Holds the record lock and works. */
export function owner(name: string): Promise<void> {
  lockAndWork(name);
  return forEver();
}

/** Holds the record lock and crashes when `work` is set to 0. */
export function crasher(name: string): void {
  const desk = lockAndWork(name);
  while (desk.work !== 0) sleepSync(1);
  const length = pageSize();
  const flags = MapFlag.private | MapFlag.anonymous;
  const closed = map({ length, protection: Protection.none, flags });
  console.log(new Uint8Array(bufferAt(closed, length))[0]); // SIGSEGV, as in chapter 1
}

/** Holds the record lock and hangs. */
export function looper(name: string): void {
  lockAndWork(name);
  for (;;);
}

function lockAndWork(name: string) {
  const desk = openDesk(name);
  const fd = openLockFile(desk.path, true);
  while (setLock(fd, Lock.write, 0) < 0) sleepSync(1);
  desk.work = 1;
  return desk;
}
