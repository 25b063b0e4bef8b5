/**
 * `deno task learn` as it is run: with the rights that its task gives it, in a browser's place and in
 * a terminal.
 */

import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import { CHAPTERS } from "../../tutorials/stage/chapters.ts";
import { hasTerminal, sharedFiles } from "../program.ts";

const ROOT = new URL("../../", import.meta.url);

/** A workshop of this test, in the only folder that the task may write. */
const MINE = `test-${Deno.pid}`;

function removeWorkshop(): void {
  Deno.removeSync(new URL(`tutorials/mine/${MINE}`, ROOT), { recursive: true });
}

/** The arguments of `deno` in the task, without the name of the program. */
function flags(): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT)));
  const [deno, run, ...rest] = (tasks.learn.command as string).split(" ");
  assertEquals([deno, run], ["deno", "run"]);
  return ["run", "--no-prompt", ...rest, "--mine", MINE];
}

Deno.test("the task has the rights that it promises, and they are enough", async () => {
  const args = flags();
  assertEquals(args.filter((arg) => arg.startsWith("--allow")), [
    "--allow-ffi",
    "--allow-net=127.0.0.1",
    "--allow-run=deno",
    "--allow-read=.",
    "--allow-write=tutorials/mine",
  ]);
  const child = new Deno.Command("deno", { args, cwd: ROOT, stdout: "piped", stderr: "piped" })
    .spawn();
  let printed = "";
  const out = child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  while (!printed.includes("Ctrl-C")) {
    const { value, done } = await out.next();
    assert(!done, printed);
    printed += value;
  }
  const address = new URL(/http:\S+/.exec(printed)![0]);
  assertEquals(address.hostname, "127.0.0.1");
  const first = await fetch(address, { redirect: "manual" });
  await first.body?.cancel();
  const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
  const course = await fetch(`${address.origin}/api/course`, { headers: { cookie } });
  assertEquals((await course.json()).chapters.length, CHAPTERS.length);
  const page = await fetch(`${address.origin}/stage/page/main.ts`, { headers: { cookie } });
  assertStringIncludes(await page.text(), "addEventListener");
  const play = async () =>
    await (await fetch(`${address.origin}/play/`, { headers: { cookie } })).text();
  const building = await play(); // nothing is built in a fresh clone
  assertStringIncludes(building, "KB  play/worker.js");
  assertStringIncludes(building, "location.reload()");
  assertStringIncludes(await play(), "<h1>Be the scheduler</h1>");
  const step = await fetch(`${address.origin}/api/step`, {
    method: "POST",
    headers: { cookie, origin: address.origin },
    body: JSON.stringify({ tab: "test", chapter: 1, step: 5, answer: 1 }),
  });
  assertEquals((await step.json()).verdict.right, true);
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0);
  await out.return?.();
  removeWorkshop();
  assertEquals(await new Response(child.stderr).text(), "");
});

Deno.test({
  name: "a terminal that hangs up leaves nothing in shared memory",
  ignore: !hasTerminal,
  fn: async () => {
    const command = ["deno", ...flags(), "--term", "8/first"].map((word) => `'${word}'`).join(" ");
    const script = new Deno.Command("/usr/bin/script", {
      args: ["-qec", `stty cols 80 rows 24; ${command}`, "/dev/null"],
      cwd: ROOT,
      stdin: "piped",
      stdout: "null",
    }).spawn();
    const name = `learn-8-${MINE}`;
    const until = async (isSo: () => boolean) => {
      for (const end = performance.now() + 60_000; !isSo(); await delay(10)) {
        assert(performance.now() < end, `${isSo}`);
      }
    };
    await until(() => sharedFiles(name).length > 0);
    script.kill("SIGKILL"); // the kernel hangs up
    await until(() => sharedFiles(name).length === 0);
    await script.status;
    await script.stdin.abort();
  },
});

