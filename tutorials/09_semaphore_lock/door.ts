/**
 * Exercise: the two halves of the lock, as one party sees them. Both are real: a record lock and a
 * semaphore.
 *
 * @module
 */

import { close, memfd, pathOfFd } from "../../src/os/files.ts";
import { closeLockFile, Lock, openLockFile, setLock } from "../../src/os/locks.ts";
import {
  closeSemaphore,
  openSemaphore,
  post,
  tryWait,
  unlinkSemaphore,
} from "../../src/os/semaphore.ts";
import { Film } from "../film.ts";

/** Thrown where a party is killed, through all code that it would still run. */
export class Killed extends Error {}

/** The lock as one party has it, with an open file of its own. */
export class Door {
  readonly #house: House;
  readonly #name: Party;
  readonly #fd: number;
  #dieIn = Infinity;
  #dead = false;

  /** Opens the lock for one more party. */
  constructor(house: House, name: Party) {
    this.#house = house;
    this.#name = name;
    this.#fd = openLockFile(house.path, true);
  }

  /** Whether the party was killed. */
  get dead(): boolean {
    return this.#dead;
  }

  /** Takes the record lock; returns false if another living party holds it. */
  tryRecord(): boolean {
    return this.#make("tryRecord", () => {
      const isTaken = setLock(this.#fd, Lock.write, 0) >= 0;
      if (isTaken) this.#house.holder = this.#name;
      return isTaken;
    });
  }

  /** Drops the record lock. */
  dropRecord(): void {
    this.#make("dropRecord", () => {
      setLock(this.#fd, Lock.none, 0);
      this.#house.letGo(this.#name);
    });
  }

  /** Takes the number, 1 becomes 0; returns false if it is 0. */
  tryWait(): boolean {
    return this.#make("tryWait", () => tryWait(this.#house.semaphore) >= 0);
  }

  /** Adds 1 to the number. */
  post(): void {
    this.#make("post", () => {
      post(this.#house.semaphore);
    });
  }

  /** Kills the party before an operation from now on; 1 is the next. */
  dieBefore(operation: number): void {
    this.#dieIn = operation;
  }

  /** Ends the party as the kernel does: its open file is closed. */
  kill(): void {
    if (this.#dead) return;
    this.#dead = true;
    closeLockFile(this.#fd);
    this.#house.letGo(this.#name);
  }

  #make<T>(operation: string, make: () => T): T {
    if (!this.#dead && --this.#dieIn === 0) {
      this.kill();
      this.#house.film.add(this.#name, `is killed before ${operation}`);
    }
    if (this.#dead) throw new Killed();
    this.#house.before();
    const result = make();
    const returned = result === undefined ? "" : ` → ${result}`;
    this.#house.film.add(this.#name, `${operation}()${returned}`);
    return result;
  }
}

/** Those that enter and leave. */
export type Party = "A" | "B" | "C" | "D";

/** A lock that the check has made, and a film of what happens to it. */
export class House implements Disposable {
  readonly semaphore: number;
  /** The party that has the record lock. */
  holder: Party | undefined;
  readonly film = new Film<Party>(["A", "B", "C", "D"], {
    "record lock": () => this.holder ?? "free",
    number: () => this.number,
  });
  /** Called before each operation. */
  before: () => void = () => {};
  readonly #fd: number = memfd("lock");

  constructor() {
    const name = `exercise-lock.${Deno.pid}`;
    this.semaphore = openSemaphore(name, 0o600);
    unlinkSemaphore(name);
  }

  /** Notes that a party has the record lock no more. */
  letGo(party: Party): void {
    if (this.holder === party) this.holder = undefined;
  }

  /** A path that opens the file of the record lock. */
  get path(): string {
    return pathOfFd(this.#fd);
  }

  /** What a program in C would find: how often the number can be taken. */
  get number(): number {
    let number = 0;
    while (tryWait(this.semaphore) >= 0) number++;
    for (let i = 0; i < number; i++) post(this.semaphore);
    return number;
  }

  [Symbol.dispose](): void {
    closeSemaphore(this.semaphore);
    close(this.#fd);
  }
}
