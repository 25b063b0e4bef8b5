/**
 * `vring top` in the namespace of a test.
 *
 * @module
 */

import { run } from "../../src/cli/run.ts";
import { terminal } from "../../src/cli/terminal.ts";
import { namespace } from "../../src/testing/namespace.ts";

namespace(Deno.args[0]!);
const write = (text: string) => void Deno.stdout.writeSync(new TextEncoder().encode(text));
Deno.exit(
  await run(["top", "--every", "0.1"], {
    write,
    error: write,
    isTerminal: true,
    noColor: true,
    width: 80,
    terminal: terminal(write),
    interrupt: new AbortController().signal,
  }),
);
