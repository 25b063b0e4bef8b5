/**
 * The overwriting buffer for `deno bench`: messages written, and read by the same thread.
 *
 * @module
 */

import { Alone } from "./circular.ts";

/** A buffer of its own: one that is only written to laps its reader. */
function alone(bytes: number): Alone {
  const made = new Alone(bytes);
  globalThis.addEventListener("unload", () => made[Symbol.dispose]());
  return made;
}

for (const bytes of [64, 1024]) {
  const group = `circular buffer, ${bytes} B`;
  const [writing, reading, copying] = [alone(bytes), alone(bytes), alone(bytes)];
  Deno.bench(`trySend ${bytes} B`, { group, baseline: true }, () => writing.write(1));
  Deno.bench(`trySend and tryReceiveInto ${bytes} B`, { group }, () => reading.writeAndRead(1));
  Deno.bench(`trySend and tryReceive ${bytes} B`, { group }, () => copying.writeAndCopy(1));
}
