/**
 * Builds the native library and its sentinel for both architectures and embeds them, as base64,
 * into `src/native/prebuilt.ts`. Writes the layouts of shared memory into `native/vring_layout.h`,
 * for programs in C, and into `native/LAYOUTS.md`, for people; the callers of the native functions
 * into `native/SYMBOLS.md`, and the hashes of the libraries into `README.md`. With `--check` it only
 * compares, and exits with 1 on a difference.
 *
 * The result is the same byte for byte wherever the pinned compiler runs. It has no build id, no
 * paths, no time, and no section headers (the loader of the C library does not read them).
 *
 * @module
 */

import { formatted } from "./formatted.ts";
import { symbolsTable, TABLE } from "./symbols_table.ts";
import { type AnyLayout, layout } from "../src/layout/layout.ts";
import { HEADER_VERSIONS, REGION_HEADER, type RegionType } from "../src/region/header.ts";
import { SLOT, SLOT_CONTROL, SLOT_ENTRY } from "../src/babus/slot_words.ts";
import { CIRCULAR_BUFFER, CIRCULAR_BUFFER_CONTROL } from "../src/circular/circular_buffer.ts";
import { LANE } from "../src/lane/lane.ts";
import { MPSC, MPSC_CONTROL } from "../src/mpsc/mpsc.ts";
import { CALLS_CONTROL, CALLS_REGION } from "../src/calls/calls.ts";
import { ORIGIN } from "../src/origin.ts";
import { SPSC, SPSC_CONTROL } from "../src/spsc/spsc.ts";
import { RW_LOCK, RW_LOCK_CONTROL, RW_SEAT } from "../src/shared/rw_queue.ts";
import { SHARED_MEMORY, SHARED_MEMORY_CONTROL } from "../src/shared/shared_memory.ts";
import { SOURCES, SOURCES_CONTROL } from "../src/vdds/sources.ts";
import { TOPIC } from "../src/vdds/vring.ts";
import {
  TOPIC_CONTROL,
  TOPIC_DESCRIPTOR,
  TOPIC_DETAIL,
  TOPIC_READER,
} from "../src/vdds/vring_layout.ts";
import { HALL } from "../src/wait/hall.ts";

/** Every layout of shared memory, in the order of the documentation. */
const LAYOUTS: readonly (AnyLayout & { toMarkdown(): string })[] = [
  REGION_HEADER,
  SHARED_MEMORY_CONTROL,
  RW_SEAT,
  RW_LOCK_CONTROL,
  CIRCULAR_BUFFER_CONTROL,
  LANE,
  SPSC_CONTROL,
  MPSC_CONTROL,
  CALLS_CONTROL,
  ORIGIN,
  TOPIC_CONTROL,
  TOPIC_READER,
  TOPIC_DESCRIPTOR,
  TOPIC_DETAIL,
  SOURCES_CONTROL,
  SLOT_CONTROL,
  SLOT_ENTRY,
  HALL,
];

/** Every type of region. */
const REGION_TYPES: readonly RegionType[] = [
  SHARED_MEMORY,
  RW_LOCK,
  CIRCULAR_BUFFER,
  SPSC,
  MPSC,
  CALLS_REGION,
  TOPIC,
  SOURCES.regionType,
  SLOT,
];

/** The only version whose output is compared; others may generate other code. */
const COMPILER_VERSION = "12.2.0";

const COMPILERS = {
  x86_64: ["x86_64-linux-gnu-gcc"],
  aarch64: ["aarch64-linux-gnu-gcc", "-mno-outline-atomics"],
} as const;

// deno-fmt-ignore
const FLAGS = [
  "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Os", "-shared", "-fPIC", "-nostdlib", "-s",
  "-fvisibility=hidden", "-fno-stack-protector", "-fno-unwind-tables",
  "-fno-asynchronous-unwind-tables", "-fno-builtin", "-fno-ident", "-fno-plt",
  "-Wl,-z,norelro,-z,noseparate-code,-z,noexecstack,--build-id=none,--hash-style=gnu,--no-undefined",
];

