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
  const bounds = ["--preemptions", "1", "--noise", "0"];
  const args = ["run", "--no-check", ...MAP, `${HERE}main.ts`, "--json", ...bounds];
  const output = await outputOf(Deno.execPath(), [...args, "spsc-flow", "doorbell-async"]);
  const reports = output.trim().split("\n").map((line) => JSON.parse(line));
  return Object.fromEntries(reports.map((report) => [report.name, countsOf(report)]));
}

function allCounts(reports: Record<string, Counts>): Record<string, Counts> {
  return Object.fromEntries(Object.entries(reports).map(([name, each]) => [name, countsOf(each)]));
}

/** Runs the bundle where only the language and these few globals of every browser exist. */
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
  const absent = "[typeof Deno, typeof process, typeof require].join()";
  assertEquals(runInContext(absent, context), "undefined,undefined,undefined");
  runInContext(bundle, context);
  return await runInContext("explored", context);
}

/** Serves the bundle to a headless Chromium, which posts its reports. */
async function countsInChromium(path: string, bundle: string): Promise<Record<string, Counts>> {
  const script = `${bundle}
    explored.then(JSON.stringify, String).then((body) => fetch("/", { method: "POST", body }));`;
  const posted = Promise.withResolvers<string>();
  await using server = Deno.serve({ port: 0, onListen: () => {} }, async (request) => {
    if (request.method === "POST") posted.resolve(await request.text());
    else if (request.url.endsWith("script.js")) {
      return new Response(script, { headers: { "content-type": "text/javascript" } });
    }
    const page = '<!doctype html><script src="/script.js"></script>';
    return new Response(page, { headers: { "content-type": "text/html" } });
  });
  const profile = await Deno.makeTempDir();
  const quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"];
  const browser = new Deno.Command(path, {
    args: [...quiet, `--user-data-dir=${profile}`, `http://localhost:${server.addr.port}/`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  const ended = browser.status.then(({ code }) => `Chromium ended with code ${code}`);
  try {
    return JSON.parse(await Promise.race([posted.promise, ended]));
  } finally {
    browser.kill();
    await ended;
    await Deno.remove(profile, { recursive: true });
  }
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
