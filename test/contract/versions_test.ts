/** Every product refuses regions that a later version made in an unknown way. */

import { PRODUCTS } from "./products.ts";
import { testVersions } from "./versions.ts";

for (const product of PRODUCTS) testVersions(product);
