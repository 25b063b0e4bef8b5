/**
 * What has changed in a picture since the last one in its place.
 *
 * @module
 */

import type { Picture } from "./story.ts";

/** Returns the picture with its changes marked; nothing is marked if it is the first. */
export function changesOf(picture: Picture, last: Picture | undefined): Picture {
  if (last === undefined) return picture;
  if (picture.kind === "bytes" && last.kind === "bytes") {
    if (picture.memory !== last.memory) return picture;
    const shift = picture.place - last.place;
    const changed = indexesOf(picture.bytes, (byte, i) => {
      const before = last.bytes[i + shift];
      return before !== undefined && before !== byte;
    });
    return { ...picture, changed };
  }
  if (picture.kind === "pages" && last.kind === "pages") {
    const changed = indexesOf(picture.pages, (page, i) => page.state !== last.pages[i]?.state);
    return { ...picture, changed };
  }
  if (picture.kind === "table" && last.kind === "table") {
    const changed = picture.rows.flatMap((row, r) =>
      indexesOf(row, (cell, c) => cell !== last.rows[r]?.[c]).map((c) => [r, c] as const)
    );
    return { ...picture, changed };
  }
  return picture;
}

function indexesOf<T>(list: readonly T[], differs: (value: T, index: number) => boolean): number[] {
  return list.flatMap((value, i) => differs(value, i) ? [i] : []);
}
