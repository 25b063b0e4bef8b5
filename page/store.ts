/**
 * What the page knows: the newest scene, and five minutes of figures.
 *
 * @module
 */

import type { ProcessFacts, RegionFacts, RegionRow, ViewEvent } from "../src/live/protocol.ts";

/** The time that the load is shown for. */
export const HISTORY_MS = 5 * 60_000;

/** The figures of one region, in the order of {@linkcode Store.times}. */
export interface Figures {
  readonly rate: (number | null)[];
  readonly fill: (number | null)[];
  readonly lost: (number | null)[];
}

const MOST_EVENTS = 500;

/** The state. */
export class Store {
  /** Whether a scene has arrived: until then, nothing is known. */
  hasScene = false;
  /** The regions that the server does not show, because there are too many. */
  hidden = 0;
  regions = new Map<number, RegionFacts>();
  rows = new Map<number, RegionRow>();
  processes = new Map<number, ProcessFacts>();
  /** The newest first. */
  events: ViewEvent[] = [];
  lastEvent = 0;
  /** When the figures were taken, in seconds. */
  readonly times: number[] = [];
  readonly figures = new Map<number, Figures>();
  #tickMs = 250;

  /** Begins anew, as after a lost connection; the figures stay. */
  begin(tickMs: number): void {
    this.#tickMs = tickMs;
    this.events = [];
    this.lastEvent = 0;
  }

  /** Takes a new scene. */
  scene(regions: readonly RegionFacts[]): void {
    this.hasScene = true;
    this.regions = new Map(regions.map((region) => [region.id, region]));
  }

  /** Takes new figures. */
  tick(time: number, rows: readonly RegionRow[], processes: readonly ProcessFacts[]): void {
    this.rows = new Map(rows.map((row) => [row.id, row]));
    this.processes = new Map(processes.map((process) => [process.pid, process]));
    this.times.push(time / 1000);
    for (const row of rows) {
      let known = this.figures.get(row.id);
      if (known === undefined) {
        const before = Array<null>(this.times.length - 1).fill(null);
        known = { rate: [...before], fill: [...before], lost: [...before] };
        this.figures.set(row.id, known);
      }
      known.rate.push(row.rate);
      known.fill.push(row.room ? 100 * (row.backlog ?? 0) / row.room : null);
      known.lost.push(row.lost);
    }
    const most = HISTORY_MS / this.#tickMs;
    const extra = this.times.length - most;
    if (extra > 0) this.times.splice(0, extra);
    for (const [id, { rate, fill, lost }] of this.figures) {
      for (const list of [rate, fill, lost]) {
        if (!this.rows.has(id)) list.push(null);
        if (extra > 0) list.splice(0, extra);
      }
      if (!this.rows.has(id) && rate.every((value) => value === null)) this.figures.delete(id);
    }
  }

  /** Takes events. */
  addEvents(events: readonly ViewEvent[]): void {
    const news = events.filter(({ number }) => number > this.lastEvent);
    if (news.length === 0) return;
    this.lastEvent = news.at(-1)!.number;
    this.events = [...news.reverse(), ...this.events].slice(0, MOST_EVENTS);
  }

  /** The regions with this text in their names, kinds or processes, by name. */
  matching(filter: string): RegionFacts[] {
    const wanted = filter.trim().toLowerCase();
    return [...this.regions.values()].filter(({ id, name, kind }) =>
      wanted === "" || `${kind} ${name}`.toLowerCase().includes(wanted) ||
      this.rows.get(id)?.links.some(({ pid }) =>
        this.processes.get(pid)?.name.toLowerCase().includes(wanted)
      )
    ).sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : a.kind < b.kind ? -1 : 1);
  }
}
