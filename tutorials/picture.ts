/**
 * Bytes, addresses and pages as text that can be looked at. Every picture fits into 80 columns.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { COLUMNS, paint } from "./paint.ts";

const ROW = 16;

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

/** Which part of some bytes to show. */
export interface DumpRange {
  /** The address of the first of all bytes. */
  readonly address: number;
  /** The first byte to show; 0 by default. */
  readonly from?: number;
  /** How many bytes to show, at least; one row by default. */
  readonly length?: number;
  /** Where to draw a line between two rows, and what to write on it. */
  readonly seam?: { readonly at: number; readonly label: string };
}

/** Bytes by address: in hexadecimal, and as text where they are printable; `·` for all others. */
export function hexdump(bytes: Uint8Array, range: DumpRange): string {
  const { address, from = 0, length = ROW, seam } = range;
  const lines: string[] = [];
  const end = Math.min(from + length, bytes.length);
  const widest = hex(address + end - 1).length;
  for (let at = from - from % ROW; at < end; at += ROW) {
    if (at === seam?.at) {
      lines.push(`${"─".repeat(widest)} ${seam.label} `.padEnd(widest + 66, "─"));
    }
    const row = bytes.subarray(at, at + ROW);
    const numbers = Array.from(row, (byte) => byte.toString(16).padStart(2, "0"));
    const halves = [numbers.slice(0, ROW / 2), numbers.slice(ROW / 2)].map((half) =>
      half.join(" ")
    );
    lines.push(
      `${hex(address + at).padEnd(widest)} ${halves.join("  ").padEnd(48)} ${printable(row)}`,
    );
  }
  return lines.join("\n");
}

function printable(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·")
    .join("");
}

/** Pages in a row, each with what it holds: a word that is short enough for all to fit. */
export function boxes(contents: readonly string[]): string {
  const width = Math.max(...contents.map(({ length }) => length)) + 2;
  const line = (left: string, fill: string, between: string, right: string) =>
    left + contents.map(() => fill.repeat(width)).join(between) + right;
  const middle = contents.map((text) => {
    const before = Math.floor((width - text.length) / 2);
    return (" ".repeat(before) + text).padEnd(width);
  });
  return [line("┌", "─", "┬", "┐"), `│${middle.join("│")}│`, line("└", "─", "┴", "┘")].join("\n");
}

/** The contents and positions of a ring that is mapped twice. */
export interface RingState {
  /** Both windows, `2 * capacity` bytes. */
  readonly bytes: Uint8Array;
  /** The length of one window. */
  readonly capacity: number;
  /** Where the next byte is read, in the first window. */
  readonly readAt: number;
  /** How many bytes can be read. */
  readonly available: number;
}

/** How many characters stand for one window in {@linkcode windows}. */
export const CELLS = 32;

/**
 * Both windows of a mirror ring. A character is one byte out of `capacity / CELLS`, taken from
 * that place in memory; `·` where nothing is to be read. R and W are the two positions.
 */
export function windows(ring: RingState): string {
  const { capacity, readAt, available } = ring;
  const cellBytes = capacity / CELLS;
  const rule = "─".repeat(CELLS);
  const column = (position: number) => {
    const cell = Math.floor(position / cellBytes);
    return 1 + cell + Math.floor(cell / CELLS); // the frame and the seam take a column each
  };
  const [from, to] = [column(readAt), column(readAt + available)];
  return [
    "  first window".padEnd(CELLS + 2) + "second window, the same bytes",
    `┌${rule}┬${rule}┐`,
    `│${window(ring, 0)}│${window(ring, capacity)}│`,
    `└${rule}┴${rule}┘`,
    `${" ".repeat(from)}R${span(to - from - 1, `${available} bytes`)}W`,
  ].join("\n");
}

/** A line with a label in the middle, if there is room for one. */
function span(length: number, label: string): string {
  const spare = length - label.length - 2;
  if (spare < 2) return "─".repeat(Math.max(length, 0));
  const left = Math.floor(spare / 2);
  return `${"─".repeat(left)} ${label} ${"─".repeat(spare - left)}`;
}

/** One window; bold is what lies between R and W at these very addresses. */
function window(ring: RingState, start: number): string {
  const { bytes, capacity, readAt, available } = ring;
  const cells = Array.from({ length: CELLS }, (_, cell) => {
    const at = cell * capacity / CELLS;
    const distance = (at - readAt + capacity) % capacity;
    if (distance >= available) return "·";
    const shown = printable(bytes.subarray(start + at, start + at + 1));
    const isBetween = start + at >= readAt && start + at < readAt + available;
    return paint(isBetween ? ["bold", "green"] : "dim", shown);
  });
  return cells.join("");
}
