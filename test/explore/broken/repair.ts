/**
 * Two repairs after a death, each beside one that is wrong.
 *
 * @module
 */

import { LockFile, Role } from "../../../src/region/liveness.ts";
import { Word32 } from "../../../src/memory/word.ts";
import { mapMemory, pathOf } from "../scenario.ts";

const ROLE = 5;
const BUFFERS = 2;

/** The sum of both accounts, whenever nobody is at work. */
export const TOTAL = 10;

/** Right: two accounts that only the holder of the role touches, be it for repair. */
export class Accounts {
  readonly #memory = mapMemory("shared");
  readonly #left: Word32 = new Word32(this.#memory, { path: "left", offset: 0 });
  readonly #right: Word32 = new Word32(this.#memory, { path: "right", offset: 64 });
  /** The next value of `left`; 0 if no repairer is at work. */
  readonly #intent: Word32 = new Word32(this.#memory, { path: "intent", offset: 128 });

  open(): void {
    this.#left.store(TOTAL);
  }

  tryHold(): Role | undefined {
    return Role.tryHold(pathOf("shared"), ROLE, "the accounts");
  }

  /** Moves one from left to right, if nobody else is at work. */
  transfer(): void {
    using role = this.tryHold();
    if (role === undefined) return;
    this.finish();
    const left = this.#left.load() - 1;
    this.#intent.store(left);
    this.#left.store(left);
    this.#right.store(TOTAL - left);
    this.#intent.store(0);
  }

  /** Repairs for the dead, if nobody else is at work. */
  repair(): void {
    using role = this.tryHold();
    if (role !== undefined) this.finish();
  }

  protected finish(): void {
    const intent = this.#intent.load();
    if (intent === 0) return;
    this.#left.store(intent);
    this.#right.store(TOTAL - intent);
    this.#intent.store(0);
  }
}

/** Broken: a newcomer may take the role right after the look, and both are at work. */
export class RepairsUnheld extends Accounts {
  override repair(): void {
    using file = new LockFile(pathOf("shared"), { write: true, what: "the accounts" });
    if (!file.isHeldByOther(ROLE)) this.finish();
  }
}

/** Right: one word names the owner of a buffer; the stack of free ones is a hint made from those. */
export class Pool {
  readonly #memory = mapMemory("shared");
  readonly #words = Array.from(
    { length: 2 * BUFFERS + 1 },
    (_, i) => new Word32(this.#memory, { path: PATHS[i]!, offset: 64 * i }),
  );
  protected readonly free: Word32 = this.#words[0]!;
  protected readonly owners: readonly Word32[] = this.#words.slice(1, 1 + BUFFERS);
  protected readonly stack: readonly Word32[] = this.#words.slice(1 + BUFFERS);

  /** Every buffer is owned by a party that is dead. */
  open(): void {
    for (const owner of this.owners) owner.store(1);
  }

  protected push(buffer: number): void {
    const free = this.free.load();
    this.stack[free % BUFFERS]!.store(buffer);
    this.free.store(free + 1);
  }

  /** The free buffers, from the top of the stack. */
  takeAll(): number[] {
    const taken: number[] = [];
    for (let free = this.free.load(); free > 0; free--) {
      taken.push(this.stack[(free - 1) % BUFFERS]!.load());
    }
    return taken;
  }

  /** Frees the property of the dead. If this repairer dies at it, another one follows. */
  repair(): void {
    this.free.store(0);
    this.owners.forEach((owner, buffer) => {
      owner.store(0);
      this.push(buffer);
    });
  }
}

const PATHS = ["free", "owner[0]", "owner[1]", "stack[0]", "stack[1]"];

/** Broken: killed between the push and the note of it, its successor pushes the buffer again. */
export class FreesTwice extends Pool {
  override repair(): void {
    this.owners.forEach((owner, buffer) => {
      if (owner.load() === 0) return;
      this.push(buffer);
      owner.store(0);
    });
  }
}
