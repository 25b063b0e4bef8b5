/**
 * Addresses of interleavings.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Address, addressOf, readAddress } from "../../tutorials/stage/play/address.ts";

const NOTHING = { source: undefined, token: "", at: undefined };

Deno.test("an address survives writing and reading", async () => {
  const addresses: Address[] = [
    { ...NOTHING, name: "broken-unlooked" },
    { ...NOTHING, name: "broken-unlooked", token: "A.B*2.A*2" },
    { ...NOTHING, name: "broken-unlooked", token: "weak:A:1.vA0.kA.rA0.z64.t", at: 3 },
    { ...NOTHING, name: "yours" },
    { ...NOTHING, name: "yours", source: "const gleich = `ä → 𝄞`;\n" },
    { name: "yours", source: "// long\n".repeat(500), token: "A.B", at: 0 },
  ];
  for (const address of addresses) {
    const text = await addressOf(address);
    assert(/^#[\w%/.:*@-]*$/.test(text), text);
    assertEquals(await readAddress(text), address);
  }
});

Deno.test("the token of the explorer is the address, so that it can be written by hand", async () => {
  const address = { ...NOTHING, name: "broken-unlooked", token: "A.B*2.A*2" };
  assertEquals(await addressOf(address), "#broken-unlooked/A.B*2.A*2");
});

Deno.test("a damaged address is refused in words", async () => {
  await assertRejects(() => readAddress("#spsc-flow/<b>"), Error, "is not the token of a run");
  await assertRejects(() => readAddress("#yours/!!!"), Error, "is damaged");
  await assertRejects(() => readAddress("#yours/____"), Error, "is damaged");
});
