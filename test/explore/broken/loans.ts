/**
 * Loans of a topic in small, beside two that are wrong.
 *
 * Each descriptor has a word, `none` or `ready` with a number, and a stack has hints about free ones.
 * A hint may be late, so the writer confirms it by the word. The word cannot say what the writer
 * itself has out.
 *
 * @module
 */

import { Word32 } from "../../../src/memory/word.ts";
import { mapMemory } from "../scenario.ts";

const DEPTH = 2;

/** A loan. Undefined in its place means that none was free. */
export interface Lent {
  readonly d: number;
  isOver: boolean;
}

/** Right: the writer keeps what is out, and a loan is given back once. */
export class Loans {
  readonly #memory = mapMemory("shared");
  readonly #words = this.#row("word", 0);
  readonly #samples = this.#row("sample", 8);
  readonly #hints = this.#row("hint", 16); // one for each descriptor: 1 if it seems to be free
  protected readonly out: Set<number> = new Set();

  #row(path: string, index: number): Word32[] {
    const place = (d: number) => ({ path: `${path}[${d}]`, offset: 4 * (index + d) });
    return Array.from({ length: DEPTH }, (_, d) => new Word32(this.#memory, place(d)));
  }

  /** As if all samples had been published, with the numbers 1 and 2. */
  open(): void {
    for (let d = 0; d < DEPTH; d++) {
      this.#words[d]!.store(d + 1);
      this.#samples[d]!.store(d + 1);
    }
  }

  #isFree(d: number): boolean {
    return !this.out.has(d) && this.#words[d]!.load() === 0;
  }

  /** Loans a descriptor that a hint names, and else one that a search finds. */
  loan(): Lent | undefined {
    for (let d = 0; d < DEPTH; d++) {
      if (this.#hints[d]!.exchange(0) === 1 && this.#isFree(d)) return this.#lend(d);
    }
    for (let d = 0; d < DEPTH; d++) if (this.#isFree(d)) return this.#lend(d);
  }

  #lend(d: number): Lent {
    this.out.add(d);
    return { d, isOver: false };
  }

  /** Writes the sample of a loan. */
  fill(loan: Lent | undefined, number: number): void {
    if (loan !== undefined) this.#samples[loan.d]!.store(number);
  }

  publish(loan: Lent | undefined, number: number): void {
    if (loan === undefined) return;
    this.#words[loan.d]!.store(number);
    this.out.delete(loan.d);
    loan.isOver = true;
  }

  /** Called twice for one loan by a program that disposes of it and then leaves its block. */
  giveBack(loan: Lent | undefined): void {
    if (loan === undefined || loan.isOver) return;
    loan.isOver = true;
    this.out.delete(loan.d);
    this.#hints[loan.d]!.store(1);
  }

  /** The reader: takes what is ready and gives it back. Returns a sample that has another number. */
  read(): string | undefined {
    for (let d = 0; d < DEPTH; d++) {
      const number = this.#words[d]!.load();
      if (number === 0) continue;
      const found = this.#samples[d]!.load();
      if (found !== number) return `sample ${number} has the bytes of ${found}`;
      this.#words[d]!.store(0);
      this.#hints[d]!.store(1); // late: the writer may have found it already
    }
  }
}

/** Broken: a late hint offers what is out once more. */
export class OffersLoaned extends Loans {
  override loan(): Lent | undefined {
    this.out.clear();
    return super.loan();
  }
}

/** Broken: the second time may give back what the next loan has. */
export class GivesBackTwice extends Loans {
  override giveBack(loan: Lent | undefined): void {
    super.giveBack(loan && { d: loan.d, isOver: false });
  }
}
