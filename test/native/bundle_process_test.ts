/** The package as one file for runtimes without Deno: it can be imported there, and says what it needs. */

import { assert, assertEquals } from "@std/assert";
import { isMissing } from "./missing.ts";

const ROOT = new URL("../../", import.meta.url);

const NEEDS_DENO = "VringError: Cannot load the native library: this program runs without Deno; " +
  "run it with Deno 2.5.0 or newer on Linux, with --allow-ffi";

/** The package, bundled for browsers. */
async function bundle(): Promise<{ path: string } & Disposable> {
  const path = Deno.makeTempFileSync({ suffix: ".mjs" });
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", "--output", path, "mod.ts"],
    cwd: ROOT,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return { path, [Symbol.dispose]: () => Deno.removeSync(path) };
}

/** Fails unless what needs no system works, and everything else says that it needs Deno. */
function check(said: Record<string, unknown>): void {
  const { struct, json, definition, ...others } = said;
  assertEquals([struct, json, definition], [8, true, "first"], JSON.stringify(said));
  for (const [use, message] of Object.entries(others)) {
    assertEquals([use, message], [use, NEEDS_DENO]);
  }
  assertEquals(Object.keys(others).length, 20);
}

Deno.test("mod.ts, bundled, is imported without Deno, and each first use says that it needs it", async () => {
  using file = await bundle();
  const worker = new Worker(new URL("./worker_browser.ts", import.meta.url), { type: "module" });
  const next = () =>
    new Promise<unknown>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  assertEquals(await next(), "ready");
  worker.postMessage(`file://${file.path}`);
  check(await next() as Record<string, unknown>);
  worker.terminate();
});

Deno.test("the package is imported without a look at Deno: nothing is read, asked or started", async () => {
  const program = `
    const { Deno } = globalThis;
    const looks = [];
    const value = new Proxy(Deno, { get: (_, key) => (looks.push(key), Deno[key]) });
    Object.defineProperty(globalThis, "Deno", { value });
    globalThis.Deno.pid; // is seen
    for (const entry of ["mod", "signatures", "src/testing/mod"]) {
      await import("${ROOT}" + entry + ".ts");
    }
    console.log(JSON.stringify(looks));
  `;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
  }).output();
  assertEquals(new TextDecoder().decode(stdout), `["pid"]\n`);
});

/** Whether this Node does not know `using`, which the sources are written with; tells so. */
function isOldNode(): boolean {
  if (isMissing("node")) return true;
  const args = ["--eval", "{ using nothing = null; }"];
  const { success } = new Deno.Command("node", { args, stderr: "null" }).outputSync();
  if (!success) console.warn("not tested in Node: it is older than 24, which knows `using`");
  return !success;
}

Deno.test({
  name: "mod.ts, bundled, is imported by Node, and each first use says that it needs Deno",
  ignore: isOldNode(),
  async fn() {
    using file = await bundle();
    const program = `
      import { firstUses } from "${new URL("./first_uses.js", import.meta.url)}";
      console.log(JSON.stringify(await firstUses("file://${file.path}")));
    `;
    const { stdout, stderr } = await new Deno.Command("node", {
      args: ["--input-type=module", "--eval", program],
    }).output();
    const said = new TextDecoder().decode(stdout);
    assert(said !== "", new TextDecoder().decode(stderr));
    check(JSON.parse(said));
  },
});
