/**
 * Builds the native library and its sentinel for both architectures and embeds them, as base64,
 * into `src/native/prebuilt.ts`. With `--check` it only compares, and exits with 1 on a difference.
 *
 * The result is the same byte for byte wherever the pinned compiler runs: no build id, no paths,
 * no time, and no section headers (the loader of the C library does not read them).
 *
 * @module
 */

/** The only version whose bytes are compared; others may well generate other code. */
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
const OUTPUT = new URL("../src/native/prebuilt.ts", import.meta.url);

/** One of the two supported processors. */
export type Architecture = keyof typeof COMPILERS;

/** What the embedded module holds for one architecture. */
export interface Built {
  /** The library itself, base64. */
  library: string;
  /** The per-isolate sentinel, base64. */
  sentinel: string;
}

/** Why the compiler of an architecture cannot be used here, or undefined if it can. */
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

/** The name by which a second isolate finds the library that the first one loaded. */
export function soname(): string {
  let hash = 0xcbf29ce484222325n;
  for (const file of ["syscall.h", "vring.c"]) {
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

/** Only linkers and debuggers read section headers; at the end of the file, they are cut off. */
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

/** The name under which a loaded library is found again by another isolate of the process. */
export const SONAME = "${soname()}";

/** Both libraries for each supported architecture. */
export const PREBUILT: Record<"x86_64" | "aarch64", { library: string; sentinel: string }> = {
${entry("x86_64")}${entry("aarch64")}};
`;
}

function main(checkOnly: boolean): number {
  for (const architecture of ["x86_64", "aarch64"] as const) {
    const problem = compilerProblem(architecture);
    if (problem === undefined) continue;
    console.error(`Cannot build for ${architecture}: ${problem}`);
    return 2;
  }
  const built = { x86_64: build("x86_64"), aarch64: build("aarch64") };
  const text = moduleText(built);
  for (const [architecture, { library, sentinel }] of Object.entries(built)) {
    const bytes = [library, sentinel].map((base64) => Uint8Array.fromBase64(base64).length);
    console.log(`${architecture}: library ${bytes[0]} bytes, sentinel ${bytes[1]} bytes`);
  }
  if (checkOnly) {
    const same = Deno.readTextFileSync(OUTPUT) === text;
    console.log(same ? "The embedded bytes are what native/ builds" : "DIFFERENT: run the task");
    return same ? 0 : 1;
  }
  Deno.writeTextFileSync(OUTPUT, text);
  return 0;
}

if (import.meta.main) Deno.exit(main(Deno.args.includes("--check")));
