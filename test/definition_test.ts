/** Definitions are plain values: they load nothing, and ask the system nothing. */

import { assertEquals, assertThrows } from "@std/assert";
import { domain } from "../src/babus/definition.ts";
import { calls } from "../src/calls/definition.ts";
import { mpsc } from "../src/mpsc/definition.ts";
import { sharedMemory } from "../src/shared/shared_memory.ts";
import { spsc } from "../src/spsc/definition.ts";
import { topic } from "../src/vdds/definition.ts";

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

Deno.test("a size that cannot be is named, with the sizes that can", () => {
  const refusals: [() => unknown, string][] = [
    [() => topic("n", { depth: -1 }), 'Cannot define topic "n": the depth is -1; pass 1 to 1024'],
    [() => topic("n", { subscribers: 65 }), "the number of subscribers is 65; pass 1 to 64"],
    [() => topic("n", { size: 0.5 }), "the size is 0.5; pass 1 to 2147483648"],
    [() => topic("n", { depth: 2, history: 2 }), "the history is 2; pass 0 to 1, as one of its 2"],
    [
      () => topic("n", { depth: 1024, size: 2 ** 31 }),
      'Cannot define topic "n": its 1024 samples of 2147483648 bytes take more',
    ],
    [() => domain("n", { a: { depth: 0 } }), 'Cannot define slot "n/a": the depth is 0; pass 1 to'],
    [() => spsc("n", { capacity: 0 }), 'Cannot define ring "n": the capacity is 0; pass 1 to'],
    [() => mpsc("n", { producers: 99 }), "the number of producers is 99; pass 1 to"],
    [() => calls("n", { servers: 17 }), "the number of servers is 17; pass 1 to 16"],
    [
      () => calls("n", { servers: 16, clients: 17 }),
      "17 clients times 16 servers are more than 256",
    ],
    [() => sharedMemory("n", { size: 0 }), 'shared memory "n": the size is 0; pass a whole number'],
  ];
  for (const [define, message] of refusals) assertThrows(define, RangeError, message);
  const none = () => sharedMemory("n", {} as never);
  assertThrows(
    none,
    TypeError,
    'shared memory "n": it has no size; pass the option size, in bytes',
  );
});
