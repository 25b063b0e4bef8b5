/**
 * Copies between an actor and the simulated memory.
 */

import { assertEquals } from "@std/assert";
import { endings, memory, returned } from "../fixture.ts";
import { messageOf, pattern } from "../scenario.ts";
import { copyIn, copyOut } from "./word.ts";

Deno.test("copies are torn by others, and by death", async () => {
  const writer = () => copyIn(memory(), 128, pattern(8, 1));
  const reader = () => {
    const bytes = new Uint8Array(8);
    copyOut(memory(), 128, bytes);
    return messageOf(bytes, 1) ?? bytes.some((byte) => byte !== 0);
  };
  const preempted = await endings({ writer, reader }, { preemptions: 1 });
  assertEquals(returned(preempted.ends, "reader"), [1, false, true]);
  const late = { body: reader, after: "writer", immortal: true };
  const died = await endings({ writer, reader: late }, { deaths: 1 });
  assertEquals(returned(died.ends, "reader"), [1, false, true]);
});

Deno.test("a copy beyond the end of the memory throws", async () => {
  const beyond = () => {
    try {
      copyIn(memory(), 252, pattern(8, 1));
    } catch (error) {
      return error instanceof RangeError;
    }
  };
  assertEquals(returned((await endings({ beyond }, {})).ends, "beyond"), [true]);
});
