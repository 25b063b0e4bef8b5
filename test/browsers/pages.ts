/**
 * The static pages, built once for all tests.
 *
 * @module
 */

import { assert } from "@std/assert";

const BUILDER = new URL("../../tutorials/stage/play/build.ts", import.meta.url).pathname;

/** Builds the static pages into a folder that is gone at the end, and returns its path. */
export async function builtPages(): Promise<string> {
  const folder = await Deno.makeTempDir();
  addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", BUILDER, folder],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return folder;
}
