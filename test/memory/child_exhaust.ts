/**
 * A program that runs out of something, makes rings nevertheless and tells how that failed and
 * what it left behind.
 *
 * @module
 */

import { OsError } from "../../src/errors.ts";
import { MirrorRing } from "../../src/mirror_ring/mirror_ring.ts";
import { pageSize } from "../../src/os/page.ts";
import { mappedRanges } from "../../src/os/proc_maps.ts";
import { limit } from "./limits.ts";

const page = pageSize();

/** Of sizes that nothing else in this process has; the larger leaves room for the engine. */
const [SMALL, LARGE] = [37 * page, 64 * 2 ** 20 + page];

/** Makes a ring; tells the system call that failed, or "made". */
function attempt(capacity = SMALL): string {
  try {
    new MirrorRing(capacity).close();
    return "made";
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    return `${error.syscall} ${error.code}: ${error.message}`;
  }
}

/** The remains of a ring: its memory, or addresses reserved for it. */
function leftovers(): number {
  return mappedRanges().filter(({ start, end, permissions, path }) =>
    path.includes("/memfd:vring (") && permissions.endsWith("s") ||
    path === "" && permissions === "---p" &&
      [SMALL, LARGE].some((size) => end - start >= 2 * size && end - start <= 2 * size + page)
  ).length;
}

/** The addresses end in between: what the process has now and a part of what a ring needs. */
function addresses(): string[] {
  const taken = mappedRanges().reduce((sum, { start, end }) => sum + end - start, 0);
  limit("addresses", taken + 1.5 * LARGE);
  const told = attempt(LARGE);
  limit("addresses", Infinity);
  return [told];
}

/** No fd is left. */
function files(): string[] {
  limit("files", 3);
  const told = attempt();
  limit("files", 1000);
  return [told];
}

/** More memory is asked for than the machine has. */
function memory(): string[] {
  return [attempt(2 ** 36)];
}

attempt();
const told = { addresses, files, memory }[Deno.args[0]!]!();
console.log(JSON.stringify({ told, left: leftovers() }));
