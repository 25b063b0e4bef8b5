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

/** What a ring gives back of what was put in: the proof that the library works. */
function useRing(): string {
  using ring = new MirrorRing(1);
  ring.claim(ring.capacity - 3);
  ring.commit();
  ring.consume(ring.available);
  ring.write(new TextEncoder().encode("seamless"));
  return new TextDecoder().decode(ring.peek());
}

/** The same for the sentinel. */
function holdTwice(path: string): boolean[] {
  using first = Role.tryHold(path, 0, "a test");
  using second = Role.tryHold(path, 0, "a test");
  return [first !== undefined, second !== undefined];
}

/** What the call gives, or how it failed. */
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
  wrongSentinel: (library, sentinel) => {
    const before = countFiles("/memfd:");
    const told = attempt(() => useLibrary({ library: library!, sentinel: sentinel! }));
    const opened = countFiles("/memfd:") - before;
    return [told, opened, useRing()];
  },
};

const [story, ...args] = Deno.args;
console.log(JSON.stringify(STORIES[story!]!(...args)));
