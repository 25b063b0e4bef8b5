/**
 * Values in a form that JSON has, and of a size that a page can show.
 *
 * @module
 */

import type { Shown } from "./protocol.ts";

/** The elements of an array that are shown one by one. */
const HEAD = 16;

/** The points of the curve through an array. */
const PLOT = 256;

const LONGEST_TEXT = 2000;

/** The characters of all texts that are shown. */
const MOST_CHARACTERS = 20_000;

const BYTES = 32;
const DEEPEST = 10;

/** The values that are shown in all. */
const MOST_VALUES = 1000;

/** Makes the form of a value that is shown. */
export function shownOf(value: unknown): Shown {
  return show(value, { values: MOST_VALUES, deep: DEEPEST, characters: MOST_CHARACTERS });
}

/** What may still be shown. */
interface Budget {
  values: number;
  deep: number;
  characters: number;
}

function show(value: unknown, budget: Budget): Shown {
  if (budget.deep === 0 || budget.values-- <= 0) return { cut: "…" };
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "string") return showText(value, budget);
  if (typeof value === "boolean" || value === null) return value;
  if (typeof value !== "object") return String(value);
  if (value instanceof Uint8Array) {
    return { bytes: value.length, hex: value.subarray(0, BYTES).toHex() };
  }
  budget.deep--;
  const shown = ArrayBuffer.isView(value) || Array.isArray(value)
    ? showArray(value as unknown as ArrayLike<unknown>, budget)
    : showObject(value, budget);
  budget.deep++;
  return shown;
}

function showText(value: string, budget: Budget): Shown {
  const most = Math.min(LONGEST_TEXT, budget.characters);
  budget.characters -= Math.min(most, value.length);
  return value.length <= most ? value : { cut: value.slice(0, most) };
}

function showObject(value: object, budget: Budget): Shown {
  const fields: (readonly [string, Shown])[] = [];
  for (const [name, inner] of Object.entries(value)) {
    if (budget.values <= 0) return { fields: [...fields, ["…", { cut: "…" }]] };
    fields.push([name.slice(0, 100), show(inner, budget)]);
  }
  return { fields };
}

function showArray(values: ArrayLike<unknown>, budget: Budget): Shown {
  const head: Shown[] = [];
  for (let i = 0; i < Math.min(values.length, HEAD) && budget.values > 0; i++) {
    head.push(show(values[i], budget));
  }
  return { array: values.length, head, plot: plotOf(values) };
}

/** The curve through an array of numbers; undefined if it has others, or too few. */
function plotOf(values: ArrayLike<unknown>): number[] | undefined {
  if (values.length < 8) return undefined;
  const step = Math.max(1, values.length / PLOT);
  const points: number[] = [];
  for (let at = 0; at < values.length && points.length < PLOT; at += step) {
    const value = values[Math.floor(at)];
    if (typeof value !== "number" && typeof value !== "bigint") return undefined;
    const point = Number(value);
    points.push(Number.isFinite(point) ? Number(point.toPrecision(6)) : 0);
  }
  return points;
}
