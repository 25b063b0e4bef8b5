/**
 * A step as pages of text, and a screen that shows one: it redraws in place, and follows the size of
 * the terminal.
 *
 * @module
 */

import { paint } from "../paint.ts";
import type { Card } from "./processes.ts";
import type { Frame, Shown } from "./story.ts";
import { TERMS } from "./terms.ts";
import { textPicture, widthOf, wrapText } from "./text_pictures.ts";
import { partsOf } from "./verdict.ts";
import { wordingFor } from "./wording.ts";

/** Longer lines are hard to read. */
export const WIDEST = 92;
/** So many lines fit on the smallest screen. */
const LINES = 20;

/** What a page has besides the step. */
export interface PageOptions {
  readonly room?: number;
  readonly note?: string;
  readonly cards?: readonly Card[];
}

/**
 * Returns a step as pages of at most `room` lines, each of at most `width` columns. Most steps have
 * one page; each page of a longer one has its title.
 */
export function pagesOf(
  frame: Frame,
  width: number,
  { room = LINES, note = "", cards = [] }: PageOptions = {},
): string[][] {
  const columns = Math.min(width, WIDEST);
  const title = paint("bold", frame.title) + (note === "" ? "" : paint("dim", `  (${note})`));
  const blocks = frame.done ? told(frame, columns) : asked(frame, columns);
  if (cards.length > 0) blocks.push(cardLines(cards, columns));
  return paged(title, blocks.filter((block) => block.length > 0), room);
}

/** What is there before the reader answers, with the picture that the question is about. */
function asked(frame: Frame, columns: number): string[][] {
  const pictures = frame.ask?.picture === undefined ? [] : before(frame, columns);
  return [...prose(frame.text, columns), ...pictures, ...question(frame, columns)];
}

/** What is there after the step ran. */
function told(frame: Frame, columns: number): string[][] {
  const { ask, ended, verdict, after } = frame;
  const blocks = prose(ask === undefined ? frame.text : ask.text, columns);
  const code = frame.shown.filter((shown) => shown.kind === "code");
  if (code.length > 0) blocks.push(code.flatMap((line) => codeLines(line, columns)));
  if (ended !== undefined) blocks.push([paint("red", `† The process was ${ended}.`)]);
  blocks.push(...picturesOf(frame.shown, columns));
  if (verdict !== undefined) {
    blocks.push(
      partsOf(verdict).flatMap(({ right, head, what, why }) =>
        wrapText(plain(`${right ? "✓" : "✗"} ${head}: ${what} ${why}`), columns)
          .map((line) => paint(right ? "green" : "red", line))
      ),
    );
  }
  if (after !== undefined) blocks.push(...prose(after, columns));
  const all = [ask === undefined ? frame.text : "", after].join(" ");
  return [...blocks, ...playground(all, columns)];
}

/** Blocks with a blank line between two of them; without, if that makes them fit; or on pages. */
function paged(title: string, blocks: readonly string[][], room: number): string[][] {
  const airy = [title, ...blocks.flatMap((block) => ["", ...block])];
  if (airy.length <= room) return [airy];
  const dense = tight(title, blocks);
  if (dense.length <= room) return [dense];
  const pages: string[][] = [];
  let page: string[][] = [];
  // A block that is taller than a page has pages of its own.
  const pieces = blocks.flatMap((block) =>
    Array.from(
      { length: Math.ceil(block.length / (room - 2)) },
      (_, i) => block.slice(i * (room - 2), (i + 1) * (room - 2)),
    )
  );
  for (const piece of pieces) {
    if (page.length > 0 && tight(title, [...page, piece]).length > room) {
      pages.push(tight(title, page));
      page = [];
    }
    page.push(piece);
  }
  return [...pages, tight(title, page)];
}

function tight(title: string, blocks: readonly string[][]): string[] {
  return [title, "", ...blocks.flat()];
}

/** A text for the terminal: a term without its brackets; code keeps its quotes. */
function plain(text: string): string {
  return wordingFor("terminal", text).replaceAll(/\[\[(?:[^\]|]*\|)?([^\]]*)\]\]/g, "$1");
}

function prose(text: string, columns: number): string[][] {
  return text.trim().split(/\n\s*\n/).map((paragraph) => wrapText(plain(paragraph), columns));
}

