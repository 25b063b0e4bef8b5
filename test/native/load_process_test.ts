import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PREBUILT } from "../../src/native/prebuilt.ts";
import { Child, type ChildOptions } from "../os/child.ts";
import { isMissing } from "./missing.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { ScratchFile } from "../os/scratch.ts";
import { NO_ROOT } from "../shared/processes.ts";

const ROOT = new URL("../../", import.meta.url);
const PROGRAM = new URL("./child_load.ts", import.meta.url);
const BINARIES = PREBUILT[Deno.build.arch as keyof typeof PREBUILT];

/** The output of a program, which must end successfully and without errors. */
async function told(
  program: URL | string,
  args: string[],
  options: ChildOptions = {},
): Promise<unknown[]> {
  await using child = new Child(program, { ...options, args });
  const { code, lines, stderr } = await child.ending();
  assertEquals([code, stderr, lines.length], [0, "", 1]);
  return JSON.parse(lines[0]!);
}

/** A file that holds these bytes. */
function fileOf(bytes: Uint8Array): ScratchFile {
  const file = new ScratchFile(0);
  Deno.writeFileSync(file.path, bytes);
  return file;
}

function libraryFile(which: "library" | "sentinel"): ScratchFile {
  return fileOf(Uint8Array.fromBase64(BINARIES[which]));
}

Deno.test("the library needs no permission but --allow-ffi", async () => {
  assertEquals(await told(PROGRAM, ["use"]), ["seamless", "seamless"]);
});

for (const flags of [[], ["--allow-ffi=/usr/lib"], ["--allow-read", "--allow-env"]]) {
  const given = flags.length === 0 ? "no permission" : flags.join(" ");
  Deno.test(`with ${given}, the first use names the flag that is missing, not the import`, async () => {
    const [first, second] = await told(PROGRAM, ["use"], { flags });
    assertMatch(
      `${first}`,
      /^VringError: Cannot load the native library: .*run with --allow-ffi, without a path$/,
    );
    assertEquals(second, first);
  });
}

Deno.test("importing loads nothing, even when the permission is there", async () => {
  assertEquals(await told(PROGRAM, ["importOnly"], { flags: ["--allow-all"] }), [false]);
});

Deno.test("the first test of a file that uses the package is not blamed for the library", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--no-check", "--allow-ffi", "child_sanitized.ts"],
    cwd: new URL(".", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stdout);
  assertStringIncludes(said, "ok | 2 passed | 0 failed");
  assertEquals(code, 0);
});

/** What a program says at a terminal where `y` is typed again and again, as a prompt drops old input. */
async function answered(program: URL): Promise<string> {
  // Continuous integration sets DENO_NO_PROMPT, and this is about the prompt.
  const command = `env -u DENO_NO_PROMPT ${Deno.execPath()} run --no-check ${program.pathname} use`;
  const child = new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", command, "/dev/null"],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const keyboard = child.stdin.getWriter();
  const typing = setInterval(() => {
    keyboard.write(new TextEncoder().encode("y\r")).catch(() => {}); // it may have ended
  }, 300);
  const said = await new Response(child.stdout).text();
  clearInterval(typing);
  await child.status;
  await keyboard.close().catch(() => {});
  return said;
}

Deno.test({
  name: "without the flag, the permission is asked for once, and y grants it",
  ignore: isMissing("script"),
  async fn() {
    const said = await answered(PROGRAM);
    assertEquals(said.match(/Deno requests ffi access/g)?.length, 1, said);
    assertStringIncludes(said, '["seamless","seamless"]');
  },
});

Deno.test("where the system allows no memory files, the error has the errno and useLibrary() works", async () => {
  using library = libraryFile("library");
  using sentinel = libraryFile("sentinel");
  using lock = new ScratchFile(0);
  const args = ["withoutMemfd", library.path, lock.path, sentinel.path];
  const [refusal, ...then] = await told(PROGRAM, args);
  if (refusal === undefined) return console.warn("not tested: this system has no seccomp");
  assertMatch(
    `${refusal}`,
    /^OsError: Cannot load the native .* \(memfd_create: EACCES\); .*useLibrary/,
  );
  assertEquals(then, [[true, false]]);
});

Deno.test({
  name: "where there is no /proc, the error has the errno and useLibrary() works",
  ignore: NO_ROOT !== undefined,
  async fn() {
    using library = libraryFile("library");
    using lock = new ScratchFile(0);
    const script = 'mount -t tmpfs none /proc && exec "$@"';
    const wrapper = ["unshare", "--mount", "sh", "-c", script, "sh"];
    const args = ["withoutProc", library.path, lock.path];
    const [refusal, ...then] = await told(PROGRAM, args, { wrapper });
    assertMatch(
      `${refusal}`,
      /^OsError: Cannot load the native .* \(access: ENOENT\); .*useLibrary/,
    );
    assertEquals(then, [[true, false]]);
  },
});

