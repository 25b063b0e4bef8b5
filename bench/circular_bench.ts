/**
 * The overwriting buffer as `deno bench` shows it: messages written, and read by the same thread.
 *
 * @module
 */

import { Alone } from "./circular.ts";

for (const bytes of [64, 1024]) {
  const group = `circular buffer, ${bytes} B`;
  const alone = new Alone(bytes);
  Deno.bench(`write ${bytes} B`, { group, baseline: true }, () => alone.write(1));
  Deno.bench(`write and tryRead(target) ${bytes} B`, { group }, () => alone.writeAndRead(1));
  Deno.bench(`write and tryRead() ${bytes} B`, { group }, () => alone.writeAndCopy(1));
}
