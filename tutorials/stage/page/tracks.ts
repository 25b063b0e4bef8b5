/// <reference lib="dom" />
/**
 * Interleavings: a column for each party, a row for each operation, and the words that they share.
 *
 * @module
 */

import type { TracksPicture } from "../story.ts";
import { el } from "./dom.ts";

/** Draws the rows under a head that stays; the word that an operation has changed is marked. */
export function drawTracks({ parties, words, rows, end }: TracksPicture): HTMLElement {
  const head = el(
    "tr",
    {},
    el("th.step", {}, ""),
    ...parties.map((party, i) => el(`th.party.tone-${i % 4 + 1}`, { scope: "col" }, party)),
    ...words.map((word) => el("th.word", { scope: "col" }, word)),
  );
  const body = rows.map(({ party, text, values, note }, r) => {
    const before = rows[r - 1]?.values ?? [];
    const cells = parties.map((_, i) =>
      i === party
        ? el(`td.op.tone-${i % 4 + 1}`, {}, el("code", {}, text), note && el("span.note", {}, note))
        : el("td.rest", {})
    );
    const numbers = values.map((value, w) =>
      el(r > 0 && before[w] !== value ? "td.word.changed" : "td.word", {}, `${value}`)
    );
    return el("tr", {}, el("td.step", {}, `${r + 1}`), ...cells, ...numbers);
  });
  return el(
    "div.tracks-body",
    {},
    el(
      "div.scroll",
      { tabindex: 0 },
      el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)),
    ),
    end && el("p.end", {}, end),
  );
}
