/**
 * An answer: copy first, look afterwards. A look beforehand would neither harm nor
 * help.
 *
 * @module
 */

import { checkRead, type NumberedRing, type Outcome } from "../15_overwriting_buffer/check.ts";

function read(ring: NumberedRing, next: number): Outcome {
  if (next === ring.published()) return { next };
  const message = ring.copy(next);
  const oldest = ring.oldest(); // whatever happened during the copy, this tells
  if (next < oldest) return { lost: oldest - next, next: oldest };
  return { message, next: next + 1 };
}

checkRead(read);
