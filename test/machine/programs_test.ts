/** Runs the programs of the machine as a reader would, without any permission. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { assertFits } from "../program.ts";

const ROOT = new URL("../../", import.meta.url);

async function run(...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  const out = new TextDecoder().decode(stdout);
  assertFits(out);
  return out;
}

const RING = ["--import-map", "tutorials/machine/import_map.json", "tutorials/machine/ring.ts"];

Deno.test("the ring of the library passes messages through page tables, and faults without one", async () => {
  const out = await run(...RING);
  assertMatch(
    out,
    /\n {2}0x40001000 ---> frame 0x0000(\w{4}) {2}\(a synonym\)\n.*0000\1 {2}\(a syn/,
  );
  assertMatch(out, /\n500 messages sent and received; 1\d crossed the seam in one piece\n/);
  assertMatch(out, /second-level entry 2, at 0x\w+: 0x\w+/);
  assertMatch(out, /Cannot store at 0x40002000: entry 2 of the second-level\s+table/);
});

Deno.test("the ring of the library passes messages through sections of 1 MiB", async () => {
  const out = await run(...RING, "sections");
  assertMatch(out, /\n8000 messages sent and received; 1 crossed the seam in one piece\n/);
  assertMatch(out, /section 0x00200000, domain 0, privileged rw, user rw/);
  assertMatch(out, /Cannot store at 0x40200000: entry 1026/);
});

Deno.test("the tour shows synonyms, a stale TLB, permissions and domains", async () => {
  const pages = await run("tutorials/machine/tour.ts");
  assertStringIncludes(pages, "loaded: 0x00001234, from the old frame");
  assertStringIncludes(pages, "and after the page was invalidated: 0x00000000");
  assertEquals(pages.match(/Fault: /g)?.length, 3);
  const sections = await run("tutorials/machine/tour.ts", "sections");
  assertStringIncludes(sections, "domain 5 gives no access");
});
