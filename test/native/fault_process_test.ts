/**
 * The library's handler of SIGBUS among those of others, in a program in C that loads up to three
 * copies of the library.
 */

import { assertEquals } from "@std/assert";
import { PREBUILT } from "../../src/native/prebuilt.ts";
import { ScratchFile } from "../os/scratch.ts";
import { CProgram, whyNoCompiler } from "../shared/scene.ts";

const NO_C = whyNoCompiler();
if (NO_C !== undefined) console.log(`NOT TESTED: handlers of SIGBUS in C, as ${NO_C}`);

/** The commands of fault_peer.c, and the answer. */
const STORIES: [fact: string, commands: string, answer: string][] = [
  ["faults of the library are its own", "00", "0 0"],
  ["a fault of a stranger goes to the handler that was there before", "H0!0!", "0 H 0 H"],
  ["a handler that comes later is wrapped at the next mapping", "0H!0!", "0 H 0 H"],
  ["a handler that calls the one before it is called once", "H0F!0!", "0 FH 0 FH"],
  ["without another handler, a fault of a stranger ends the program", "0!", "0 signal 7"],
  ["two copies catch their own faults, and pass on those of strangers", "H01!10!", "0 1 H 1 0 H"],
  ["two copies in turn, with a handler between them", "H0F1!0!", "0 1 FH 0 FH"],
  ["three copies in any order", "H012!201!120!", "0 1 2 H 2 0 1 H 1 2 0 H"],
];

Deno.test({
  name: "each copy of the library catches its own faults and passes all others on",
  ignore: NO_C !== undefined,
  async fn(test) {
    using stack = new DisposableStack();
    const bytes = Uint8Array.fromBase64(PREBUILT[Deno.build.arch as keyof typeof PREBUILT].library);
    const copies = ["0", "01", "012"].map(() => stack.use(new ScratchFile(0)).path);
    for (const path of copies) Deno.writeFileSync(path, bytes);
    const source = new URL("./fault_peer.c", import.meta.url);
    await using program = await CProgram.start(source, copies);
    for (const [fact, commands, answer] of STORIES) {
      await test.step(fact, async () => {
        assertEquals((await program.ask(commands)).trim(), answer, commands);
      });
    }
  },
});
