/**
 * The explorer, bundled for a browser, counts what it counts in Deno. So nothing that it reaches
 * needs Deno or a module of Node, and the engine leaves asynchronous actors enough time everywhere.
 */

import { createContext, runInContext } from "node:vm";
import { assert, assertEquals } from "@std/assert";

const HERE = new URL("./", import.meta.url).pathname;
const MAP = ["--import-map", `${HERE}import_map.json`];

/** The part of a report that does not depend on the machine's speed. */
interface Counts {
  readonly schedules: number;
  readonly states: number;
  readonly steps: number;
  readonly longest: number;
  readonly exhausted: boolean;
}

function countsOf({ schedules, states, steps, longest, exhausted }: Counts): Counts {
  return { schedules, states, steps, longest, exhausted };
}

async function outputOf(command: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert(success, errors);
  return output!;
}

async function bundled(): Promise<string> {
  const options = ["--quiet", "--platform", "browser", "--format", "iife", ...MAP];
  return await outputOf(Deno.execPath(), ["bundle", ...options, `${HERE}browser_entry.ts`]);
}

/** Explores the scenarios of browser_entry.ts within the same bounds in Deno. */
async function countsInDeno(): Promise<Record<string, Counts>> {
  const bounds = ["--strong", "--preemptions", "1", "--noise", "0"];
  const args = ["run", "--no-check", ...MAP, `${HERE}main.ts`, "--json", ...bounds];
  const output = await outputOf(Deno.execPath(), [...args, "spsc-flow", "doorbell-async"]);
  const reports = output.trim().split("\n").map((line) => JSON.parse(line));
  return Object.fromEntries(reports.map((report) => [report.name, countsOf(report)]));
}

function allCounts(reports: Record<string, Counts>): Record<string, Counts> {
  return Object.fromEntries(Object.entries(reports).map(([name, each]) => [name, countsOf(each)]));
}

/** Runs the bundle where only the language and these few globals of every page exist. */
async function countsInBareContext(bundle: string): Promise<Record<string, Counts>> {
  const globals = {
    AbortController,
    AbortSignal,
    performance,
    setTimeout,
    TextDecoder,
    TextEncoder,
  };
  const context = createContext({ ...globals });
  runInContext("delete globalThis.SharedArrayBuffer", context); // as in most pages
  const absent = "[typeof Deno, typeof process, typeof SharedArrayBuffer].join()";
  assertEquals(runInContext(absent, context), "undefined,undefined,undefined");
  runInContext(bundle, context);
  return await runInContext("explored", context);
}

/** Posts the reports of the bundle, or its first error. */
const PAGE = `<!doctype html><script>
  const post = (body) => fetch("/", { method: "POST", body });
  addEventListener("error", ({ message }) => post(message));
  addEventListener("load", () => explored.then(JSON.stringify, String).then(post));
</script><script src="/script.js"></script>`;

/** Serves the bundle to a headless Chromium, and returns what the page posts. */
async function countsInChromium(path: string, bundle: string): Promise<Record<string, Counts>> {
  const posted = Promise.withResolvers<string>();
  await using stack = new AsyncDisposableStack();
  const server = stack.use(Deno.serve({ port: 0, onListen: () => {} }, async (request) => {
    const [text, type] = request.url.endsWith("script.js")
      ? [bundle, "text/javascript"]
      : [PAGE, "text/html"];
    if (request.method === "POST") posted.resolve(await request.text());
    return new Response(text, { headers: { "content-type": type } });
  }));
  const profile = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(profile, { recursive: true }));
  const options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"];
  const command = new Deno.Command(path, {
    args: [...options, `--user-data-dir=${profile}`, `http://localhost:${server.addr.port}/`],
    env: { HOME: profile, TMPDIR: profile, XDG_CONFIG_HOME: profile }, // all that it leaves
    stdout: "null",
    stderr: "piped",
  });
  const browser = command.spawn();
  // Every process of Chromium has its standard error, which so ends with the last of them.
  const errors = browser.stderr.pipeThrough(new TextDecoderStream());
  const messages = Array.fromAsync(errors).then((parts) => `Chromium ended: ${parts.join("")}`);
  stack.defer(() => messages.then(() => {}));
  stack.use(browser);
  const text = await Promise.race([posted.promise, messages]);
  assert(text.startsWith("{"), text);
  return JSON.parse(text);
}

async function pathOfChromium(): Promise<string | undefined> {
  const args = ["-c", "command -v chromium || true"];
  return (await outputOf("sh", args)).trim() || undefined;
}

Deno.test("the explorer bundled for browsers counts the same without Deno", async (t) => {
  const [expected, bundle, chromium] = await Promise.all([
    countsInDeno(),
    bundled(),
    pathOfChromium(),
  ]);
  assert(Object.values(expected).every(({ exhausted }) => exhausted));
  await t.step("in a bare context", async () => {
    assertEquals(allCounts(await countsInBareContext(bundle)), expected);
  });
  if (chromium === undefined) console.log("Chromium is not installed, so no browser is tried");
  await t.step({
    name: "in Chromium",
    ignore: chromium === undefined,
    fn: async () => {
      assertEquals(allCounts(await countsInChromium(chromium!, bundle)), expected);
    },
  });
});
