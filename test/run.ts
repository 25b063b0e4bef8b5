/**
 * Runs all tests and the examples in the documentation, two folders at a time.
 *
 * Many tests wait for other processes, so one core would idle. `deno test --parallel` runs files on
 * threads of one process, where tests that count its files, mappings and threads disturb each other;
 * so each folder has a process of its own here. Types are checked once, before.
 *
 * `deno task test PATH...` runs only those, as `deno test` does.
 *
 * @module
 */

const AT_ONCE = 2;

/** Folders and files that take longest; they begin first, so that none of them ends alone. */
const LONGEST = [
  "test/region",
  "test/contract",
  "test/torture_test.ts",
  "test/explore_test.ts",
  "test/wait",
  "test/examples_demo_test.ts",
];

/**
 * Tests of programs as their readers start them, with the names that they have in shared memory. So
 * another copy of this suite, which may run at the same time, waits for them.
 */
const NAMED = /^(documentation|test\/examples_\w+)/;

const ROOT = new URL("../", import.meta.url);
const TEMPORARY = Deno.env.get("TMPDIR") ?? "/tmp";

/** The tests of one process. */
interface Batch {
  readonly name: string;
  readonly paths: readonly string[];
  readonly flags?: readonly string[];
}

/** How a batch ended. */
interface Ending {
  readonly success: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

/** A batch for each folder under test/, for each test file there, and for the documentation. */
function allBatches(): Batch[] {
  const batches: Batch[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(new URL("test/", ROOT))) {
    const path = `test/${name}`;
    if (isDirectory ? hasTests(path) : name.endsWith("_test.ts")) {
      batches.push({ name: path, paths: [path] });
    }
  }
  const documents = ["README.md", "mod.ts", "src/", "examples/", "tutorials/", "bench/"];
  batches.push({ name: "documentation", paths: documents, flags: ["--doc"] });
  return batches.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

function hasTests(folder: string): boolean {
  return [...Deno.readDirSync(new URL(`${folder}/`, ROOT))].some(({ name, isDirectory }) =>
    isDirectory ? hasTests(`${folder}/${name}`) : name.endsWith("_test.ts")
  );
}

function rank({ name }: Batch): number {
  const index = LONGEST.indexOf(name);
  return index < 0 ? LONGEST.length : index;
}

/** Waits until no other suite runs a batch of this name; then others wait until the disposal. */
async function turnAt(name: string): Promise<Disposable> {
  const path = `${TEMPORARY}/vring-${Deno.uid()}-${name.replaceAll("/", "-")}.lock`;
  const file = await Deno.open(path, { create: true, read: true, write: true });
  await file.lock(true);
  return file; // the kernel unlocks it when it is closed
}

/** Runs a batch and prints what it printed. */
async function run({ name, paths, flags = [] }: Batch): Promise<Ending> {
  using _turn = NAMED.test(name) ? await turnAt(name) : undefined;
  const start = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--no-check", ...flags, ...paths],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${text.trimEnd()}\n-- ${name}: ${success ? "ok" : "FAILED"} after ${seconds} s\n`);
  const summary = [...text.matchAll(/\| (\d+) passed.*?\| (\d+) failed(?:.*?\| (\d+) ignored)?/g)];
  const [, passed = 0, failed = success ? 0 : 1, ignored = 0] = (summary.at(-1) ?? []).map(Number);
  return { success, passed, failed, ignored: ignored || 0 };
}

async function runAll(): Promise<boolean> {
  const start = performance.now();
  const batches = allBatches();
  const failures: string[] = [];
  const sum = { passed: 0, failed: 0, ignored: 0 };
  const work = async () => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      const ending = await run(batch);
      if (!ending.success) failures.push(batch.name);
      sum.passed += ending.passed;
      sum.failed += ending.failed;
      sum.ignored += ending.ignored;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const success = failures.length === 0;
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const counts = [`${sum.passed} passed`, `${sum.failed} failed`, `${sum.ignored} ignored`];
  for (const name of failures) console.log(`FAILED in ${name}`);
  console.log([success ? "ok" : "FAILED", ...counts].join(" | ") + ` (${seconds} s)`);
  return success;
}

/** Runs Deno with these arguments in this terminal; whether it succeeded. */
async function deno(...args: string[]): Promise<boolean> {
  return (await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).spawn().status).success;
}

async function main(): Promise<boolean> {
  if (Deno.args.length > 0) return await deno("test", "--allow-all", "--doc", ...Deno.args);
  return await deno("check", "--quiet", "--doc", ".") && await runAll();
}

if (import.meta.main) Deno.exit(await main() ? 0 : 1);
