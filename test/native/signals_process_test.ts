/**
 * Signal handlers of the library between those of others, in programs in C that load up to three
 * copies of the library: native/signals.c.
 */

import { assertEquals } from "@std/assert";
import { PREBUILT } from "../../src/native/prebuilt.ts";
import { ScratchFile } from "../os/scratch.ts";
import { CProgram, whyNoCompiler } from "../shared/scene.ts";

const NO_C = whyNoCompiler();
if (NO_C !== undefined) console.log(`NOT TESTED: handlers of signals in C, as ${NO_C}`);

type Story = [fact: string, commands: string, answer: string];

/** The commands of chain_peer.c, and the handlers and copies that notice each signal. */
const INTERRUPTS: readonly Story[] = [
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

/** The commands of fault_peer.c, and the answer. */
const FAULTS: readonly Story[] = [
  ["faults of the library are its own", "00", "0 0"],
  ["a fault of a stranger goes to the handler that was there before", "H0!0!", "0 H 0 H"],
  ["a handler that comes later is wrapped at the next mapping", "0H!0!", "0 H 0 H"],
  ["a handler that calls the one before it is called once", "H0F!0!", "0 FH 0 FH"],
  ["without another handler, a fault of a stranger ends the program", "0!", "0 signal 7"],
  ["two copies catch their own faults, and pass on those of strangers", "H01!10!", "0 1 H 1 0 H"],
  ["two copies in turn, with a handler between them", "H0F1!0!", "0 1 FH 0 FH"],
  ["three copies in any order", "H012!201!120!", "0 1 2 H 2 0 1 H 1 2 0 H"],
];

/** How many copies of the library a story needs. */
function copiesIn([, , answer]: Story): number {
  return answer.match(/:2/) ? 3 : answer.match(/:1/) ? 2 : 1;
}

/** Tells stories to a program that has so many copies of the library; each is a step of the test. */
async function tell(
  test: Deno.TestContext,
  source: string,
  count: number,
  stories: readonly Story[],
): Promise<void> {
  using stack = new DisposableStack();
  const bytes = Uint8Array.fromBase64(PREBUILT[Deno.build.arch as keyof typeof PREBUILT].library);
  const copies = Array.from({ length: count }, () => stack.use(new ScratchFile(0)).path);
  for (const path of copies) Deno.writeFileSync(path, bytes);
  await using program = await CProgram.start(new URL(source, import.meta.url), copies);
  for (const [fact, commands, answer] of stories) {
    await test.step(fact, async () => {
      assertEquals((await program.ask(commands)).trim(), answer, commands);
    });
  }
}

Deno.test({
  name: "handlers of the library pass SIGINT on to all others, in either order of wrapping",
  ignore: NO_C !== undefined,
  async fn(test) {
    for (const count of [1, 2, 3]) {
      const stories = INTERRUPTS.filter((story) => copiesIn(story) === count);
      await tell(test, "./chain_peer.c", count, stories);
    }
  },
});

Deno.test({
  name: "each copy of the library catches its own faults and passes all others on",
  ignore: NO_C !== undefined,
  fn: (test) => tell(test, "./fault_peer.c", 3, FAULTS),
});
