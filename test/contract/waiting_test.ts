/** Waits of every product end alike. */

import { PRODUCTS } from "./products.ts";
import { CIRCULAR_OBSERVER } from "./products/circular_observer.ts";
import { SHARED_MEMORY } from "./products/shared_memory.ts";
import { testWaiting } from "./waiting.ts";

testWaiting(CIRCULAR_OBSERVER);
for (const product of PRODUCTS) if (product !== SHARED_MEMORY) testWaiting(product);
