/**
 * The parts of the machine that a measurement needs: its processors and its C compiler.
 *
 * @module
 */

import { readAll } from "../../src/os/files.ts";
import { type Contender, median, type Round } from "./rounds.ts";

/** The trips of a round. */
export interface Plan {
  /** How many are timed one by one. */
  readonly trips: number;
  /** How many blocks of trips are timed .. */
  readonly blocks: number;
  /** .. of how many trips each, where a look at the clock in each trip would count. */
  readonly blockTrips: number;
}

/** The processors that this process may run on. */
export function allowedCpus(): number[] {
  const bytes = readAll("/proc/self/status"); // for which Deno would want all permissions
  const status = typeof bytes === "number" ? "" : new TextDecoder().decode(bytes);
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? "0";
  return list.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
}

/** Has the main thread of a process run on these processors only; false if that cannot be done. */
export function settleOn(cpus: number[], pid: number): boolean {
  const args = ["-p", "-c", cpus.join(","), String(pid)];
  try {
    const command = new Deno.Command("taskset", { args, stdout: "null", stderr: "null" });
    return command.outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A program that was compiled for a measurement. */
export class CProgram implements Disposable {
  readonly #folder: string | undefined;
  readonly #path: string;
  readonly #first: readonly string[];

  private constructor(path: string, first: readonly string[] = [], folder?: string) {
    this.#path = path;
    this.#first = first;
    this.#folder = folder;
  }

  /** A program that exists, and its first parameters. */
  static at(command: string): CProgram {
    const [path, ...first] = command.split(" ");
    return new CProgram(path!, first);
  }

  /** Compiles a file; undefined where there is no C compiler. */
  static compile(source: string): CProgram | undefined {
    const folder = Deno.makeTempDirSync();
    const program = new CProgram(`${folder}/program`, [], folder);
    const args = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program.#path];
    for (const compiler of ["gcc", "cc"]) {
      try {
        const command = new Deno.Command(compiler, { args: [...args, source] });
        const { success, stderr } = command.outputSync();
        if (success) return program;
        program[Symbol.dispose]();
        throw new Error(new TextDecoder().decode(stderr));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    program[Symbol.dispose]();
    return undefined;
  }

  /** Runs it; returns the doubles that it writes. */
  async run(...parameters: (string | number)[]): Promise<Float64Array> {
    const command = new Deno.Command(this.#path, {
      args: [...this.#first, ...parameters.map(String)],
    });
    const { success, stdout } = await command.output();
    if (!success) throw new Error("The C program of the measurement has failed");
    return new Float64Array(stdout.slice().buffer);
  }

  /** A contender that runs it in each of several ways, every time, and counts the fastest. */
  contender(name: string, ways: (string | number)[][], plan: Plan): Contender {
    const { trips, blocks } = plan;
    const round = async () => {
      let fastest: Round | undefined;
      for (const way of ways) {
        const samples = await this.run(...way, trips, blocks, plan.blockTrips);
        const each = samples.subarray(0, trips);
        const typical = median(blocks > 0 ? samples.subarray(trips) : each);
        if (fastest === undefined || typical < fastest.typical) {
          fastest = trips > 0 ? { typical, each } : { typical };
        }
      }
      return fastest!;
    };
    return { name, round };
  }

  /** Removes the compiled program. */
  [Symbol.dispose](): void {
    if (this.#folder !== undefined) Deno.removeSync(this.#folder, { recursive: true });
  }
}

/**
 * The peers for a bench that the environment names, such as
 * `BENCH_PEERS="spsc rigtorp=/tmp/rigtorp;calls iceoryx2=/tmp/iceoryx2 calls"`: programs with the
 * parameters and the output of `c/masked_ring.c`.
 */
export function peersOf(
  bench: string,
  parameters: (string | number)[][],
  plan: Plan,
): Contender[] {
  const given = (Deno.env.get("BENCH_PEERS") ?? "").split(";");
  return given.flatMap((text) => {
    const [, of, name, command] = /^(\S+) ([^=]+)=(.*)$/.exec(text.trim()) ?? [];
    return of === bench ? [CProgram.at(command!).contender(name!, parameters, plan)] : [];
  });
}

/** C that sends messages of 64 B and receives them, in one thread: the floor of such benches. */
export function inOneThread(): Disposable & { readonly contender: Contender } | undefined {
  const program = CProgram.compile(`${import.meta.dirname}/../c/masked_ring.c`);
  if (program === undefined) return undefined;
  const plan = { trips: 0, blocks: 20, blockTrips: 2000 };
  const contender = program.contender("C, masked ring, one thread", [
    ["alone", "pause", -1, -1, 64, 2 ** 20],
  ], plan);
  return { contender, [Symbol.dispose]: () => program[Symbol.dispose]() };
}
