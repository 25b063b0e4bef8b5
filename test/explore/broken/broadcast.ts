/**
 * A ring whose one writer never waits and may overwrite what a slow reader copies, and a successor
 * that takes a dead writer's reservation back.
 *
 * @module
 */

import { copyIn, copyOut, Word32, Word64 } from "../../../src/memory/word.ts";
import { mapMemory, pattern } from "../scenario.ts";

const SLOTS = 2;
const SLOT_BYTES = 8;
const FIRST_SLOT = 128;

/** The number of the message that only fills a slot. */
export const FILLER = 99;

/** Right: reservations only grow, and a successor covers a dead one with a filler. */
export class Broadcast {
  protected readonly memory = mapMemory("shared");
  protected readonly reserved: Word64 = new Word64(this.memory, { path: "reserved", offset: 0 });
  protected readonly published: Word32 = new Word32(this.memory, { path: "published", offset: 64 });

  protected copyTo(position: number, message: number): void {
    const bytes = pattern(SLOT_BYTES, message);
    copyIn(this.memory, FIRST_SLOT + position % SLOTS * SLOT_BYTES, bytes);
  }

  write(message: number): void {
    const position = this.reserved.add(1);
    this.copyTo(position, message);
    this.published.store(position + 1);
  }

  /** The bytes at a position; undefined if they are overwritten or about to be. */
  read(position: number): Uint8Array | undefined {
    if (this.reserved.load() - position > SLOTS) return undefined;
    const bytes = new Uint8Array(SLOT_BYTES);
    copyOut(this.memory, FIRST_SLOT + position % SLOTS * SLOT_BYTES, bytes);
    return this.reserved.loadLast() - position > SLOTS ? undefined : bytes;
  }

  /** Brings in order what a dead writer left. */
  takeOver(): void {
    const position = this.published.load();
    if (this.reserved.load() === position) return;
    this.copyTo(position, FILLER);
    this.published.store(position + 1);
  }
}

/** Broken: a reader that copied the dead writer's bytes finds nothing reserved there, and keeps them. */
export class RollsBack extends Broadcast {
  override takeOver(): void {
    this.reserved.store(this.published.load());
  }
}
