/**
 * Walks and maps, drawn as text.
 *
 * @module
 */

import type { Trace } from "./machine.ts";
import { hex, type Tables } from "./tables.ts";

/** Draws how an access found its memory: the parts of the address, and each entry. */
export function drawWalk({ address, physical, hit, steps }: Trace): string {
  const lines = [`  virtual  ${hex(address)}  ${partsOf(address, steps.length)}`];
  for (const { table, index, at, entry, meaning } of steps) {
    lines.push(`     |  ${table} entry ${index}, at ${hex(at)}: ${hex(entry)}`);
    lines.push(`     v  ${meaning}`);
  }
  if (hit) lines.push("     v  the TLB had the translation; no table was read");
  return [...lines, `  physical ${hex(physical)}`].join("\n");
}

/** The address in binary, cut where the tables cut it. */
function partsOf(address: number, levels: number): string {
  const bits = (address >>> 0).toString(2).padStart(32, "0");
  const cuts = { 1: [12], 2: [10, 20] }[levels] ?? [];
  return [0, ...cuts].map((from, i) => bits.slice(from, cuts[i])).join("|");
}

/** Draws where pages lead; a frame that several pages lead to is marked. */
export function drawMap(tables: Tables, pages: readonly number[]): string {
  const frames = pages.map((page) => tables.walk(page).found?.frame);
  const lines = pages.map((page, i) => {
    const frame = frames[i];
    if (frame === undefined) return `  ${hex(page)} ---> nothing`;
    const twins = frames.filter((other) => other === frame).length;
    return `  ${hex(page)} ---> frame ${hex(frame)}${twins > 1 ? "  (a synonym)" : ""}`;
  });
  return lines.join("\n");
}
