/**
 * Writes prices, up to a million a second, and overwrites the oldest.
 *
 *     deno run --allow-ffi examples/prices/writer.ts
 *
 * @module
 */

import { setInterval } from "node:timers/promises";
import { prices } from "./prices.ts";

using writer = prices.writer();
console.log("Writing prices; Ctrl-C ends it");
let cents = 10_000;
for await (const _ of setInterval(1)) {
  for (let i = 0; i < 1000; i++) {
    writer.trySend({ symbol: "VRNG", cents: cents = Math.max(1, cents + (i % 3) - 1) });
  }
}
