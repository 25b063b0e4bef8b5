/**
 * What the commands print: tables for people, and one JSON object a line for programs.
 *
 * @module
 */

/** A cell of a table. */
export type Cell = string | number | undefined;

/** Where a command prints, and in which form. */
export class Output {
  /** Whether to print one JSON object a line. */
  readonly json: boolean;
  readonly #write: (text: string) => void;
  readonly #writeBytes: (bytes: Uint8Array) => void;
  readonly #error: (text: string) => void;
  readonly #color: boolean;
  /** The columns of the terminal; Infinity without a terminal. */
  readonly width: number;

  constructor(
    { json, write, writeBytes, error, color, width }: {
      json: boolean;
      write(text: string): void;
      writeBytes(bytes: Uint8Array): void;
      error(text: string): void;
      color: boolean;
      width: number;
    },
  ) {
    this.json = json;
    this.#write = write;
    this.#writeBytes = writeBytes;
    this.#error = error;
    this.#color = color;
    this.width = width;
  }

  /** Prints a line for people. */
  line(text = ""): void {
    if (!this.json) this.#write(`${text}\n`);
  }

  /** Prints an object for programs. */
  object(value: object): void {
    if (this.json) this.#write(`${JSON.stringify(value, plain)}\n`);
  }

  /** Prints text without a line end, in both forms. */
  raw(text: string): void {
    this.#write(text);
  }

  /** Writes bytes unchanged, in both forms. */
  bytes(bytes: Uint8Array): void {
    this.#writeBytes(bytes);
  }

  /** Prints a remark for people, in both forms, where no program takes it for output. */
  remark(text: string): void {
    this.#error(`${text}\n`);
  }

  /** Prints a table whose columns are as wide as their cells; numbers stand to the right. */
  table(head: readonly string[], rows: readonly (readonly Cell[])[]): void {
    if (this.json) return;
    const [first, ...lines] = tableLines(head, rows);
    this.line(this.dim(cut(first!, this.width)));
    for (const line of lines) this.line(cut(line, this.width));
  }

  /** Prints a table; the last cell of a row that is too long for the terminal goes below the others. */
  foldingTable(head: readonly string[], rows: readonly (readonly Cell[])[]): void {
    if (this.json) return;
    const whole = tableLines(head, rows);
    const short = tableLines(head.slice(0, -1), rows.map((row) => row.slice(0, -1)));
    for (const [i, line] of whole.entries()) {
      const isWhole = line.length <= this.width;
      const shown = isWhole ? line : cut(short[i]!, this.width);
      this.line(i === 0 ? this.dim(shown) : shown);
      if (isWhole || i === 0) continue;
      const text = `${" ".repeat(FOLD)}${rows[i - 1]!.at(-1)}`;
      for (const part of wrapped(text, this.width, FOLD)) this.line(this.dim(part));
    }
  }

  /** Makes text less bright, where colours are shown. */
  dim(text: string): string {
    return this.painted(text, "2");
  }

  /** Makes text stand out. */
  bold(text: string): string {
    return this.painted(text, "1");
  }

  /** Gives text an attribute of a terminal, such as 31 for red, where colours are shown. */
  painted(text: string, code: string): string {
    return this.#color && code !== "" ? `\x1b[${code}m${text}\x1b[m` : text;
  }
}

/** The indent of cells that are below their row. */
const FOLD = 7;

/** Makes the lines of a table whose columns are as wide as their cells. */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
): string[] {
  const shown = rows.map((row) => row.map((cell) => cell === undefined ? "" : String(cell)));
  const widths = head.map((title, i) =>
    Math.max(title.length, ...shown.map((row) => row[i]!.length))
  );
  const isNumeric = head.map((_, i) => shown.every((row) => NUMBER.test(row[i]!)));
  return [head, ...shown].map((cells) =>
    cells.map((cell, i) => isNumeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))
      .join("  ").trimEnd()
  );
}

/** A cell that is aligned to the right: a number, a size, a rate, or an empty one. */
const NUMBER = /^(-?[\d.,]+( [KMGT]?i?B)?)?$/;

/** Shortens a line that does not fit, with a mark at its end. */
export function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

/** Breaks a line between words; the further lines are indented. */
export function wrapped(text: string, width: number, indent: number): string[] {
  const lines: string[] = [];
  for (let rest = text; rest !== "";) {
    const end = rest.length <= width ? rest.length : rest.lastIndexOf(" ", width);
    if (end <= indent) return [...lines, rest]; // one long word
    lines.push(rest.slice(0, end));
    rest = rest.slice(end + 1);
    if (rest !== "") rest = " ".repeat(indent) + rest;
  }
  return lines;
}

/** Makes what JSON has no form for: whole numbers of 64 bits, and bytes. */
function plain(_name: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return { base64: value.toBase64() };
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array);
  return value;
}

/** A size as people write it, such as 1.5 MiB. */
export function bytesInWords(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A number of things per second, such as 12,300. */
export function rateInWords(perSecond: number): string {
  const rounded = perSecond >= 100 ? Math.round(perSecond) : Math.round(perSecond * 10) / 10;
  return rounded.toLocaleString("en");
}

/** How full something is, as a bar of ten cells, such as `###.......`. */
export function barOf(part: number, whole: number): string {
  const cells = Math.min(10, Math.ceil(part / whole * 10));
  return "#".repeat(cells).padEnd(10, ".");
}

/** Text without characters that would control a terminal: names and types are written by peers. */
export function harmless(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}
