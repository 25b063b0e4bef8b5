/// <reference lib="dom" />
/**
 * The values of one region: curves, a table, or an image.
 *
 * @module
 */

import type {
  FromPage,
  RegionFacts,
  RegionRow,
  SeriesMessage,
  ValueMessage,
} from "../src/live/protocol.ts";
import { Chart } from "./chart.ts";
import { h, keyLine, setText } from "./dom.ts";
import { PictureView } from "./picture.ts";
import { Table } from "./table.ts";
import { bytes, count, KIND, number, rate } from "./words.ts";

/** The time that curves span. */
const SPAN_S = 20;

/** The points of a curve that are kept. */
const MOST_POINTS = 20_000;

/** The curves that are shown at first. */
const FIRST_CURVES = 3;

/** The most curves at once. */
const MOST_CURVES = 6;

/** Fields that say which message it is, and not what it tells. */
const COUNTING =
  /(^|\.)(sequence|seq|number|count|index|id|time|stamp|taken|width|height|step|pad\d*)$/i;

type View = "curve" | "table" | "image";

const NAMES: Readonly<Record<View, string>> = { curve: "Curve", table: "Table", image: "Image" };

/** What a card asks of the page. */
export interface CardHost {
  send(message: FromPage): void;
  close(id: number): void;
  pin(id: number): void;
}

/** A card. */
export class Card {
  readonly id: number;
  readonly element: HTMLElement;
  isPinned = false;
  readonly #host: CardHost;
  readonly #body = h("div", { class: "body" });
  readonly #facts = h("p", { class: "facts" });
  readonly #problem = h("p", { class: "problem", role: "status" });
  readonly #title = h("h3");
  readonly #views = h("span", { class: "views" });
  readonly #pin: HTMLButtonElement;
  #region: RegionFacts;
  #view: View = "table";
  #chosen: string[] = [];
  #table = new Table();
  #picture = new PictureView();
  #chart: Chart | undefined;
  #times: number[] = [];
  #values: (number | null)[][] = [];
  #chips: HTMLElement[] = [];
  #value: ValueMessage | undefined;

