/**
 * A kind of torture: who does what with which shared memory, how they are harmed, and what must
 * come out. Each is one file in kinds/; those in broken/ are wrong on purpose.
 *
 * @module
 */

import { now } from "../../src/os/clock.ts";
import type { Harm } from "./fate.ts";
import type { Cells, SeatBook } from "./ledger.ts";
import type { Ledger } from "./ledger.ts";
import { Random } from "./random.ts";

/** Processes that all do the same. */
export interface Part<C extends string = string> {
  /** How many there are at any time. */
  readonly seats: number;
  /** How they are harmed; absent: not at all. Who dies, or returns, is replaced. */
  readonly harm?: Harm;
  /** What such a process does until `stage.over`. Throwing is a complaint. */
  run(stage: Stage<C>): void | Promise<void>;
}

/** What a kind can count. Whatever is not counted is 0. */
export interface Counts {
  /** Messages, or whatever the kind moves. */
  readonly sent: number;
  /** How many of them arrived. */
  readonly received: number;
  /** How many were promised to arrive and did not. */
  readonly lost: number;
  /** How many arrived twice though that was not announced. */
  readonly duplicated: number;
  /** How many had wrong bytes. */
  readonly corrupt: number;
  /** How many buffers, files or mappings nobody will ever use again. */
  readonly leaked: number;
  /** Whatever else there is to say, by its name. */
  readonly facts?: Readonly<Record<string, number | string>>;
}

/** What the harness itself does in a kind. */
export interface Overseer extends Partial<Disposable> {
  /** Takes stock; also while everything runs. */
  counts(): Partial<Counts>;
  /**
   * Looks at what is left while no process lives: at the end, and now and then in between, after
   * all were killed at once, also those of parts without harm.
   */
  alone?(): void;
}

/** A kind of torture. */
export interface Kind<C extends string = string> {
  /** What it shows, in a sentence. */
  readonly about: string;
  /** How many cells of the ledger have each name. */
  readonly cells: Readonly<Record<C, number>>;
  /** The processes. */
  readonly parts: Readonly<Record<string, Part<C>>>;
  /** Resources that must not stay unclaimed, once they were claimed, for longer than this. */
  readonly wanted?: { readonly resources: readonly string[]; readonly withinMs: number };
  /** Called before the first process starts. What it holds is disposed after the last has ended. */
  begin(scene: Scene<C>): Overseer;
}

/** Gives a kind its types. */
export function defineKind<C extends string>(kind: Kind<C>): Kind<C> {
  return kind;
}

/** What all processes of a run have in common. */
export class Scene<C extends string = string> {
  /** In the name of everything that is made: how what is left is found. */
  readonly run: string;
  readonly #ledger: Ledger<C>;

  constructor(run: string, ledger: Ledger<C>) {
    this.run = run;
    this.#ledger = ledger;
  }

  /** A name that belongs to this run. */
  name(suffix: string): string {
    return `${this.run}-${suffix}`;
  }

  /** The counters of the kind. */
  get cells(): Cells<C> {
    return this.#ledger.cells;
  }

  /** Whether everybody is to come to an end. */
  get over(): boolean {
    return this.#ledger.over;
  }

  /** Says what must not be: the account is not clean. */
  complain(text: string): void {
    this.#ledger.complain(text);
  }
}

/** How a process is told what it is. */
export interface Assignment {
  /** The name of the part. */
  readonly part: string;
  /** Which of the part's processes, from 0. */
  readonly seat: number;
  /** How many were in the seat before. */
  readonly life: number;
  /** Which book of the ledger. */
  readonly book: number;
  /** What chance begins with. */
  readonly seed: number;
}

/** What a process sees of the run. */
export class Stage<C extends string = string> extends Scene<C> {
  /** Which of the part's processes this is, from 0. */
  readonly seat: number;
  /** How many were in the seat before. */
  readonly life: number;
  /** Chance that the seed repeats. */
  readonly random: Random;
  /** How this process is called in complaints. */
  readonly who: string;
  readonly #book: SeatBook;

  constructor(run: string, ledger: Ledger<C>, assignment: Assignment) {
    super(run, ledger);
    const { part, seat, life, book, seed } = assignment;
    this.seat = seat;
    this.life = life;
    this.random = new Random(seed, part, seat, life, "load");
    this.who = `${part} ${seat}.${life}`;
    this.#book = ledger.seats[book]!;
  }

  override complain(text: string): void {
    super.complain(`${this.who}: ${text}`);
  }

  /** When this process was last continued after a stop. */
  get continuedAt(): number {
    return this.#book.continuedAt.load();
  }

  /**
   * From now until it is released, or this process dies, the resource has this value, a whole
   * number above 0. Whoever claims another value at the same time is the finding: for what is
   * shared let all claim one identity, for what is exclusive each a value of its own.
   */
  claim(resource: string, value: number): void {
    this.#book.write({ time: now(), value, resource });
  }

  /** Ends a claim. Call it before giving up whatever makes it true. */
  release(resource: string, value: number): void {
    this.#book.write({ time: now(), value: -value, resource });
  }
}
