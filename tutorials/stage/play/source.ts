/**
 * The sources that the page shows: loaded once each, and cut into lines with a few colours.
 *
 * @module
 */

/// <reference lib="dom" />

import { h } from "./dom.ts";
import { fileOfSource, OWN } from "./places.ts";

/** A piece of a line, with the class of its colour. */
interface Piece {
  readonly text: string;
  readonly look: "" | "comment" | "string" | "keyword";
}

const WORDS =
  /^(?:abstract|as|async|await|break|case|catch|class|const|continue|default|do|else|export|extends|finally|for|from|function|get|if|implements|import|in|instanceof|interface|let|new|of|override|private|protected|readonly|return|satisfies|set|static|super|switch|this|throw|try|type|typeof|undefined|using|void|while|yield|true|false|null)$/;

const TOKENS =
  /\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|[A-Za-z_$#][\w$]*|[\s\S]/g;

/** Cuts a source into lines of pieces. */
export function highlighted(source: string): Piece[][] {
  const lines: Piece[][] = [[]];
  for (const [token] of source.matchAll(TOKENS)) {
    const look = lookOf(token);
    for (const [i, text] of token.split("\n").entries()) {
      if (i > 0) lines.push([]);
      const line = lines.at(-1)!;
      const last = line.at(-1);
      if (last?.look === look) line[line.length - 1] = { text: last.text + text, look };
      else if (text !== "") line.push({ text, look });
    }
  }
  return lines;
}

function lookOf(token: string): Piece["look"] {
  if (token.startsWith("//") || token.startsWith("/*")) return "comment";
  if (/^["'`]/.test(token) && token.length > 1) return "string";
  return WORDS.test(token) ? "keyword" : "";
}

/** The sources of the page, by path. */
export class Sources {
  readonly #lines = new Map<string, Promise<Piece[][]>>();

  /** Replaces the code that was written in the page. */
  setOwn(source: string): void {
    this.#lines.set(OWN, Promise.resolve(highlighted(source)));
  }

  /** Returns the lines around a line as elements, and marks it. */
  async around(path: string, line: number, before: number, after: number): Promise<HTMLElement[]> {
    const lines = await this.#load(path);
    const first = Math.max(1, line - before);
    const last = Math.min(lines.length, line + after);
    const shown = lines.slice(first - 1, last);
    const indent = Math.min(...shown.map(indentOf));
    return shown.map((pieces, i) => lineElement(pieces, first + i, indent, first + i === line));
  }

  #load(path: string): Promise<Piece[][]> {
    let lines = this.#lines.get(path);
    if (lines === undefined) {
      lines = fetch(fileOfSource(path)).then(async (answer) => {
        if (!answer.ok) throw new Error(`Cannot load ${path}: ${answer.status}`);
        return highlighted(await answer.json());
      });
      this.#lines.set(path, lines);
    }
    return lines;
  }
}

function indentOf(pieces: readonly Piece[]): number {
  const text = pieces.map(({ text }) => text).join("");
  return text.trim() === "" ? Infinity : text.length - text.trimStart().length;
}

function lineElement(
  pieces: readonly Piece[],
  number: number,
  indent: number,
  isHere: boolean,
): HTMLElement {
  const text = h("span", { class: "text" });
  let left = indent;
  for (const { text: whole, look } of pieces) {
    const cut = Math.min(left, whole.length - whole.trimStart().length);
    left -= cut;
    if (whole.length > cut) text.append(h("span", { class: look }, whole.slice(cut)));
    if (whole.trim() !== "") left = 0;
  }
  return h(
    "div",
    { class: isHere ? "line here" : "line", ...isHere && { "aria-current": "true" } },
    h("span", { class: "number" }, isHere ? `▶ ${number}` : `${number}`),
    text,
  );
}
