/**
 * The handles that this isolate has open, for the leak check of the testing entry point.
 *
 * @module
 */

import { onCollected, perIsolate } from "../os/clock.ts";

/** A handle that is open. */
export interface OpenHandle {
  /** The kind and the name, such as `ring "demo"`. */
  readonly what: string;
  /** The file that holds its memory; undefined without one. */
  readonly path: string | undefined;
  /** The line of the program that opened it; undefined unless lines are noted. */
  readonly line: string | undefined;
}

const all = perIsolate(() => new Set<OpenHandle>());

let notesLines = false;

/** Returns the open handles, oldest first. */
export function openHandles(): OpenHandle[] {
  return [...all()];
}

/** Starts or stops recording the line that opens each handle, at some microseconds per handle. */
export function noteLines(on: boolean): boolean {
  const before = notesLines;
  notesLines = on;
  return before;
}

/** Records an open handle until the returned function is called or the handle is collected. */
export function noteOpen(handle: object, what: string, path?: string): () => void {
  const noted = { what, path, line: notesLines ? callingLine() : undefined };
  const forget = () => void all().delete(noted);
  all().add(noted);
  const off = onCollected(handle, forget);
  return () => {
    off();
    forget();
  };
}

/** Returns the nearest line of the stack outside of the library. */
function callingLine(): string | undefined {
  const limits = Error as { stackTraceLimit?: number };
  const { stackTraceLimit } = limits;
  limits.stackTraceLimit = 50; // ten end within the library
  const lines = new Error().stack?.split("\n").slice(1) ?? [];
  limits.stackTraceLimit = stackTraceLimit!;
  const { url } = import.meta;
  const library = url.slice(0, url.lastIndexOf("region/")); // its own lines interest nobody
  const line = lines.find((line) => !line.includes(library) && line.includes("://"));
  return line?.trim().replace(/^at /, "");
}
