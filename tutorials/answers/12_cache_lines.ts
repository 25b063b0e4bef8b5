/**
 * An answer. Words with the same parties are a group, and each group begins a line.
 * Within it, the large words come first, so that all begin at multiples of their sizes.
 *
 * @module
 */

import { checkPlaces, type Word } from "../12_cache_lines/check.ts";

function place(words: readonly Word[]): Record<string, number> {
  const groups = new Map<string, Word[]>();
  for (const word of words) {
    const parties = `${word.storedBy} ${word.polledBy}`;
    groups.set(parties, [...groups.get(parties) ?? [], word]);
  }
  const offsets: Record<string, number> = {};
  let end = 0;
  for (const group of groups.values()) {
    end = Math.ceil(end / 64) * 64;
    for (const { name, bytes } of group.sort((a, b) => b.bytes - a.bytes)) {
      offsets[name] = end;
      end += bytes;
    }
  }
  return offsets;
}

checkPlaces(place);
