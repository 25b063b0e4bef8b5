/**
 * Makes elements, in place of a framework.
 *
 * @module
 */

/// <reference lib="dom" />

/** Attributes by name; a function is a listener, and false and undefined leave an attribute out. */
type Attributes = Readonly<
  Record<string, string | number | boolean | undefined | ((event: Event) => void)>
>;

type Child = Node | string | undefined | false;

/** Makes an element. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== undefined && value !== false) {
      element.setAttribute(key, value === true ? "" : `${value}`);
    }
  }
  for (const child of children.flat()) {
    if (child !== undefined && child !== false) element.append(child);
  }
  return element;
}

/** Enables a button or not. One that is not keeps the focus, which `disabled` would take away. */
export function enable(button: HTMLElement, isEnabled: boolean): void {
  button.setAttribute("aria-disabled", `${!isEnabled}`);
}

/** Finds an element of the page. */
export function find<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}
