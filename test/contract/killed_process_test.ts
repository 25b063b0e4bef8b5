/** Every product survives the death of a process before any step of any act. */

import { processTests } from "../shared/processes.ts";
import type { Tools } from "./contract_child.ts";
import { testKilled } from "./killed.ts";
import { PRODUCTS } from "./products.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./contract_child.ts", import.meta.url),
  "killed processes",
);

for (const product of PRODUCTS) {
  test(`${product.name}: handles outlive a process that is killed before any step`, async (t) => {
    await using victim = startProcess({ trapped: true });
    await testKilled(product, victim, (name, check) => t.step(name, check));
  });
}
