/**
 * Draws the table of a soak as an SVG: memory, descriptors, and latencies over time.
 *
 * @module
 */

import type { Line } from "./soak.ts";

const [WIDTH, HEIGHT, LEFT, GAP] = [900, 190, 60, 46];
const COLOURS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#7f7f7f"];

/** A picture with some columns of the table. */
interface Panel {
  readonly title: string;
  readonly columns: readonly string[];
  readonly isLogarithmic?: boolean;
}

function panelsOf(names: readonly string[]): Panel[] {
  const ending = (end: string) => names.filter((name) => name.endsWith(end));
  return [
    { title: "memory of the heap, MiB", columns: ending("heap MiB") },
    {
      title: "descriptors and mappings",
      columns: [...ending("descriptors"), ...ending("mappings")],
    },
    { title: "median latency, ms", columns: ending("p50 ms"), isLogarithmic: true },
    { title: "99th percentile, ms", columns: ending("p99 ms"), isLogarithmic: true },
  ];
}

function panel(
  lines: readonly Line[],
  { title, columns, isLogarithmic }: Panel,
  top: number,
): string {
  const scale = (value: number) => isLogarithmic ? Math.log10(Math.max(value, 1e-3)) : value;
  const values = lines.flatMap((line) => columns.map((name) => scale(line[name] ?? NaN)))
    .filter(Number.isFinite);
  const [least, most] = isLogarithmic
    ? [Math.floor(Math.min(...values)), Math.ceil(Math.max(...values))]
    : [0, Math.max(1, ...values) * 1.1];
  const [from, to] = [lines[0]!.minute, lines.at(-1)!.minute];
  const x = (minute: number) => LEFT + (minute - from) / Math.max(to - from, 1e-9) * (WIDTH - 250);
  const y = (value: number) => top + HEIGHT - (value - least) / (most - least || 1) * HEIGHT;
  const ticks = isLogarithmic
    ? Array.from({ length: most - least + 1 }, (_, i) => least + i)
    : [0, 0.5, 1].map((share) => least + share * (most - least));
  const grid = ticks.map((tick) => {
    const text = isLogarithmic ? `${Number((10 ** tick).toPrecision(2))}` : tick.toFixed(0);
    return `<line x1="${LEFT}" x2="${WIDTH - 190}" y1="${y(tick)}" y2="${
      y(tick)
    }" stroke="#ddd"/>` +
      `<text x="${LEFT - 6}" y="${y(tick) + 4}" text-anchor="end">${text}</text>`;
  });
  const curves = columns.map((name, i) => {
    const points = lines.filter((line) => Number.isFinite(line[name]))
      .map((line) => `${x(line.minute).toFixed(1)},${y(scale(line[name]!)).toFixed(1)}`);
    const colour = COLOURS[i % COLOURS.length];
    const label = name.replace(/ (heap MiB|p50 ms|p99 ms)$/, "");
    return `<polyline points="${
      points.join(" ")
    }" fill="none" stroke="${colour}" stroke-width="1.5"/>` +
      `<text x="${WIDTH - 180}" y="${top + 14 + 17 * i}" fill="${colour}">${label}</text>`;
  });
  const axis = `<text x="${LEFT}" y="${top + HEIGHT + 16}">minute ${from.toFixed(1)}</text>` +
    `<text x="${WIDTH - 190}" y="${top + HEIGHT + 16}" text-anchor="end">${to.toFixed(1)}</text>`;
  const heading = `<text x="${LEFT}" y="${top - 8}" font-weight="bold">${title}</text>`;
  return [heading, ...grid, ...curves, axis].join("\n");
}

/** Draws the table. */
export function drawing(lines: readonly Line[]): string {
  const panels = lines.length === 0 ? [] : panelsOf(Object.keys(lines.at(-1)!));
  const height = 30 + panels.length * (HEIGHT + GAP);
  const parts = panels.map((each, i) => panel(lines, each, 30 + i * (HEIGHT + GAP)));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" ` +
    `font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n` +
    `${parts.join("\n")}\n</svg>\n`;
}
