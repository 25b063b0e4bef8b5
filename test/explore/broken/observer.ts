/**
 * An observer of a circular buffer, beside two that are wrong.
 *
 * @module
 */

import { CIRCULAR_BUFFER, ringOf } from "../../../src/circular/circular_buffer.ts";
import { Cursor, LOST } from "../../../src/circular/cursor.ts";
import { Observed, type Subject } from "../../../src/region/observed.ts";
import { Again } from "../../../src/region/poll.ts";
import { regionPath } from "../../../src/region/names.ts";
import { Region } from "../../../src/region/region.ts";

interface Place extends Subject {
  readonly cursor: Cursor;
}

/** Right: as the shipped one, which reads a buffer to its end before it leaves it. */
export class Observer {
  readonly #observed = new Observed((): Place | Again | undefined => {
    const path = regionPath(CIRCULAR_BUFFER.name, "ring");
    const region = Region.joinOnce(CIRCULAR_BUFFER, path, { readOnly: true });
    return region instanceof Again ? region : region && this.place(region);
  });

  protected place(region: Region): Place {
    const losses = { messages: 0, bytes: 0 };
    const cursor = new Cursor(ringOf("ring", region), {
      start: "first",
      afterLoss: "oldest",
      losses,
    });
    return { region, cursor, hasMore: () => cursor.seesMore() };
  }

  /** Reads a message, or moves to another buffer. */
  next(): Uint8Array | undefined {
    const { current } = this.#observed;
    const message = current && this.read(current.cursor);
    if (message === undefined) this.#observed.look();
    return message;
  }

  protected read(cursor: Cursor): Uint8Array | undefined {
    if (!cursor.hasNext()) return undefined;
    const length = cursor.nextLength();
    const message = new Uint8Array(Math.max(length, 0));
    return length === LOST || cursor.read(message, length) === LOST ? undefined : message;
  }
}

/** Broken: leaves a buffer that lost its name without another look at what came last. */
export class LeavesEarly extends Observer {
  protected override place(region: Region): Place {
    const { cursor } = super.place(region);
    return { region, cursor };
  }
}

/** Broken: does not look again at what it copied. */
export class NeverLooksAgain extends Observer {
  protected override read(cursor: Cursor): Uint8Array | undefined {
    const length = cursor.hasNext() ? cursor.nextLength() : LOST;
    if (length === LOST) return undefined;
    const message = cursor.peek(length).slice();
    cursor.advance(length);
    return message;
  }
}