Deno.test("useLibrary() takes a library that was built elsewhere", async () => {
  using library = libraryFile("library");
  using lock = new ScratchFile(0);
  const expected = ["seamless", [true, false], true];
  assertEquals(await told(PROGRAM, ["own", library.path, lock.path]), expected);
});

Deno.test("useLibrary() takes a sentinel that was built elsewhere", async () => {
  using library = libraryFile("library");
  using sentinel = libraryFile("sentinel");
  using lock = new ScratchFile(0);
  const expected = ["seamless", [true, false], true];
  assertEquals(await told(PROGRAM, ["both", library.path, lock.path, sentinel.path]), expected);
});

Deno.test("useLibrary() is refused once the embedded library is in use, which keeps working", async () => {
  using library = libraryFile("library");
  const [before, refusal, after] = await told(PROGRAM, ["late", library.path]);
  assertEquals([before, after], ["seamless", "seamless"]);
  assertStringIncludes(`${refusal}`, "already in use; call it earlier");
});

Deno.test("useLibrary() says why a file cannot be loaded, and takes another one then", async () => {
  using good = libraryFile("library");
  using garbage = fileOf(bytesFrom(0, 5000));
  using sentinel = libraryFile("sentinel"); // a library, but not this one
  const wrong = ["/dev/shm/there-is-no-such-file.so", garbage.path, sentinel.path];
  const reasons = ["No such file", "invalid ELF header", "vring_"];
  for (const [index, path] of wrong.entries()) {
    const [refusal, ...then] = await told(PROGRAM, ["wrong", path, good.path]);
    assertMatch(
      `${refusal}`,
      /^VringError: Cannot load the native library: dlopen was refused for \S*/,
    );
    assertStringIncludes(`${refusal}`, reasons[index]!);
    assertEquals(then, ["seamless", true]);
  }
});

Deno.test("useLibrary() says why a sentinel cannot be loaded, and leaves no fd behind", async () => {
  using library = libraryFile("library");
  using garbage = fileOf(bytesFrom(0, 5000));
  const flags = ["--allow-all"]; // to count the open files
  for (const path of ["/dev/shm/there-is-no-such-file.so", garbage.path]) {
    const args = ["wrongSentinel", library.path, path];
    const [refusal, opened, after] = await told(PROGRAM, args, { flags });
    assertMatch(`${refusal}`, /^(VringError|OsError): Cannot load the native library: /);
    assertEquals([opened, after], [0, "seamless"]);
  }
});

/** Serves the repository's TypeScript as a website would. */
function serveSources(): AsyncDisposable & { url: string; host: string } {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async ({ url }) => {
      const path = new URL(url).pathname;
      if (!/^\/(src|test)\/[\w/]+\.ts$/.test(path)) {
        return new Response(path, { status: 404 });
      }
      const text = await Deno.readTextFile(new URL(`.${path}`, ROOT));
      return new Response(text, { headers: { "content-type": "application/typescript" } });
    },
  );
  const host = `127.0.0.1:${server.addr.port}`;
  return { url: `http://${host}/`, host, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** How to run a program from a website with a cache of its own. */
function fromWebsite(host: string): ChildOptions & Disposable {
  const cache = Deno.makeTempDirSync();
  return {
    flags: ["--allow-ffi", `--allow-import=${host}`, "--no-config", "--no-lock"],
    env: { DENO_DIR: cache },
    [Symbol.dispose]: () => Deno.removeSync(cache, { recursive: true }),
  };
}

Deno.test("the library loads in a program that was imported over http", async () => {
  await using website = serveSources();
  using options = fromWebsite(website.host);
  const program = `${website.url}test/native/child_load.ts`;
  assertEquals(await told(program, ["use"], options), ["seamless", "seamless"]);
});

Deno.test("the library loads in the Workers of a program that was imported over http", async () => {
  await using website = serveSources();
  using options = fromWebsite(website.host);
  const program = `${website.url}test/native/child_workers.ts`;
  assertEquals(await told(program, ["share"], options), [1, 3]);
});

/** Only a program with all permissions can read its open files and mappings. */
const WITH_WORKERS = { flags: ["--allow-all"] };
const WORKERS = new URL("./child_workers.ts", import.meta.url);

Deno.test("two Workers and the main thread share one library and have a sentinel each", async () => {
  assertEquals(await told(WORKERS, ["share"], WITH_WORKERS), [1, 3]);
});

Deno.test("Workers that come and go leave no fd and no sentinel behind", async () => {
  assertEquals(await told(WORKERS, ["comeAndGo"], WITH_WORKERS), [1, 1, 2]);
});

Deno.test("the library lasts when the Worker that loaded it has ended", async () => {
  assertEquals(await told(WORKERS, ["last"], WITH_WORKERS), [0, 1, 1, "used"]);
});
