/**
 * The program of a hostile reader, and of the members whose regions it may only read.
 *
 * @module
 */

import { circular } from "../../src/circular/definition.ts";
import { domain } from "../../src/babus/definition.ts";
import { FIRST_BYTE } from "../../src/region/liveness.ts";
import { FIRST_ROLE } from "../../src/region/opened.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { topic } from "../../src/vdds/definition.ts";
import { becomeUser } from "../shared/become_user.ts";
import { serve } from "../shared/serve_child.ts";

/** Everything that the kernel lets a process try with a file that it may only read. */
function openLibc() {
  return Deno.dlopen("libc.so.6", {
    open: { parameters: ["buffer", "i32"], result: "i32" },
    ftruncate: { parameters: ["i32", "i64"], result: "i32" },
    fallocate: { parameters: ["i32", "i32", "i64", "i64"], result: "i32" },
    fchmod: { parameters: ["i32", "u32"], result: "i32" },
    mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "usize"], result: "isize" },
    mprotect: { parameters: ["isize", "usize", "i32"], result: "i32" },
    fcntl: { parameters: ["i32", "i32", "buffer"], result: "i32" },
    syscall: {
      parameters: ["i64", "isize", "i64", "i64", "i64", "isize", "i64"],
      result: "i64",
      nonblocking: false,
    },
    unlink: { parameters: ["buffer"], result: "i32" },
  }).symbols;
}

const O_RDWR = 2;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const F_OFD_SETLK = 37;
const F_RDLCK = 0;
const F_WRLCK = 1;

/** The byte of the first role. */
const ROLES = FIRST_BYTE + FIRST_ROLE;

/** A file that a hostile process has opened for reading. */
class Spy {
  readonly #libc = openLibc();
  readonly #path: Uint8Array<ArrayBuffer>;
  readonly #fd: number;
  readonly #length: number;
  readonly #address: bigint;

  constructor(path: string) {
    this.#path = new TextEncoder().encode(`${path}\0`);
    this.#length = Deno.statSync(path).size;
    this.#fd = this.#libc.open(this.#path, 0);
    const length = BigInt(this.#length);
    this.#address = this.#libc.mmap(0n, length, PROT_READ, MAP_SHARED, this.#fd, 0n);
  }

  /** Tries to change the file; returns what succeeds. */
  attack(): string[] {
    const libc = this.#libc;
    const length = BigInt(this.#length);
    const tries: Record<string, () => boolean> = {
      "open for writing": () => libc.open(this.#path, O_RDWR) >= 0,
      truncate: () => libc.ftruncate(this.#fd, 0n) === 0,
      "punch a hole": () => libc.fallocate(this.#fd, 3, 0n, length) === 0,
      "change the mode": () => libc.fchmod(this.#fd, 0o666) === 0,
      "map for writing": () =>
        libc.mmap(0n, length, PROT_READ | PROT_WRITE, MAP_SHARED, this.#fd, 0n) > 0n,
      "make the mapping writable": () =>
        libc.mprotect(this.#address, length, PROT_READ | PROT_WRITE) === 0,
      unlink: () => libc.unlink(this.#path) === 0,
      "lock for writing": () => this.#lock(F_WRLCK),
    };
    return Object.keys(tries).filter((name) => tries[name]!());
  }

  /** Wakes every sleeper on every word, so many times. */
  wakeAll(times: number): void {
    const futex = Deno.build.arch === "x86_64" ? 202n : 98n;
    const FUTEX_WAKE = 1n;
    for (let i = 0; i < times; i++) {
      for (let at = 0; at < Math.min(this.#length, 8192); at += 4) {
        this.#libc.syscall(futex, this.#address + BigInt(at), FUTEX_WAKE, 1000n, 0n, 0n, 0n);
      }
    }
  }

  /** Locks the bytes of so many roles for reading, as far as the kernel allows it; returns the number. */
  lockAll(count: number): number {
    let locked = 0;
    for (let i = 0; i < count; i++) if (this.#lock(F_RDLCK, ROLES + i)) locked++;
    return locked;
  }

  #lock(type: number, byte = ROLES): boolean {
    const flock = new DataView(new ArrayBuffer(32)); // type, whence, start, length, pid
    flock.setInt16(0, type, true);
    flock.setBigInt64(8, BigInt(byte), true);
    flock.setBigInt64(16, 1n, true);
    return this.#libc.fcntl(this.#fd, F_OFD_SETLK, new Uint8Array(flock.buffer)) === 0;
  }
}

/** Returns the name of the error that an act throws. */
function errorOf(act: () => unknown): string {
  try {
    act();
    return "none";
  } catch (error) {
    return (error as Error).name;
  }
}

/** The values that the functions can use. */
const TOOLS = {
  becomeUser,
  circular,
  domain,
  errorOf,
  spsc,
  topic,
  spies: [] as Spy[],
  Spy,
  kept: [] as Disposable[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
