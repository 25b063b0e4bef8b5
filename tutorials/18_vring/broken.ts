/**
 * A reader and a writer that leave something out, and go wrong.
 *
 * @module
 */

import { type Operations, Reader, textOf, Writer } from "./small_ring.ts";

/** Does not keep the number of the sample when it releases it. */
export class ForgetfulReader extends Reader {
  override *release(d: number): Operations {
    const word = this.ring.rows[this.k]![d]!;
    const before = word.load();
    word.store(0);
    yield { about: "word", text: `word for place ${d}: ${textOf(before)} → none` };
    yield* this.ring.dropReference(d);
  }
}

/** Trusts AVAIL, and never searches. */
export class BelievingWriter extends Writer {
  override *search(): Operations<undefined> {
  }
}
