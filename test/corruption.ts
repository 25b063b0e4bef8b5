/**
 * The common parts of tests that corrupt memory while it is used: values that are often handled
 * wrongly, and a count of the outcomes.
 *
 * @module
 */

/** Numbers that code is fooled by. The others are texts, as JSON has none of them. */
export const NUMBERS: readonly (number | string)[] = [
  0,
  -1,
  1,
  0.5,
  -0.5,
  8,
  4096 - 64,
  4096 - 63,
  4096,
  2 ** 20,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32 - 1,
  2 ** 32,
  2 ** 32 + 8,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 63,
  1e300,
  5e-324,
  "NaN",
  "Infinity",
  "-Infinity",
  "-0",
];

/** Values for words. */
export const WORDS: readonly string[] = [
  ...[0n, 1n, 2n, 3n, 4n, 12n, 13n, 507n, 508n, 509n, 511n, 512n, 513n, 1024n],
  ...[2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 13n, 2n ** 53n - 2n ** 32n],
  ...[
    2n ** 53n - 2n ** 32n + 1n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 63n - 1n,
    2n ** 63n,
    2n ** 64n - 1n,
  ],
].map(String);

/** The result of an assault. */
export interface Toll {
  /** How often each outcome came. */
  readonly seen: Readonly<Record<string, number>>;
  /** The violations. */
  readonly complaints: readonly string[];
}

/** Counts outcomes, errors by their names, and collects the errors that are not allowed. */
export class Watch implements Toll {
  readonly seen: Record<string, number> = {};
  readonly complaints: string[] = [];
  readonly #allowed: readonly string[];

  /** Allows the errors of these names. */
  constructor(...allowed: string[]) {
    this.#allowed = allowed;
  }

  count(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1;
  }

  complain(text: string): void {
    this.complaints.push(text);
  }

  attempt(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.caught(what, error);
    }
  }

  caught(what: string, error: unknown): void {
    const { name, stack } = error as Error;
    this.count(name);
    if (!this.#allowed.includes(name)) this.complain(`${what}: ${stack}`);
  }
}
