/**
 * A value under a sequence, odd while it is being written, and a reader that looks only once.
 *
 * @module
 */

import { copyIn, copyOut, Word32 } from "../../../src/memory/word.ts";
import { mapMemory } from "../scenario.ts";

const VALUE_BYTES = 8;
const VALUE = 64;

/** Right: bytes count only if the sequence was even before and is the same after. */
export class Seqlock {
  protected readonly memory = mapMemory("shared");
  protected readonly sequence: Word32 = new Word32(this.memory, { path: "sequence", offset: 0 });

  write(value: Uint8Array): void {
    this.sequence.add(1);
    copyIn(this.memory, VALUE, value);
    this.sequence.add(1);
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
    return this.sequence.load() === before;
  }
}

/** Broken: a write that began during the copy goes unnoticed. */
export class WithoutSecondCheck extends Seqlock {
  protected override isStill(): boolean {
    return true;
  }
}
