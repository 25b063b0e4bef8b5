/** Batches are acknowledged alike in every ring whose receivers take turns. */

import { testBatches } from "./batches.ts";
import { RINGS } from "./products.ts";

for (const ring of RINGS) if (!ring.broadcasts) testBatches(ring);
