/**
 * Memory as named words: each with its value, the change of the last step, and the parties that are
 * about to touch it. Bytes without a name stand in rows.
 *
 * @module
 */

/// <reference lib="dom" />

import { h } from "./dom.ts";
import type { Cell, Film, Moment, Region } from "./film.ts";

const WORDS_IN_A_ROW = 4;

/** A region with more names shows only those that the run touches. */
const FEW_NAMES = 12;

/** Draws the memory of a moment. */
export function memoryElements(
  film: Film,
  moment: Moment,
  before: Moment | undefined,
): HTMLElement[] {
  return film.regions.flatMap((region, i) => {
    const words = moment.memory[i];
    if (words === undefined) return [];
    const old = before?.memory[i];
    const rows = rowsOf(film, region, i).map((cells) => {
      const marks = marksOf(film, moment, i, cells);
      return cells[0]!.name === undefined
        ? bytesRow(cells, words, old, marks)
        : wordRow(cells[0]!, words, old, marks);
    });
    if (rows.length === 0) return [];
    const caption = h("caption", {}, region.label);
    const head = h(
      "tr",
      {},
      ...["word", "value", "next"].map((title) => h("th", { scope: "col" }, title)),
    );
    return [
      h("table", { class: "memory" }, caption, h("thead", {}, head), h("tbody", {}, ...rows)),
    ];
  });
}

/** Named words have a row each; unnamed ones that change during the run share rows. */
function rowsOf(film: Film, { cells }: Region, region: number): Cell[][] {
  const rows: Cell[][] = [];
  const used = usedNames(film);
  const areFew = cells.filter(({ name }) => name !== undefined).length <= FEW_NAMES;
  for (const cell of cells) {
    if (cell.name !== undefined) {
      if (areFew || used.has(`${region} ${cell.index}`) || changes(film, region, cell)) {
        rows.push([cell]);
      }
      continue;
    }
    if (!changes(film, region, cell)) continue;
    const row = rows.at(-1);
    const last = row?.at(-1);
    const joins = last?.name === undefined && last?.index === cell.index - 1 &&
      row!.length < WORDS_IN_A_ROW;
    if (joins) row!.push(cell);
    else rows.push([cell]);
  }
  return rows;
}

/** The words that a party was about to touch in any moment. */
function usedNames({ moments }: Film): Set<string> {
  return new Set(
    moments.flatMap(({ parties }) =>
      parties.flatMap(({ target }) => target ? [`${target.region} ${target.index}`] : [])
    ),
  );
}

function changes({ moments }: Film, region: number, { index, isWide }: Cell): boolean {
  const values = moments.map(({ memory }) => memory[region]).filter((words) => words !== undefined);
  const [first] = values;
  return values.some((words) =>
    words[index] !== first![index] || isWide && words[index + 1] !== first![index + 1]
  );
}

function marksOf(
  film: Film,
  moment: Moment,
  region: number,
  cells: readonly Cell[],
): HTMLElement[] {
  const [first, last] = [cells[0]!.index, cells.at(-1)!.index];
  return moment.parties.flatMap(({ target, status }, party) => {
    const isHere = target?.region === region && target.index >= first && target.index <= last;
    if (!isHere || status === "dead") return [];
    const { letter, name } = film.parties[party]!;
    const title = status === "asleep" ? `${name} sleeps on it` : `${name} touches it next`;
    const text = status === "asleep" ? `☾${letter}` : letter;
    return [h("span", { class: `letter tone-${party % 4 + 1}`, title }, text)];
  });
}

function wordRow(
  cell: Cell,
  words: Uint32Array,
  old: Uint32Array | undefined,
  marks: readonly HTMLElement[],
): HTMLElement {
  const [now, then] = [valueOf(cell, words), old && valueOf(cell, old)];
  const hasChanged = then !== undefined && then !== now;
  const name = cell.name!;
  const dot = name.lastIndexOf(".") + 1;
  return h(
    "tr",
    { class: hasChanged ? "has-changed" : "", "data-word": name },
    h(
      "th",
      { scope: "row" },
      dot > 0 && h("span", { class: "of" }, name.slice(0, dot)),
      name.slice(dot),
    ),
    h(
      "td",
      { class: "value" },
      h("span", { class: hasChanged ? "changed" : "" }, now),
      hasChanged && h("span", { class: "was" }, ` was ${then}`),
    ),
    h("td", { class: "marks" }, ...marks),
  );
}

function valueOf({ index, isWide }: Cell, words: Uint32Array): string {
  const low = words[index] ?? 0;
  if (!isWide) return `${low}`;
  return `${BigInt(words[index + 1] ?? 0) << 32n | BigInt(low)}`;
}

function bytesRow(
  cells: readonly Cell[],
  words: Uint32Array,
  old: Uint32Array | undefined,
  marks: readonly HTMLElement[],
): HTMLElement {
  let hasChanged = false;
  const values = cells.map(({ index }) => {
    const differs = old !== undefined && old[index] !== words[index];
    hasChanged ||= differs;
    return h("span", { class: differs ? "bytes changed" : "bytes" }, hexOf(words[index] ?? 0));
  });
  return h(
    "tr",
    { class: hasChanged ? "has-changed" : "" },
    h("th", { scope: "row" }, h("span", { class: "of" }, "bytes at "), `${4 * cells[0]!.index}`),
    h("td", { class: "value" }, ...values),
    h("td", { class: "marks" }, ...marks),
  );
}

/** The four bytes of a word in the order of their addresses. */
function hexOf(word: number): string {
  return [0, 8, 16, 24].map((shift) => (word >>> shift & 0xff).toString(16).padStart(2, "0"))
    .join(" ");
}

/** The words that a step changed, such as `bell 0 → 1`; unnamed bytes are counted together. */
export function changedBy({ regions, moments }: Film, number: number): string[] {
  const [before, after] = [moments[number - 1], moments[number]];
  if (before === undefined || after === undefined) return [];
  const told: string[] = [];
  for (const [i, { cells }] of regions.entries()) {
    const [old, words] = [before.memory[i], after.memory[i]];
    if (old === undefined || words === undefined || old === words) continue;
    let bytes = 0;
    for (const cell of cells) {
      const [then, now] = [valueOf(cell, old), valueOf(cell, words)];
      if (then === now) continue;
      if (cell.name === undefined) bytes += 4;
      else told.push(`${cell.name.split(".").at(-1)} ${then} → ${now}`);
    }
    if (bytes > 0) told.push("bytes");
  }
  return told;
}
