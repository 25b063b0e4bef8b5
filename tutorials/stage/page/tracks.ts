/// <reference lib="dom" />
/**
 * Interleavings: a track for each party, a row for each operation, and the words that they share. On
 * a narrow screen, or beside many words, the tracks move together, and each operation names its party.
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
    el("th.nr", {}, ""),
    el(
      "th.tracks",
      { scope: "col" },
      ...parties.map((party, i) => onTrack(el("span.party", {}, party), i, parties.length)),
    ),
    ...words.map((word) => el("th.word", { scope: "col" }, word)),
  );
  const body = rows.map(({ party, text, values, note }, r) => {
    const before = rows[r - 1]?.values ?? [];
    const operation = el(
      `div.op.track-${party % 4 + 1}`,
      {},
      el("span.who", {}, `${parties[party]} `),
      el("code", {}, text),
      note && el("span.note", {}, note),
    );
    const numbers = values.map((value, w) =>
      el(r > 0 && before[w] !== value ? "td.word.changed" : "td.word", {}, `${value}`)
    );
    return el(
      "tr",
      {},
      el("td.nr", {}, `${r + 1}`),
      el("td.tracks", {}, onTrack(operation, party, parties.length)),
      ...numbers,
    );
  });
  return el(
    words.length > 3 ? "div.tracks-body.compact" : "div.tracks-body",
    {},
    el(
      "div.scroll",
      { tabindex: 0 },
      el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)),
    ),
    end && el("p.end", {}, end),
  );
}

/** Puts an element on the track of a party, of so many. */
function onTrack(element: HTMLElement, party: number, count: number): HTMLElement {
  element.style.setProperty("--party", `${party}`);
  element.style.setProperty("--parties", `${count}`);
  return element;
}
