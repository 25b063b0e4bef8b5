/**
 * Where the processes and the regions stand: senders on the left, receivers on the right.
 *
 * @module
 */

import type { LinkFacts, ProcessFacts, RegionFacts, RegionRow } from "../src/live/protocol.ts";

/** A process at one side, or a party whose process cannot be seen. */
export interface Pill {
  readonly key: string;
  readonly side: "left" | "right";
  readonly title: string;
  readonly note: string;
  readonly state: "alive" | "dead" | "stopped";
  readonly pid: number;
  y: number;
}

/** A region in the middle. */
export interface Shelf {
  readonly region: RegionFacts;
  y: number;
  height: number;
}

/** A line between a process and a region. */
export interface Edge {
  readonly key: string;
  readonly pill: Pill;
  readonly shelf: Shelf;
  readonly link: LinkFacts;
  /** Where it meets the region. */
  y: number;
}

/** Everything in its place. */
export interface Places {
  readonly pills: readonly Pill[];
  readonly shelves: readonly Shelf[];
  readonly edges: readonly Edge[];
  readonly height: number;
}

/** The height of a process. */
export const PILL = 38;

const PILL_GAP = 8;
const SHELF = 44;
const SHELF_GAP = 9;
/** The room between regions that grows with the display. */
const MOST_SPARE = 34;

const EDGE_GAP = 14;

/** Whether a link is shown: parties that have left need no line. */
export function isShown({ presence }: LinkFacts): boolean {
  return presence === "alive" || presence === "dead";
}

/** Places everything, in so much height if possible. */
export function place(
  regions: readonly RegionFacts[],
  rows: ReadonlyMap<number, RegionRow>,
  processes: ReadonlyMap<number, ProcessFacts>,
  room = 0,
): Places {
  const pills = new Map<string, Pill>();
  const edges: Edge[] = [];
  let y = 4;
  const shelves = regions.map((region): Shelf => {
    const shelf = { region, y, height: SHELF };
    const links = linksOf(region, rows);
    for (const link of links.filter(({ way }) => way !== "both")) {
      edges.push(edgeOf(link, sideOf(link), shelf, pills, processes));
    }
    y += SHELF + SHELF_GAP; // until the height is known
    return shelf;
  });
  for (const shelf of shelves) {
    // a process that uses a region stands where it stands already
    for (const link of linksOf(shelf.region, rows).filter(({ way }) => way === "both")) {
      const side = pills.has(`left ${link.pid}`) ? "left" : "right";
      edges.push(edgeOf(link, side, shelf, pills, processes));
    }
  }
  const spare = (room - y) / Math.max(1, shelves.length);
  const gap = SHELF_GAP + Math.min(MOST_SPARE, Math.max(0, Math.floor(spare)));
  y = 4;
  for (const shelf of shelves) {
    const own = edges.filter((edge) => edge.shelf === shelf);
    const left = own.filter(({ pill }) => pill.side === "left").length;
    shelf.y = y;
    shelf.height = Math.max(SHELF, Math.max(left, own.length - left) * EDGE_GAP + 10);
    y += shelf.height + gap;
  }
  let height = y;
  for (const side of ["left", "right"] as const) {
    height = Math.max(
      height,
      settle([...pills.values()].filter((pill) => pill.side === side), edges),
    );
  }
  for (const shelf of shelves) meet(shelf, edges);
  return { pills: [...pills.values()], shelves, edges, height };
}

const sideOf = ({ way }: LinkFacts) => way === "in" ? "left" : "right";

function linksOf({ id }: RegionFacts, rows: ReadonlyMap<number, RegionRow>): LinkFacts[] {
  return (rows.get(id)?.links ?? []).filter(isShown);
}

function edgeOf(
  link: LinkFacts,
  side: Pill["side"],
  shelf: Shelf,
  pills: Map<string, Pill>,
  processes: ReadonlyMap<number, ProcessFacts>,
): Edge {
  const { pid, role, seat, presence } = link;
  const { id } = shelf.region;
  const key = pid === 0 ? `${side} ${id} ${role} ${seat}` : `${side} ${pid}`;
  let pill = pills.get(key);
  if (pill === undefined) {
    const process = processes.get(pid);
    const isDead = presence === "dead";
    pill = {
      key,
      side,
      pid,
      title: isDead ? `✕ ${role}` : process?.name || role,
      note: isDead
        ? "died"
        : pid === 0
        ? "not visible"
        : process?.isStopped
        ? `⏸ ${pid} stopped`
        : `${pid}`,
      state: isDead ? "dead" : process?.isStopped ? "stopped" : "alive",
      y: 0,
    };
    pills.set(key, pill);
  }
  return { key: `${key} ${id} ${role} ${seat}`, pill, shelf, link, y: 0 };
}

/** Places the processes of one side near their regions; returns the height. */
function settle(pills: Pill[], edges: readonly Edge[]): number {
  for (const pill of pills) {
    const own = edges.filter((edge) => edge.pill === pill);
    const middle = own.reduce((sum, { shelf }) => sum + shelf.y + shelf.height / 2, 0) / own.length;
    pill.y = middle - PILL / 2;
  }
  pills.sort((a, b) => a.y - b.y);
  let free = 4;
  for (const pill of pills) {
    pill.y = Math.max(free, pill.y);
    free = pill.y + PILL + PILL_GAP;
  }
  return free;
}

/** Spreads the edges of a region over its height, in the order of their other ends. */
function meet(shelf: Shelf, edges: readonly Edge[]): void {
  for (const side of ["left", "right"]) {
    const own = edges.filter((edge) => edge.shelf === shelf && edge.pill.side === side)
      .sort((a, b) => a.pill.y - b.pill.y);
    own.forEach((edge, i) => {
      edge.y = shelf.y + shelf.height / 2 + (i - (own.length - 1) / 2) * EDGE_GAP;
    });
  }
}
