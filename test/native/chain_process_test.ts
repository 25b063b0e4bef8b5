/**
 * Signal handlers of the library between those of others, in a program in C that loads up to three
 * copies of the library.
 */

import { assertEquals } from "@std/assert";
import { PREBUILT } from "../../src/native/prebuilt.ts";
import { ScratchFile } from "../os/scratch.ts";
import { CProgram, whyNoCompiler } from "../shared/scene.ts";

const NO_C = whyNoCompiler();
if (NO_C !== undefined) console.log(`NOT TESTED: chains of signal handlers, as ${NO_C}`);

/** The commands of chain_peer.c, and the handlers and copies that notice each signal. */
const STORIES: [fact: string, commands: string, answer: string][] = [
  ["a handler is wrapped and still called", "H0!", "H:0"],
  ["a handler that was replaced is called no more", "H0I!!", "I:0 I:0"],
  ["a handler that comes back replaces the one that replaced it", "H0I!H!I!", "I:0 H:0 I:0"],
  ["a wrap of a wrap calls each handler once", "H0F!!", "FH:0 FH:0"],
  ["a wrap of a wrap of a wrap calls each handler once", "H0F0G!!", "GFH:0 GFH:0"],
  ["a foreign handler that wrapped an earlier one is wrapped", "HF0!G!", "FH:0 GFH:0"],
  ["a handler below a chain comes back alone", "H0F!H!", "FH:0 H:0"],
  ["a foreign handler that chains to itself ends", "F!F!", "F:0 F:0"],
  ["two copies share a handler", "H01!!10!!", "H:0:1 H:0:1 H:0:1 H:0:1"],
  ["two copies share the handlers of others", "H0F1!G!01G!", "FH:0:1 GFH:0:1 GFH:0:1"],
  ["two chains are in use around another handler", "H0F1!0!I!01!", "FH:0:1 FH:0:1 I:0:1 I:0:1"],
  ["three copies share a handler", "H012!20!1!02!1!", "H:0:1:2 H:0:1:2 H:0:1:2 H:0:1:2 H:0:1:2"],
  ["threads pass signals on at the same time", "H0F*", "H8000F8000:0"],
  ["threads pass signals on through two copies", "H0F1*", "H8000F8000:0:1"],
];

Deno.test({
  name: "handlers of the library pass SIGINT on to all others, in either order of wrapping",
  ignore: NO_C !== undefined,
  async fn(test) {
    using stack = new DisposableStack();
    const bytes = Uint8Array.fromBase64(PREBUILT[Deno.build.arch as keyof typeof PREBUILT].library);
    const copies = ["0", "01", "012"].map(() => stack.use(new ScratchFile(0)).path);
    for (const path of copies) Deno.writeFileSync(path, bytes);
    const source = new URL("./chain_peer.c", import.meta.url);
    for (const count of [1, 2, 3]) {
      await using program = await CProgram.start(source, copies.slice(0, count));
      for (const [fact, commands, answer] of STORIES) {
        const highest = answer.match(/:2/) ? 3 : answer.match(/:1/) ? 2 : 1;
        if (highest !== count) continue;
        await test.step(fact, async () => {
          assertEquals((await program.ask(commands)).trimEnd(), answer, commands);
        });
      }
    }
  },
});
