/**
 * A program that loads the library in one of many ways and tells what came of it.
 *
 * @module
 */

import { VringError } from "../../src/errors.ts";
import { Role } from "../../src/region/liveness.ts";
import { MirrorRing } from "../../src/mirror_ring/mirror_ring.ts";
import { useLibrary } from "../../src/native/load.ts";
import { mappedRanges } from "../../src/os/proc_maps.ts";
import { countFiles } from "../os/process_state.ts";

/** Passes a text through a ring, which proves that the library works. */
function useRing(): string {
  using ring = new MirrorRing(1);
  ring.claim(ring.capacity - 3);
  ring.commit();
  ring.consume(ring.available);
  ring.write(new TextEncoder().encode("seamless"));
  return new TextDecoder().decode(ring.peek());
}

/** Whether two handles can hold one role of the sentinel at once. */
function holdTwice(path: string): boolean[] {
  using first = Role.tryHold(path, 0, "a test");
  using second = Role.tryHold(path, 0, "a test");
  return [first !== undefined, second !== undefined];
}

/** The result of the call, or its error. */
function attempt(call: () => unknown): string {
  try {
    return `${call()}`;
  } catch (error) {
    if (!(error instanceof VringError)) throw error;
    return `${error.name}: ${error.message}`;
  }
}

/** Whether code is mapped from this file. */
function runsFrom(path: string): boolean {
  return mappedRanges().some((range) => range.path === path && range.permissions.includes("x"));
}

/** Has the kernel answer memfd_create with EACCES, for this thread; false if it cannot. */
function forbidMemfd(): boolean {
  const libc = Deno.dlopen("libc.so.6", {
    prctl: { parameters: ["i32", "usize", "buffer", "usize", "usize"], result: "i32" },
  }).symbols;
  const [NO_NEW_PRIVS, SECCOMP, FILTER] = [38, 22, 2n];
  const [LOAD, JUMP_IF_EQUAL, RETURN] = [0x20, 0x15, 0x06];
  const number = Deno.build.arch === "x86_64" ? 319 : 279;
  const program: [code: number, ifTrue: number, ifFalse: number, value: number][] = [
    [LOAD, 0, 0, 0], // the number of the system call
    [JUMP_IF_EQUAL, 0, 1, number],
    [RETURN, 0, 0, 0x00050000 + 13], // EACCES
    [RETURN, 0, 0, 0x7fff0000], // allowed
  ];
  const instructions = new DataView(new ArrayBuffer(8 * program.length));
  for (const [i, [code, ifTrue, ifFalse, value]] of program.entries()) {
    instructions.setUint16(8 * i, code, true);
    instructions.setUint8(8 * i + 2, ifTrue);
    instructions.setUint8(8 * i + 3, ifFalse);
    instructions.setUint32(8 * i + 4, value, true);
  }
  const header = new BigUint64Array(2); // struct sock_fprog
  header[0] = BigInt(program.length);
  header[1] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(instructions));
  return libc.prctl(NO_NEW_PRIVS, 1n, null, 0n, 0n) === 0 &&
    libc.prctl(SECCOMP, FILTER, new Uint8Array(header.buffer), 0n, 0n) === 0;
}

const STORIES: Record<string, (...args: string[]) => unknown[]> = {
  use: () => [attempt(useRing), attempt(useRing)],
  own: (library, lock) => {
    useLibrary({ library: library! });
    return [useRing(), holdTwice(lock!), runsFrom(library!)];
  },
  both: (library, lock, sentinel) => {
    useLibrary({ library: library!, sentinel: sentinel! });
    return [useRing(), holdTwice(lock!), runsFrom(library!)];
  },
  importOnly: () => [/ ..x. .* \/memfd:vring \(/.test(Deno.readTextFileSync("/proc/self/maps"))],
  late: (library) => [useRing(), attempt(() => useLibrary({ library: library! })), useRing()],
  wrong: (library, good) => {
    const told = attempt(() => useLibrary({ library: library! }));
    useLibrary({ library: good! });
    return [told, useRing(), runsFrom(good!)];
  },
  withoutMemfd: (library, lock, sentinel) => {
    if (!forbidMemfd()) return [];
    const told = attempt(() => holdTwice(lock!));
    useLibrary({ library: library!, sentinel: sentinel! });
    return [told, holdTwice(lock!)];
  },
  withoutProc: (library, lock) => {
    const told = attempt(() => holdTwice(lock!));
    useLibrary({ library: library! });
    return [told, holdTwice(lock!)];
  },
  wrongSentinel: (library, sentinel) => {
    const before = countFiles("/memfd:");
    const told = attempt(() => useLibrary({ library: library!, sentinel: sentinel! }));
    const opened = countFiles("/memfd:") - before;
    return [told, opened, useRing()];
  },
};

const [story, ...args] = Deno.args;
console.log(JSON.stringify(STORIES[story!]!(...args)));
