/**
 * An answer. Each page asks for its own table, because the mirror may begin in one
 * table and end in the next.
 *
 * @module
 */

import { checkMapMirror, type Desk } from "../02_page_tables/check.ts";

function mapMirror({ memory, root, tlb }: Desk, base: number, frames: readonly number[]): void {
  for (let i = 0; i < 2 * frames.length; i++) {
    const page = base + 4096 * i;
    const at = root + 4 * (page >>> 22);
    if ((memory.load32(at) & 1) === 0) memory.store32(at, memory.allocate() | 1);
    const table = memory.load32(at) & ~4095;
    memory.store32(table + 4 * ((page >>> 12) & 1023), frames[i % frames.length]! | 7);
    tlb.invalidate(page);
  }
}

checkMapMirror(mapMirror);
