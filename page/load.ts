/// <reference lib="dom" />
/**
 * The load over time: messages, backlog and losses of the busiest regions.
 *
 * @module
 */

import { Chart } from "./chart.ts";
import { byId, h, keyLine } from "./dom.ts";
import { type Figures, HISTORY_MS, type Store } from "./store.ts";

/** The curves of a chart. */
const MOST = 5;

/** The ticks between two choices of the regions that are shown. */
const TICKS_PER_CHOICE = 8;

const CHARTS: readonly {
  readonly title: string;
  readonly figure: keyof Figures;
  readonly unit: string;
  readonly most?: number;
}[] = [
  { title: "Messages per second", figure: "rate", unit: "" },
  { title: "Backlog, share of the room", figure: "fill", unit: " %", most: 100 },
  { title: "Lost per second", figure: "lost", unit: "" },
];

/** One chart, and the regions in it. */
interface Panel {
  readonly host: HTMLElement;
  readonly key: HTMLElement;
  ids: readonly number[];
  chart: Chart | undefined;
}

/** The charts. */
export class Load {
  readonly #store: Store;
  readonly #panels: Panel[];
  #ticks = 0;

  constructor(store: Store) {
    this.#store = store;
    this.#panels = CHARTS.map(({ title }) => {
      const host = h("div", { class: "plot" });
      const key = h("p", { class: "keys" });
      byId("charts").append(h("div", { class: "chart" }, h("h3", {}, title), host, key));
      return { host, key, ids: [], chart: undefined };
    });
  }

  /** Shows the newest figures of the regions that match. */
  show(filter: string): void {
    if (byId("charts").clientWidth === 0) return; // another section is shown
    const { times, figures } = this.#store;
    const isChoice = this.#ticks++ % TICKS_PER_CHOICE === 0;
    const matching = new Set(this.#store.matching(filter).map(({ id }) => id));
    const now = times.at(-1) ?? Date.now() / 1000;
    for (const [i, panel] of this.#panels.entries()) {
      const { figure } = CHARTS[i]!;
      const sum = (id: number) => sumOf(figures.get(id)?.[figure] ?? []);
      if (isChoice || panel.ids.some((id) => !matching.has(id) || !figures.has(id))) {
        const ranked = [...matching].map((id) => [id, sum(id)] as const)
          .filter(([, sum]) => sum > 0)
          .sort((a, b) => b[1] - a[1]).slice(0, MOST).map(([id]) => id).sort((a, b) => a - b);
        if (ranked.join() !== panel.ids.join() || panel.chart === undefined) {
          this.#choose(panel, i, ranked);
        }
      }
      const from = Math.max(now - HISTORY_MS / 1000, Math.min(times[0] ?? now, now - 30));
      const data = panel.ids.map((id) => figures.get(id)![figure]);
      panel.chart!.show([times, ...data], from, now);
    }
  }

  #choose(panel: Panel, i: number, ids: readonly number[]): void {
    const { unit, most } = CHARTS[i]!;
    panel.ids = ids;
    panel.chart?.remove();
    panel.chart = new Chart(panel.host, { curves: ids.length, height: 0, least: 0, most, unit });
    const name = (id: number) => this.#store.regions.get(id)?.name ?? "";
    panel.key.replaceChildren(
      ...ids.length === 0
        ? ["none so far"]
        : ids.map((id, index) => h("span", { title: name(id) }, keyLine(index), name(id))),
    );
  }

  /** Draws again, in the colours of the theme. */
  redraw(): void {
    for (const { chart } of this.#panels) chart?.redraw();
  }
}

function sumOf(values: readonly (number | null)[]): number {
  let sum = 0;
  for (const value of values) sum += value ?? 0;
  return sum;
}
