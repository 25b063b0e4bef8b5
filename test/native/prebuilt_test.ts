import { assert, assertEquals } from "@std/assert";
import { build, compilerProblem, soname } from "../../native/build.ts";
import { PREBUILT, SONAME } from "../../src/native/prebuilt.ts";
import { LIBRARY_SYMBOLS, SENTINEL_SYMBOLS } from "../../src/native/symbols.ts";
import { parseElf } from "./elf.ts";

const LIMIT_BYTES = 14 * 1024;
const MACHINES = { x86_64: 62, aarch64: 183 } as const;

/** The C names of the functions that TypeScript calls. */
function namesOf(symbols: Deno.ForeignLibraryInterface): string[] {
  const names = Object.entries(symbols).map(([key, { name = key }]) => name);
  return [...new Set(names)].sort();
}

Deno.test("the embedded libraries carry the name of the sources they were built from", () => {
  assertEquals(SONAME, soname());
});

for (const architecture of ["x86_64", "aarch64"] as const) {
  const bytes = {
    library: Uint8Array.fromBase64(PREBUILT[architecture].library),
    sentinel: Uint8Array.fromBase64(PREBUILT[architecture].sentinel),
  };

  Deno.test(`the embedded bytes for ${architecture} are what native/ builds`, () => {
    const problem = compilerProblem(architecture);
    if (problem === undefined) assert(same(build(architecture), PREBUILT[architecture]));
    else console.log(`NOT TESTED: the embedded bytes for ${architecture}, as ${problem}`);
  });

  Deno.test(`each library for ${architecture} is smaller than 14 KB`, () => {
    for (const { length } of Object.values(bytes)) {
      assert(1000 < length && length < LIMIT_BYTES, `${length} bytes`);
    }
  });

  Deno.test(`each library for ${architecture} has the functions that are called, and no more`, () => {
    assertEquals(parseElf(bytes.library).exported, namesOf(LIBRARY_SYMBOLS));
    assertEquals(parseElf(bytes.sentinel).exported, namesOf(SENTINEL_SYMBOLS));
  });

  Deno.test(`each library for ${architecture} is built for it and needs no other library`, () => {
    for (const elf of Object.values(bytes).map(parseElf)) {
      assertEquals(elf.machine, MACHINES[architecture]);
      assertEquals([elf.needed, elf.required], [[], []]);
    }
  });

  Deno.test(`each library for ${architecture} suits every page size and leaves the stack alone`, () => {
    for (const elf of Object.values(bytes).map(parseElf)) {
      assertEquals(elf.executableStack, false);
      const largest = architecture === "aarch64" ? 65_536 : 4096;
      assert(elf.alignments.every((alignment) => alignment % largest === 0), `${elf.alignments}`);
    }
  });

  Deno.test(`the library for ${architecture} stays once it is loaded, and the sentinel does not`, () => {
    const [library, sentinel] = [parseElf(bytes.library), parseElf(bytes.sentinel)];
    assertEquals([library.nodelete, sentinel.nodelete], [true, false]);
    assertEquals([library.soname, sentinel.soname], [SONAME, undefined]);
  });
}

type Built = { library: string; sentinel: string };

/** Compared here, as drawing the difference of two long texts takes minutes. */
function same(built: Built, embedded: Built): boolean {
  return built.library === embedded.library && built.sentinel === embedded.sentinel;
}
