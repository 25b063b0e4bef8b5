/**
 * Writes `native/SYMBOLS.md`: every native function that TypeScript can call, its C prototype and
 * its callers in `src/`. `deno task native` writes it too.
 *
 * ```sh
 * deno run --allow-read --allow-write --allow-run native/symbols_table.ts
 * ```
 *
 * @module
 */

import { formatted } from "./formatted.ts";
import {
  LIBC_SYMBOLS,
  LIBRARY_SYMBOLS,
  NONBLOCKING,
  SENTINEL_SYMBOLS,
} from "../src/native/symbols.ts";

const ROOT = new URL("../", import.meta.url);
/** The generated file. */
export const TABLE = new URL("SYMBOLS.md", import.meta.url);

/** The files that declare and embed the functions, and call none. */
const SILENT = ["src/native/symbols.ts", "src/native/prebuilt.ts"];

/** A place in the sources that names a native function. */
interface Caller {
  readonly file: string;
  /** The function or method around it. */
  readonly name: string;
}

function* sources(folder = "src/"): Generator<[path: string, lines: string[]]> {
  const entries = [...Deno.readDirSync(new URL(folder, ROOT))];
  for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const path = `${folder}${name}`;
    if (isDirectory) yield* sources(`${path}/`);
    else if (path.endsWith(".ts") && !SILENT.includes(path)) {
      yield [path, Deno.readTextFileSync(new URL(path, ROOT)).split("\n")];
    }
  }
}

const DECLARATION = /^(?:export )?(?:default )?(?:async )?(?:function|class|const|let)\*? (\w+)/;
const METHOD = /^ {2}(?:(?:static|async|override|protected|private|get|set) )*(#?\w+)\(/;

/** Names the function, or the class and its method, that a line belongs to. */
function around(lines: readonly string[], at: number): string {
  let method: string | undefined;
  for (let i = at; i >= 0; i--) {
    const line = lines[i]!;
    const declared = DECLARATION.exec(line)?.[1];
    if (declared !== undefined) {
      const isClass = /\bclass \w/.test(line);
      return isClass && method !== undefined ? `${declared}.${method}` : declared;
    }
    if (i === at || method !== undefined) continue;
    const found = METHOD.exec(line)?.[1];
    if (found !== undefined && !["if", "for", "while", "switch", "return"].includes(found)) {
      method = found;
    }
  }
  return "(module)";
}

/** Finds the callers of a function, by a pattern of the call. */
function callersOf(pattern: RegExp): Caller[] {
  const all = new Map<string, Caller>();
  for (const [file, lines] of sources()) {
    for (const [at, line] of lines.entries()) {
      if (/^\s*(\*|\/\/|\/\*)/.test(line) || !pattern.test(line)) continue;
      const caller = { file, name: around(lines, at) };
      if (caller.name === "(module)") continue; // a type
      all.set(`${file} ${caller.name}`, caller);
    }
  }
  return [...all.values()];
}

/** The prototypes that comments state, by the name of the function. */
function prototypes(): Map<string, string> {
  const text = Deno.readTextFileSync(new URL("src/native/symbols.ts", ROOT));
  const lines = text.match(/^ *\/\/ .*$(?:\n *\/\/ .*$)*/gm) ?? [];
  return new Map(lines.flatMap((comment) => {
    const bare = comment.replaceAll(/^ *\/\/ /gm, "").replaceAll(/\s+/g, " ");
    const name = /\b(\w+)\(/.exec(bare)?.[1];
    return name === undefined ? [] : [[name, bare]];
  }));
}

/** The functions of each library, and how calls of them look. */
export const LIBRARIES: readonly {
  readonly title: string;
  readonly lead: string;
  readonly symbols: object;
  pattern(name: string): RegExp;
}[] = [
  {
    title: "native/vring.c",
    lead: "One copy in the process. Results are values or -errno.",
    symbols: LIBRARY_SYMBOLS,
    pattern: (name) => new RegExp(`\\b(${asCalled(name).join("|")})\\b`),
  },
  {
    title: "native/sentinel.c",
    lead: "One copy in each isolate. Its destructor closes what the isolate has left open.",
    symbols: SENTINEL_SYMBOLS,
    pattern: (name) => new RegExp(`\\b${name}\\b`),
  },
  {
    title: "the C library",
    lead: "Only to load the two libraries.",
    symbols: LIBC_SYMBOLS,
    pattern: (name) => new RegExp(`\\blibc\\.${name}\\b`),
  },
];

/** The forms of a name in calls: those that sleep on a thread of Deno's pool have their own. */
function asCalled(name: string): string[] {
  return name in NONBLOCKING ? [name, `${name.replace("vring_", "")}_async`] : [name];
}

/** The text of the table. */
export function symbolsTable(): string {
  const known = prototypes();
  const sections = LIBRARIES.map(({ title, lead, symbols, pattern }) => {
    const rows = Object.keys(symbols).sort().map((name) => {
      const callers = callersOf(pattern(name));
      const byFile = Map.groupBy(callers, ({ file }) => file);
      const shown = [...byFile].map(([file, all]) =>
        `${file.replace("src/", "")}: ${all.map(({ name }) => name).join(", ")}`
      );
      return `| \`${known.get(name) ?? name}\` | ${shown.join("; ") || "NONE"} |`;
    });
    return `## ${title}\n\n${lead}\n\n| function | callers in src/ |\n| --- | --- |\n${
      rows.join("\n")
    }\n`;
  });
  return formatted([
    "# The native functions and their callers\n\nGENERATED by `deno task native`, or without a " +
    "compiler by\n`deno run --allow-read --allow-write --allow-run native/symbols_table.ts`. A test compares " +
    "it with the sources,\nand with what the embedded libraries export. `src/` calls no other native " +
    "function.\n",
    ...sections,
  ].join("\n"));
}

if (import.meta.main) Deno.writeTextFileSync(TABLE, symbolsTable());
