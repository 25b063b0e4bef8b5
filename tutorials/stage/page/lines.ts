/// <reference lib="dom" />
/**
 * Lines that a terminal shows aligned, as rows of a table: the names that an exercise may use, and
 * what a judge saw. They wrap where a terminal would scroll.
 *
 * @module
 */

import { el } from "./dom.ts";
import { inline } from "./prose.ts";

/** A line that begins this far to the right continues the last cell above it. */
const CONTINUES = 8;

/** Draws a text: its single lines as paragraphs, and each block of lines as a table. */
export function drawText(text: string): HTMLElement[] {
  return text.trim().split(/\n\s*\n/).map((block) => {
    const lines = block.split("\n");
    return lines.length === 1 ? el("p", {}, ...inline(block)) : drawLines(lines);
  });
}

/** Draws lines; two spaces or more part their cells. With more cells than `most`, the first are one. */
export function drawLines(lines: readonly string[], most = Infinity): HTMLElement {
  const rows: { indent: number; cells: string[] }[] = [];
  for (const line of lines) {
    const indent = /^ */.exec(line)![0].length;
    const last = rows.at(-1);
    const found = line.trim().split(/ {2,}/);
    const first = found.slice(0, Math.max(1, found.length - most + 1)).join(", ");
    const cells = [first, ...found.slice(Math.max(1, found.length - most + 1))];
    if (indent >= CONTINUES && cells.length === 1 && last !== undefined) {
      last.cells[last.cells.length - 1] += ` ${cells[0]}`;
    } else rows.push({ indent, cells });
  }
  const width = Math.max(...rows.map(({ cells }) => cells.length));
  return el(
    "table.lines",
    {},
    ...rows.map(({ indent, cells }) =>
      el(
        "tr",
        {},
        ...cells.map((cell, i) =>
          el("td", {
            colspan: i === cells.length - 1 ? width - i : 1,
            class: i === 0 && indent > 0 ? "inner" : undefined,
          }, ...inline(cell))
        ),
      )
    ),
  );
}
