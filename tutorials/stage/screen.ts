/**
 * A step as lines of text, and a screen that shows them: it redraws in place, scrolls only what does
 * not fit, and follows the size of the terminal.
 *
 * @module
 */

import { paint } from "../paint.ts";
import type { Frame, Shown } from "./story.ts";
import { TERMS } from "./terms.ts";
import { textPicture, widthOf, wrapText } from "./text_pictures.ts";

/** Longer lines are hard to read. */
export const WIDEST = 92;
/** So many lines fit on the smallest screen. */
const LINES = 20;

/** Returns a step in lines of at most `width` columns. */
export function linesOf(frame: Frame, width: number, note = ""): string[] {
  const columns = Math.min(width, WIDEST);
  const isAnswered = frame.done && frame.ask !== undefined;
  const blocks: string[][] = [
    [paint("bold", frame.title) + (note === "" ? "" : paint("dim", `  (${note})`))],
  ];
  if (!isAnswered) blocks.push(...prose(frame.text, columns));
  if (!frame.done) {
    const asked = question(frame, columns);
    const all = joined([...blocks, ...before(frame, columns), ...asked]);
    return all.length <= LINES || frame.ask?.kind === "byte" ? all : joined([...blocks, ...asked]);
  }
  if (frame.ask !== undefined) blocks.push(...prose(frame.ask.text, columns));
  const code = frame.shown.filter((shown) => shown.kind === "code");
  if (code.length > 0) blocks.push(code.flatMap((line) => codeLines(line, columns)));
  if (frame.ended !== undefined) blocks.push([paint("red", `† The process was ${frame.ended}.`)]);
  blocks.push(...picturesOf(frame.shown, columns));
  if (frame.verdict !== undefined) {
    const { right, answer, because } = frame.verdict;
    const head = right ? "✓ You were right." : `✗ It is: ${plain(answer)}.`;
    const style = right ? "green" : "red";
    const lines = wrapText(`${head} ${plain(because)}`, columns);
    blocks.push(lines.map((line) => paint(style, line)));
  }
  if (frame.after !== undefined) blocks.push(...prose(frame.after, columns));
  return joined(blocks);
}

/** Blocks with a blank line between two of them, unless only that makes them too tall. */
function joined(blocks: readonly string[][]): string[] {
  const filled = blocks.filter((block) => block.length > 0);
  const airy = filled.flatMap((block, i) => i === 0 ? block : ["", ...block]);
  if (airy.length <= LINES) return airy;
  const [title = [], ...rest] = filled;
  return [...title, "", ...rest.flat()];
}

/** A term as it is shown, without its brackets; code keeps its quotes. */
function plain(text: string): string {
  return text.replaceAll(/\[\[(?:[^\]|]*\|)?([^\]]*)\]\]/g, "$1");
}

function prose(text: string, columns: number): string[][] {
  return text.trim().split(/\n\s*\n/).map((paragraph) => wrapText(plain(paragraph), columns));
}

/** Every term in a text, with its explanation. */
export function termsIn(text: string): string[] {
  const found = Array.from(text.matchAll(/\[\[([^\]|]*)/g), ([, term]) => term!);
  return [...new Set(found)].filter((term) => term in TERMS)
    .map((term) => `${term}: ${TERMS[term]}`);
}

function before({ before }: Frame, columns: number): string[][] {
  return before.map((picture) =>
    textPicture({ ...picture, changed: [] } as typeof picture, columns)
  );
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
  readonly body: readonly string[];
  readonly keys: string;
}

/** Draws a whole screen; `top` is the first line of the body to show. Returns how far it can scroll. */
export function drawScreen(
  view: View,
  size: { columns: number; rows: number },
  top: number,
): { text: string; most: number } {
  const { columns, rows } = size;
  const room = rows - 4;
  const most = Math.max(0, view.body.length - room);
  const at = Math.min(top, most);
  const shown = view.body.slice(at, at + room);
  const more = at < most ? " ↓ more " : at > 0 ? " ↑ " : "";
  const space = columns - view.left.length - view.right.length - 2;
  const head = ` ${view.left}${" ".repeat(Math.max(1, space))}${view.right} `;
  const rule = "─".repeat(columns);
  const lower = "─".repeat(Math.max(0, columns - more.length - 2)) + more + "──";
  const lines = [
    paint("inverse", head.slice(0, columns)),
    "",
    ...Array.from({ length: room }, (_, i) => ` ${shown[i] ?? ""}`),
    paint("dim", (more === "" ? rule : lower).slice(0, columns)),
    ` ${view.keys.slice(0, columns - 1)}`,
  ];
  const text = lines.map((line) => `${line}\x1b[K`).join("\r\n");
  return { text: `\x1b[H${text}\x1b[J`, most };
}

/** Whether every line fits. */
export function fits(lines: readonly string[], columns: number): boolean {
  return lines.every((line) => widthOf(line) <= columns);
}
