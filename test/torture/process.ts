/**
 * Processes that are there to be killed, and a reserve of them that are already started.
 *
 * @module
 */

import type { Trap } from "../trap/trap.ts";
import type { Assignment, Workload } from "./workload.ts";
import type { LedgerPlan } from "./ledger.ts";

/** The line that gives a process its part. */
export interface Orders extends Assignment {
  /** Where it is to be caught; only for those with steps. */
  readonly trap?: Trap | undefined;
  /** For how many milliseconds, if it is to dawdle there. */
  readonly trapMs: number;
}

/** The ledger that a workload needs. */
export function ledgerPlan(workload: Workload): LedgerPlan {
  const seats = Object.values(workload.parts).reduce((sum, part) => sum + part.seats, 0);
  return { cells: workload.cells, seats };
}

/** The facts that the processes of a run share. */
export interface Company {
  /** The module of the workload. */
  readonly workloadUrl: string;
  /** In the names of everything; also in the environment, by which stray processes are found. */
  readonly run: string;
  /** Where the ledger is. */
  readonly ledgerPath: string;
}

/** How a process ended. */
export interface Ending {
  /** The signal that ended it, if one did. */
  readonly signal: Deno.Signal | null;
  /** Its exit code. */
  readonly code: number;
  /** Its output. */
  readonly output: string;
}

/** The variable that is inherited by whatever the processes start. */
const RUN_VARIABLE = "VRING_TORTURE";

/** The processes that belong to a run, or to the runs that begin like this. */
export function processesOf(run: string): number[] {
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const environment = Deno.readTextFileSync(`/proc/${name}/environ`);
      if (environment.includes(`${RUN_VARIABLE}=${run}`)) found.push(Number(name));
    } catch {
      // It has ended meanwhile, or is not ours to look at.
    }
  }
  return found;
}

function local(file: string): string {
  return decodeURIComponent(new URL(file, import.meta.url).pathname);
}

/** A process of the company. */
export class Process {
  /** The process id. */
  readonly pid: number;
  /** Whether it can be caught at steps. */
  readonly stepping: boolean;
  /** Resolves once it has loaded everything; false if it ended instead. */
  readonly ready: Promise<boolean>;
  /** Resolves once the kernel has reaped it. */
  readonly ended: Promise<Ending>;
  readonly #child: Deno.ChildProcess;
  #running = true;

  constructor(company: Company, stepping: boolean) {
    const { workloadUrl, run, ledgerPath } = company;
    const map = stepping ? [`--import-map=${local("../trap/import_map.json")}`] : [];
    const flags = ["--no-config", "--no-lock", "--quiet", "--no-prompt", "--allow-all", ...map];
    const args = ["run", ...flags, local("child.ts"), workloadUrl, run, ledgerPath, `${Deno.pid}`];
    this.#child = new Deno.Command(Deno.execPath(), {
      args,
      env: { NO_COLOR: "1", [RUN_VARIABLE]: run },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: true, // Ctrl-C is for the harness, which then ends everyone
    }).spawn();
    this.pid = this.#child.pid;
    this.stepping = stepping;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.ready = promise;
    this.ended = this.#follow(() => resolve(true));
    this.ended.finally(() => resolve(false));
  }

  async #follow(onOutput: () => void): Promise<Ending> {
    const decoder = new TextDecoder();
    let output = "";
    const drain = async (stream: ReadableStream<Uint8Array>, onChunk: () => void) => {
      for await (const chunk of stream) {
        output += decoder.decode(chunk);
        onChunk();
      }
    };
    const [status] = await Promise.all([
      this.#child.status,
      drain(this.#child.stdout, onOutput),
      drain(this.#child.stderr, () => {}),
    ]);
    this.#running = false;
    await this.#child.stdin.abort().catch(() => {});
    return { signal: status.signal, code: status.code, output: output.replace(/^ready\n/, "") };
  }

  /** Whether it has not been reaped yet. */
  get running(): boolean {
    return this.#running;
  }

  /** Gives it its part. */
  async order(orders: Orders): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    try {
      await writer.write(new TextEncoder().encode(`${JSON.stringify(orders)}\n`));
    } catch {
      // It is dead already, which its ending tells.
    } finally {
      writer.releaseLock();
    }
  }

  /** Sends a signal; false if the process has ended. */
  signal(name: Deno.Signal): boolean {
    if (!this.#running) return false;
    try {
      this.#child.kill(name);
      return true;
    } catch (error) {
      if (error instanceof TypeError || error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }
}

/** How many processes with steps, and without, wait to be needed. */
const SPARES = 2;

/**
 * Processes started ahead, so that each killed one has a successor at once. They start one after
 * the other: on few processors more would leave nothing for those under torture.
 */
export class Reserve {
  /** How many processes were started. */
  started = 0;
  readonly #company: Company;
  readonly #all = new Set<Process>();
  readonly #spares = { true: [] as Process[], false: [] as Process[] };
  readonly #askers = { true: [] as Asker[], false: [] as Asker[] };
  #starting = false;
  #retired = false;

  constructor(company: Company) {
    this.#company = company;
  }

  /** A process that waits for orders; undefined once there are to be no more. */
  take(stepping: boolean): Promise<Process | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Process | undefined>();
    const key = `${stepping}` as const;
    const spare = this.#spares[key].shift();
    if (this.#retired) resolve(undefined);
    else if (spare !== undefined) resolve(spare);
    else this.#askers[key].push({ resolve, reject });
    this.#fill();
    return promise;
  }

  /** From now on no process is started or given away. */
  retire(): void {
    this.#retired = true;
    for (const { resolve } of [...this.#askers.true, ...this.#askers.false]) resolve(undefined);
  }

  async #fill(): Promise<void> {
    if (this.#starting) return;
    this.#starting = true;
    try {
      for (let next; !this.#retired && (next = this.#mostNeeded()) !== undefined;) {
        const process = await this.#start(next === "true");
        const asker = this.#askers[next].shift();
        if (asker !== undefined) asker.resolve(process);
        else this.#spares[next].push(process);
      }
    } catch (error) {
      if (this.#retired) return; // it was ended while it started
      for (const { reject } of [...this.#askers.true, ...this.#askers.false]) reject(error);
    } finally {
      this.#starting = false;
    }
  }

  #mostNeeded(): "true" | "false" | undefined {
    const need = (key: "true" | "false") =>
      this.#askers[key].length + SPARES - this.#spares[key].length;
    const key = need("true") > need("false") ? "true" : "false";
    return need(key) > 0 ? key : undefined;
  }

  async #start(stepping: boolean): Promise<Process> {
    const process = new Process(this.#company, stepping);
    this.#all.add(process);
    this.started++;
    process.ended.finally(() => this.#all.delete(process));
    if (await process.ready) return process;
    const { output } = await process.ended;
    throw new Error(`Cannot start a process: it ended before it was ready: ${output}`);
  }

  /** Ends every process that was ever started, and waits until none is left. */
  async close(): Promise<void> {
    this.retire();
    while (this.#all.size > 0) {
      for (const process of this.#all) process.signal("SIGKILL");
      await Promise.all([...this.#all].map((process) => process.ended));
    }
  }
}

interface Asker {
  resolve(process: Process | undefined): void;
  reject(error: unknown): void;
}
