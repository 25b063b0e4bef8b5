/**
 * `vring bridge` on a "host": the first argument is the prefix of all its names.
 *
 * @module
 */

import { run } from "../../src/cli/run.ts";
import { namespace } from "../../src/testing/namespace.ts";

const [prefix, ...args] = Deno.args;
namespace(prefix!);
const interrupt = new AbortController();
Deno.addSignalListener("SIGINT", () => interrupt.abort());
Deno.exit(
  await run(["bridge", ...args], {
    write: (text) => Deno.stdout.writeSync(new TextEncoder().encode(text)),
    error: (text) => Deno.stderr.writeSync(new TextEncoder().encode(text)),
    isTerminal: false,
    noColor: true,
    width: 80,
    interrupt: interrupt.signal,
  }),
);
