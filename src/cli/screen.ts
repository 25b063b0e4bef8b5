/**
 * The screen of `vring top`: its state, what each key does to it, and how it is drawn. Both are
 * functions of values, so tests need no terminal.
 *
 * @module
 */

import type { RegionInfo } from "../region/list.ts";
import { counted } from "../errors.ts";
import { type Cell, cut, tableLines, wrapped } from "./output.ts";
import type { Row } from "../inspect/survey.ts";
import { COLUMNS } from "./survey.ts";

/** What the screen shows. */
export interface Screen {
  /** The column by which the rows are sorted. */
  readonly sort: number;
  /** The path of the region whose row is marked, wherever the order puts it; "" for the first. */
  readonly selected: string;
  /** Only regions with this in their names are shown. */
  readonly find: string;
  readonly mode: "table" | "find" | "details" | "help" | "quit";
  readonly isPaused: boolean;
}

/** The size of a terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const UP = ["\x1b[A", "k"];
const DOWN = ["\x1b[B", "j"];
const LEFT = ["\x1b[D", "h"];
const RIGHT = ["\x1b[C", "l"];
const PAGE_UP = ["\x1b[5~", "\x02"];
const PAGE_DOWN = ["\x1b[6~", "\x06"];
const ENTER = ["\r", "\n"];
const ESCAPE = "\x1b";
const CTRL_C = "\x03";
const BACKSPACE = ["\x7f", "\b"];

/** The rows by which the keys for pages move. */
const PAGE = 20;

/** Returns the screen after a key; `shown` are the rows that are shown, in their order. */
export function press(screen: Screen, key: string, shown: readonly Row[]): Screen {
  if (key === CTRL_C) return { ...screen, mode: "quit" };
  if (screen.mode === "find") return typed(screen, key);
  if (screen.mode !== "table") return { ...screen, mode: "table" };
  const goTo = (row: number) => {
    const { region } = shown[Math.max(0, Math.min(shown.length - 1, row))] ?? {};
    return { ...screen, selected: region?.path ?? "" };
  };
  const at = placeOf(screen, shown);
  const sortBy = (by: number) => ({
    ...screen,
    sort: (screen.sort + by + COLUMNS.length) % COLUMNS.length,
  });
  if (UP.includes(key)) return goTo(at - 1);
  if (DOWN.includes(key)) return goTo(at + 1);
  if (PAGE_UP.includes(key)) return goTo(at - PAGE);
  if (PAGE_DOWN.includes(key)) return goTo(at + PAGE);
  if (key === "g") return goTo(0);
  if (key === "G") return goTo(shown.length - 1);
  if (LEFT.includes(key)) return sortBy(-1);
  if (RIGHT.includes(key) || key === "s") return sortBy(1);
  if (ENTER.includes(key)) return shown.length > 0 ? { ...goTo(at), mode: "details" } : screen;
  if (key === "/") return { ...screen, mode: "find", find: "", selected: "" };
  if (key === "?") return { ...screen, mode: "help" };
  if (key === " ") return { ...screen, isPaused: !screen.isPaused };
  if (key === "q") return { ...screen, mode: "quit" };
  return key === ESCAPE ? { ...screen, find: "" } : screen;
}

/** Returns the place of the marked row. */
function placeOf({ selected }: Screen, shown: readonly Row[]): number {
  return Math.max(0, shown.findIndex(({ region }) => region.path === selected));
}

/** Returns the screen after a key while a name is typed. */
function typed(screen: Screen, key: string): Screen {
  if (ENTER.includes(key)) return { ...screen, mode: "table" };
  if (key === ESCAPE) return { ...screen, mode: "table", find: "" };
  if (BACKSPACE.includes(key)) return { ...screen, find: screen.find.slice(0, -1) };
  return /^[\x20-\x7e]+$/.test(key) ? { ...screen, find: screen.find + key } : screen;
}

/** Returns the rows that are shown, in their order: names upwards, numbers downwards. */
export function sortRows({ sort, find }: Screen, rows: readonly Row[]): Row[] {
  const { order } = COLUMNS[sort]!;
  return rows.filter(({ region }) => region.name.includes(find)).sort((a, b) => {
    const [left, right] = [order(a), order(b)];
    if (typeof left === "number") return Number(right) - left;
    return left < right ? -1 : Number(left > right);
  });
}

