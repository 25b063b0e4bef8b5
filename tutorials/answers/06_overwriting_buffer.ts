/**
 * An answer to exercise 6: copy first, look afterwards. A look beforehand would do no harm, and no
 * good either.
 *
 * @module
 */

import { checkRead, type NumberedRing, type Outcome } from "../06_overwriting_buffer/check.ts";

function read(ring: NumberedRing, next: number): Outcome {
  if (next === ring.published()) return { state: "empty", next };
  const message = ring.copy(next);
  const oldest = ring.oldest(); // whatever happened during the copy, this tells
  if (next < oldest) return { state: "lost", messages: oldest - next, next: oldest };
  return { state: "ok", message, next: next + 1 };
}

checkRead(read);
