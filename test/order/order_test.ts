/** Runs the programs of tutorials/order as a reader would. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { assertFits } from "../program.ts";

const ROOT = new URL("../../", import.meta.url);

async function run(program: string, ...args: string[]) {
  const allowed = program === "store_buffering"
    ? ["--allow-ffi", "--allow-run"]
    : ["--allow-read", "--allow-write", "--allow-run"];
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      ...allowed,
      `tutorials/order/${program}.ts`,
      ...args,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  assertFits(new TextDecoder().decode(stdout));
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("store buffering: the exchange forbids that neither side sees the other", async () => {
  const { code, out, err } = await run("store_buffering", "--rounds", "1000");
  assertEquals([code, err], [0, ""]);
  const counts = [...out.matchAll(/^ {2}(?:both|only|neither).* (\d+)$/gm)].map(([, n]) =>
    Number(n)
  );
  assertEquals(counts.length, 8);
  const played = [...out.matchAll(/(\d+) rounds:$/gm)].map(([, n]) => Number(n));
  const sums = [0, 4].map((from) => counts.slice(from, from + 4).reduce((a, b) => a + b));
  assertEquals(played, sums);
  assert(played.every((rounds) => rounds > 0 && rounds <= 1000), `${played}`);
  assertEquals(counts[7], 0);
  const said = counts[3] === 0
    ? "This machine did not show it now."
    : `Neither saw the other ${Math.round(counts[3]! / played[0]! * 1e6)} times in a million`;
  assertStringIncludes(out, said);
});

Deno.test("store buffering: a number of rounds below 1 is refused", async () => {
  const { code, err } = await run("store_buffering", "--rounds", "0");
  assertEquals([code, err.startsWith("Cannot count: pass --rounds")], [2, true]);
});

Deno.test("message passing: the explorer finds the torn read without the barrier", async () => {
  const { code, out, err } = await run("torn_read", "broken");
  assertEquals([code, err], [0, ""]);
  assertMatch(
    out,
    /\n {2}- const oldest = copyOutThenLoad\(.*\n {2}\+ const oldest = copyOutThenAc/,
  );
  assertMatch(out, /\d runs, [\d,]+ states: a defect\n/);
  const steps = out.split("\n").filter((line) => /^ {2}(reader|writer) {2}/.test(line));
  assertMatch(steps[0]!, /reader {2}copy out/);
  assert(steps.some((step) => /writer {2}copy in/.test(step)), out);
  assertMatch(steps.at(-2)!, /reader {2}copy out/);
  assertMatch(steps.at(-1)!, /reader {2}oldest load -> \d+ \(served early\)/);
});

Deno.test("message passing: a reader's own edit of the shipped source is searched", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/mine/cursor.ts`;
    const copied = await run("torn_read", "copy", file);
    assertEquals([copied.code, copied.err], [0, ""]);
    const source = await Deno.readTextFile(file);
    const edited = source
      .replace(
        "const oldest = copyOutThenLoad(mapping, start, target, length, word);",
        [
          "copyOut(mapping, start, target, length);",
          "const oldest = word.load();",
        ].join("\n"),
      )
      .replace("import { copyOutThenLoad", "import { copyOut");
    assert(
      !edited.includes("copyOutThenLoad("),
      "the source has changed; so must the program's advice",
    );
    await Deno.writeTextFile(file, edited);
    const { code, out, err } = await run("torn_read", "mine", file);
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, "a defect");
    assertEquals((await run("torn_read", "copy", file)).code, 1); // it overwrites nothing
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