/** The course in a terminal of 80 columns and 24 rows. */
class Screen {
  readonly #script: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #out: AsyncIterator<string>;
  /** A screen that never comes ends it. */
  readonly #limit: ReturnType<typeof setTimeout>;
  seen = "";

  constructor(place: string) {
    const command = ["deno", ...flags(), "--term", place].map((word) => `'${word}'`).join(" ");
    this.#script = new Deno.Command("/usr/bin/script", {
      args: ["-qec", `stty cols 80 rows 24; ${command}`, "/dev/null"],
      cwd: ROOT,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#limit = setTimeout(() => this.#script.kill(), 180_000);
    this.#input = this.#script.stdin.getWriter();
    this.#out = this.#script.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  }

  /** Waits until the last screen that was drawn shows something. */
  async until(shows: RegExp): Promise<void> {
    const lastScreen = () =>
      stripVTControlCharacters(this.seen.slice(this.seen.lastIndexOf("\x1b[H")));
    const isWhole = () => this.seen.indexOf("\x1b[J", this.seen.lastIndexOf("\x1b[H")) !== -1;
    while (!isWhole() || !shows.test(lastScreen())) {
      const { value, done } = await this.#out.next();
      assert(!done, `${shows} does not come: ${lastScreen()}`);
      this.seen += value;
    }
    const lines = lastScreen().split(/\r*\n/);
    assertEquals([lines.length, lines.filter((line) => [...line].length > 80)], [24, []]);
  }

  press(keys: string): Promise<void> {
    return this.#input.write(new TextEncoder().encode(keys));
  }

  async quit(): Promise<void> {
    await this.press("q");
    while (!(await this.#out.next()).done);
    assertEquals((await this.#script.status).code, 0);
    clearTimeout(this.#limit);
    await this.#input.close().catch(() => {});
    removeWorkshop();
  }
}

Deno.test({
  name: "--term redraws a screen of 80 columns and 24 rows, steps, goes back and jumps",
  ignore: !hasTerminal,
  fn: async () => {
    const screen = new Screen("1/2");
    await screen.until(/step 2 of 21[^]*page = pageSize\(\)/);
    await screen.press("\x1b[C");
    await screen.until(/step 3 of 21[^]*readWrite = /);
    await screen.press("\x1b[D");
    await screen.until(/step 2 of 21[^]*\(recorded\)/);
    await screen.press("g5\r");
    await screen.until(/step 5 of 21[^]*1 to 3: answer/);
    await screen.press("2");
    await screen.until(/You said: They end in zeros/);
    await screen.press("g21\r");
    await screen.until(/step 21 of 21[^]*→ exercise/);
    await screen.press("\x1b[C");
    await screen.until(/tutorials\/mine\/.*01_pages.ts[^]*learn check 1[^]*→ chapter 2/);
    await screen.press("\x1b[C");
    await screen.until(/ 2\. [^]*step 1 of/);
    await screen.quit();
    assertStringIncludes(screen.seen, "\x1b[?1049h"); // the other screen, so that the shell stays
  },
});

Deno.test({
  name: "--term stops, continues and kills the process of a card by keys, also while a step runs",
  ignore: !hasTerminal,
  fn: async () => {
    const screen = new Screen("22/2");
    await screen.until(/clerk \d+, asleep[^]*1 to 3: answer[^]*s: signal/);
    await screen.press("s");
    await screen.until(/which process\? 1 process {3}2 clerk {3}Esc: none/);
    await screen.press("2");
    await screen.until(/clerk: {3}s STOP {3}c CONT {3}k KILL/);
    await screen.press("s");
    await screen.until(/clerk \d+, stopped/);
    await screen.press("1");
    await screen.until(/running \.\.\. {3}s: signal {3}q: quit/); // a call waits for the clerk
    await screen.press("s2c");
    await screen.until(/RemoteError: an empty word/);
    await screen.press("s2k");
    await screen.until(/clerk \d+, dead: SIGKILL/);
    await screen.quit();
  },
});
