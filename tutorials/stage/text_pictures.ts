/**
 * Pictures as text, for a terminal of a given width. Whatever has changed is bold and underlined.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { paint } from "../paint.ts";
import { hex } from "../picture.ts";
import type {
  AddressPicture,
  BytesPicture,
  PagesPicture,
  Picture,
  RingPicture,
  SpacePicture,
  TablePicture,
  TracksPicture,
} from "./story.ts";

/** What is left if the party of an operation dies right after it, and what the others do. */
export function deathText({ parties, words, rows }: TracksPicture, nr: number, width: number) {
  const row = rows[nr - 1];
  if (row?.death === undefined) return [`No party dies at operation ${nr}.`];
  const { death, party, text, values } = row;
  const left = words.map((word, w) => `${word}: ${values[w]}`).join(", ");
  return [
    ...wrapText(`✝ ${parties[party]} dies after operation ${nr}, ${text}.`, width),
    "",
    ...wrapText(`Left in memory: ${left}.`, width),
    "",
    ...tracksText({ kind: "tracks", id: "", title: "", words, ...death }, width),
  ];
}

/** Draws a picture in lines of at most `width` columns. */
export function textPicture(picture: Picture, width: number): string[] {
  return [paint("dim", picture.title), ...bodyOf(picture, width)];
}

function bodyOf(picture: Picture, width: number): string[] {
  switch (picture.kind) {
    case "bytes":
      return bytesText(picture);
    case "pages":
      return pagesText(picture, width);
    case "table":
      return tableText(picture, width);
    case "address":
      return addressText(picture);
    case "space":
      return spaceText(picture, width);
    case "ring":
      return ringText(picture);
    case "tracks":
      return tracksText(picture, width);
  }
}

/** Marks a text if it has changed. */
function mark(text: string, isChanged: boolean): string {
  return isChanged ? paint(["bold", "underline"], text) : text;
}

