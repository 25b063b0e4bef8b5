/**
 * Runs `vring` within a test.
 *
 * @module
 */

import { run } from "../../src/cli/run.ts";

/** What a command line printed, and how it ended. */
export interface Printed {
  readonly code: number;
  readonly out: string;
  /** The bytes that it wrote unchanged. */
  readonly bytes: Uint8Array;
  readonly err: string;
}

/** Acts once a command has printed this; the last act interrupts the command. */
export type Acts = readonly (readonly [printed: RegExp, act: (found: string) => unknown])[];

/** Runs a command line. */
export async function vring(line: string | readonly string[], acts: Acts = []): Promise<Printed> {
  let [out, err, done] = ["", "", 0];
  const chunks: Uint8Array[] = [];
  const interrupt = new AbortController();
  const code = await run(wordsIn(line), {
    write: (text) => {
      out += text;
      const found = acts[done]?.[0].exec(out);
      if (!found) return;
      const acting = Promise.resolve(acts[done++]![1](found[0]));
      if (done === acts.length) acting.finally(() => interrupt.abort());
    },
    writeBytes: (chunk) => void chunks.push(chunk),
    error: (text) => void (err += text),
    isTerminal: false,
    noColor: true,
    width: 80,
    interrupt: interrupt.signal,
  });
  return { code, out, err, bytes: new Uint8Array(chunks.flatMap((chunk) => [...chunk])) };
}

/** The objects that a command printed with --json. */
export function objectsIn({ out }: Printed): Record<string, unknown>[] {
  return out.trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

function wordsIn(line: string | readonly string[]): readonly string[] {
  return typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
}
