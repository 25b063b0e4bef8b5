/**
 * The line table: for each line of the built script, the source lines that it came from.
 *
 * A source map says this for every column, in 1 MB and more. A stack needs only the lines, so the
 * build decodes the map into a table of a few hundred kilobytes.
 *
 * @module
 */

import type { Place } from "./places.ts";

/** A place for columns from `column` on, counted from 0. */
type Entry = readonly [column: number, source: number, line: number];

/** The stored form of the line table. */
export interface LineTable {
  readonly sources: readonly string[];
  /** For each line of the script, entries one behind another: column, source, line from 1. */
  readonly lines: readonly (readonly number[])[];
}

/** The parts of a source map that the table needs. */
export interface SourceMap {
  readonly sources: readonly string[];
  readonly mappings: string;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Reads numbers written in base 64, the lowest five bits first; the lowest bit is the sign. */
function numbersOf(text: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of text) {
    const digit = DIGITS.indexOf(character);
    value |= (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    numbers.push((value & 1) === 0 ? value >> 1 : -(value >> 1));
    value = shift = 0;
  }
  return numbers;
}

/** Decodes a map into a table. `nameOf` turns a source of the map into a path; undefined drops it. */
export function tableOf(
  { sources, mappings }: SourceMap,
  nameOf: (source: string) => string | undefined,
): LineTable {
  const names = sources.map(nameOf);
  const kept = [...new Set(names.filter((name) => name !== undefined))];
  const numbers = names.map((name) => name === undefined ? -1 : kept.indexOf(name));
  let [source, line] = [0, 0];
  const lines = mappings.split(";").map((text) => {
    const entries: number[] = [];
    let column = 0;
    let last: Entry | undefined;
    for (const segment of text === "" ? [] : text.split(",")) {
      const [columns = 0, sourcesOn, linesOn] = numbersOf(segment);
      column += columns;
      if (sourcesOn === undefined) continue;
      source += sourcesOn;
      line += linesOn!;
      const entry: Entry = [column, numbers[source]!, line + 1];
      if (last?.[1] === entry[1] && last[2] === entry[2]) continue;
      entries.push(...last = entry);
    }
    return entries;
  });
  return { sources: kept, lines };
}

/** Finds the source of a line and column, both counted from 1. */
export function sourceOf(
  { sources, lines }: LineTable,
  line: number,
  column: number,
): Omit<Place, "name"> | undefined {
  const entries = lines[line - 1] ?? [];
  let found: Omit<Place, "name"> | undefined;
  for (let i = 0; i < entries.length; i += 3) {
    if (i > 0 && entries[i]! > column - 1) break;
    const source = sources[entries[i + 1]!];
    found = source === undefined ? undefined : { source, line: entries[i + 2]! };
  }
  return found;
}
