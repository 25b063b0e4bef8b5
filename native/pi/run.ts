/**
 * Builds the ring for Unix and for a Raspberry Pi from the same file, and runs both: here, and in an
 * emulator of the Pi, whose serial port it reads.
 *
 *     deno task pi
 *     deno task pi unix
 *
 * @module
 */

/** What a program of this folder has printed. */
export interface Outcome {
  /** Everything. */
  readonly output: string;
  /** The checks that did not hold. */
  readonly failed: readonly string[];
  /** The number of checks that held. */
  readonly held: number;
  /** Whether the program came to its end, and all checks held. */
  readonly success: boolean;
}

/** A tool that is not installed. */
export class ToolMissingError extends Error {
  override readonly name = "ToolMissingError";

  /** Makes the error for a command and the package that has it. */
  constructor(command: string, debianPackage: string) {
    super(`Cannot run ${command}: it is not installed; apt-get install ${debianPackage}`);
  }
}

const HERE = new URL("./", import.meta.url);
const SHARED = ["vm_ring.c", "checks.c", "text.c"];
const STRICT = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"];
const PI = ["-mcpu=arm1176jzf-s", "-marm", "-ffreestanding", "-nostdlib", "-T", "pi.ld"];

/** How long the Pi may take until its last line: it takes a second on an idle machine. */
const DEADLINE_MS = 60_000;

/** The last line of the Pi, which never exits. */
const END = /^end\r?$/m;

/** Builds and runs the ring on this machine; `folder` has the sources. */
export function runOnUnix(folder: URL = HERE): Outcome {
  using program = new Program();
  compile("gcc", "gcc", folder, [...STRICT, "-o", program.path, "unix.c", ...SHARED]);
  const { success, stdout } = new Deno.Command(program.path).outputSync();
  return outcomeOf(new TextDecoder().decode(stdout), success);
}

/** Builds the ring for the Pi, and runs it in the emulator. */
export async function runOnPi(folder: URL = HERE): Promise<Outcome> {
  using program = new Program();
  const sources = ["start.S", "main.c", "mmu.c", ...SHARED, "-lgcc"];
  const args = [...PI, ...STRICT, "-o", program.path, ...sources];
  compile("arm-none-eabi-gcc", "gcc-arm-none-eabi", folder, args);
  const output = await emulate(program.path);
  return outcomeOf(output, END.test(output));
}

/** The path of a program in a folder of its own. */
class Program implements Disposable {
  readonly #folder = Deno.makeTempDirSync();
  readonly path = `${this.#folder}/program`;

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

function compile(compiler: string, debianPackage: string, folder: URL, args: string[]): void {
  try {
    const { success, stderr } = new Deno.Command(compiler, { args, cwd: folder }).outputSync();
    if (success) return;
    throw new Error(`Cannot compile with ${compiler}:\n${new TextDecoder().decode(stderr)}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new ToolMissingError(compiler, debianPackage);
    throw error;
  }
}

/** Runs a program on the emulated Pi until its last line, and returns what it printed. */
async function emulate(path: string): Promise<string> {
  const args = ["-M", "raspi1ap", "-kernel", path, "-display", "none", "-serial", "stdio"];
  let child: Deno.ChildProcess;
  try {
    const command = new Deno.Command("qemu-system-arm", {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    });
    child = command.spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ToolMissingError("qemu-system-arm", "qemu-system-arm");
  }
  const deadline = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
  let output = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += text;
    if (END.test(output)) break;
  }
  clearTimeout(deadline);
  try {
    child.kill("SIGKILL"); // the processor waits for an interrupt for ever
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended already
  }
  await child.status;
  return output.replaceAll("\r", "");
}

function outcomeOf(output: string, ended: boolean): Outcome {
  const failed = output.match(/^NOT OK .*$/gm) ?? [];
  const [, held, all] = /^(\d+) of (\d+) checks held$/m.exec(output) ?? [];
  const success = ended && held !== undefined && held === all && failed.length === 0;
  return { output, failed, held: Number(held ?? 0), success };
}

async function main(): Promise<boolean> {
  const outcomes = [runOnUnix()];
  if (Deno.args[0] !== "unix") outcomes.push(await runOnPi());
  for (const { output } of outcomes) console.log(output);
  return outcomes.every(({ success }) => success);
}

if (import.meta.main) {
  try {
    Deno.exit(await main() ? 0 : 1);
  } catch (error) {
    if (!(error instanceof ToolMissingError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
