/**
 * Exercise: the entries of a mirror.
 *
 * Fill in the tables so that the pages from `base` on lead to the given frames, in their order, and
 * the pages behind them lead to the same frames once more:
 *
 *     pages    base, base + 1, base + 2, base + 3
 *     frames   A, B, A, B, for two frames A and B
 *
 * All code may load and store there. `base` can be any page, and the machine has run before: other
 * pages are mapped, and the TLB remembers translations. Take a frame for a second-level table only
 * where none is yet, and make the TLB drop the translations that you replace, and no others.
 *
 * An entry is the address of a frame, plus 1 for present, 2 for writable and 4 for all code. The
 * code in the file was written for an empty machine. Run it with
 * `deno run tutorials/02_page_tables/exercise.ts`.
 *
 * @module
 */

import { checkMapMirror, type Desk } from "./check.ts";

/** Maps a mirror from the page `base` on. */
function mapMirror({ memory, root, tlb }: Desk, base: number, frames: readonly number[]): void {
  const table = memory.allocate();
  memory.store32(root + 4 * (base >>> 22), table | 1);
  for (let i = 0; i < 2 * frames.length; i++) {
    const page = base + 4096 * i;
    memory.store32(table + 4 * ((page >>> 12) & 1023), frames[i]! | 7);
  }
  tlb.invalidateAll();
}

checkMapMirror(mapMirror);
