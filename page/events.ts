/// <reference lib="dom" />
/**
 * What happened: the newest first.
 *
 * @module
 */

import type { ViewEvent } from "../src/live/protocol.ts";
import { byId, h, setText } from "./dom.ts";
import type { Store } from "./store.ts";
import { clock } from "./words.ts";

const WORDS: Readonly<Record<ViewEvent["what"], string>> = {
  appeared: "+ appeared",
  gone: "− gone",
  joined: "→ joined",
  left: "← left",
  died: "✕ died",
  lost: "! lost",
  repaired: "⟳ repaired",
};

/** The ends of texts that only repeat the word before them. */
const SAID = / ?(appeared|is gone|joined|left|died|was lost|was repaired)$/;

/** The lines that are shown. */
const MOST = 200;

/** The list of events. */
export class Events {
  readonly #store: Store;
  readonly #list = byId("log");
  #first = 0;
  #filter = "";

  constructor(store: Store) {
    this.#store = store;
  }

  /** Shows the newest events. */
  show(filter: string): void {
    const wanted = filter.trim().toLowerCase();
    const { events } = this.#store;
    if (wanted !== this.#filter || (events[0]?.number ?? 0) < this.#first) {
      this.#first = 0;
      this.#list.replaceChildren();
    }
    this.#filter = wanted;
    const isMatch = ({ name, kind, text }: ViewEvent) =>
      `${kind} ${name} ${text}`.toLowerCase().includes(wanted);
    const news = events.filter((event) => event.number > this.#first).filter(isMatch).slice(
      0,
      MOST,
    );
    this.#first = events[0]?.number ?? this.#first;
    const isEmpty = this.#list.querySelector("li") === null;
    if (isEmpty) {
      this.#list.replaceChildren(...news.length === 0 ? [noEvents()] : []);
    }
    this.#list.prepend(...news.map(lineOf));
    while (this.#list.children.length > MOST) this.#list.lastChild!.remove();
    const deaths = events.filter(({ what }) => what === "died").length;
    setText(byId("events-note"), deaths === 0 ? "" : deaths === 1 ? "1 death" : `${deaths} deaths`);
  }
}

function lineOf({ what, time, kind, name, text }: ViewEvent): HTMLElement {
  return h(
    "li",
    { class: what },
    h("time", { datetime: new Date(time).toISOString() }, clock(time)),
    h("span", { class: "what" }, WORDS[what]),
    h("p", {}, `${kind} `, h("b", {}, name), text.replace(SAID, "").replace(/^(?=.)/, " ")),
  );
}

function noEvents(): HTMLElement {
  return h(
    "p",
    { class: "empty" },
    "Nothing has changed since the view began to look. Deaths, repairs, and regions that appear or go are listed here.",
  );
}
