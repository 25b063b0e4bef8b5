/**
 * Another thread or process that runs functions of a test. A process can be killed or stopped, be
 * another user, and have a step before every leaf call (trap.ts).
 *
 * @module
 */

import { within } from "../os/until.ts";

/** Where a party runs. */
export type Where = "thread" | "process";

/** How a party is different from others. */
export interface PartyOptions {
  /** The argument of its program. */
  readonly argument?: string;
  /** A process with a step before every leaf call. */
  readonly trapped?: boolean;
  /** A process with a /dev/shm of its own, of this size; needs root. */
  readonly shmBytes?: number;
  /** A process that `unshare` starts with these arguments, such as `--pid`; needs root. */
  readonly namespaces?: readonly string[];
}

/** No answer takes longer, however slow the machine. */
const LIMIT_MS = 180_000;

/** The party has ended before it answered. */
export class PartyEnded extends Error {
  override name = "PartyEnded";
}

/** The way to a party and back. */
interface Line {
  send(text: string): void;
  /** Its messages, which end when it has ended. */
  readonly answers: AsyncIterable<string>;
  end(): Promise<void>;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
}

/** A running party, whose program calls `serve(tools)`. */
export class Party<Tools> implements AsyncDisposable {
  readonly #line: Line;
  readonly #process: Deno.ChildProcess | undefined;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #listening: Promise<void>;
  #requests = 0;
  #ended = false;

  private constructor(line: Line, process?: Deno.ChildProcess) {
    this.#line = line;
    this.#process = process;
    this.#listening = this.#listen();
  }

  /** Starts a program. */
  static start<Tools>(program: URL, where: Where, options: PartyOptions = {}): Party<Tools> {
    if (where === "thread") return new Party(lineToThread(program, options));
    const process = startProcess(program, options);
    return new Party(lineToProcess(process), process);
  }

  /** The process id. */
  get pid(): number {
    return this.#process!.pid;
  }

  /**
   * Runs a function over there and returns its result. It sees nothing of this thread but its
   * argument; an error of it is thrown here, with the same name.
   */
  run<A, R>(act: (tools: Tools, argument: A) => R, argument: A): Promise<Awaited<R>> {
    const id = ++this.#requests;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    if (this.#ended) answer.reject(new PartyEnded("The party has ended"));
    else this.#line.send(JSON.stringify({ id, source: `${act}`, argument }));
    const promise = within("an answer of the other party", answer.promise, LIMIT_MS);
    promise.catch(() => {}); // the test may have failed already, and nobody waits any more
    return promise as Promise<Awaited<R>>;
  }

  async #listen(): Promise<void> {
    for await (const text of this.#line.answers) {
      const { id, value, error } = JSON.parse(text) as Answer;
      const { resolve, reject } = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (error === undefined) resolve(value);
      else reject(Object.assign(new Error(error.message), { name: error.name }));
    }
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) {
      reject(new PartyEnded("The party ended before it answered"));
    }
  }

  /** Sends a signal, unless the process has ended. */
  signal(name: Deno.Signal): void {
    try {
      this.#process!.kill(name);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** The letter by which the kernel describes the process, such as `S` for asleep. */
  get state(): string {
    const stat = Deno.readTextFileSync(`/proc/${this.pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2)[0]!;
  }

  /** Resolves once the kernel has reaped the process, with what ended it. */
  async ended(): Promise<Deno.Signal | number> {
    const { signal, code } = await within("the end of a process", this.#process!.status);
    return signal ?? code;
  }

  /** Ends it at any point, and waits until it is gone; a thread that blocks may live on. */
  async kill(): Promise<void> {
    await this.#line.end();
    await this.#listening;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

const TRAPS = new URL("../trap/import_map.json", import.meta.url);

/** Mounts a tmpfs where only the new process sees it. */
const OWN_SHM = `mount -t tmpfs -o size=$SHM_BYTES tmpfs /dev/shm && exec "$0" "$@"`;

/** The arguments that run a program with this Deno; with a step before every leaf call, or not. */
export function programArguments(program: URL, trapped = false): string[] {
  const path = (url: URL) => decodeURIComponent(url.pathname);
  const traps = trapped ? [`--import-map=${path(TRAPS)}`] : [];
  return ["run", "--no-config", "--no-lock", "--quiet", "--allow-all", ...traps, path(program)];
}

function startProcess(program: URL, options: PartyOptions): Deno.ChildProcess {
  const { argument, trapped, shmBytes, namespaces = [] } = options;
  const given = argument === undefined ? [] : [argument];
  const deno = [Deno.execPath(), ...programArguments(program, trapped), ...given];
  const mount = shmBytes === undefined ? [] : ["--mount", "--propagation", "private"];
  const unshare = [...mount, ...namespaces];
  const apart = unshare.length === 0 ? [] : ["unshare", ...unshare, "--"];
  const shell = shmBytes === undefined ? [] : ["sh", "-c", OWN_SHM];
  const [command, ...args] = [...apart, ...shell, ...deno];
  const env = { SHM_BYTES: `${shmBytes}` };
  const pipes = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
  return new Deno.Command(command!, { args, env, ...pipes }).spawn();
}

function lineToProcess(process: Deno.ChildProcess): Line {
  const requests = process.stdin.getWriter();
  const encoder = new TextEncoder();
  return {
    send: (text) => {
      requests.write(encoder.encode(`${text}\n`)).catch(() => {}); // the loop below notices its end
    },
    answers: linesOf(process.stdout),
    end: async () => {
      try {
        process.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // it has ended
      }
      await process.status;
      await requests.abort().catch(() => {});
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

function lineToThread(program: URL, { argument = "" }: PartyOptions): Line {
  const worker = new Worker(program, { type: "module", name: argument });
  const arrived: string[] = [];
  const early: string[] = [];
  let listens = false;
  let ended = false;
  let news = Promise.withResolvers<void>();
  worker.onmessage = ({ data }) => {
    if (listens) arrived.push(data);
    else for (const text of early) worker.postMessage(text);
    listens = true;
    news.resolve();
  };
  worker.onerror = (event) => {
    event.preventDefault();
    console.error(event.message);
    ended = true;
    news.resolve();
  };
  async function* answers() {
    for (;;) {
      await news.promise;
      news = Promise.withResolvers();
      while (arrived.length > 0) yield arrived.shift()!;
      if (ended) return;
    }
  }
  return {
    send: (text) => listens ? worker.postMessage(text) : early.push(text),
    answers: answers(),
    end: () => {
      worker.terminate();
      ended = true;
      news.resolve();
      return Promise.resolve();
    },
  };
}

/** Why no process can be started here, or undefined. */
export function whyNoProcess(): string | undefined {
  try {
    const { success } = new Deno.Command(Deno.execPath(), { args: ["--version"] }).outputSync();
    return success ? undefined : "Deno cannot start another Deno here";
  } catch (error) {
    return `Deno cannot start another Deno here (${error})`;
  }
}
