/** The documents that are made from the native library; `deno fmt`, a process, formats them. */

import { assert, assertEquals } from "@std/assert";
import { readmeWith } from "../../native/build.ts";
import { symbolsTable, TABLE } from "../../native/symbols_table.ts";
import { PREBUILT } from "../../src/native/prebuilt.ts";
import { parseElf } from "./elf.ts";

Deno.test("README.md shows the hashes of the embedded libraries", async () => {
  const text = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
  assertEquals(await readmeWith(PREBUILT), text, "run deno task native");
});

Deno.test("native/SYMBOLS.md lists every function that the libraries export, with its callers", () => {
  const text = Deno.readTextFileSync(TABLE);
  assertEquals(symbolsTable(), text, "run native/symbols_table.ts, as native/SYMBOLS.md says");
  const exported = Object.values(PREBUILT.x86_64).flatMap((base64) =>
    parseElf(Uint8Array.fromBase64(base64)).exported
  );
  for (const name of exported) assert(text.includes(` ${name}(`), name);
  assert(!text.includes("NONE"), "a function has no caller");
});
