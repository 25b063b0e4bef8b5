/** Every product refuses what a later version made in a way that it does not know. */

import { PRODUCTS } from "./products.ts";
import { testVersions } from "./versions.ts";

for (const product of PRODUCTS) testVersions(product);