const HELP = [
  "up, down, k, j     mark a row; page up and down, g and G go further",
  "left, right, s     sort by another column",
  "Enter              details of the marked region; any key goes back",
  "/                  show only names that contain what you type; Esc shows all",
  "space              pause, and continue",
  "q                  quit; in the details or in this help, go back",
  "",
  "MSG/S    messages per second; rings count them when they are received",
  "BACKLOG  how full the fullest flow is: ########## is full",
  "LOST/S   samples that subscribers lost",
  "ASLEEP   parties that sleep until a message comes",
  "WAKES/S  how often a sleeper was woken",
];

/** What a line of the screen is, by which it gets its looks. */
export type Look = "plain" | "head" | "marked" | "lossy" | "foot";

/** A line of the screen. */
type Line = readonly [text: string, look: Look];

/** Draws the lines of the screen, at most as many as fit; `paint` gives a line its looks. */
export function draw(
  screen: Screen,
  rows: readonly Row[],
  { columns, rows: height }: Size,
  details: (region: RegionInfo) => readonly string[],
  paint: (text: string, look: Look) => string = (text) => text,
): string[] {
  const shown = sortRows(screen, rows);
  const body = Math.max(1, height - 2);
  const lines =
    (screen.mode === "help"
      ? HELP.map(plain)
      : screen.mode === "details"
      ? detailsOf(screen, rows, columns, details)
      : tableOf(screen, shown, { columns, rows: body })).slice(0, body);
  while (lines.length < body) lines.push(["", "plain"]);
  lines.push(["", "plain"], [footOf(screen, shown.length), "foot"]);
  return lines.map(([text, look]) => paint(cut(text, columns), look));
}

const plain = (text: string): Line => [text, "plain"];

/** The lines about the marked region, which may be gone meanwhile. */
function detailsOf(
  { selected }: Screen,
  rows: readonly Row[],
  columns: number,
  details: (region: RegionInfo) => readonly string[],
): Line[] {
  const row = rows.find(({ region }) => region.path === selected);
  if (row === undefined) return [plain("This region is gone.")];
  const [first, ...more] = details(row.region);
  const figures = COLUMNS.slice(NAMES + 1).flatMap(({ title, cell }) => {
    const value = cell(row);
    return value === undefined || value === "" ? [] : [`${title} ${value}`];
  });
  const lines = [`  ${figures.join("   ")}`, ...more].flatMap((line) =>
    line === "" ? [line] : wrapped(line, columns, 4)
  );
  return [[first!, "head"], ...lines.map(plain)];
}

function tableOf(screen: Screen, shown: readonly Row[], { columns, rows: body }: Size): Line[] {
  const titles = COLUMNS.map(({ title }, i) => i === screen.sort ? `${title}*` : title);
  const cells = shown.map((row) => COLUMNS.map((column) => column.cell(row)));
  const [head, ...lines] = narrowTable(titles, cells, columns - 2);
  if (shown.length === 0) return [[`  ${head}`, "head"], plain(""), plain("  nothing yet")];
  const marked = placeOf(screen, shown);
  const first = Math.max(0, Math.min(marked - body + 2, lines.length - body + 1));
  const all = lines.map((line, i): Line =>
    i === marked
      ? [`> ${line}`, "marked"]
      : [`  ${line}`, (shown[i]!.rates.lost ?? 0) > 0 ? "lossy" : "plain"]
  );
  return [[`  ${head}`, "head"], ...all.slice(first, first + body - 1)];
}

/** The column of names, which gives way if a table is too wide. */
const NAMES = 1;

/** The shortest form of a name. */
const SHORTEST = 12;

/** Makes the lines of a table; names lose their beginnings if it is wider than this. */
function narrowTable(titles: string[], cells: Cell[][], width: number): string[] {
  const lines = tableLines(titles, cells);
  const excess = Math.max(0, ...lines.map((line) => line.length)) - width;
  if (excess <= 0) return lines;
  const longest = Math.max(...cells.map((row) => String(row[NAMES]).length));
  const most = Math.max(SHORTEST, longest - excess);
  const short = (name: string) => name.length <= most ? name : `…${name.slice(1 - most)}`;
  return tableLines(titles, cells.map((row) => row.with(NAMES, short(String(row[NAMES])))));
}

function footOf({ mode, find, isPaused }: Screen, count: number): string {
  if (mode === "find") return `find: ${find}_`;
  if (mode !== "table") return "any key goes back";
  const state = [counted(count, "region"), find && `with "${find}"`, isPaused && "paused"];
  return `${state.filter(Boolean).join(", ")}   ? help   / find   s sort   q quit`;
}
