/**
 * A terminal that is redrawn in place, and its keys.
 *
 * @module
 */

import type { Size } from "./screen.ts";

/** A terminal, as a command uses it. */
export interface Terminal {
  size(): Size;
  /** Begins to show a screen and to read keys; disposing it restores the terminal. */
  open(onKey: (key: string) => void): Disposable;
  /** Shows lines from the top. */
  show(lines: readonly string[]): void;
}

const ALTERNATE = "\x1b[?1049h\x1b[?25l";
const RESTORE = "\x1b[?25h\x1b[?1049l";

/** A key, or a sequence that a terminal sends for one. */
// deno-lint-ignore no-control-regex
const KEY = /\x1b\[[0-9;]*[A-Za-z~]|\x1b|[^\x1b]/gsu;

/** The terminal of this process. */
export function terminal(write: (text: string) => void): Terminal {
  return {
    size: () => Deno.consoleSize(),
    open(onKey) {
      Deno.stdin.setRaw(true, { cbreak: false });
      write(ALTERNATE);
      readKeys(onKey);
      return {
        [Symbol.dispose]() {
          write(RESTORE);
          Deno.stdin.setRaw(false);
        },
      };
    },
    // Each line ends by clearing the rest of it, so nothing flickers.
    show: (lines) => write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join("\r\n")}\x1b[J`),
  };
}

/** Reads keys until the process ends. */
async function readKeys(onKey: (key: string) => void): Promise<void> {
  const bytes = new Uint8Array(256);
  const decoder = new TextDecoder();
  for (let length; (length = await Deno.stdin.read(bytes)) !== null;) {
    for (const key of decoder.decode(bytes.subarray(0, length)).match(KEY) ?? []) onKey(key);
  }
}
