/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * Elements, made and changed in few words. All text comes from peers, so it is only ever set as text.
 *
 * @module
 */

/** The attributes and listeners of a new element. */
export type Props = Readonly<Record<string, unknown>>;

/** Makes an element of HTML. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: (Node | string | undefined)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  decorate(element, props, children);
  return element;
}

/** Makes an element of SVG. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: (Node | string | undefined)[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  decorate(element, props, children);
  return element;
}

function decorate(element: Element, props: Props, children: (Node | string | undefined)[]): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value as EventListener);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
}

/** Returns the element with an id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

/** Sets the text of an element, if it differs. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets the class of an element, if it differs. */
export function setClass(element: Element, name: string): void {
  if (element.getAttribute("class") !== name) element.setAttribute("class", name);
}

/** Returns the value of a colour of the theme. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The dashes of the curves: each has its own, so that colours need not be told apart. */
export const DASHES: readonly number[][] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [4, 4], [1, 5]];

/** Draws the line of a curve, for its key. */
export function keyLine(index: number): SVGElement {
  return s(
    "svg",
    { viewBox: "0 0 18 6", "aria-hidden": "true" },
    s("line", {
      x1: 0,
      y1: 3,
      x2: 18,
      y2: 3,
      stroke: `var(--s${index % 6})`,
      "stroke-width": 2.5,
      "stroke-dasharray": DASHES[index % 6]!.join(" ") || undefined,
    }),
  );
}
