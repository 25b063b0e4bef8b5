/// <reference lib="dom" />
/**
 * Draws the pictures of a story. Whatever has just changed is marked by more than its colour.
 *
 * @module
 */

import type {
  AddressPicture,
  BytesPicture,
  PagesPicture,
  Picture,
  TablePicture,
} from "../story.ts";
import { el, hex } from "./dom.ts";
import { drawRing } from "./ring.ts";
import { drawSpace } from "./space.ts";
import { drawTracks } from "./tracks.ts";

/** Called with the index of the byte that the reader chooses. */
export type ChooseByte = (byte: number) => void;

/** Draws a picture as a panel. With `choose`, its bytes are buttons. */
export function drawPicture(picture: Picture, choose?: ChooseByte): HTMLElement {
  return el(
    `section.panel.picture.${picture.kind}`,
    { "aria-label": picture.title, "data-id": picture.id },
    el("h3", {}, picture.title),
    bodyOf(picture, choose),
  );
}

function bodyOf(picture: Picture, choose: ChooseByte | undefined): HTMLElement {
  switch (picture.kind) {
    case "bytes":
      return drawBytes(picture, choose);
    case "pages":
      return drawPages(picture);
    case "table":
      return drawTable(picture);
    case "address":
      return drawAddresses(picture);
    case "space":
      return drawSpace(picture);
    case "ring":
      return drawRing(picture);
    case "tracks":
      return drawTracks(picture);
  }
}

const ROW = 16;

function drawBytes(picture: BytesPicture, choose: ChooseByte | undefined): HTMLElement {
  const { bytes, address } = picture;
  const rows = Array.from({ length: Math.ceil(bytes.length / ROW) }, (_, r) => {
    const row = bytes.slice(r * ROW, (r + 1) * ROW);
    return el(
      "div.row",
      { role: "row" },
      el("span.at", { role: "rowheader" }, hex(address + r * ROW)),
      el(
        "span.cells",
        {},
        ...row.map((byte, i) => cellOf(picture, r * ROW + i, twoDigits(byte), choose)),
      ),
      el("span.chars", {}, ...row.map((byte, i) => charOf(picture, r * ROW + i, printable(byte)))),
    );
  });
  const dump = el("div.dump", { role: "grid", "aria-readonly": true }, ...rows);
  lightUp(dump);
  if (choose !== undefined) moveByArrows(dump);
  return dump;
}

function twoDigits(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function printable(byte: number): string {
  return byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·";
}

function cellOf(
  picture: BytesPicture,
  index: number,
  text: string,
  choose: ChooseByte | undefined,
): HTMLElement {
  const { memory, place, address, changed = [] } = picture;
  const name = changed.includes(index) ? ".byte.changed" : ".byte";
  const key = `${memory} ${place + index}`;
  const title = hex(address + index);
  if (choose === undefined) {
    return el(`span${name}`, { role: "gridcell", "data-byte": key, title }, text);
  }
  return el(
    `button${name}`,
    {
      type: "button",
      "data-byte": key,
      "data-index": index,
      title,
      tabindex: index === 0 ? 0 : -1,
      "aria-label": `byte ${index}, ${text}`,
      click: () => choose(index),
    },
    text,
  );
}

function charOf({ memory, place, changed = [] }: BytesPicture, index: number, text: string) {
  const name = changed.includes(index) ? "span.char.changed" : "span.char";
  return el(name, { "data-byte": `${memory} ${place + index}` }, text);
}

/** Lights a byte up at all its addresses, as long as the pointer is on one of them. */
function lightUp(dump: HTMLElement): void {
  const light = (event: Event, isLit: boolean) => {
    const key = (event.target as HTMLElement).dataset["byte"];
    if (key === undefined) return;
    for (const cell of document.querySelectorAll(`[data-byte="${CSS.escape(key)}"]`)) {
      cell.classList.toggle("lit", isLit);
    }
  };
  for (const name of ["pointerover", "focusin"]) {
    dump.addEventListener(name, (event) => light(event, true));
  }
  for (const name of ["pointerout", "focusout"]) {
    dump.addEventListener(name, (event) => light(event, false));
  }
}

/** Moves from byte to byte by the arrow keys. */
function moveByArrows(dump: HTMLElement): void {
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -ROW,
    ArrowDown: ROW,
  };
  dump.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (step === undefined) return;
    event.stopPropagation();
    event.preventDefault();
    const cells = [...dump.querySelectorAll<HTMLElement>("button.byte")];
    const from = cells.indexOf(document.activeElement as HTMLElement);
    const to = cells[from + step];
    if (to === undefined) return;
    cells[from]!.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  });
}

const STATES: Readonly<Record<PagesPicture["pages"][number]["state"], string>> = {
  closed: "no access",
  empty: "no memory",
  zeros: "shared zeros",
  memory: "memory",
  hole: "a hole",
  beyond: "no file",
};

function drawPages({ pages, changed = [] }: PagesPicture): HTMLElement {
  return el(
    "ol.boxes",
    {},
    ...pages.map(({ state, label }, i) =>
      el(
        `li.box.${state}`,
        {},
        el("span.label", {}, label),
        el(changed.includes(i) ? "span.state.changed" : "span.state", {}, STATES[state]),
      )
    ),
  );
}

function drawTable({ head, rows, words = false, changed = [] }: TablePicture): HTMLElement {
  const isChanged = (r: number, c: number) => changed.some(([row, col]) => row === r && col === c);
  const body = rows.map((row, r) =>
    el("tr", {}, ...row.map((cell, c) => el(isChanged(r, c) ? "td.changed" : "td", {}, cell)))
  );
  return el(
    "div.scroll",
    { tabindex: 0 },
    el(
      words ? "table.words" : "table",
      {},
      head && el("thead", {}, el("tr", {}, ...head.map((cell) => el("th", {}, cell)))),
      el("tbody", {}, ...body),
    ),
  );
}

function drawAddresses({ rows, digits }: AddressPicture): HTMLElement {
  const head = el(
    "tr",
    {},
    el("th", {}, ""),
    el("th.page-part", {}, "page"),
    el("th.offset-part", {}, "offset"),
  );
  const body = rows.map(({ label, address }) => {
    const text = address.toString(16);
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, label),
      el("td.page-part", {}, `0x${text.slice(0, -digits)}`),
      el("td.offset-part", {}, text.slice(-digits)),
    );
  });
  return el("div.scroll", { tabindex: 0 }, el("table.split", {}, head, ...body));
}
