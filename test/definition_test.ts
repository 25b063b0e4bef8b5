/** Definitions are plain values: they load nothing, and ask the system nothing. */

import { assertEquals } from "@std/assert";

Deno.test("a program without permissions can define everything, and sizes are checked", async () => {
  const program = `
    import * as vring from "${new URL("../mod.ts", import.meta.url)}";
    const { topic, spsc, mpsc, byteRing, calls, circular, domain, sharedMemory, lock, rwLock } = vring;
    const names = [
      topic("a", { publishers: "many" }), topic("b"), spsc("c"), mpsc("d"), byteRing("e"), calls("f"),
      circular("g"), domain("h", { slot: {} }), sharedMemory("i", { size: 1 }), lock("j"), rwLock("k"),
    ].map(({ name }) => name);
    try {
      spsc("l", { capacity: 0 });
    } catch (error) {
      names.push(error.name);
    }
    console.log(names.join(" "));
  `;
  const url = `data:application/typescript,${encodeURIComponent(program)}`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", url],
  }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(new TextDecoder().decode(stdout), "a b c d e f g h i j k RangeError\n");
});
