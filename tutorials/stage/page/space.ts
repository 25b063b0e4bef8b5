/// <reference lib="dom" />
/**
 * The address space as a bar, with a lens: each zoom makes a sixteenth of the bar as wide as the bar,
 * from 2^47 bytes to a single one.
 *
 * @module
 */

import type { SpacePicture } from "../story.ts";
import { el, hex } from "./dom.ts";

const WHOLE = 2 ** 47;
const LENS = 16;
/** A bar shows no fewer bytes. */
const NARROWEST = 16;
const LISTED = 6;

interface Range {
  readonly start: number;
  readonly end: number;
  readonly name: string;
  readonly detail: string;
  readonly tone: string;
}

/** All ranges of one name that the bar shows. */
interface Group {
  readonly first: Range;
  readonly count: number;
  readonly bytes: number;
}

/** Draws the bar, the buttons of the lens, and a list of what the bar shows. */
export function drawSpace(picture: SpacePicture): HTMLElement {
  let [from, size] = [0, WHOLE];
  const ranges = rangesOf(picture);
  const bar = el("div.bar", { role: "img" });
  const scale = el("div.scale");
  const list = el("ul.ranges");
  const closer = el("button", { type: "button", click: () => zoom(1 / LENS) }, "Zoom in ×16");
  const wider = el("button", { type: "button", click: () => zoom(LENS) }, "Zoom out");

  const draw = () => {
    const shown = ranges.filter(({ start, end }) => start < from + size && end > from);
    bar.replaceChildren(...shown.map((range) => pieceOf(range, from, size)));
    bar.setAttribute("aria-label", `${amount(size)} of addresses from ${hex(from)}`);
    scale.replaceChildren(
      el("span", {}, hex(from)),
      el("span", {}, amount(size)),
      el("span", {}, hex(from + size)),
    );
    const listed = summary(shown).slice(0, LISTED);
    list.replaceChildren(...listed.map((group) => itemOf(group, () => lookAt(group.first))));
    if (shown.length === 0) list.replaceChildren(el("li.nothing", {}, "nothing is here"));
    (closer as HTMLButtonElement).disabled = size <= NARROWEST;
    (wider as HTMLButtonElement).disabled = size >= WHOLE;
  };
  const show = (start: number, bytes: number) => {
    size = Math.min(WHOLE, Math.max(NARROWEST, bytes));
    from = Math.min(Math.max(0, start - start % size), WHOLE - size);
    draw();
  };
  const lookAt = ({ start, end }: { start: number; end: number }) => {
    let bytes = NARROWEST;
    while (bytes < WHOLE && start - start % bytes + bytes < end) bytes *= 2;
    show(start, bytes);
  };
  const zoom = (factor: number) => show(focusOf(ranges, from, size), size * factor);
  draw();
  return el("div.space-body", {}, el("div.lens", {}, wider, closer), bar, scale, list);
}

/** Where to zoom to: a marked place, or the first that is in use. */
function focusOf(ranges: readonly Range[], from: number, size: number): number {
  const shown = ranges.filter(({ start, end }) => start < from + size && end > from);
  const marked = shown.find(({ tone }) => tone === "mark") ?? shown[0];
  return marked === undefined ? from : Math.max(marked.start, from);
}

function rangesOf({ ranges, marks }: SpacePicture): Range[] {
  const all = ranges.map(({ start, end, permissions, path }) => ({
    start,
    end,
    name: nameOf(path),
    detail: permissions,
    tone: permissions.includes("x") ? "code" : permissions.includes("w") ? "data" : "other",
  }));
  const marked = marks.map(({ address, length, label }) => ({
    start: address,
    end: address + length,
    name: label,
    detail: "rw-p",
    tone: "mark",
  }));
  return [...marked, ...all];
}

function nameOf(path: string): string {
  if (path === "") return "anonymous memory";
  return path.startsWith("[") ? path.slice(1, -1) : path;
}

/** What the bar shows: marked places first, then each name with all of its ranges. */
function summary(ranges: readonly Range[]): Group[] {
  const groups = new Map<string, Group>();
  for (const range of ranges) {
    const key = range.tone === "mark" ? `mark ${range.start}` : range.name;
    const { count = 0, bytes = 0, first = range } = groups.get(key) ?? {};
    groups.set(key, { first, count: count + 1, bytes: bytes + range.end - range.start });
  }
  return [...groups.values()];
}

function pieceOf({ start, end, name, tone }: Range, from: number, size: number): HTMLElement {
  const left = Math.max(0, (start - from) / size);
  const right = Math.min(1, (end - from) / size);
  const piece = el(`span.piece.${tone}`, { title: name });
  piece.style.left = `${left * 100}%`;
  piece.style.width = `max(3px, ${(right - left) * 100}%)`;
  return piece;
}

function itemOf({ first, count, bytes }: Group, look: () => void): HTMLElement {
  const { name, start, detail, tone } = first;
  const where = count === 1 ? `at ${hex(start)}, ${detail}` : `in ${count} ranges`;
  return el(
    "li",
    {},
    el("span", { class: `swatch ${tone}` }),
    el("button.link", { type: "button", click: look }, name),
    el("span.extent", {}, `${amount(bytes)} ${where}`),
  );
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

function amount(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