const NATIVE = new URL("./", import.meta.url);
const PREBUILT = new URL("../src/native/prebuilt.ts", import.meta.url);
const C_HEADER = new URL("vring_layout.h", NATIVE);
const TABLES = new URL("LAYOUTS.md", NATIVE);
const README = new URL("../README.md", import.meta.url);

/** One of the two supported processors. */
export type Architecture = keyof typeof COMPILERS;

/** What the embedded module holds for one architecture. */
export interface Built {
  /** The library itself, base64. */
  library: string;
  /** The per-isolate sentinel, base64. */
  sentinel: string;
}

/** Returns why the compiler of an architecture cannot be used here, or undefined if it can. */
export function compilerProblem(architecture: Architecture): string | undefined {
  const compiler = COMPILERS[architecture][0];
  let version: string;
  try {
    const { stdout } = new Deno.Command(compiler, { args: ["-dumpfullversion"] }).outputSync();
    version = new TextDecoder().decode(stdout).trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `${compiler} is not installed`;
  }
  if (version === COMPILER_VERSION) return undefined;
  return `${compiler} is version ${version}, and ${COMPILER_VERSION} made the embedded bytes`;
}

/** Returns the name by which a second isolate finds the library that the first one loaded. */
export function soname(): string {
  let hash = 0xcbf29ce484222325n;
  const main = Deno.readTextFileSync(new URL("vring.c", NATIVE));
  const parts = [...main.matchAll(/^#include "(.+)"/gm)].map(([, file]) => file!);
  for (const file of [...parts, "vring.c"]) {
    for (const byte of Deno.readFileSync(new URL(file, NATIVE))) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    }
  }
  return `libvring-${hash.toString(16).padStart(16, "0")}.so`;
}

/** Compiles both libraries for one architecture. */
export function build(architecture: Architecture): Built {
  const [compiler, ...extra] = COMPILERS[architecture];
  const compile = (source: string, link: string[]) => {
    const output = Deno.makeTempFileSync({ suffix: ".so" });
    try {
      const args = [...FLAGS, ...extra, ...link, "-o", output, source];
      const { success, stderr } = new Deno.Command(compiler, { args, cwd: NATIVE }).outputSync();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
      return withoutSectionHeaders(Deno.readFileSync(output)).toBase64();
    } finally {
      Deno.removeSync(output);
    }
  };
  return {
    library: compile("vring.c", [`-Wl,-z,nodelete,-soname,${soname()}`]),
    sentinel: compile("sentinel.c", []),
  };
}

/** Cuts off the section headers at the end of the file: only linkers and debuggers read them. */
function withoutSectionHeaders(elf: Uint8Array<ArrayBuffer>): Uint8Array {
  const view = new DataView(elf.buffer);
  const programHeaders = Number(view.getBigUint64(32, true));
  let end = 0;
  for (let i = 0; i < view.getUint16(56, true); i++) {
    const header = programHeaders + i * view.getUint16(54, true);
    const offset = Number(view.getBigUint64(header + 8, true));
    end = Math.max(end, offset + Number(view.getBigUint64(header + 32, true)));
  }
  view.setBigUint64(40, 0n, true); // e_shoff
  view.setUint16(60, 0, true); // e_shnum
  view.setUint16(62, 0, true); // e_shstrndx
  return elf.subarray(0, end);
}

function moduleText(built: Record<Architecture, Built>): string {
  const entry = (architecture: Architecture) =>
    `  ${architecture}: {\n    library:\n      "${built[architecture].library}",\n` +
    `    sentinel:\n      "${built[architecture].sentinel}",\n  },\n`;
  return `/**
 * GENERATED from native/ by \`deno task native\`: the native libraries, as base64.
 *
 * @module
 */

// deno-fmt-ignore-file

/** The name under which another isolate of the process finds the loaded library. */
export const SONAME = "${soname()}";

/** Both libraries for each supported architecture. */
export const PREBUILT: Record<"x86_64" | "aarch64", { library: string; sentinel: string }> = {
${entry("x86_64")}${entry("aarch64")}};
`;
}

function tables(): string {
  const sections = LAYOUTS.map((layout) => `## ${layout.name}\n\n${layout.toMarkdown()}`);
  const lead =
    "GENERATED by `deno task native` from the declarations in src/. A region begins with" +
    "\nthe region_header; the control block of its type follows it, then its description as JSON, and" +
    "\nthe data begins on the next page. Programs in C include vring_layout.h.";
  const parts = [`# The layouts of shared memory\n\n${lead}`, formats(), ...sections];
  return `${parts.join("\n\n")}\n`;
}

/** Describes the formats of all regions, and how they change. */
function formats(): string {
  const versions = HEADER_VERSIONS.map((brings, index) => `| ${index + 1} | ${brings} |`);
  const kinds = REGION_TYPES.map(({ name, title, control, features }) => {
    const names = Object.entries(features ?? {}).flatMap(([word, bits]) =>
      Object.entries(bits).map(([feature, bit]) => `${feature} (${word} bit ${bit})`)
    );
    const hash = control.hash.toString(16).padStart(16, "0");
    return `| ${name} | ${title ?? ""} | ${hash} | ${names.join(", ") || "none"} |`;
  });
  return `## Formats

A program opens a region only if the header has the version that it writes itself. It refuses a
control block with another hash, and an incompatible feature that it does not know. It ignores
compatible features and parts of the description that it does not know.

| header version | adds |
| --- | --- |
${versions.join("\n")}

| kind | region | hash of the control block | features |
| --- | --- | --- | --- |
${kinds.join("\n")}`;
}

/** Returns the files that are generated from the layouts alone, without a compiler. */
export function layoutFiles(): [URL, string][] {
  return [
    [C_HEADER, layout.toCHeader(LAYOUTS, "VRING_LAYOUT_H")],
    [TABLES, formatted(tables())],
  ];
}

/** The lines of README.md that name the embedded libraries stand between these. */
const MARKS = ["<!-- GENERATED by `deno task native` -->\n", "<!-- until here -->\n"] as const;

/** Returns README.md with the names and the SHA-256 of these libraries. */
export async function readmeWith(built: Record<Architecture, Built>): Promise<string> {
  const text = Deno.readTextFileSync(README);
  const [start, end] = [text.indexOf(MARKS[0]), text.indexOf(MARKS[1])];
  if (start < 0 || end < start) throw new Error("README.md has no place for the libraries");
  const rows = await Promise.all(
    Object.entries(built).flatMap(([architecture, { library, sentinel }]) =>
      [[soname(), library], ["the sentinel", sentinel]].map(async ([name, base64]) => {
        const bytes = Uint8Array.fromBase64(base64!);
        const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
        return `| \`${name}\` | ${architecture} | ${bytes.length} | \`${hash}\` |`;
      })
    ),
  );
  const lines = [
    "| library | processor | bytes | SHA-256 |",
    "| --- | --- | ---: | --- |",
    ...rows,
  ];
  const before = text.slice(0, start + MARKS[0].length);
  return formatted(`${before}\n${lines.join("\n")}\n\n${text.slice(end)}`);
}

async function main(checkOnly: boolean): Promise<number> {
  for (const architecture of ["x86_64", "aarch64"] as const) {
    const problem = compilerProblem(architecture);
    if (problem === undefined) continue;
    console.error(`Cannot build for ${architecture}: ${problem}`);
    return 2;
  }
  const built = { x86_64: build("x86_64"), aarch64: build("aarch64") };
  for (const [architecture, { library, sentinel }] of Object.entries(built)) {
    const bytes = [library, sentinel].map((base64) => Uint8Array.fromBase64(base64).length);
    console.log(`${architecture}: library ${bytes[0]} bytes, sentinel ${bytes[1]} bytes`);
  }
  let different = 0;
  const files: [URL, string][] = [
    [PREBUILT, moduleText(built)],
    ...layoutFiles(),
    [TABLE, symbolsTable()],
    [README, await readmeWith(built)],
  ];
  for (const [file, text] of files) {
    if (!checkOnly) Deno.writeTextFileSync(file, text);
    else if (Deno.readTextFileSync(file) !== text) {
      console.log(`DIFFERENT: ${file.pathname.split("/").slice(-2).join("/")}; run the task`);
      different++;
    }
  }
  if (checkOnly && different === 0) {
    console.log("The generated files match native/ and src/");
  }
  return different === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args.includes("--check")));
