/**
 * Where a party is: the lines of its own code in a stack, the innermost first.
 *
 * @module
 */

/** A line of a source. */
export interface Place {
  /** The path from the root of the repository, or {@linkcode OWN} for code written in the page. */
  readonly source: string;
  /** Counted from 1. */
  readonly line: number;
  /** The function, if it has a name. */
  readonly name: string;
}

/** Finds the source behind a line and column (from 1) of a script. */
export type Locate = (
  url: string,
  line: number,
  column: number,
) => Omit<Place, "name"> | undefined;

/** The name under which code written in the page runs. */
export const OWN = "yours.ts";

/** Returns the file that has a source as JSON, below the page. */
export function fileOfSource(source: string): string {
  return `source/${source.replace(/\.ts$/, "")}.json`;
}

/** The machine: a party's line is the first outside of it. */
const MACHINE = [
  "test/explore/engine/",
  "test/explore/leaves/",
  "test/memory/",
  "tutorials/stage/play/",
];

/** Chromium writes `at name (url:1:2)` or `at url:1:2`; Firefox and Safari write `name@url:1:2`. */
const FRAME = /^\s*(?:at (?:async )?(?:(.*?) \()?|(.*?)@)(.*?):(\d+):(\d+)\)?$/;

/** Returns the places of a stack that are not part of the machine. */
export function framesOf(stack: string, locate: Locate): Place[] {
  const places: Place[] = [];
  for (const text of stack.split("\n")) {
    const [, ours, theirs, url, line, column] = FRAME.exec(text) ?? [];
    if (url === undefined) continue;
    const place = locate(url, Number(line), Number(column));
    if (place === undefined || MACHINE.some((folder) => place.source.startsWith(folder))) continue;
    places.push({ ...place, name: nameOf(ours ?? theirs ?? "") });
  }
  return places;
}

/** Shortens `Object.make [as body]`, `new Ring` and `async*take` to a word. */
function nameOf(text: string): string {
  const name = text.replace(/ \[as .*\]$/, "").replace(/^async\*/, "");
  const words = name.split(/[./\s]+/);
  return words.at(-1)!.replace(/[<>]/g, "") || "";
}
