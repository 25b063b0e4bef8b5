/**
 * Files that commands write and read, and the permissions for them.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import type { ReadAt, Sink } from "../record/mod.ts";

/** Opens a new file for a recording. */
export function newFile(path: string): { sink: Sink } & Disposable {
  const file = opened(path, "write", { write: true, create: true, truncate: true });
  return {
    sink: {
      write(bytes) {
        for (let rest = bytes; rest.length > 0;) rest = rest.subarray(file.writeSync(rest));
      },
      truncate(length) {
        file.truncateSync(length);
        file.seekSync(length, Deno.SeekMode.Start);
      },
    },
    [Symbol.dispose]: () => file.close(),
  };
}

/** Opens a file to read from any offset. */
export function oldFile(path: string): { readAt: ReadAt } & Disposable {
  const file = opened(path, "read", { read: true });
  return {
    readAt(offset, length) {
      const { size } = file.statSync();
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      file.seekSync(offset, Deno.SeekMode.Start);
      let filled = 0;
      while (filled < bytes.length) {
        const count = inOrder(path, "read", () => file.readSync(bytes.subarray(filled)));
        if (count === null) break;
        filled += count;
      }
      return bytes.subarray(0, filled);
    },
    [Symbol.dispose]: () => file.close(),
  };
}

/** Opens a file; an error says what is missing, and the flag if it is a permission. */
function opened(path: string, right: "read" | "write", options: Deno.OpenOptions): Deno.FsFile {
  return inOrder(path, right, () => Deno.openSync(path, options));
}

/** Does something with a file; throws a VringError if the system refuses it. */
function inOrder<T>(path: string, right: "read" | "write", act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw new VringError(
        `Cannot ${right} ${path}: the permission is missing; run with --allow-${right}=${path}`,
      );
    }
    if (!(error instanceof Error)) throw error;
    throw new VringError(`Cannot ${right} ${path}: ${error.message}`, { cause: error });
  }
}
