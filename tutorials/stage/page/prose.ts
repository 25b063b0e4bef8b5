/// <reference lib="dom" />
/**
 * Prose with `code`, and with terms that explain themselves on hover, focus and tap.
 *
 * @module
 */

import { TERMS } from "../terms.ts";
import { wordingFor } from "../wording.ts";
import { byId, type Child, el } from "./dom.ts";

/** Paragraphs; an empty line is between two of them. */
export function prose(text: string): HTMLElement[] {
  return text.trim().split(/\n\s*\n/).map((paragraph) => el("p", {}, ...inline(paragraph)));
}

/** The words of one paragraph. */
export function inline(text: string): Child[] {
  return wordingFor("browser", text).split(/(`[^`]*`|\[\[[^\]]*\]\])/).map((piece) => {
    if (piece.startsWith("`")) return el("code", {}, piece.slice(1, -1));
    if (!piece.startsWith("[[")) return piece;
    const [name, shown = name] = piece.slice(2, -2).split("|");
    if (name!.startsWith("play ")) {
      return el("a", { href: `/play/#${name!.slice("play ".length)}`, target: "_blank" }, shown!);
    }
    return term(name!, shown!);
  });
}

function term(name: string, shown: string): Child {
  const meaning = TERMS[name];
  if (meaning === undefined) return shown;
  const explain = (event: Event) => showTip(event.currentTarget as HTMLElement, meaning);
  return el(
    "button.term",
    {
      type: "button",
      "aria-describedby": "tip",
      mouseenter: explain,
      focus: explain,
      click: explain,
      mouseleave: hideTip,
      blur: hideTip,
    },
    shown,
  );
}

/** Shows an explanation under an element, within the window. */
function showTip(anchor: HTMLElement, text: string): void {
  const tip = byId("tip");
  tip.textContent = text;
  tip.hidden = false;
  const place = anchor.getBoundingClientRect();
  const left = Math.min(place.left, innerWidth - tip.offsetWidth - 12);
  const isBelow = place.bottom + tip.offsetHeight + 12 < innerHeight;
  const top = isBelow ? place.bottom + 6 : place.top - tip.offsetHeight - 6;
  tip.style.left = `${Math.max(12, left)}px`;
  tip.style.top = `${top}px`;
}

/** Hides the explanation. */
export function hideTip(): void {
  byId("tip").hidden = true;
}
