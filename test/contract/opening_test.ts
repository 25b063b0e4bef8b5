/** Every product opens, is named, kept, unlinked and closed alike. */

import { testNaming } from "./naming.ts";
import { testOpening } from "./opening.ts";
import { PRODUCTS } from "./products.ts";
import { SHARED_MEMORY } from "./products/shared_memory.ts";
import { SPSC } from "./products/spsc.ts";

for (const product of PRODUCTS) {
  testOpening(product);
  testNaming(product, product === SHARED_MEMORY ? SPSC : SHARED_MEMORY);
}