/** How many columns a text takes. */
export function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** Wraps at spaces; a word that is too long is broken. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (let word of text.trim().split(/\s+/)) {
    while (widthOf(word) > width) {
      if (line !== "") lines.push(line);
      line = "";
      lines.push(word.slice(0, width));
      word = word.slice(width);
    }
    if (line !== "" && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const ROW = 16;

function bytesText({ address, bytes, changed = [] }: BytesPicture): string[] {
  return Array.from({ length: Math.ceil(bytes.length / ROW) }, (_, r) => {
    const row = bytes.slice(r * ROW, (r + 1) * ROW);
    const isChanged = (i: number) => changed.includes(r * ROW + i);
    const numbers = row.map((byte, i) => mark(byte.toString(16).padStart(2, "0"), isChanged(i)));
    const chars = row.map((byte, i) =>
      mark(byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·", isChanged(i))
    );
    const halves = `${numbers.slice(0, 8).join(" ")}  ${numbers.slice(8).join(" ")}`;
    return `${(address + r * ROW).toString(16).padStart(12)} ${halves} ${chars.join("")}`;
  });
}

const STATES: Readonly<Record<PagesPicture["pages"][number]["state"], string>> = {
  closed: "closed",
  empty: "none",
  zeros: "zeros",
  memory: "MEMORY",
  hole: "hole",
  beyond: "gone",
};

const BOX = 6;

function pagesText({ pages, changed = [] }: PagesPicture, width: number): string[] {
  const perRow = Math.max(1, Math.floor((width - 1) / (BOX + 1)));
  const lines: string[] = [];
  for (let from = 0; from < pages.length; from += perRow) {
    const row = pages.slice(from, from + perRow);
    const rule = (left: string, between: string, right: string) =>
      left + row.map(() => "─".repeat(BOX)).join(between) + right;
    const cells = (text: (page: PagesPicture["pages"][number], index: number) => string) =>
      `│${row.map((page, i) => pad(text(page, from + i), BOX)).join("│")}│`;
    lines.push(
      rule("┌", "┬", "┐"),
      cells(({ label }) => label),
      cells(({ state }, i) => mark(STATES[state], changed.includes(i))),
      rule("└", "┴", "┘"),
    );
  }
  return lines;
}

function tableText({ head, rows, changed = [] }: TablePicture, width: number): string[] {
  const all = head === undefined ? rows : [head, ...rows];
  const widths = all[0]!.map((_, c) => Math.max(...all.map((row) => row[c]!.length)));
  const last = widths.length - 1;
  const before = widths.slice(0, last).reduce((sum, each) => sum + each + 2, 0);
  const room = Math.max(12, width - before);
  const lineOf = (row: readonly string[], r: number) => {
    const cells = row.map((cell, c) =>
      c === last ? "" : pad(mark(cell, isChanged(r, c)), widths[c]!)
    );
    return wrapText(row[last]!, room).map((piece, i) => {
      const start = i === 0 ? cells.slice(0, last).join("  ") : " ".repeat(before - 2);
      return `${start}${last > 0 ? "  " : ""}${mark(piece, isChanged(r, last))}`;
    });
  };
  const isChanged = (r: number, c: number) => changed.some(([row, col]) => row === r && col === c);
  return [
    ...head === undefined ? [] : lineOf(head, -1).map((line) => paint("dim", line)),
    ...rows.flatMap(lineOf),
  ];
}

function addressText({ rows, digits }: AddressPicture): string[] {
  const labels = Math.max(...rows.map(({ label }) => label.length));
  const texts = rows.map(({ address }) => address.toString(16));
  const longest = Math.max(...texts.map(({ length }) => length)) + 2 - digits;
  return [
    paint("dim", `${" ".repeat(labels)}  ${"page".padEnd(longest)} | offset`),
    ...rows.map(({ label }, i) => {
      const text = texts[i]!;
      const page = `0x${text.slice(0, -digits)}`.padEnd(longest);
      return `${label.padEnd(labels)}  ${page} | ${paint("bold", text.slice(-digits))}`;
    }),
  ];
}

const WHOLE = 2 ** 47;

function spaceText({ ranges, marks }: SpacePicture, width: number): string[] {
  const cells = Math.min(width - 2, 76);
  const bar = new Array<string>(cells).fill("·");
  const cellOf = (address: number) => Math.min(cells - 1, Math.floor(address / WHOLE * cells));
  for (const { start, end } of ranges) {
    for (let cell = cellOf(start); cell <= cellOf(end - 1); cell++) bar[cell] = "█";
  }
  for (const { address } of marks) bar[cellOf(address)] = paint(["bold", "inverse"], "▼");
  const names = new Set(ranges.map(({ path }) => path).filter((path) => path !== ""));
  return [
    `[${bar.join("")}]`,
    `0${"2^47".padStart(cells + 1)}`,
    ...marks.map(({ label, address }) => `▼ ${label} at ${hex(address)}`),
    ...wrapText(`█ in use: ${[...names].join(", ")}; · nothing`, width),
  ];
}

function ringText({ cells, cellBytes, readAt, available, mirrored }: RingPicture): string[] {
  const count = cells.length;
  const first = Math.floor(readAt / cellBytes);
  const last = Math.floor((readAt + available) / cellBytes);
  const letters = Array.from(
    cells,
    (letter, i) => (i - first + count) % count < available / cellBytes ? letter : "·",
  ).join("");
  const windows = mirrored ? 2 : 1;
  const rule = Array(windows).fill("─".repeat(count));
  const column = (cell: number) => 1 + cell + Math.floor(cell / count);
  const [r, w] = [column(first), column(mirrored ? last : last % count)];
  const pointers = r === w
    ? "RW".padStart(r + 2)
    : r < w
    ? "R".padStart(r + 1) + "W".padStart(w - r)
    : "W".padStart(w + 1) + "R".padStart(r - w);
  return [
    `┌${rule.join("┬")}┐`,
    `│${Array(windows).fill(letters).join("│")}│`,
    `└${rule.join("┴")}┘`,
    `${pointers}  ${available} bytes can be read`,
  ];
}

/** With less room for operations, the words that they change are told behind them. */
const LEAST_ROOM = 20;

function tracksText(picture: TracksPicture, width: number): string[] {
  const { parties, words, rows, end } = picture;
  const wordWidths = words.map((word, w) =>
    Math.max(word.length, ...rows.map(({ values }) => `${values[w]}`.length)) + 1
  );
  const left = width - 4 - wordWidths.reduce((sum, each) => sum + each, 0);
  if (words.length > 0 && left < LEAST_ROOM) {
    const told = rows.map(({ values, ...row }, r) => {
      const changed = words.flatMap((word, w) =>
        values[w] === rows[r - 1]?.values[w] ? [] : [`${word}: ${values[w]}`]
      );
      return { ...row, values: [], ...changed.length > 0 && { note: changed.join(", ") } };
    });
    return tracksText({ ...picture, words: [], rows: told }, width);
  }
  const names = Math.max(...parties.map((party) => party.length));
  const column = Math.max(Math.min(10, names + 1), Math.floor(left / parties.length));
  const head = "    " + parties.map((party) => pad(party, column)).join("") +
    words.map((word, w) => word.padStart(wordWidths[w]!)).join("");
  const lines = rows.flatMap(({ party, text, values, note }, r) => {
    const before = rows[r - 1]?.values;
    const numbers = values.map((value, w) => {
      const isChanged = before !== undefined && before[w] !== value;
      const shown = `${value}`;
      return " ".repeat(wordWidths[w]! - shown.length) + mark(shown, isChanged);
    }).join("");
    // An operation may reach into the next columns, which are empty in its row.
    const words = note === undefined ? text : `${text} (${note})`;
    const start = Math.max(0, Math.min(party * column, left - words.length - 1));
    return wrapText(words, left - start).map((piece, i) => {
      const number = i === 0 ? `${r + 1}`.padStart(3) + " " : "    ";
      const row = number + " ".repeat(start) + piece;
      return i === 0 ? pad(row, 4 + parties.length * column) + numbers : row;
    });
  });
  return [paint("dim", head), ...lines, ...end === undefined ? [] : wrapText(end, width)];
}
