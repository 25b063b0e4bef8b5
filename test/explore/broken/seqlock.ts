/**
 * A value under a sequence, odd while it is being written, and a reader that looks only once.
 *
 * @module
 */

import { copyIn, copyOut, Word64 } from "../../../src/memory/word.ts";
import { mapMemory } from "../scenario.ts";

const VALUE_BYTES = 8;
const VALUE = 64;

/**
 * Right: bytes count only if the sequence was even before and is the same after. The barriers keep
 * the bytes between the two stores, and between the two loads, in weak memory too.
 */
export class Seqlock {
  protected readonly memory = mapMemory("shared");
  protected readonly sequence: Word64 = new Word64(this.memory, { path: "sequence", offset: 0 });

  write(value: Uint8Array): void {
    const before = this.sequence.load();
    this.sequence.storeFirst(before + 1);
    copyIn(this.memory, VALUE, value);
    this.sequence.store(before + 2);
  }

  /** Undefined if a write was under way. */
  tryRead(): Uint8Array | undefined {
    const before = this.sequence.load();
    if (before % 2 === 1) return undefined;
    const value = new Uint8Array(VALUE_BYTES);
    copyOut(this.memory, VALUE, value);
    return this.isStill(before) ? value : undefined;
  }

  protected isStill(before: number): boolean {
    return this.sequence.loadLast() === before;
  }
}

/** Broken: a write that began during the copy goes unnoticed. */
export class WithoutSecondCheck extends Seqlock {
  protected override isStill(): boolean {
    return true;
  }
}
