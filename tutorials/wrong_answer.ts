/**
 * Wrong answers that the exercises ship: each makes one mistake, and the checks must explain it.
 *
 * @module
 */

/** An answer with a mistake. */
export interface WrongAnswer<Answer> {
  /** What it does wrong, in a few words. */
  readonly mistake: string;
  readonly answer: Answer;
  /** The first words of the check that must fail; for one that ends its process, of the last begun. */
  readonly fails: string;
  /** Whether it may damage or end its process, or run for ever, so that a child must judge it. */
  readonly inChild?: boolean;
}
