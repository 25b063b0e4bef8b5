/**
 * Copies between an actor and the simulated memory.
 */

import { assertEquals } from "@std/assert";
import { HIGH_HALF, Run } from "../engine/mod.ts";
import { endings, memory, returned, scenario } from "../fixture.ts";
import { messageOf, pattern } from "../scenario.ts";
import { copyIn, copyOut, Word32, Word64 } from "./word.ts";

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

Deno.test("both halves of a 64-bit word have names", async () => {
  const run = new Run(
    scenario({
      actor: () => {
        const [wide, narrow] = [
          new Word64(memory(), { path: "wide", offset: 64 }),
          new Word32(memory(), { path: "narrow", offset: 128 }),
        ];
        return wide.load() + narrow.load();
      },
    }),
    { preemptions: 0, deaths: 0, noise: 0 },
  );
  await run.begin();
  assertEquals([...run.world.inodes[0]!.names], [
    [16, "wide"],
    [17, `wide${HIGH_HALF}`],
    [32, "narrow"],
  ]);
});
