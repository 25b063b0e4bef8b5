/** Runs the programs of the machine as a reader would, without any permission. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { assertFits } from "../program.ts";

const ROOT = new URL("../../", import.meta.url);

async function run(...args: string[]): Promise<string> {
  return await runWith("", ...args);
}

/** Runs a program that reads these lines. */
async function runWith(lines: string, ...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const written = new Response(lines).body!.pipeTo(child.stdin);
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), written]);
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  const out = new TextDecoder().decode(stdout);
  assertFits(out);
  return out;
}

const RING = [
  "--import-map",
  "tutorials/02_page_tables/import_map.json",
  "tutorials/02_page_tables/ring.ts",
];

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

Deno.test("a reader fills in entries, makes synonyms, and sees a stale TLB, in play.ts", async () => {
  const lines = [
    "frame", // 0x2000
    "load 0x400000",
    "map 0x400000 0x2000",
    "map 0x401000 0x2000",
    "store 0x400fff 65",
    "load 0x401fff",
    "map 0x401000 0x5000",
    "load 0x401fff",
    "forget 0x401000",
    "load 0x401fff",
    "map 0x400000 0x2000 kernel",
    "forget",
    "load 0x400fff",
    "kernel",
    "load 0x400fff",
    "load",
    "map 1 0x2000",
    "bogus",
    "domain client",
    "q",
  ];
  const out = await runWith(
    lines.map((line) => `${line}\n`).join(""),
    "tutorials/02_page_tables/play.ts",
  );
  const answers = out.split("\n> ").slice(1).map((answer) => answer.trim());
  const expected: readonly (string | RegExp)[] = [
    "0x00002000",
    /^Cannot load at 0x00400000: entry 1 of the first-level/,
    /^0x00400000 ---> frame 0x00002000$/,
    /synonym\)\n.*synonym\)$/,
    "stored at physical 0x00002fff",
    "65",
    /0x00401000 ---> frame 0x00005000$/,
    "65   (the TLB knew)",
    /^0x00400000 ---> 0x00002000\n/,
    "0",
    /frame 0x00002000/,
    /hits/,
    /the page is for privileged code/,
    "kernel code runs",
    "65",
    "Cannot load: a number is missing; pass one such as 0x400000",
    /^Cannot use 0x00000001 as a page: pass a multiple of/,
    "There is no command bogus; help lists them",
    /only sections have one/,
    "",
  ];
  assertEquals(answers.length, expected.length);
  for (const [i, answer] of answers.entries()) {
    if (typeof expected[i] === "string") assertEquals(answer, expected[i], lines[i]!);
    else assertMatch(answer, expected[i]!, lines[i]!);
  }
});

Deno.test("play.ts with sections has domains", async () => {
  const lines =
    "map 0x40000000 0x100000\ndomain none\nload 0x40000000\ndomain manager\nload 0x40000000\n";
  const out = await runWith(lines, "tutorials/02_page_tables/play.ts", "sections");
  assertStringIncludes(out, "domain 0 gives no access");
  assertMatch(out, /domain 0: manager\n\n> {3}0\n/);
});
