/** Every product lives in a namespace, is listed there, and is gone with it. */

import { assert, assertEquals } from "@std/assert";
import { regions } from "../../src/region/list.ts";
import { checkLeaks, namespace } from "../../src/testing/mod.ts";
import { smallSizes } from "../contract/product.ts";
import { PRODUCTS } from "../contract/products.ts";
import { meet } from "../contract/under_test.ts";
import { Name } from "../shared/scene.ts";

for (const product of PRODUCTS) {
  Deno.test(
    `namespace() isolates a ${product.name}`,
    checkLeaks(() => {
      using place = new Name();
      const small = smallSizes(product);
      using outside = product.receiver.open(place.name, small);
      const before = place.files();
      {
        using names = namespace();
        using receiver = product.receiver.open(place.name, small);
        using sender = product.sender.open(place.name, small);
        meet(sender, receiver);
        const inside = place.files().filter((file) => !before.includes(file));
        assert(inside.length > 0);
        assertEquals(inside.filter((file) => !file.includes(`.${names.prefix}.`)), []);
        const listed = regions().map(({ name }) => name);
        assertEquals(listed.every((name) => name.startsWith(place.name)), true, `${listed}`);
      }
      assertEquals([place.files(), outside.finds?.() ?? false], [before, false]);
    }),
  );
}
