/// <reference lib="dom" />
/**
 * A ring as a circle, and as one window or two.
 *
 * @module
 */

import type { RingPicture } from "../story.ts";
import { el } from "./dom.ts";

const SVG = "http://www.w3.org/2000/svg";
const [OUTER, INNER, CENTER] = [92, 66, 110];

/** Draws the circle and the windows below it. */
export function drawRing(picture: RingPicture): HTMLElement {
  return el("div.ring-body", {}, circle(picture), windows(picture));
}

/** Which cell a position is in, counted from the beginning of the ring. */
function cellAt(position: number, { cellBytes }: RingPicture): number {
  return Math.floor(position / cellBytes);
}

function isUnread(cell: number, picture: RingPicture): boolean {
  const count = picture.cells.length;
  const first = cellAt(picture.readAt, picture);
  return (cell - first + count) % count < picture.available / picture.cellBytes;
}

function svg(name: string, attributes: Record<string, string | number>, text = ""): SVGElement {
  const element = document.createElementNS(SVG, name) as SVGElement;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, `${value}`);
  element.textContent = text;
  return element;
}

function point(turn: number, radius: number): string {
  const angle = (turn - 0.25) * 2 * Math.PI;
  return `${CENTER + radius * Math.cos(angle)} ${CENTER + radius * Math.sin(angle)}`;
}

function circle(picture: RingPicture): SVGElement {
  const count = picture.cells.length;
  const drawing = svg("svg", {
    viewBox: `0 0 ${2 * CENTER} ${2 * CENTER}`,
    role: "img",
    "aria-label": `${picture.available} bytes can be read from byte ${picture.readAt} on`,
  });
  for (let cell = 0; cell < count; cell++) {
    const [a, b] = [cell / count, (cell + 1) / count];
    const d =
      `M${point(a, OUTER)} A${OUTER} ${OUTER} 0 0 1 ${point(b, OUTER)} L${point(b, INNER)} ` +
      `A${INNER} ${INNER} 0 0 0 ${point(a, INNER)} Z`;
    drawing.append(svg("path", { d, class: isUnread(cell, picture) ? "unread" : "free" }));
    if (!isUnread(cell, picture)) continue;
    const [x, y] = point(a + 0.5 / count, (OUTER + INNER) / 2).split(" ");
    drawing.append(svg("text", { x: x!, y: y!, class: "letter" }, picture.cells[cell]));
  }
  const write = (picture.readAt + picture.available) / picture.cellBytes / count;
  const read = picture.readAt / picture.cellBytes / count;
  for (const [turn, name, radius] of [[read, "R", 50], [write, "W", 104]] as const) {
    const [x, y] = point(turn, radius).split(" ");
    drawing.append(svg("text", { x: x!, y: y!, class: `head ${name}` }, name));
  }
  return drawing;
}

function windows(picture: RingPicture): HTMLElement {
  const { cells, mirrored, readAt, available, cellBytes } = picture;
  const count = cells.length;
  const [first, last] = [readAt / cellBytes, (readAt + available) / cellBytes];
  const shown = Array.from({ length: mirrored ? 2 : 1 }, (_, w) =>
    el(
      "div.window",
      {},
      el(
        "span.label",
        {},
        !mirrored
          ? "the ring"
          : w === 0
          ? "first window"
          : "second window, right behind it: the same bytes",
      ),
      el(
        "div.cells",
        {},
        ...Array.from(cells, (letter, i) => {
          const at = w * count + i;
          const unread = isUnread(i, picture);
          const name = at >= first && at < last ? ".here" : unread ? ".again" : "";
          const head = at === first ? "R" : at === Math.floor(last) ? "W" : "";
          return el(
            `span.cell${name}`,
            {},
            el("span.pointer", {}, head),
            unread ? letter : "·",
          );
        }),
      ),
    ));
  return el("div.windows", {}, ...shown);
}
