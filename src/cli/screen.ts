/**
 * The screen of `vring top`: its state, what each key does to it, and how it is drawn. Both are
 * functions of values, so tests need no terminal.
 *
 * @module
 */

import type { RegionInfo } from "../region/list.ts";
import { tableLines } from "./output.ts";
import type { Row } from "../inspect/survey.ts";
import { COLUMNS } from "./survey.ts";

/** What the screen shows. */
export interface Screen {
  /** The column by which the rows are sorted. */
  readonly sort: number;
  /** The row that is marked, among those that are shown. */
  readonly selected: number;
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
const ENTER = ["\r", "\n"];
const ESCAPE = "\x1b";
const CTRL_C = "\x03";
const BACKSPACE = ["\x7f", "\b"];

/** Returns the screen after a key; `count` is the number of rows that are shown. */
export function press(screen: Screen, key: string, count: number): Screen {
  if (key === CTRL_C) return { ...screen, mode: "quit" };
  if (screen.mode === "find") return typed(screen, key);
  if (screen.mode !== "table") {
    return key === "q" ? { ...screen, mode: "quit" } : { ...screen, mode: "table" };
  }
  const move = (by: number) => ({
    ...screen,
    selected: Math.max(0, Math.min(count - 1, screen.selected + by)),
  });
  const sortBy = (by: number) => ({
    ...screen,
    sort: (screen.sort + by + COLUMNS.length) % COLUMNS.length,
  });
  if (UP.includes(key)) return move(-1);
  if (DOWN.includes(key)) return move(1);
  if (LEFT.includes(key)) return sortBy(-1);
  if (RIGHT.includes(key) || key === "s") return sortBy(1);
  if (ENTER.includes(key)) return count > 0 ? { ...screen, mode: "details" } : screen;
  if (key === "/") return { ...screen, mode: "find", find: "", selected: 0 };
  if (key === "?") return { ...screen, mode: "help" };
  if (key === " ") return { ...screen, isPaused: !screen.isPaused };
  if (key === "q") return { ...screen, mode: "quit" };
  return key === ESCAPE ? { ...screen, find: "", selected: 0 } : screen;
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
  "up, down, k, j     mark a row",
  "left, right, s     sort by another column",
  "Enter              details of the marked region; any key goes back",
  "/                  show only names that contain what you type; Esc shows all",
  "space              pause, and continue",
  "q                  quit",
  "",
  "MSG/S    messages per second; rings count them when they are received",
  "BACKLOG  how full the fullest flow is: ########## is full",
  "LOST/S   samples that subscribers lost",
  "ASLEEP   parties that sleep until a message comes",
  "WAKES/S  how often a sleeper was woken",
];

/** Draws the lines of the screen, at most as many as fit. */
export function draw(
  screen: Screen,
  rows: readonly Row[],
  { columns, rows: height }: Size,
  details: (region: RegionInfo) => readonly string[],
): string[] {
  const shown = sortRows(screen, rows);
  const selected = Math.max(0, Math.min(shown.length - 1, screen.selected));
  const body = Math.max(1, height - 2);
  const foot = footOf(screen, shown.length);
  const lines = screen.mode === "help"
    ? HELP
    : screen.mode === "details" && shown.length > 0
    ? details(shown[selected]!.region)
    : tableOf(screen, shown, selected, body);
  const cut = lines.slice(0, body).map((line) => fit(line, columns));
  while (cut.length < body) cut.push("");
  return [...cut, "", fit(foot, columns)];
}

function tableOf(
  { sort }: Screen,
  shown: readonly Row[],
  selected: number,
  body: number,
): string[] {
  const titles = COLUMNS.map(({ title }, i) => i === sort ? `${title}*` : title);
  const [head, ...lines] = tableLines(titles, shown.map((row) => COLUMNS.map((c) => c.cell(row))));
  if (shown.length === 0) return [`  ${head}`, "", "  nothing yet"];
  const first = Math.max(0, Math.min(selected - body + 2, lines.length - body + 1));
  const marked = lines.map((line, i) => `${i === selected ? ">" : " "} ${line}`);
  return [`  ${head}`, ...marked.slice(first, first + body - 1)];
}

function footOf({ mode, find, isPaused }: Screen, count: number): string {
  if (mode === "find") return `find: ${find}_`;
  const state = [`${count} regions`, find && `with "${find}"`, isPaused && "paused"];
  return `${state.filter(Boolean).join(", ")}   ? help   / find   s sort   q quit`;
}

function fit(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
