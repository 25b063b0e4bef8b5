/**
 * A hostile process that takes memory away: it truncates the files of every product to nothing, to
 * half and to any page, lengthens them again, and punches holes; in a small /dev/shm of its own
 * (`--shm`) it also fills that first, so that the holes cannot be filled. Readers and writers of
 * every product run meanwhile. None of them ends by a signal or hangs. Each finds out by a
 * CorruptRegionError, closes its handle and opens another one. A ring that each has for itself is
 * not disturbed. While files are only truncated, no message arrives with other bytes than were sent.
 *
 * @module
 */

import { sleep } from "../../../src/os/clock.ts";
import { space } from "../../../src/os/files.ts";
import { pageSize } from "../../../src/os/page.ts";
import { SPSC_BYTES } from "../../contract/products/spsc_bytes.ts"; // has no messages to compare
import type { Random } from "../../random.ts";
import { attempt, CELLS, FACTS, filesOf, type Hostility, suffer } from "../pieces/hostile.ts";
import { unlinkAll, VICTIMS } from "../pieces/hostile.ts";
import { type Actor, defineWorkload, type Workload } from "../workload.ts";

const DIRECTORY = "/dev/shm";

/** A /dev/shm of at most this size is filled. */
const SMALL_BYTES = 2 ** 28;

/** One file of each product is only truncated; the other is also made to have zeros. */
const TAKING: Hostility = {
  kinds: ["cut", "zero"],
  isExact: (kind, product) => kind === "cut" && product !== SPSC_BYTES,
};

const ALL_CELLS = { ...CELLS, truncated: 1, punched: 1, filled: 1 };

type Party = Actor<keyof typeof ALL_CELLS>;

const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;

let libc: ReturnType<typeof openLibc> | undefined;

/** The library has no use for holes. */
function openLibc() {
  const fallocate = { parameters: ["i32", "i32", "i64", "i64"], result: "i32" } as const;
  return Deno.dlopen("libc.so.6", { fallocate }).symbols;
}

/** Punches a hole from an offset to the end of a file. */
function punch(party: Party, path: string, at: number): void {
  libc ??= openLibc();
  using file = Deno.openSync(path, { read: true, write: true });
  const { size } = file.statSync();
  if (size > at) libc.fallocate(fdOf(path), PUNCH_HOLE | KEEP_SIZE, BigInt(at), BigInt(size - at));
  party.count("punched");
}

/** Takes memory away from a file. */
function take(party: Party, path: string, isCut: boolean): void {
  const { random } = party;
  const { size } = Deno.statSync(path);
  // Whole pages: the kernel fills the rest of a page with zeros, and nobody can tell.
  const unit = isCut ? pageSize() : 1;
  const at = Math.floor(size * random.pick([0, 0.5, random.next()]) / unit) * unit;
  if (!isCut && random.chance(0.5)) return punch(party, path, at);
  Deno.truncateSync(path, at);
  party.count("truncated");
  if (!isCut) Deno.truncateSync(path, size);
}

/** The descriptor of an open file: Deno does not tell. */
function fdOf(path: string): number {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`) === path) return Number(name);
    } catch {
      continue; // that of the directory
    }
  }
  throw new Deno.errors.NotFound(`${path} was removed meanwhile`);
}

/** Fills what is left of a small /dev/shm for a moment. */
async function fill(party: Party, random: Random): Promise<void> {
  const free = space(DIRECTORY);
  if (typeof free === "number" || free.total > SMALL_BYTES) return;
  const path = `${DIRECTORY}/${party.name("filler")}`;
  try {
    using file = Deno.openSync(path, { write: true, create: true });
    const block = new Uint8Array(pageSize());
    for (let left = free.free; left > 0; left -= block.length) file.writeSync(block);
  } catch {
    // it is full
  }
  party.count("filled");
  for (const path of filesOf(party, "zero")) await attempt(() => punch(party, path, 0));
  await sleep(random.between(1, 40));
  await attempt(() => Deno.removeSync(path));
}

/** Takes memory away all the time; `isHonest` is false to give zeros to those, too, who get none. */
export async function takeAway(party: Party, isHonest = true): Promise<void> {
  const { random } = party;
  while (!party.over) {
    await sleep(random.between(0, 10));
    const kind = random.pick(TAKING.kinds);
    if (random.chance(0.02)) await fill(party, random);
    const files = filesOf(party, kind);
    if (files.length === 0) continue;
    await attempt(() => take(party, random.pick(files), isHonest && kind === "cut"));
  }
}

/** The workload, with the part that uses the products. */
export const TRUNCATED: Workload<keyof typeof ALL_CELLS> = defineWorkload({
  about: "files that are truncated and have holes under every product",
  cells: ALL_CELLS,
  facts: {
    ...FACTS,
    "files truncated": "truncated",
    "holes punched": "punched",
    "times /dev/shm was full": "filled",
  },
  parts: {
    party: {
      seats: VICTIMS,
      harm: { steps: ["load", "store", "map", "copy", "close"], lifeMs: [100, 4000] },
      run: (actor) => suffer(actor, TAKING),
    },
    taker: { seats: 1, run: (actor) => takeAway(actor) },
  },
  begin: (scene) => ({ [Symbol.dispose]: () => unlinkAll(scene, TAKING) }),
});

export default TRUNCATED;
