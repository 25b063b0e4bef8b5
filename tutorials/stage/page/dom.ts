/// <reference lib="dom" />
/**
 * Elements in one expression.
 *
 * @module
 */

import { linkTo } from "./place.ts";

/** What an element may contain. */
export type Child = Node | string | undefined | false;

/** Attributes by name; functions become listeners. */
export type Attributes = Readonly<
  Record<string, string | number | boolean | undefined | ((event: Event) => void)>
>;

/** Attributes that hold a place or a file. */
const ADDRESSES = ["href", "src"];

/** Makes an element: `el("button.primary", { click: next }, "Next")`. */
export function el(
  selector: string,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElement {
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag!);
  if (classes.length > 0) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (ADDRESSES.includes(name)) element.setAttribute(name, linkTo(`${value}`));
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, `${value}`);
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** The element with this id, which index.html has. */
export function byId(id: string): HTMLElement {
  return document.getElementById(id)!;
}

/** Draws an element's content anew; the control with the focus keeps it, by its `data-key`. */
export function redraw(element: HTMLElement, ...children: Child[]): void {
  const focused = document.activeElement;
  const key = element.contains(focused) ? focused?.getAttribute("data-key") : null;
  element.replaceChildren(...children.filter((child) => child !== undefined && child !== false));
  if (key === null || key === undefined) return;
  element.querySelector<HTMLElement>(`[data-key="${key}"]`)?.focus({ preventScroll: true });
}

/** Says something to people who listen to the page. */
export function announce(text: string): void {
  byId("live").textContent = text;
}

/** An address as the kernel writes it. */
export function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
