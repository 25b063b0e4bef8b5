/**
 * The tracks: a column for each party, and a row for each step.
 *
 * @module
 */

/// <reference lib="dom" />

import { h } from "./dom.ts";
import type { Film, Moment } from "./film.ts";
import { changedBy } from "./memory_view.ts";
import { toldShort } from "./words.ts";

/** Draws the steps of a film; a click on one shows the moment after it. */
export function tracksTable(film: Film, at: number, goTo: (at: number) => void): HTMLElement {
  const head = h(
    "tr",
    {},
    h("th", { scope: "col", class: "count" }, "step"),
    ...film.parties.map(({ letter, name }, i) =>
      h(
        "th",
        { scope: "col" },
        h("span", { class: `letter tone-${i % 4 + 1}` }, letter),
        h("span", { class: "name" }, ` ${name}`),
      )
    ),
    h("th", { scope: "col", class: "changes" }, "memory"),
  );
  const rows = film.moments.map((moment, number) => row(film, moment, number, at, goTo));
  return h("table", { class: "tracks" }, h("thead", {}, head), h("tbody", {}, ...rows));
}

function row(
  film: Film,
  moment: Moment,
  number: number,
  at: number,
  goTo: (at: number) => void,
): HTMLElement {
  const classes = [number === at && "current", number > at && "later"].filter(Boolean).join(" ");
  const button = h(
    "button",
    {
      type: "button",
      class: "jump",
      click: () => goTo(number),
      "aria-label": number === 0 ? "Go to the beginning" : `Go to step ${number}`,
    },
    number === at ? `▶ ${number}` : `${number}`,
  );
  const cells = film.parties.map(({ name }) =>
    h("td", {}, ...moment.events.flatMap(({ actor, what }) => actor === name ? told(what) : []))
  );
  const timeless = moment.events.filter(({ actor }) => actor === undefined);
  if (timeless.length > 0) cells[0]!.append(...timeless.flatMap(({ what }) => told(what)));
  if (number === 0) {
    const text = moment.events.length > 0 ? "what had been prepared" : "the beginning";
    return h(
      "tr",
      { class: classes, ...number === at && { "aria-current": "step" } },
      h("th", { scope: "row" }, button),
      h("td", { class: "beginning", colspan: film.parties.length + 1 }, text),
    );
  }
  return h(
    "tr",
    { class: classes, ...number === at && { "aria-current": "step" } },
    h("th", { scope: "row" }, button),
    ...cells,
    h(
      "td",
      { class: "changes" },
      ...changedBy(film, number).map((change) =>
        h("div", { class: number === at ? "changed" : "" }, change)
      ),
    ),
  );
}

function told(what: string): HTMLElement[] {
  return [h("div", { class: what === "DIES" ? "deed death" : "deed" }, toldShort(what))];
}
