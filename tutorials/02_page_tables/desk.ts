/**
 * The machine of the story, and its pictures: walks, maps and frames, read from its memory.
 *
 * @module
 */

import { bytesPicture, tablePicture } from "../stage/pictures.ts";
import type { BytesPicture, Scene, TablePicture } from "../stage/story.ts";
import { Fault } from "./fault.ts";
import type { Machine } from "./machine.ts";
import type { PhysicalMemory } from "./physical.ts";
import { type Access, hex, type Tables } from "./tables.ts";

/** Runs an access; returns what was loaded, or what the fault says. */
export function attempt(access: () => number | void): number | string {
  try {
    return access() ?? "stored";
  } catch (error) {
    if (error instanceof Fault) return `${error.name}: ${error.message}`;
    throw error;
  }
}

/** Shows the entries that the walk for an access reads, and where it ends. */
export function showWalk(
  scene: Scene,
  { tables, isPrivileged, last }: Machine,
  address: number,
  access: Access,
): void {
  const { steps, found } = tables.walk(address);
  const refusal = found && tables.refusal(found.entry, access, isPrivileged);
  const isKnown = last?.address === address && last.hit;
  const rows = isKnown
    ? [["none", "", "the TLB knows the page"]]
    : steps.map(({ table, index, entry, meaning }) => [
      `${table.replace("-level", "")}, ${index}`,
      hex(entry),
      meaning,
    ]);
  const end = found === undefined
    ? "it ends here: a fault"
    : refusal === undefined
    ? `the byte at ${hex(found.frame + address % tables.pageSize)}`
    : "refused: a fault";
  scene.show(tablePicture("walk", `The entries that were read for ${hex(address)}`, [
    ["table, entry", "value", "meaning"],
    ...rows,
    ["", "", end],
  ]));
}

/** Where pages lead. */
export function mapPicture(tables: Tables, pages: readonly number[]): TablePicture {
  const frameOf = (page: number) => tables.walk(page).found?.frame;
  return tablePicture(`map ${pages[0]}`, "Where the pages lead", [
    ["page", "frame"],
    ...pages.map((page) => {
      const frame = frameOf(page);
      if (frame === undefined) return [hex(page), "nothing"];
      const isShared = pages.some((other) => other !== page && frameOf(other) === frame);
      return [hex(page), `${hex(frame)}${isShared ? ", a synonym" : ""}`];
    }),
  ]);
}

/** The bytes that a page shows, which are those of its frame. */
export function pageBytes(
  memory: PhysicalMemory,
  tables: Tables,
  part: { id: string; title: string; address: number },
): BytesPicture {
  const { frame } = tables.walk(part.address).found!;
  const offset = part.address % tables.pageSize;
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => memory.load8(frame + offset + i));
  return {
    ...bytesPicture(bytes, { ...part, length: 16 }),
    memory: `frame ${hex(frame)}`,
    place: offset,
  };
}
