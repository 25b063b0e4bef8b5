/**
 * The `vring` command looks at the shared memory of running programs from outside.
 *
 * ```sh
 * deno run --allow-ffi jsr:@vring/vring/cli ls
 * ```
 *
 * It reads counters, locks and messages as an observer: it changes, slows and wakes nothing. Only
 * `record` and `bridge` subscribe, and only `pub`, `call`, `replay`, `bridge`, `clean` and
 * `view --publish` act.
 *
 * @module
 */

import { Exit } from "./command.ts";
import { run } from "./run.ts";
import { terminal } from "./terminal.ts";

/** Writes text or bytes to a stream, also if it takes several writes; ends once nobody reads it. */
function write(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string | Uint8Array,
): void {
  let rest = typeof text === "string" ? new TextEncoder().encode(text) : text;
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0); // its reader, such as head, is done
    const text = `Cannot write the output: ${(error as Error).message}\n`;
    if (stream !== Deno.stderr) write(Deno.stderr, text);
    Deno.exit(Exit.problem);
  }
}

if (import.meta.main) {
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interrupt.abort());
  }
  const isTerminal = Deno.stdout.isTerminal();
  const out = (text: string) => write(Deno.stdout, text);
  Deno.exit(
    await run(Deno.args, {
      write: out,
      writeBytes: (bytes) => write(Deno.stdout, bytes),
      error: (text) => write(Deno.stderr, text),
      isTerminal,
      noColor: Deno.noColor,
      width: isTerminal ? Deno.consoleSize().columns : 80,
      terminal: isTerminal && Deno.stdin.isTerminal() ? terminal(out) : undefined,
      interrupt: interrupt.signal,
    }),
  );
}
