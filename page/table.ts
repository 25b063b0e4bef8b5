/// <reference lib="dom" />
/**
 * A value as a table: a line for each field, with a curve for long arrays.
 *
 * @module
 */

import type { Shown } from "../src/live/protocol.ts";
import { h, s } from "./dom.ts";
import { number } from "./words.ts";

/** A line of the table. */
interface Line {
  readonly name: string;
  readonly text: string;
  readonly plot?: readonly number[] | undefined;
}

const MOST_LINES = 200;

/** A table that is filled again and again. */
export class Table {
  readonly element: HTMLTableElement = h("table", { class: "tree" });
  #shape = "";
  #cells: Element[] = [];

  /** Shows a value. */
  show(value: Shown): void {
    const lines = linesOf(value, "", 0).slice(0, MOST_LINES);
    const shape = lines.map(({ name, plot }) => `${name}${plot ? "~" : ""}`).join("\n");
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#cells = lines.map(() => h("td"));
      this.element.replaceChildren(
        ...lines.map(({ name }, i) => h("tr", {}, h("td", {}, name), this.#cells[i]!)),
      );
    }
    lines.forEach(({ text, plot }, i) => {
      const cell = this.#cells[i]!;
      if (plot === undefined) {
        if (cell.textContent !== text) cell.textContent = text;
      } else cell.replaceChildren(curve(plot), h("span", {}, text));
    });
  }
}

function linesOf(value: Shown, name: string, deep: number): Line[] {
  const indented = `${"\u00a0\u00a0".repeat(Math.max(0, deep - 1))}${name || "value"}`;
  if (typeof value === "number") return [{ name: indented, text: number(value) }];
  if (typeof value !== "object" || value === null) return [{ name: indented, text: String(value) }];
  if ("cut" in value) return [{ name: indented, text: `${value.cut}…` }];
  if ("bytes" in value) {
    const hex = value.hex.replace(/(..)(?=.)/g, "$1 ");
    const more = 2 * value.bytes > value.hex.length ? " …" : "";
    return [{ name: indented, text: `${value.bytes} bytes: ${hex}${more}` }];
  }
  if ("fields" in value) {
    const inner = value.fields.flatMap(([field, one]) => linesOf(one, field, deep + 1));
    return deep === 0 ? inner : [{ name: indented, text: "" }, ...inner];
  }
  const { array, head, plot } = value;
  if (plot !== undefined) {
    const [low, high] = [Math.min(...plot), Math.max(...plot)];
    const text = `${array} values, ${number(low)} to ${number(high)}`;
    return [{ name: indented, text, plot }];
  }
  const isPlain = head.every((one) => typeof one !== "object" || one === null);
  if (isPlain) {
    const shown = head.map((one) => typeof one === "number" ? number(one) : String(one)).join(", ");
    return [{ name: indented, text: array > head.length ? `${shown}, … (${array})` : shown }];
  }
  const inner = head.flatMap((one, i) => linesOf(one, String(i), deep + 1));
  const more = array > head.length ? `the first ${head.length} of ${array}` : `${array}`;
  return [{ name: indented, text: more }, ...inner];
}

function curve(plot: readonly number[]): SVGElement {
  const [low, high] = [Math.min(...plot), Math.max(...plot)];
  const span = high - low || 1;
  const points = plot.map((value, i) =>
    `${(100 * i / (plot.length - 1)).toFixed(2)},${(42 - 40 * (value - low) / span).toFixed(1)}`
  );
  return s(
    "svg",
    { viewBox: "0 0 100 44", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("polyline", { points: points.join(" ") }),
  );
}
