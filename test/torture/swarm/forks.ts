/**
 * Processes by fork: each begins as a copy of this one, with everything loaded.
 *
 * @module
 */

const SOURCE = new URL("./fork.c", import.meta.url);

/** How a child ended. */
export interface Ended {
  readonly pid: number;
  /** The number of the signal that ended it; 0 if none did. */
  readonly signal: number;
  readonly code: number;
}

export const SIGKILL = 9;
export const SIGSTOP = 19;
export const SIGCONT = 18;

function build(): string {
  const path = Deno.makeTempFileSync({ prefix: "vring-swarm-", suffix: ".so" });
  const args = ["-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", path, SOURCE.pathname];
  const { success, stderr } = new Deno.Command("cc", { args }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return path;
}

function open() {
  const path = build();
  try {
    return Deno.dlopen(path, {
      swarm_fork: { parameters: [], result: "i32" },
      swarm_pid: { parameters: [], result: "i32" },
      swarm_kill: { parameters: ["i32", "i32"], result: "i32" },
      swarm_exit: { parameters: ["i32"], result: "void" },
      swarm_reap: { parameters: ["buffer"], result: "i32" },
    }).symbols;
  } finally {
    Deno.removeSync(path);
  }
}

/** Forks, kills and reaps. */
export class Forks {
  readonly #calls = open();
  readonly #out = new Int32Array(2);

  /** Starts a child, which runs `act` and ends; returns its id. */
  fork(act: () => void): number {
    const pid = this.#calls.swarm_fork();
    if (pid !== 0) {
      if (pid < 0) throw new Error("fork failed");
      return pid;
    }
    let code = 1;
    try {
      act();
      code = 0;
    } finally {
      this.#calls.swarm_exit(code);
    }
    return 0; // never
  }

  /** Sends a signal to a child, or to this process. */
  signal(pid: number, signal: number): void {
    this.#calls.swarm_kill(pid, signal);
  }

  /** The id of this process, in a child too. */
  get pid(): number {
    return this.#calls.swarm_pid();
  }

  /** Returns a child that has ended; undefined if none has. */
  reap(): Ended | undefined {
    if (this.#calls.swarm_reap(this.#out) === 0) return undefined;
    const [pid, status] = this.#out as unknown as [number, number];
    return { pid, signal: status & 127, code: status >> 8 & 255 };
  }
}

/** Gives a child chance of its own: the engine's, copied by the fork, would repeat in each. */
export function ownChance(next: () => number): void {
  const fill = <T extends ArrayBufferView | null>(target: T): T => {
    const { buffer, byteOffset, byteLength } = target as ArrayBufferView;
    const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(next() * 256);
    return target;
  };
  Object.defineProperty(crypto, "getRandomValues", { value: fill, configurable: true });
  Math.random = next;
}
