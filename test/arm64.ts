/**
 * Runs the tests that depend on the processor on aarch64, under qemu. They are not type checked
 * again, which takes minutes there. Two things cannot be shown this way: the memory order of a real
 * ARM processor, and `futex_waitv`, which qemu lacks.
 *
 * Run as `deno task test:arm64`; further arguments go to `deno test`.
 *
 * @module
 */

/** The folders of the tests to run. */
const SELECTED = ["test/native", "test/os", "test/memory", "test/region", "test/wait"];

/**
 * Left out: tests that start processes, because qemu cannot start emulated programs; the fuzzing of
 * descriptions, which is the same on every processor and takes minutes here; and the litmus of word
 * order. ARM keeps a store-release (stlr) before a load-acquire (ldar), which the native
 * library relies on; under qemu on x86_64 the litmus sees them out of order.
 */
const LEFT_OUT = [
  /_process_test\.ts$/,
  /layouts_test\.ts$/,
  /description_test\.ts$/,
  /order_test\.ts$/,
];

/** The files to run, in order. */
function selectedFiles(): string[] {
  return SELECTED.flatMap((folder) =>
    [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`)
      .filter((path) => path.endsWith("_test.ts") && !LEFT_OUT.some((rule) => rule.test(path)))
      .sort()
  );
}

const EMULATOR = "qemu-aarch64";
const SYSTEM = "/usr/aarch64-linux-gnu";
const VARIABLE = "DENO_ARM64";

/** The problems that keep the tests from running, one line each. */
function problems(binary: string | undefined): string[] {
  const found = SELECTED
    .filter((path) => !exists(path))
    .map((path) => `${path} is selected in test/arm64.ts and does not exist`);
  if (!runs(EMULATOR)) found.push(`${EMULATOR} does not run: apt-get install qemu-user`);
  if (!exists(`${SYSTEM}/lib/ld-linux-aarch64.so.1`)) {
    found.push(`${SYSTEM} has no C library: apt-get install libc6-dev-arm64-cross`);
  }
  if (binary === undefined || !exists(binary)) {
    const wrong = binary === undefined ? "is not set" : `names no file ("${binary}")`;
    const version = Deno.version.deno;
    found.push(
      `${VARIABLE} ${wrong}: it must be the path of a Deno for aarch64, which is had by`,
      `  npm pack @deno/linux-arm64-glibc@${version}`,
      `  tar -xzf deno-linux-arm64-glibc-${version}.tgz`,
      `  export ${VARIABLE}="$PWD/package/deno"`,
    );
  }
  return found;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function runs(command: string): boolean {
  try {
    return new Deno.Command(command, { args: ["--version"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function main(): Promise<number> {
  const binary = Deno.env.get(VARIABLE);
  const found = problems(binary);
  if (binary === undefined || found.length > 0) {
    console.error(["Cannot run the tests on aarch64", ...found].join("\n"));
    return 1;
  }
  const options = ["test", "--allow-all", "--no-check", ...Deno.args];
  const args = ["-L", SYSTEM, binary, ...options, ...selectedFiles()];
  console.log(`${EMULATOR} ${args.join(" ")}`);
  return (await new Deno.Command(EMULATOR, { args }).spawn().status).code;
}

Deno.exit(await main());
