/**
 * An answer. The number comes first: once the turn is given back, the other process
 * may read the number at any moment.
 *
 * @module
 */

import { checkPlay } from "../00_one_byte/check.ts";

function play(bytes: Uint8Array): void {
  if (bytes[0] !== 1) return;
  bytes[1] = bytes[1]! + 1;
  bytes[0] = 0;
}

checkPlay(play);
