/**
 * Another process that does as it is told, for tests of what processes do to each other: it can be
 * killed or stopped, be another user, see a /dev/shm of its own, or have traps before leaf calls.
 *
 * @module
 */

import type { Tools } from "./region_party_main.ts";

/** How the process is different from this one. */
export interface PartyOptions {
  /** With a trap before every leaf call: `withTrap` works. */
  readonly trapped?: boolean;
  /** The size of a /dev/shm of its own; needs root. */
  readonly shmBytes?: number;
}

/** No answer takes longer, however slow the machine. */
const DEADLINE_MS = 60_000;

/** Mounts a tmpfs where only the new process sees it. */
const OWN_SHM = `mount -t tmpfs -o size=$SHM_BYTES tmpfs /dev/shm && exec "$0" "$@"`;

function local(file: string): string {
  return decodeURIComponent(new URL(file, import.meta.url).pathname);
}

/** The arguments that run a program beside this file with this Deno. */
export function programArguments(file: string, trapped: boolean): string[] {
  const traps = trapped ? [`--import-map=${local("region_trap.json")}`] : [];
  return ["run", "--no-config", "--no-lock", "--quiet", "--allow-all", ...traps, local(file)];
}

/** Why no process can be started here, or undefined. */
export function whyNoParty(): string | undefined {
  try {
    const { success } = new Deno.Command(Deno.execPath(), {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return success ? undefined : "Deno cannot start another Deno here";
  } catch (error) {
    return `Deno cannot start another Deno here (${error})`;
  }
}

/** The process has ended before it answered. */
export class PartyEnded extends Error {
  override name = "PartyEnded";
}

/** A running process. */
export class Party implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  #unread = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#requests = child.stdin.getWriter();
    this.#answers = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  static start(options: PartyOptions = {}): Party {
    const { trapped = false, shmBytes } = options;
    const deno = [Deno.execPath(), ...programArguments("region_party_main.ts", trapped)];
    const apart = ["unshare", "--mount", "--propagation", "private", "sh", "-c", OWN_SHM];
    const [command, ...args] = shmBytes === undefined ? deno : [...apart, ...deno];
    const env = { SHM_BYTES: `${shmBytes}` };
    const pipes = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
    return new Party(new Deno.Command(command!, { args, env, ...pipes }).spawn());
  }

  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Runs a function over there and gives what it returns. It sees nothing of this process but its
   * argument; what it throws is thrown here, as an Error of the same name.
   */
  async run<A, R>(act: (tools: Tools, argument: A) => R, argument: A): Promise<Awaited<R>> {
    const request = `${JSON.stringify({ source: `${act}`, argument })}\n`;
    await this.#requests.write(new TextEncoder().encode(request)).catch(() => {});
    const { value, error } = JSON.parse(await this.#line());
    if (error === undefined) return value;
    throw Object.assign(new Error(error.message), { name: error.name });
  }

  async #line(): Promise<string> {
    let late = false;
    const deadline = setTimeout(() => {
      late = true;
      this.signal("SIGKILL");
    }, DEADLINE_MS);
    try {
      while (!this.#unread.includes("\n")) {
        const { value, done } = await this.#answers.read();
        if (late) throw new Error(`The process gave no answer within ${DEADLINE_MS} ms`);
        if (done) throw new PartyEnded("The process ended before it answered");
        this.#unread += value;
      }
    } finally {
      clearTimeout(deadline);
    }
    const end = this.#unread.indexOf("\n");
    const line = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + 1);
    return line;
  }

  /** Sends a signal, unless the process has ended. */
  signal(name: Deno.Signal): void {
    try {
      this.#child.kill(name);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Resolves once the kernel has reaped the process, with what ended it. */
  async ended(): Promise<Deno.Signal | number> {
    const { signal, code } = await this.#child.status;
    return signal ?? code;
  }

  /** Kills the process and waits until it is gone. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#requests.abort().catch(() => {});
    await this.#answers.cancel().catch(() => {});
  }
}
