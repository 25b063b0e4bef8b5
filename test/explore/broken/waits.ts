/**
 * Waits that go wrong: hints of a receiver that is mostly alone with one sender, a fence that is on
 * neither side, and a party that is trusted for ever.
 *
 * @module
 */

import { HintedBell } from "../../../src/lane/fan_in.ts";
import { Word32 } from "../../../src/memory/word.ts";
import type { Condition } from "../../../src/wait/condition.ts";
import { CONDITIONS, type Waitable } from "../../../src/wait/any.ts";

/** The hints of lanes, as a receiver and as the senders see them; this is how they are. */
export class Hints {
  /** The word, for the receiver. */
  received(...place: ConstructorParameters<typeof Word32>): Word32 {
    return new Word32(...place);
  }

  /** The bell of a sender. */
  bell(...of: ConstructorParameters<typeof HintedBell>): HintedBell {
    return new HintedBell(...of);
  }
}

/** Broken: the receiver leaves the bit of lane 0 set, and does not look at that lane. */
export class ForgetsItsLane extends Hints {
  override received(...place: ConstructorParameters<typeof Word32>): Word32 {
    return new class extends Word32 {
      override load(): number {
        const hints = super.load();
        return hints === 1 ? 0 : hints;
      }
    }(...place);
  }
}

/** Broken: while the bit of lane 0 stays set, the receiver does not take those of others. */
export class ForgetsOthers extends Hints {
  override received(...place: ConstructorParameters<typeof Word32>): Word32 {
    return new class extends Word32 {
      override load(): number {
        const hints = super.load();
        return (hints & 1) === 1 ? 1 : hints;
      }
    }(...place);
  }
}

/** Broken: a sender finds its bit set, and the receiver takes it before the message is there. */
export class LooksFirst extends Hints {
  override bell(...of: ConstructorParameters<typeof HintedBell>): HintedBell {
    const [hint, lane, bell] = of;
    return new class extends HintedBell {
      override publish(head: Word32, value: number): void {
        const isSet = (hint.load() & 1 << lane) !== 0;
        head.store(value);
        if (!isSet) hint.or(1 << lane);
        bell.ring();
      }
    }(...of);
  }
}

/** A receiver as a wait sees it. */
export class Guise {
  of(receiver: Waitable): Waitable {
    return receiver;
  }
}

/** Broken: a party that was alive once is never asked for again. */
export class TrustsForEver extends Guise {
  override of(receiver: Waitable): Waitable {
    const conditions = receiver[CONDITIONS]().map((condition): Condition => {
      let asked = false;
      return Object.create(condition, {
        restsFrom: { get: () => asked ? Infinity : -Infinity, set: () => asked = true },
      });
    });
    return { [CONDITIONS]: () => conditions };
  }
}
