/**
 * Makes pictures of what is in memory now, for stories.
 *
 * @module
 */

import { mappedRanges } from "../../src/os/proc_maps.ts";
import type { BytesPicture, PagesPicture, SpacePicture, TablePicture } from "./story.ts";

const ROW = 16;

/** Which bytes to show of an array. */
export interface Part {
  readonly id: string;
  readonly title: string;
  /** The address of the first byte of the array. */
  readonly address: number;
  /** The first byte to show; 0 by default. */
  readonly from?: number;
  /** How many bytes to show; two rows by default. */
  readonly length?: number;
  /** The name of the memory behind the array; two arrays over one memory share it. */
  readonly memory?: string;
  /** Where in that memory the array begins; 0 by default. */
  readonly place?: number;
}

/** Copies bytes into a picture, in whole rows. */
export function bytesPicture(bytes: Uint8Array, part: Part): BytesPicture {
  const { id, title, address, from = 0, length = 2 * ROW, memory = id, place = 0 } = part;
  const start = from - from % ROW;
  const end = Math.min(bytes.length, Math.ceil((from + length) / ROW) * ROW);
  return {
    kind: "bytes",
    id,
    title,
    address: address + start,
    bytes: Array.from(bytes.subarray(start, end)),
    memory,
    place: place + start,
  };
}

/** Draws pages in a row; each is `[state, label]`. */
export function pagesPicture(
  id: string,
  title: string,
  pages: readonly (readonly [state: PagesPicture["pages"][number]["state"], label: string])[],
): PagesPicture {
  return { kind: "pages", id, title, pages: pages.map(([state, label]) => ({ state, label })) };
}

/** Draws a table; the first row is its head. */
export function tablePicture(
  id: string,
  title: string,
  [head, ...rows]: readonly (readonly (string | number)[])[],
  words = false,
): TablePicture {
  const texts = (row: readonly (string | number)[]) => row.map(String);
  return { kind: "table", id, title, head: texts(head!), rows: rows.map(texts), words };
}

/** What is mapped, in a word that is the same in every run. */
function kindOf(path: string): string {
  if (path === "" || path === "[heap]" || path === "[stack]") return path;
  if (path.startsWith("[")) return "[kernel]";
  if (path.endsWith("/deno")) return "the program";
  return /\.so\b/.test(path) ? "libraries" : "files";
}

/** Draws the address space of this process as the kernel lists it now. */
export function spacePicture(title: string, marks: SpacePicture["marks"] = []): SpacePicture {
  const ranges = mappedRanges().filter(({ start }) => start < 2 ** 47)
    .map(({ start, end, permissions, path }) => ({ start, end, permissions, path: kindOf(path) }));
  return { kind: "space", id: "space", title, ranges, marks };
}
