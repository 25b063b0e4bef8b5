/** The headers generated from the layouts match them, and C agrees. */

import { assertEquals } from "@std/assert";
import { layoutFiles } from "../../native/build.ts";

Deno.test("native/vring_layout.h and LAYOUTS.md are generated from the layouts", async () => {
  for (const [file, text] of layoutFiles()) {
    assertEquals(await Deno.readTextFile(file), text, "run `deno task native`");
  }
});

const COMPILER = "gcc";

function hasCompiler(): boolean {
  try {
    return new Deno.Command(COMPILER, { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.warn(`native/vring_layout.h is not compiled: ${COMPILER} is not installed`);
    return false;
  }
}

Deno.test({
  name: "native/vring_layout.h compiles, with every offset asserted",
  ignore: !hasCompiler(),
  async fn() {
    const [[header]] = layoutFiles() as [[URL, string]];
    const args = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c"];
    const { success, stderr } = await new Deno.Command(COMPILER, {
      args: [...args, header.pathname],
    }).output();
    assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
  },
});
