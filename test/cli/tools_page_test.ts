/** The command lines in the documentation: `vring` understands each of them. */

import { assert, assertEquals } from "@std/assert";
import { vring } from "./vring.ts";

const ROOT = new URL("../../", import.meta.url);

/** The command lines in the blocks of a page, as the shell would split them. */
function commandLines(page: string): string[][] {
  const text = Deno.readTextFileSync(new URL(page, ROOT));
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block!);
  const lines = blocks.flatMap((block) => block.split("\n"));
  return lines.filter((line) => line.startsWith("vring ")).map((line) => {
    const [command] = line.slice("vring ".length).split(/ (?:\|\||\||>|#) ?/);
    return command!.match(/'[^']*'|\S+/g)!.map((word) => word.replaceAll("'", ""));
  });
}

Deno.test("vring understands the command lines of the documentation", async () => {
  const lines = [...commandLines("docs/tools.md"), ...commandLines("docs/bridge.md")];
  assert(lines.length > 15);
  for (const line of lines) {
    const { code, err } = await vring([...line, "--help"]); // parses, and does nothing
    assertEquals([code, err], [0, ""], line.join(" "));
  }
});