/** How to open the scenarios of the playground that a text leads to. */
function playground(text: string, columns: number): string[][] {
  const names = Array.from(text.matchAll(/\[\[play ([^\]|]*)/g), ([, name]) => name!);
  return names.map((name) =>
    wrapText(`Playground: deno run -A tutorials/stage/play/open.ts '#${name}'`, columns)
      .map((line) => paint("dim", line))
  );
}

/** What a card of a process says, a line for each. */
export function cardLines(cards: readonly Card[], columns: number): string[] {
  const lines = cards.flatMap(({ pid, actor = "process", state, signal, locks }) => {
    const end = signal === undefined ? "" : `: ${signal}`;
    return wrapText(`${[`${actor} ${pid}, ${state}${end}`, ...locks].join("; ")}`, columns);
  });
  const how = "Press s to stop one, to let it go on, or to kill it.";
  return [...wrapText(`Cards. ${how}`, columns).map((line) => paint("dim", line)), ...lines];
}

/** Every term in a text, with its explanation. */
export function termsIn(text: string): string[] {
  const found = Array.from(text.matchAll(/\[\[([^\]|]*)/g), ([, term]) => term!);
  return [...new Set(found)].filter((term) => term in TERMS)
    .map((term) => `${term}: ${TERMS[term]}`);
}

function before({ before, beforeStep }: Frame, columns: number): string[][] {
  return before.map((picture, i) => [
    ...i === 0 ? [paint("dim", `From step ${beforeStep}:`)] : [],
    ...textPicture({ ...picture, changed: [] } as typeof picture, columns),
  ]);
}

function question({ ask }: Frame, columns: number): string[][] {
  if (ask === undefined) return [];
  const asked = wrapText(plain(ask.text), columns).map((line) => paint("yellow", line));
  const options = (ask.options ?? []).flatMap((option, i) =>
    wrapText(plain(option), columns - 5)
      .map((line, k) => `${k === 0 ? `  ${i + 1}  ` : "     "}${line}`)
  );
  return [[...asked, ...options]];
}

function codeLines(line: Extract<Shown, { kind: "code" }>, columns: number): string[] {
  const source = compact(line.source).split("\n").flatMap((each) => cut(each, columns - 2));
  const result = line.result === undefined ? [] : wrapText(`→ ${line.result}`, columns - 4);
  return [
    ...source.map((each) => `  ${paint("cyan", each)}`),
    ...result.map((each) => `    ${paint("green", each)}`),
  ];
}

/** A call whose only argument is an object, on one line. */
function compact(source: string): string {
  const call = /^([^{}]*\(\{)\n([^{}]*)\n\s*(\}\))$/.exec(source);
  if (call === null) return source;
  const fields = call[2]!.split("\n").map((field) => field.trim()).join(" ");
  return `${call[1]} ${fields} ${call[3]}`;
}

/** A line of code, broken at a space if it is too long, and indented further then. */
function cut(line: string, columns: number): string[] {
  if (line.length <= columns) return [line];
  const indent = /^ */.exec(line)![0];
  const at = line.lastIndexOf(" ", columns);
  const place = at <= indent.length ? columns : at;
  return [line.slice(0, place), ...cut(`${indent}    ${line.slice(place).trimStart()}`, columns)];
}

function picturesOf(shown: readonly Shown[], columns: number): string[][] {
  const last = new Map<string, string[]>();
  for (const each of shown) {
    if (each.kind === "picture") {
      last.set(each.picture.id, textPicture(each.picture, columns));
    }
  }
  return [...last.values()];
}

/** The parts of a screen. */
export interface View {
  readonly left: string;
  readonly right: string;
  readonly pages: readonly string[][];
  readonly keys: string;
}

/** How many lines of a page fit on a screen with so many rows. */
export function roomIn(rows: number): number {
  return rows - 4;
}

/** Draws a whole screen with one of the pages. */
export function drawScreen(
  { left, right, pages, keys }: View,
  { columns, rows }: { columns: number; rows: number },
  page: number,
): string {
  const room = roomIn(rows);
  const shown = pages[page] ?? [];
  const more = pages.length === 1 ? "" : ` ↑↓ page ${page + 1} of ${pages.length} `;
  const space = columns - left.length - right.length - 2;
  const head = ` ${left}${" ".repeat(Math.max(1, space))}${right} `;
  const rule = "─".repeat(Math.max(0, columns - more.length - 2)) + more + "──";
  const lines = [
    paint("inverse", head.slice(0, columns)),
    "",
    ...Array.from({ length: room }, (_, i) => ` ${shown[i] ?? ""}`),
    paint("dim", rule.slice(0, columns)),
    ` ${keys.slice(0, columns - 1)}`,
  ];
  const text = lines.map((line) => `${line}\x1b[K`).join("\r\n");
  return `\x1b[H${text}\x1b[J`;
}

/** Whether every line fits. */
export function fits(lines: readonly string[], columns: number): boolean {
  return lines.every((line) => widthOf(line) <= columns);
}
