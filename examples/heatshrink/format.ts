/**
 * The heatshrink format: a stream of bits, most significant first, without a header.
 *
 * ```
 *   1 bbbbbbbb               a literal: one byte
 *   0 i..i c..c              a repeat: `window` bits of distance - 1, `lookahead` bits of length - 1
 *   0..0                     up to 7 bits, to fill the last byte
 * ```
 *
 * A repeat copies `length` bytes from `distance` bytes back. Both may overlap: a distance of 1 and a
 * length of 9 is the last byte, nine more times. Before the first byte lie 2^window zeros, which a
 * repeat may reach. Nothing in a stream says which settings it was made with.
 *
 * @module
 */

/** The two numbers that an encoder and its decoder must agree on. */
export interface Settings {
  /** A repeat reaches back 2^window bytes; 4 to 15 bits, 11 by default. */
  readonly window?: number | undefined;
  /** A repeat has at most 2^lookahead bytes; 3 to 14 bits and fewer than the window; 4 by default. */
  readonly lookahead?: number | undefined;
}

/** Both numbers, checked. */
export type Format = Readonly<Record<"window" | "lookahead", number>>;

/** Fills in the settings that were left out, and throws if the format has no such settings. */
export function formatOf({ window = 11, lookahead = 4 }: Settings): Format {
  if (!isWithin(window, 4, 15)) {
    throw new RangeError(`Cannot use a window of ${window} bits: pass 4 to 15`);
  }
  if (!isWithin(lookahead, 3, Math.min(14, window - 1))) {
    throw new RangeError(
      `Cannot use a lookahead of ${lookahead} bits with a window of ${window}: pass 3 to ` +
        `${Math.min(14, window - 1)}`,
    );
  }
  return { window, lookahead };
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** The shortest repeat that is worth its bits: one byte less would be as short as literals. */
export function shortestRepeat({ window, lookahead }: Format): number {
  return ((1 + window + lookahead) >> 3) + 1;
}
