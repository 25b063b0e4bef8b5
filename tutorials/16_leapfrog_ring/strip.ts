/**
 * The strip of addresses of a ring, as the kernel lists it.
 *
 * @module
 */

import { pageSize } from "../../src/os/page.ts";
import { mappedRanges } from "../../src/os/proc_maps.ts";
import { pagesPicture } from "../stage/pictures.ts";
import type { PagesPicture } from "../stage/story.ts";

/** Which pages of a range show a file, one after the other. */
export function windowsIn(start: number, pages: number): boolean[] {
  const page = pageSize();
  const files = mappedRanges().filter(({ inode }) => inode !== 0);
  return Array.from({ length: pages }, (_, i) => {
    const address = start + i * page;
    return files.some((range) => range.start <= address && address < range.end);
  });
}

/** Draws a range: the pages with a window, and all others. */
export function stripPicture(title: string, start: number, pages: number): PagesPicture {
  const windows = windowsIn(start, pages);
  return pagesPicture("strip", title, windows.map((is, i) => [is ? "memory" : "empty", `${i}`]));
}
