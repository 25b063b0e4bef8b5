/// <reference lib="dom" />
/**
 * Interleavings: a track for each party, a row for each operation, and the words that they share. On
 * a narrow screen, or beside many words, the tracks move together, and each operation names its party.
 *
 * @module
 */

import type { Death, TrackRow, TracksPicture } from "../story.ts";
import { el } from "./dom.ts";
import { inline } from "./prose.ts";

/** More words than this leave no room for tracks that are far apart. */
const FEW_WORDS = 3;

/** Draws the rows under a head that stays; the word that an operation has changed is marked. */
export function drawTracks(picture: TracksPicture): HTMLElement {
  const { words, end } = picture;
  const several = picture.rows.some(({ death }) => death !== undefined);
  return el(
    `div.tracks-body${words.length > FEW_WORDS ? ".compact" : ""}${
      words.length > 2 ? ".many" : ""
    }`,
    {},
    several &&
      el("p.how", {}, "✝ kills a party after its operation, and shows what the others do."),
    el("div.scroll", { tabindex: 0 }, tableOf(picture)),
    end && el("p.end", {}, ...inline(end)),
  );
}

type Rows = Pick<TracksPicture, "parties" | "words" | "rows">;

/** `before` are the words before the first row, if they are known. */
function tableOf({ parties, words, rows }: Rows, before?: TrackRow["values"]): HTMLElement {
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
  const body = rows.map((row, r) =>
    rowOf(row, { nr: r + 1, parties, words, before: rows[r - 1]?.values ?? before })
  );
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...body));
}

interface Place {
  readonly nr: number;
  readonly parties: readonly string[];
  readonly words: readonly string[];
  readonly before: TrackRow["values"] | undefined;
}

function rowOf(row: TrackRow, { nr, parties, words, before }: Place): HTMLElement {
  const { party, text, values, note, death } = row;
  const operation = el(
    `div.op.track-${party % 4 + 1}`,
    {},
    el("span.who", {}, `${parties[party]} `),
    el("code", {}, text),
    note && el("span.note", {}, note),
  );
  const numbers = values.map((value, w) =>
    el(before !== undefined && before[w] !== value ? "td.word.changed" : "td.word", {
      "data-word": words[w],
    }, `${value}`)
  );
  const shown = el(
    "tr",
    {},
    el(
      "td.nr",
      {},
      el("span", {}, `${nr}`),
      death && dieButton(row, death, { nr, parties, words, before }),
    ),
    el("td.tracks", {}, onTrack(operation, party, parties.length)),
    ...numbers,
  );
  return shown;
}

/** Opens and closes a row below its own, with what a death there leaves. */
function dieButton({ party, values }: TrackRow, death: Death, place: Place): HTMLElement {
  const { nr, parties, words } = place;
  const who = parties[party];
  const button = el("button.die", {
    type: "button",
    title: `${who} dies here`,
    "aria-label": `${who} dies after operation ${nr}`,
    "aria-expanded": "false",
    click: () => {
      const row = button.closest("tr")!;
      const isOpen = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", `${!isOpen}`);
      if (isOpen) return row.nextElementSibling!.remove();
      const left = words.map((word, w) => `${word}: ${values[w]}`).join(", ");
      row.after(el(
        "tr.death",
        {},
        el(
          "td",
          { colspan: words.length + 2 },
          el("p", {}, el("strong", {}, `✝ ${who} dies here.`), ` Left in memory: ${left}.`),
          death.rows.length > 0 && tableOf({ ...death, words }, values),
          el("p", {}, ...inline(death.end)),
        ),
      ));
    },
  }, "✝");
  return button;
}

/** Puts an element on the track of a party, of so many. */
function onTrack(element: HTMLElement, party: number, count: number): HTMLElement {
  element.style.setProperty("--party", `${party}`);
  element.style.setProperty("--parties", `${count}`);
  return element;
}
