/** Waits of every product end alike. */

import { PRODUCTS } from "./products.ts";
import { SHARED_MEMORY } from "./products/shared_memory.ts";
import { testWaiting } from "./waiting.ts";

for (const product of PRODUCTS) if (product !== SHARED_MEMORY) testWaiting(product);
