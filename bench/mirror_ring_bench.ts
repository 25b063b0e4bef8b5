/**
 * The workloads of `mirror_ring.ts` for `deno bench`: one message of a size is written and read.
 * Where all messages wrap, the step to the next seam is in the time of both rings.
 *
 * @module
 */

import { cases } from "./mirror_ring.ts";

for (const { name, masked, mirror } of cases()) {
  const [maskedWork, mirrorWork] = [masked(), mirror()];
  Deno.bench(`masked ring, ${name}`, { group: name, baseline: true }, () => maskedWork(1));
  Deno.bench(`mirror ring, ${name}`, { group: name }, () => mirrorWork(1));
}
