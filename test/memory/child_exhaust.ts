/**
 * A program that runs out of something, makes rings nevertheless and tells how that failed and
 * what it left behind.
 *
 * @module
 */

import { OsError } from "../../src/errors.ts";
import { LeapfrogRing } from "../../src/mirror_ring/leapfrog_ring.ts";
import { MirrorRing } from "../../src/mirror_ring/mirror_ring.ts";
import { close, map, MapFlag, memfd, Protection, readAll, unmap } from "../../src/os/files.ts";
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

/** The number that the next fd gets. */
function lowestFree(): number {
  const fd = memfd("probe");
  close(fd);
  return fd;
}

/** The kernel has no more mappings for this process, and a ring has to leap. */
function mappings(): string[] {
  using ring = new LeapfrogRing(page, { range: 8 * page });
  ring.write(new Uint8Array(page));
  ring.consume(page - 3);
  ring.write(Uint8Array.from({ length: page - 3 }, (_, i) => i)); // 3 zeros and these are readable
  ring.consume(page - 9);
  const text = readAll("/proc/sys/vm/max_map_count");
  const limit = typeof text === "number" ? Infinity : Number(new TextDecoder().decode(text));
  if (limit > 200_000) return ["unlimited"];
  const length = 2 * limit * page;
  const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve;
  const address = map({ length, protection: Protection.none, flags });
  const apart = { protection: Protection.read, flags: flags | MapFlag.fixed, length: page };
  for (let i = 1; i < limit; i++) { // every second page
    if (map({ ...apart, address: address + 2 * i * page }) < 0) break;
  }
  const state = () => [ring.head, ring.tail, ring.leaps, ...ring.peek()].join();
  const before = state();
  let told = "leapt";
  try {
    ring.write(new Uint8Array(20));
  } catch (error) {
    told = error instanceof OsError ? error.message : `${error}`;
  }
  const same = before === state();
  const fd = lowestFree();
  let made = "made";
  try {
    new LeapfrogRing(page).close();
  } catch (error) {
    made = error instanceof OsError ? error.message : `${error}`;
  }
  const lost = lowestFree() - fd;
  unmap(address, length);
  ring.write(new Uint8Array(20).fill(77));
  return [told, `${same}`, [...ring.peek()].join(), made, `${lost}`];
}

attempt();
const told = { addresses, files, memory, mappings }[Deno.args[0]!]!();
console.log(JSON.stringify({ told, left: leftovers() }));
