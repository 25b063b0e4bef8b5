/**
 * The inside of a reader/writer lock, to be looked at and changed.
 *
 * @module
 */

import { REGION_HEADER } from "../../src/region/header.ts";
import { RW_LOCK_CONTROL, RW_SEAT } from "../../src/shared/rw_queue.ts";
import type { Name } from "./scene.ts";

/** The words in the file of a lock. */
export class Inside {
  readonly #path: string;

  constructor(place: Pick<Name, "path">) {
    this.#path = place.path("rwlock");
  }

  #control(): Uint8Array {
    return Deno.readFileSync(this.#path).subarray(REGION_HEADER.size);
  }

  /** How many wait or are inside. */
  count(): number {
    const bytes = this.#control();
    let count = 0;
    for (let index = 0; index < 128; index++) {
      const at = RW_LOCK_CONTROL.fields.rows.offset + index * RW_SEAT.size;
      if (RW_SEAT.read(bytes, at).turn !== 0n) count++;
    }
    return count;
  }

  /** Changes a word of a seat. */
  setSeat(index: number, word: "turn" | "bell" | "pid", value: bigint): void {
    const { rows } = RW_LOCK_CONTROL.fields;
    this.set(rows.offset + index * RW_SEAT.size + RW_SEAT.fields[word].offset, value);
  }

  /** Changes a word; the four bytes behind one of 32 bits become 0. */
  set(offset: number, value: bigint): void {
    using file = Deno.openSync(this.#path, { write: true });
    file.seekSync(REGION_HEADER.size + offset, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(new BigUint64Array([value]).buffer));
  }
}
