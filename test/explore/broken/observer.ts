/**
 * An observer of a circular buffer, beside two that are wrong.
 *
 * @module
 */

import { ringOf } from "../../../src/circular/circular_buffer.ts";
import { Cursor } from "../../../src/circular/cursor.ts";
import { observeBuffer } from "../../../src/circular/geometry.ts";
import { Observed, type Subject } from "../../../src/region/observed.ts";
import { Again } from "../../../src/region/poll.ts";
import type { Region } from "../../../src/region/region.ts";

interface Place extends Subject {
  readonly cursor: Cursor;
}

/** Right: as the shipped one, which reads a buffer to its end before it leaves it. */
export class Observer {
  readonly #observed = new Observed((): Place | Again | undefined => {
    const region = observeBuffer("ring", {});
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
    const outcome = cursor.read();
    return outcome?.state === "ok" && "message" in outcome ? outcome.message : undefined;
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
    const length = cursor.nextLength();
    if (typeof length !== "number") return undefined;
    const message = cursor.peek(length).slice();
    cursor.advance(length);
    return message;
  }
}
