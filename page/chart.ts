/// <reference lib="dom" />
/**
 * Curves over time, drawn by uPlot: it has the axes, the cursor and the zoom.
 *
 * @module
 */

import uPlot from "uplot";
import { clock, count, number } from "./words.ts";
import { color, DASHES } from "./dom.ts";

/** The curves of a chart: times in seconds, then the values of each. */
export type Data = readonly [times: readonly number[], ...values: (readonly (number | null)[])[]];

/** The form of a chart. */
export interface ChartOptions {
  /** The number of curves. */
  readonly curves: number;
  readonly height: number;
  /** The lowest value of the axis, if it is fixed. */
  readonly least?: number | undefined;
  readonly most?: number | undefined;
  readonly unit?: string | undefined;
  /** Called with the index of the point under the cursor, or null. */
  readonly onCursor?: ((index: number | null) => void) | undefined;
}

/** One chart in an element, as wide as that. */
export class Chart {
  readonly #host: HTMLElement;
  readonly #plot: uPlot;
  readonly #observer: ResizeObserver;
  readonly #fixedHeight: number;

  constructor(host: HTMLElement, options: ChartOptions) {
    this.#host = host;
    this.#fixedHeight = options.height;
    this.#plot = new uPlot(configure(options, this.#size()), [[]], host);
    this.#observer = new ResizeObserver(() => this.#plot.setSize(this.#size()));
    this.#observer.observe(host);
  }

  #size(): { width: number; height: number } {
    const { clientWidth, clientHeight } = this.#host;
    return {
      width: Math.max(80, clientWidth),
      height: Math.max(60, this.#fixedHeight || clientHeight),
    };
  }

  /** Shows other values; the axis of time spans these seconds. */
  show(data: Data, from: number, to: number): void {
    this.#plot.batch(() => {
      this.#plot.setData(data as uPlot.AlignedData, false);
      this.#plot.setScale("x", { min: from, max: to });
    });
  }

  /** Draws again, in the colours of the theme. */
  redraw(): void {
    this.#plot.redraw(false);
  }

  /** Removes it. */
  remove(): void {
    this.#observer.disconnect();
    this.#plot.destroy();
  }
}

function configure(options: ChartOptions, size: { width: number; height: number }): uPlot.Options {
  const { curves, least, most, unit = "", onCursor } = options;
  const axis = {
    stroke: () => color("muted"),
    grid: { stroke: () => color("line"), width: 1 },
    ticks: { stroke: () => color("line"), width: 1, size: 4 },
    font: "11px system-ui, sans-serif",
  };
  return {
    ...size,
    padding: [8, 24, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { time: true },
      y: {
        range: (_plot, low, high) => rangeOf(low, high, least, most),
      },
    },
    axes: [
      {
        ...axis,
        size: 26,
        space: 70,
        values: (_plot, splits) => splits.map((at) => clock(at * 1000)),
      },
      {
        ...axis,
        size: 52,
        space: 26,
        values: (_plot, splits) => splits.map((at) => shortened(at) + unit),
      },
    ],
    series: [
      {},
      ...Array.from({ length: curves }, (_, i): uPlot.Series => ({
        stroke: () => color(`s${i % 6}`),
        width: 1.6,
        dash: DASHES[i % 6]!,
        points: { show: false },
        spanGaps: false,
      })),
    ],
    hooks: onCursor === undefined
      ? {}
      : { setCursor: [({ cursor }) => onCursor(cursor.idx ?? null)] },
  };
}

function rangeOf(
  low: number | null,
  high: number | null,
  least?: number,
  most?: number,
): [number, number] {
  const [from, to] = [least ?? low ?? 0, most ?? high ?? 1];
  if (to > from) {
    const spare = (to - from) * 0.06;
    return [least ?? from - spare, most ?? to + spare];
  }
  const around = Math.abs(from) * 0.1 || 1;
  return [least ?? from - around, most ?? to + around];
}

function shortened(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${number(value / 1e9)}G`;
  if (size >= 1e6) return `${number(value / 1e6)}M`;
  if (size >= 1e4) return `${number(value / 1e3)}k`;
  return size >= 100 ? count(value) : number(value);
}
