/**
 * Reads prices, and counts those that it was too slow for. With "watch" it needs no right to write,
 * as another user's program.
 *
 *     deno run --allow-ffi examples/prices/reader.ts
 *     deno run --allow-ffi examples/prices/reader.ts watch
 *
 * @module
 */

import { prices } from "./prices.ts";

using reader = Deno.args[0] === "watch" ? prices.observer() : prices.reader({ onPeerGone: "wait" });
let [received, lost, start] = [0, 0, Date.now()];
for (;;) {
  await reader.wait();
  received += reader.poll(({ value }) => value.cents, 100_000);
  if (Date.now() - start < 1000) continue;
  console.log(`${received} prices received, ${reader.lost - lost} lost`);
  [received, lost, start] = [0, reader.lost, Date.now()];
}
