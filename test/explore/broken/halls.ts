/**
 * Halls that lose hints.
 *
 * @module
 */

import { addAndWake } from "../../../src/os/futex.ts";
import type { Condition } from "../../../src/wait/condition.ts";
import type { Doorbell } from "../../../src/wait/doorbell.ts";
import { announce, bitOf, openPeer } from "../../../src/wait/hall.ts";
import type { ReadySet, Thing } from "../../../src/wait/ready_set.ts";

/** A hall as its two sides use it; this is how it is. */
export class Halls {
  /** The waiter's condition. */
  condition(condition: Condition): Condition {
    return condition;
  }

  /** Returns all that is ready, without a wait. */
  look<W>(set: ReadySet<W>): Thing<W>[] {
    return set.takeAll();
  }

  /** Tells the hall `id` of a bell that was taken down. */
  announce(id: number, bell: Doorbell): void {
    announce(id, bell);
  }

  /** Rings a bell that may be claimed for a hall. */
  ring(bell: Doorbell): void {
    if ((bell.word.load() & 1) === 0) return;
    addAndWake(bell.word.address);
    const id = bell.loop!.load();
    if (id !== 0) this.announce(id, bell);
  }
}

/** Broken: a waker rings the hall, and then sets the bit. */
export class RingsFirst extends Halls {
  override announce(id: number, bell: Doorbell): void {
    const words = openPeer(id);
    if (typeof words === "number") return;
    const bit = bitOf(bell);
    words.bell.ring();
    words.hints[bit >>> 5]!.or(1 << (bit & 31));
    words.groups.or(1 << (bit >>> 5));
  }
}

/** Broken: a waker sets the group before the hint. */
export class GroupsFirst extends Halls {
  override announce(id: number, bell: Doorbell): void {
    const words = openPeer(id);
    if (typeof words === "number") return;
    const bit = bitOf(bell);
    words.groups.or(1 << (bit >>> 5));
    words.hints[bit >>> 5]!.or(1 << (bit & 31));
    words.bell.ring();
  }
}

/** Broken: a waiter that goes by hints alone, and never compares the bells. */
export class TrustsHints extends Halls {
  override condition(condition: Condition): Condition {
    let isPrepared = false;
    return Object.create(condition, {
      beforeSleep: {
        value: () => {
          if (isPrepared) return undefined;
          isPrepared = true;
          return condition.beforeSleep!();
        },
      },
    });
  }
}

/** Broken: a look that goes by hints alone, and never through all. */
export class LooksFlat extends Halls {
  override look<W>(set: ReadySet<W>): Thing<W>[] {
    return set.condition.ready() ? set.takeAll() : [];
  }
}