  constructor(region: RegionFacts, host: CardHost) {
    this.id = region.id;
    this.#region = region;
    this.#host = host;
    this.#pin = h("button", {
      type: "button",
      "aria-pressed": "false",
      title: "Keep this card open (p)",
      click: () => host.pin(this.id),
    }, "Pin");
    const close = h("button", {
      type: "button",
      "aria-label": "Close",
      click: () => host.close(this.id),
    }, "×");
    this.element = h(
      "article",
      { class: "card", tabindex: "-1", "aria-label": `Values of ${region.name}` },
      h("header", {}, this.#title, this.#pin, close),
      h("div", { class: "second" }, this.#views, this.#facts),
      this.#body,
    );
    this.update(region);
  }

  /** The views that the region has. */
  get #available(): View[] {
    const { curves, picture, isReadable } = this.#region;
    if (!isReadable) return [];
    return [
      ...picture === "no" ? [] : ["image" as const],
      ...curves.length === 0 ? [] : ["curve" as const],
      "table",
    ];
  }

  /** Shows another region of the same name: a program was started again. */
  update(region: RegionFacts): void {
    const isSame = JSON.stringify(region) === JSON.stringify(this.#region) &&
      this.#title.firstChild;
    this.#region = region;
    if (isSame) return;
    this.#title.replaceChildren(
      h("span", { class: "kind" }, KIND[region.kind] ?? region.kind),
      ` ${region.name} `,
      h("small", {}, region.type),
    );
    const all = this.#available;
    const worth = region.curves.filter((path) => !COUNTING.test(path));
    this.#chosen = (worth.length > 0 ? worth : region.curves).slice(0, FIRST_CURVES);
    const isCurve = worth.length > 0 && worth.length <= 32;
    this.#view = region.picture === "image" || region.picture === "points"
      ? "image"
      : isCurve
      ? "curve"
      : "table";
    if (!all.includes(this.#view)) this.#view = "table";
    this.#views.replaceChildren(
      ...all.length < 2 ? [] : all.map((view) =>
        h("button", {
          type: "button",
          "data-view": view,
          "aria-pressed": String(view === this.#view),
          click: () => this.#choose(view),
        }, NAMES[view])
      ),
    );
    this.#build();
    this.watch();
  }

  #choose(view: View): void {
    this.#view = view;
    for (const button of this.#views.children) {
      button.setAttribute("aria-pressed", String((button as HTMLElement).dataset.view === view));
    }
    this.#build();
    this.watch();
  }

  /** Shows that it stays open. */
  setPinned(isPinned: boolean): void {
    this.isPinned = isPinned;
    this.#pin.setAttribute("aria-pressed", String(isPinned));
    setText(this.#pin, isPinned ? "Pinned" : "Pin");
  }

  /** Tells the server what it shows. */
  watch(): void {
    if (!this.#region.isReadable) return;
    this.#host.send({
      op: "watch",
      id: this.id,
      curves: this.#view === "curve" ? this.#chosen : [],
      value: this.#view === "table",
      picture: this.#view === "image",
    });
  }

  #build(): void {
    this.#chart?.remove();
    this.#chart = undefined;
    this.#times = [];
    this.#values = this.#chosen.map(() => []);
    const { isReadable, kind, problem } = this.#region;
    this.#problem.textContent = isReadable ? "" : problem ?? noMessages(kind);
    this.#problem.classList.toggle("problem", problem !== undefined);
    if (!isReadable) return this.#body.replaceChildren(this.#problem);
    if (this.#view === "table") this.#body.replaceChildren(this.#problem, this.#table.element);
    else if (this.#view === "image") {
      this.#body.replaceChildren(this.#problem, this.#picture.element);
    } else this.#buildCurve();
  }

  #buildCurve(): void {
    const plot = h("div", { class: "plot" });
    const values = this.#chosen.map(() => h("b"));
    this.#chips = values;
    const chips = this.#region.curves.map((path) => {
      const index = this.#chosen.indexOf(path);
      return h(
        "button",
        {
          type: "button",
          class: "chip",
          "aria-pressed": String(index >= 0),
          click: () => this.#flip(path),
        },
        ...index < 0 ? [path] : [keyLine(index) as unknown as Node, path, values[index]!],
      );
    });
    const isAlone = this.#region.curves.length === 1;
    const key = h("div", { class: "chips", role: "group", "aria-label": "Curves" }, ...chips);
    this.#body.replaceChildren(this.#problem, ...isAlone ? [] : [key], plot);
    if (this.#chosen.length > 0) {
      this.#chart = new Chart(plot, {
        curves: this.#chosen.length,
        height: innerHeight < 900 ? 140 : 180,
      });
    }
  }

  #flip(path: string): void {
    const isShown = this.#chosen.includes(path);
    this.#chosen = isShown
      ? this.#chosen.filter((one) => one !== path)
      : [...this.#chosen.slice(-(MOST_CURVES - 1)), path];
    this.#build();
    this.watch();
    const chips = [...this.#body.querySelectorAll<HTMLElement>(".chip")];
    chips[this.#region.curves.indexOf(path)]?.focus();
  }

  /** Shows why nothing comes; an empty text if all is well. */
  problem(reason: string): void {
    setText(this.#problem, reason);
    this.#problem.classList.add("problem");
  }

  /** Shows the figures. */
  tick(row: RegionRow | undefined): void {
    if (row === undefined) {
      this.#facts.replaceChildren(h("span", { class: "bad" }, "✕ it is gone"));
      return;
    }
    const missed = this.#value?.missed ?? 0;
    const parts = [
      row.rate === null ? "" : rate(row.rate),
      row.bytes ? `${bytes(row.bytes)}/s` : "",
      row.room && this.#region.kind === "topic" ? `${row.backlog ?? "?"} of ${row.room} wait` : "",
      row.room && this.#region.kind !== "topic"
        ? `${Math.round(100 * (row.backlog ?? 0) / row.room)} % of ${bytes(row.room)} waits`
        : "",
      row.sleepers ? `${row.sleepers} asleep` : "",
      row.wakes ? `${count(row.wakes)} wakes/s` : "",
      `${bytes(row.memory)} in memory`,
      isRing(this.#region) ? "shows what waits for its consumer" : "",
      this.#view === "table" && missed ? `this view missed ${count(missed)}` : "",
    ];
    const lost = row.lost
      ? [h("span", { class: "bad" }, `▲ subscribers lose ${rate(row.lost)}`)]
      : row.lostAll
      ? [h("span", {}, `${count(row.lostAll)} lost in all`)]
      : [];
    this.#facts.replaceChildren(
      ...parts.filter((part) => part !== "").map((part) => h("span", {}, part)),
      ...lost,
    );
  }

  /** Takes a value. */
  value(message: ValueMessage): void {
    this.#value = message;
    this.#table.show(message.value);
  }

  /** Takes an image. */
  picture(message: Uint8Array<ArrayBuffer>): void {
    void this.#picture.show(message);
  }

  /** Takes points of curves. */
  series({ times, values }: SeriesMessage): void {
    if (!this.#chosen.every((path) => path in values)) return; // of the curves before
    for (const time of times) this.#times.push(time / 1000);
    this.#chosen.forEach((path, i) => this.#values[i]!.push(...values[path]!));
    const extra = this.#times.length - MOST_POINTS;
    if (extra > 0) { for (const list of [this.#times, ...this.#values]) list.splice(0, extra); }
    this.#chosen.forEach((path, i) => {
      const last = values[path]!.at(-1);
      setText(this.#chips[i]!, last === null || last === undefined ? "–" : number(last));
    });
  }

  /** Draws the curves. */
  draw(now: number): void {
    if (this.#chart === undefined) return;
    const from = now / 1000 - SPAN_S;
    let old = 0;
    while (old < this.#times.length && this.#times[old + 1]! < from) old++;
    if (old > 0) { for (const list of [this.#times, ...this.#values]) list.splice(0, old); }
    this.#chart.show([this.#times, ...this.#values], from, now / 1000);
  }

  /** Draws again, in the colours of the theme. */
  redraw(): void {
    this.#chart?.redraw();
  }

  /** Ends it. */
  remove(): void {
    this.#host.send({ op: "unwatch", id: this.id });
    this.#chart?.remove();
    this.element.remove();
  }
}

function noMessages(kind: string): string {
  const reasons: Record<string, string> = {
    spsc: "A ring of bytes has no messages; the graph shows how many bytes pass.",
    calls: "Only servers and clients see calls; the graph shows how many pass.",
    shm: "Memory without messages: vring info shows who has it open.",
    rwlock: "A lock has no messages.",
  };
  return reasons[kind] ?? "It has no messages to show.";
}

/** Whether only messages that wait can be seen. */
function isRing({ kind, isReadable }: RegionFacts): boolean {
  return isReadable && (kind === "spsc" || kind === "mpsc");
}
