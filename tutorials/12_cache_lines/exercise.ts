/**
 * Exercise: lay out words on lines.
 *
 * Each word has a name and a size in bytes: 4, 8 or 16. One party stores it; `storedBy` is its name,
 * or "nobody" if the word never changes. One party polls it, which means that it looks again and
 * again: `polledBy`, or "nobody".
 *
 * Return the offset of each word by its name. A line has 64 bytes and begins at a multiple of 64.
 *
 * - Each word begins at a multiple of its size, and no two overlap.
 * - Two words may share a line only if the same party stores both and the same party polls both.
 *   Then a store disturbs nobody who waits for another word.
 * - Use as few lines as that allows.
 *
 * The code in the file puts one word behind the other. Run it with
 * `deno run tutorials/12_cache_lines/exercise.ts`.
 *
 * @module
 */

import { checkPlaces, type Word } from "./check.ts";

/** Returns the offset of each word by its name. */
function place(words: readonly Word[]): Record<string, number> {
  const offsets: Record<string, number> = {};
  let end = 0;
  for (const { name, bytes } of words) {
    offsets[name] = end;
    end += bytes;
  }
  return offsets;
}

checkPlaces(place);
