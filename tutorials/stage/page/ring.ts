/// <reference lib="dom" />
/**
 * A ring as a circle, and as one window or two. Its heads can be dragged, or moved by the arrow keys:
 * the bytes stay as memory had them, and the windows show which of them lie between the heads.
 *
 * @module
 */

import type { RingPicture } from "../story.ts";
import { el } from "./dom.ts";

const SVG = "http://www.w3.org/2000/svg";
const [OUTER, INNER, CENTER] = [92, 66, 110];

/** Where the heads are, in cells: the next read, and how many cells can be read. */
interface Heads {
  readonly first: number;
  readonly count: number;
}

/** A part of the picture that follows the heads. */
type Follow = (heads: Heads) => void;

/** Draws the circle and the windows below it. */
export function drawRing(picture: RingPicture): HTMLElement {
  const { readAt, available, cellBytes } = picture;
  const real: Heads = { first: readAt / cellBytes, count: available / cellBytes };
  let heads = real;
  const follow: Follow[] = [];
  const back = el("button", { type: "button", click: () => move(real) }, "As memory has it");
  const said = el("span");
  const move = (to: Heads) => {
    heads = to;
    for (const each of follow) each(heads);
    const bytes = heads.count * cellBytes;
    said.textContent = heads === real
      ? "Drag R and W, or move them by Tab and the arrow keys."
      : `You have moved them: ${bytes} bytes between R and W, from byte ${
        heads.first * cellBytes
      } on.`;
    back.toggleAttribute("disabled", heads === real);
  };
  const body = el(
    "div.ring-body",
    {},
    circle(picture, follow, () => heads, move),
    windows(picture, follow),
    el("p.moved", {}, said, back),
  );
  move(real);
  return body;
}

function isUnread(cell: number, { first, count }: Heads, cells: number): boolean {
  return (cell - Math.floor(first) + cells) % cells < count;
}

function svg(name: string, attributes: Record<string, string | number>, text = ""): SVGElement {
  const element = document.createElementNS(SVG, name) as SVGElement;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, `${value}`);
  element.textContent = text;
  return element;
}

function point(turn: number, radius: number): [x: number, y: number] {
  const angle = (turn - 0.25) * 2 * Math.PI;
  return [CENTER + radius * Math.cos(angle), CENTER + radius * Math.sin(angle)];
}

function circle(
  { cells }: RingPicture,
  follow: Follow[],
  headsNow: () => Heads,
  move: Follow,
): SVGElement {
  const count = cells.length;
  const drawing = svg("svg", { viewBox: `0 0 ${2 * CENTER} ${2 * CENTER}` });
  for (let cell = 0; cell < count; cell++) {
    const [a, b] = [cell / count, (cell + 1) / count];
    const d =
      `M${point(a, OUTER)} A${OUTER} ${OUTER} 0 0 1 ${point(b, OUTER)} L${point(b, INNER)} ` +
      `A${INNER} ${INNER} 0 0 0 ${point(a, INNER)} Z`;
    const path = svg("path", { d });
    const [x, y] = point(a + 0.5 / count, (OUTER + INNER) / 2);
    const letter = svg("text", { x, y, class: "letter" });
    drawing.append(path, letter);
    follow.push((heads) => {
      const unread = isUnread(cell, heads, count);
      path.setAttribute("class", unread ? "unread" : "free");
      letter.textContent = unread ? cells[cell]! : "";
    });
  }
  // R stays behind W, and W less than a lap before R.
  const moveTo: Readonly<Record<"R" | "W", (cell: number) => void>> = {
    R: (cell) => {
      const { first, count: length } = headsNow();
      const end = first + length;
      const behind = Math.min(Math.max(end - cell, 0), count);
      move({ first: (end - behind + count) % count, count: behind });
    },
    W: (cell) => {
      const { first } = headsNow();
      move({ first, count: Math.min(Math.max(cell - first, 0), count) });
    },
  };
  for (const name of ["R", "W"] as const) {
    drawing.append(head(drawing, { name, count, follow, headsNow, moveTo: moveTo[name] }));
  }
  return drawing;
}

interface HeadOptions {
  readonly name: "R" | "W";
  readonly count: number;
  readonly follow: Follow[];
  readonly headsNow: () => Heads;
  /** Moves it to a cell, which is not wrapped. */
  readonly moveTo: (cell: number) => void;
}

/** A head on the circle: a slider for the pointer, for touch and for the keyboard. */
function head(drawing: SVGElement, { name, count, follow, headsNow, moveTo }: HeadOptions) {
  const group = svg("g", {
    class: `head ${name}`,
    tabindex: 0,
    role: "slider",
    "aria-label": name === "R" ? "R, the next read" : "W, the next write",
    "aria-valuemin": 0,
  });
  group.append(svg("circle", { r: 21, class: "reach" }), svg("text", {}, name));
  const place = () => {
    const { first, count: length } = headsNow();
    return name === "R" ? first : first + length;
  };
  follow.push(() => {
    const [x, y] = point(place() / count, name === "R" ? 48 : 105);
    group.setAttribute("transform", `translate(${x} ${y})`);
    group.setAttribute("aria-valuemax", `${2 * count}`);
    group.setAttribute("aria-valuenow", `${place()}`);
    group.setAttribute("aria-valuetext", `cell ${place()}`);
  });
  group.addEventListener("keydown", (event) => {
    const by: Record<string, number> = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
    const step = by[(event as KeyboardEvent).key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    moveTo(place() + step);
  });
  // Else a finger that moves a head would scroll the page.
  group.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  group.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    group.setPointerCapture((event as PointerEvent).pointerId);
    (group as unknown as HTMLElement).focus();
  });
  group.addEventListener("pointermove", (event) => {
    const { pointerId, clientX, clientY } = event as PointerEvent;
    if (!group.hasPointerCapture(pointerId)) return;
    const box = drawing.getBoundingClientRect();
    const angle = Math.atan2(
      clientY - box.top - box.height / 2,
      clientX - box.left - box.width / 2,
    );
    const cell = Math.round((angle / (2 * Math.PI) + 0.25) * count);
    // The nearest way there from where it is.
    const by = ((cell - place()) % count + count + count / 2) % count - count / 2;
    if (Math.round(by) !== 0) moveTo(place() + Math.round(by));
  });
  return group;
}

function windows({ cells, mirrored }: RingPicture, follow: Follow[]): HTMLElement {
  const count = cells.length;
  const cellOf = (w: number, letter: string, i: number) => {
    const at = w * count + i;
    const pointer = el("span.pointer");
    const byte = el("span");
    const cell = el("span.cell", {}, pointer, byte);
    follow.push((heads) => {
      const { first, count: length } = heads;
      const unread = isUnread(i, heads, count);
      const isHere = at >= first && at < first + length;
      cell.className = isHere ? "cell here" : unread ? "cell again" : "cell";
      const isW = at === Math.floor(first + length);
      pointer.textContent = at === first ? (isW ? "RW" : "R") : isW ? "W" : "";
      byte.textContent = unread ? letter : "·";
    });
    return cell;
  };
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
      el("div.cells", {}, ...Array.from(cells, (letter, i) => cellOf(w, letter, i))),
    ));
  return el("div.windows", {}, ...shown);
}
