/**
 * Exercise: a room of members. Its locks are real record locks; its clock and its processes belong
 * to the check.
 *
 * @module
 */

import { close, memfd, pathOfFd } from "../../src/os/files.ts";
import { closeLockFile, Lock, openLockFile, setLock, testLock } from "../../src/os/locks.ts";

/** The room as one member sees it: an open file, with a byte to lock for each place. */
export class Room {
  /** How many places there are. */
  readonly places: number;
  /** A number for each place, in memory that all members share; 0 at first. */
  readonly notes: Int32Array;
  /** The number of this member's process. */
  readonly pid: number;
  readonly #house: House;
  readonly #fd: number;

  /** Opens the room for one more member. */
  constructor(house: House) {
    this.places = house.places;
    this.notes = house.notes;
    this.pid = house.start();
    this.#house = house;
    this.#fd = openLockFile(house.path, true);
  }

  /** Locks the byte of a place; returns false if another member holds it. */
  tryLock(place: number): boolean {
    this.#step(place);
    return setLock(this.#fd, Lock.write, place) >= 0;
  }

  /** Unlocks the byte of a place. */
  unlock(place: number): void {
    this.#step(place);
    setLock(this.#fd, Lock.none, place);
  }

  /** Returns whether another member holds the byte of a place. Your own lock does not count. */
  isLockedByOther(place: number): boolean {
    this.#step(place);
    return testLock(this.#fd, Lock.write, place) !== Lock.none;
  }

  /** Returns whether there is a process with this number. */
  isRunning(pid: number): boolean {
    return this.#house.isRunning(pid);
  }

  /** Returns the time in milliseconds. */
  now(): number {
    return this.#house.now;
  }

  #step(place: number): void {
    if (!(place in this.notes)) throw new RangeError(`The room has no place ${place}`);
    this.#house.step();
  }

  /** Ends this member as the kernel ends a process: it closes the open file. */
  end(): void {
    closeLockFile(this.#fd);
  }
}

/** What the members of a room have in common, as the check made it. */
export class House implements Disposable {
  readonly places: number;
  readonly notes: Int32Array;
  now = 1_000_000;
  /** Called before each step that a member makes with a lock. */
  step: () => void = () => {};
  readonly #fd: number = memfd("room");
  readonly #running = new Set<number>();
  #pids = 100;

  constructor(places: number) {
    this.places = places;
    this.notes = new Int32Array(places);
  }

  /** A path that opens the file of locks. */
  get path(): string {
    return pathOfFd(this.#fd);
  }

  /** Starts a process; returns its number. */
  start(): number {
    this.#running.add(++this.#pids);
    return this.#pids;
  }

  /** Ends a process, unless its number goes to a stranger at once. */
  end(pid: number, reused: boolean): void {
    if (!reused) this.#running.delete(pid);
  }

  isRunning(pid: number): boolean {
    return this.#running.has(pid);
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }
}
