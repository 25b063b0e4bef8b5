/** Every ring carries messages alike, between threads and between processes. */

import { testRing } from "./rings.ts";
import { RINGS } from "./products.ts";

for (const ring of RINGS) testRing(ring);
