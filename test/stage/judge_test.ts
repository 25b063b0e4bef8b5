/**
 * The judge of the stage: an answer that is wrong, crashes, never ends or does not even run has a
 * verdict of its own, and the judge survives it.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { diffOf, moduleComment, withoutModuleComment } from "../../tutorials/stage/diff.ts";
import { judgeFile, type Judgement, type JudgeOptions } from "../../tutorials/stage/judge.ts";

const CHECK = new URL("../../tutorials/01_pages/check.ts", import.meta.url).href;
const FILES = new URL("../../src/os/files.ts", import.meta.url).href;

const CHECK_8 = new URL("../../tutorials/08_shared_memory/check.ts", import.meta.url).href;

/** Judges an answer to exercise 1 with this body. */
function judged(body: string, head = "", options: JudgeOptions = {}): Promise<Judgement> {
  return judgedSource(
    `import { checkPagesTouched } from "${CHECK}";\n${head}
checkPagesTouched((address: number, length: number, page: number): number => { ${body} });\n`,
    options,
  );
}

async function judgedSource(source: string, options: JudgeOptions): Promise<Judgement> {
  const folder = await Deno.makeTempDir();
  const file = new URL(`file://${folder}/answer.ts`);
  await Deno.writeTextFile(file, source);
  try {
    return await judgeFile(file, { types: false, limitMs: 60_000, ...options });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const RIGHT = "return length === 0 ? 0 : " +
  "Math.floor((address + length - 1) / page) - Math.floor(address / page) + 1;";

Deno.test("an answer that passes every check is solved", async () => {
  const { verdict, checks } = await judged(RIGHT);
  assertEquals([verdict, checks.every(({ passed }) => passed)], ["solved", true]);
});

Deno.test("a wrong answer names the check that failed, and why", async () => {
  const { verdict, checks, failure } = await judged("return length === 0 ? 0 : 1;");
  assertEquals(verdict, "wrong");
  assertEquals(checks.filter(({ passed }) => passed).length, 2);
  assertStringIncludes(failure!.message, "the kernel counts 2");
});

Deno.test("an endless answer is ended, and names the check that was running", async () => {
  const { verdict, text } = await judged("for (;;);", "", { limitMs: 700 });
  assertEquals([verdict, text], ["endless", "one page, from its first byte to its last"]);
});

Deno.test("an answer that is ended leaves no file in shared memory", async () => {
  const note = await Deno.makeTempFile();
  const head = `Deno.writeTextFileSync("${note}", \`\${Deno.pid}\`);`;
  const answer = "{ move: () => { for (;;); }, repair: () => {} }";
  const { verdict } = await judgedSource(
    `import { checkMove } from "${CHECK_8}";\n${head}\ncheckMove(${answer});\n`,
    { limitMs: 700, allow: [`--allow-write=${note}`] },
  );
  assertEquals(verdict, "endless");
  const own = new RegExp(`\\b${await Deno.readTextFile(note)}\\b`);
  const names = Array.from(Deno.readDirSync("/dev/shm"), ({ name }) => name);
  assertEquals(names.filter((name) => own.test(name)), []);
  await Deno.remove(note);
});

Deno.test("a file that never comes to its checks is ended, too", async () => {
  const { verdict, checks, text } = await judged(RIGHT, "for (;;);", { startMs: 700 });
  assertEquals([verdict, checks, text], ["endless", [], "the file itself, before any check"]);
});

Deno.test("an answer that crashes names its signal", async () => {
  const read = "new Uint8Array(bufferAt(16, 16))[0]; return length / page;";
  const { verdict, text } = await judged(read, `import { bufferAt } from "${FILES}";`);
  assertEquals([verdict, text?.split(":")[0]], ["crashed", "SIGSEGV"]);
});

Deno.test("a file that leaves early or does not run is not solved", async () => {
  const early = await judged("Deno.exit(0);");
  assertEquals(early.verdict, "broken");
  const throws = await judged(RIGHT, "throw new Error('at the top');");
  assertEquals(throws.verdict, "broken");
  assertStringIncludes(throws.text!, "at the top");
});

Deno.test("a difference has the lines of both, and their common ones once", () => {
  const lines = diffOf("a\nb\nc\n", "a\nx\nc\nd\n");
  assertEquals(lines.map(({ side, text }) => `${side} ${text}`), [
    "both a",
    "mine b",
    "theirs x",
    "both c",
    "theirs d",
  ]);
});

Deno.test("the comment at the top of an exercise is its task", () => {
  const text = "/**\n * Title\n *\n *     code\n *\n * @module\n */\n\nconst a = 1;\n";
  assertEquals(moduleComment(text), "Title\n\n    code");
  assertEquals(withoutModuleComment(text), "const a = 1;\n");
});
