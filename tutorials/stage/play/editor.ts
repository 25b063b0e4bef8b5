/**
 * The editor of "Write your own": a text area with line numbers.
 *
 * @module
 */

/// <reference lib="dom" />

import { find, h } from "./dom.ts";
import { TEMPLATES } from "./templates.ts";

const STORED = "vring-play-yours";

/** The text area, its line numbers, and the choice of structures. */
export class Editor {
  readonly #text = find<HTMLTextAreaElement>("source");
  readonly #numbers = find("source-numbers");
  readonly #template = find<HTMLSelectElement>("template");

  /** `changed` is called after each change. */
  constructor(changed: () => void) {
    for (const { id, title } of TEMPLATES) {
      this.#template.append(h("option", { value: id }, title));
    }
    this.#template.addEventListener("change", () => {
      const template = TEMPLATES.find(({ id }) => id === this.#template.value);
      if (template === undefined) return;
      this.source = template.source;
      changed();
    });
    this.#text.addEventListener("input", () => {
      this.#changed();
      changed();
    });
    this.#text.addEventListener("scroll", () => {
      this.#numbers.scrollTop = this.#text.scrollTop;
    });
    this.#text.addEventListener("keydown", (event) => this.#indent(event));
    this.source = localStorage.getItem(STORED) ?? TEMPLATES[0]!.source;
  }

  get source(): string {
    return this.#text.value;
  }

  set source(source: string) {
    this.#text.value = source;
    this.#changed();
  }

  /** Marks the line of an error; undefined marks none. */
  mark(line: number | undefined): void {
    for (const [i, number] of [...this.#numbers.children].entries()) {
      number.classList.toggle("wrong", i + 1 === line);
    }
  }

  #changed(): void {
    const { value } = this.#text;
    try {
      localStorage.setItem(STORED, value);
    } catch {
      // A browser that stores nothing keeps the text for as long as the page is open.
    }
    const count = value.split("\n").length;
    if (this.#numbers.children.length !== count) {
      this.#numbers.replaceChildren(
        ...Array.from({ length: count }, (_, i) => h("div", {}, `${i + 1}`)),
      );
    }
    this.mark(undefined);
    const template = TEMPLATES.find(({ source }) => source === value);
    this.#template.value = template?.id ?? "";
  }

  /** Begins a new line below the beginning of the last one. */
  #indent(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.isComposing) return;
    const { value, selectionStart } = this.#text;
    const line = value.slice(0, selectionStart).split("\n").at(-1)!;
    const indent = /^ */.exec(line)![0] + (/[{(]$/.test(line) ? "  " : "");
    event.preventDefault();
    this.#text.setRangeText(`\n${indent}`, selectionStart, this.#text.selectionEnd, "end");
    this.#text.dispatchEvent(new Event("input"));
  }
}
