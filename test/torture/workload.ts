/**
 * A workload: the parts that processes play on some shared memory, how they are harmed, and what
 * the account must show. Each is one file in workloads/; those in broken/ are wrong on purpose.
 *
 * @module
 */

import { now } from "../../src/os/clock.ts";
import type { Harm } from "./fate.ts";
import type { Cells, Ledger, SeatBook } from "./ledger.ts";
import { Random } from "../random.ts";

/** Processes that all do the same. */
export interface Part<C extends string = string> {
  /** The number of these processes at any time. */
  readonly seats: number;
  /** How they are harmed; absent: not at all. A process that dies or returns is replaced. */
  readonly harm?: Harm;
  /** Runs in such a process until `actor.over`. An exception is a complaint. */
  run(actor: Actor<C>): void | Promise<void>;
}

/**
 * The counts of an account. Each is the sum of the cells of its name, or 0 without such cells,
 * unless the overseer counts otherwise.
 */
export interface Counts {
  /** Messages, or the units that the workload moves. */
  readonly sent: number;
  /** How many of them arrived. */
  readonly received: number;
  /** How many were promised to arrive and did not. */
  readonly lost: number;
  /** How many arrived twice without announcement. */
  readonly duplicated: number;
  /** How many had wrong bytes. */
  readonly corrupt: number;
  /** How many buffers, files or mappings nobody will ever use again. */
  readonly leaked: number;
  /** Further rows of the account, by name. */
  readonly facts?: Readonly<Record<string, number | string>>;
}

/** The side of a workload that runs in the harness. */
export interface Overseer extends Partial<Disposable> {
  /** Takes stock of what no counter shows; also while everything runs. */
  counts?(): Partial<Counts>;
  /**
   * Examines the memory while no process lives: at the end, and now and then in between, after
   * all processes were killed at once, also those of parts without harm.
   */
  alone?(): void;
  /** Looks at /dev/shm after the overseer has been disposed. */
  gone?(): void;
}

/** A workload. */
export interface Workload<C extends string = string> {
  /** Its purpose, in a sentence. */
  readonly about: string;
  /** How many cells of the ledger have each name. */
  readonly cells: Readonly<Record<C, number>>;
  /** Rows of the account with the sum of a counter; "(ms)" shows nanoseconds as milliseconds. */
  readonly facts?: Readonly<Record<string, NoInfer<C>>>;
  /** The processes. */
  readonly parts: Readonly<Record<string, Part<C>>>;
  /** Resources that must not stay vacant for longer than this, once an actor has held them. */
  readonly wanted?: { readonly resources: readonly string[]; readonly withinMs: number };
  /** Called before the first process starts. The overseer is disposed after the last has ended. */
  begin(scene: Scene<C>): Overseer;
}

/** Gives a workload its types. */
export function defineWorkload<C extends string>(workload: Workload<C>): Workload<C> {
  return workload;
}

/** The part of a run that its processes and the harness share. */
export class Scene<C extends string = string> {
  /** In the name of everything that the run makes, so that leftovers are found. */
  readonly run: string;
  readonly #ledger: Ledger<C>;

  constructor(run: string, ledger: Ledger<C>) {
    this.run = run;
    this.#ledger = ledger;
  }

  /** Returns a name that belongs to this run. */
  name(suffix: string): string {
    return `${this.run}-${suffix}`;
  }

  /** The counters of the workload. */
  get cells(): Cells<C> {
    return this.#ledger.cells;
  }

  /** Adds to the first cell of a counter. */
  count(name: C, amount = 1): void {
    this.cells[name][0]!.add(amount);
  }

  /** Returns the sum of a counter's cells. */
  total(name: C): number {
    return this.cells[name].reduce((sum, cell) => sum + cell.load(), 0);
  }

  /** Whether the run is over and every process has to end. */
  get over(): boolean {
    return this.#ledger.over;
  }

  /** Reports a violation: the account is not clean. */
  complain(text: string): void {
    this.#ledger.complain(text);
  }

  /** Counts a violation and reports it. */
  find(name: C, text: string): void {
    this.count(name);
    this.complain(text);
  }
}

/** Tells a process its part. */
export interface Assignment {
  /** The name of the part. */
  readonly part: string;
  /** Which of the part's processes, from 0. */
  readonly seat: number;
  /** How many were in the seat before. */
  readonly life: number;
  /** Which book of the ledger. */
  readonly book: number;
  /** The seed of the run. */
  readonly seed: number;
}

/** A process in its part. */
export class Actor<C extends string = string> extends Scene<C> {
  /** Which of the part's processes this is, from 0. */
  readonly seat: number;
  /** How many were in the seat before. */
  readonly life: number;
  /** A number above 0 that no other process of the part has. */
  readonly token: number;
  /** Chance that the seed repeats. */
  readonly random: Random;
  /** The name of this process in complaints. */
  readonly who: string;
  readonly #ledger: Ledger<C>;
  readonly #book: SeatBook;

  constructor(run: string, ledger: Ledger<C>, assignment: Assignment) {
    super(run, ledger);
    const { part, seat, life, book, seed } = assignment;
    this.seat = seat;
    this.life = life;
    this.token = 1 + seat + 100 * (life + 1);
    this.random = new Random(seed, part, seat, life, "load");
    this.who = `${part} ${seat}.${life}`;
    this.#ledger = ledger;
    this.#book = ledger.seats[book]!;
  }

  override complain(text: string): void {
    this.#ledger.complainAndWait(`${this.who}: ${text}`);
  }

  /** When this process was last continued after a stop. */
  get continuedAt(): number {
    return this.#book.continuedAt.load();
  }

  /**
   * States that the resource has this value, a whole number above 0, until the statement is
   * withdrawn or this process dies. Two actors that state different values at the same time are a
   * finding: let all state one identity of a shared resource, and each a value of its own for an
   * exclusive one.
   */
  declare(resource: string, value: number): void {
    this.#book.write({ time: now(), value, resource });
  }

  /** Ends a statement. Call it before giving up the fact that makes it true. */
  withdraw(resource: string, value: number): void {
    this.#book.write({ time: now(), value: -value, resource });
  }
}
