/**
 * Text that fits into the columns of a terminal: prose, addresses and tables.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { COLUMNS } from "./paint.ts";

/** Wraps prose at spaces, to lines of at most so many columns. */
export function wrap(text: string, width: number = COLUMNS): string {
  const lines = [""];
  for (const word of text.trim().split(/\s+/)) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}

/**
 * Indents lines, and breaks those that are too wide at a space. A block of lines up to an empty one
 * is indented less if that saves columns of a table from being broken.
 */
export function fit(lines: string, indent = 4): string {
  return lines.split("\n\n").map((block) => fitBlock(block.split("\n"), indent)).join("\n\n");
}

function fitBlock(lines: readonly string[], wanted: number): string {
  const aligned = lines.filter((line) => /\S {2,}\S/.test(line));
  const spare = COLUMNS - Math.max(0, ...aligned.map(widthOf));
  const indent = spare < 0 ? wanted : Math.min(wanted, spare);
  return lines.flatMap((line) => broken(line, COLUMNS - indent)).join("\n")
    .replace(/^(?=.)/gm, " ".repeat(indent));
}

/** A line in pieces that are not too wide; all but the first begin further to the right. */
function broken(line: string, width: number): string[] {
  const [first = "", ...words] = line.split(/(?<=\S)(?= )/);
  const pieces = [first];
  const start = `${/^ */.exec(line)![0]}    `;
  for (const word of words) {
    const piece = pieces.at(-1)! + word;
    if (widthOf(piece) > width) pieces.push(start + word.trimStart());
    else pieces[pieces.length - 1] = piece;
  }
  return pieces;
}

function widthOf(line: string): number {
  return stripVTControlCharacters(line).length;
}

/** An address as the kernel writes it. */
export function hex(address: number): string {
  return `0x${address.toString(16)}`;
}

/** Rows of two columns or more, aligned. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, i) => Math.max(widest[i] ?? 0, `${cell}`.length)),
    [],
  );
  return rows.map((row) => row.map((cell, i) => `${cell}`.padEnd(widths[i]!)).join("  ").trimEnd())
    .join("\n");
}
