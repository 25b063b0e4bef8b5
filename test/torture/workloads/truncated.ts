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
import { isPayload, payload } from "../../circular/scene.ts";
import { type Handle, isMark, type Product, smallSizes } from "../../contract/product.ts";
import { PRODUCTS } from "../../contract/products.ts";
import { SPSC_BYTES } from "../../contract/products/spsc_bytes.ts"; // has no messages to compare
import type { Random } from "../../random.ts";
import { type Actor, defineWorkload, type Workload } from "../workload.ts";

const DIRECTORY = "/dev/shm";

/** A /dev/shm of at most this size is filled. */
const SMALL_BYTES = 2 ** 28;

/** The messages that are sent have one of these numbers, and this length. */
const NUMBERS = 12;
const LENGTH = 64;

/** Errors by which a hostile peer may end an operation, or which a living peer explains. */
const EXPECTED = [
  "ClosedError", // of a server that another handle has taken over
  "CorruptRegionError",
  "LayoutMismatchError",
  "LostError",
  "OsError",
  "PeerLostError",
  "RoleTakenError",
  "TimeoutError",
  "VringError",
];

const SEATS = 4;

const CELLS = {
  sent: 1,
  received: 1,
  corrupt: 1, // messages with other bytes than were sent
  noticed: 1, // operations that ended with a CorruptRegionError
  opened: 1,
  truncated: 1,
  punched: 1,
  filled: 1,
  calm: 1, // messages through rings that nobody disturbs
};

type Party = Actor<keyof typeof CELLS>;

/** Where a product is: one file is only truncated, the other is also made to have zeros. */
const KINDS = ["cut", "zero"] as const;

function nameOf(scene: { name(suffix: string): string }, product: Product, kind: string): string {
  return scene.name(`${kind}-${PRODUCTS.indexOf(product)}`);
}

/** The name of a ring that only this seat uses, and nobody disturbs. */
function calmName(scene: { name(suffix: string): string }, seat: number): string {
  return scene.name(`calm-${seat}`);
}

/** Runs an act; returns the name of its error. */
async function errorOf(party: Party, act: () => unknown): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    const { name, message, stack } = error as Error;
    if (!EXPECTED.includes(name)) party.complain(`${name}: ${message} ${stack}`);
    if (name === "CorruptRegionError") party.count("noticed");
    return name;
  }
}

/** Whether a message is one that was sent. */
function isOurs(message: Uint8Array): boolean {
  if (message.length !== LENGTH) return false;
  for (let i = 1; i <= NUMBERS; i++) if (isPayload(message, i)) return true;
  return false;
}

/** Uses a handle once, in any way. */
async function use(party: Party, handle: Handle, isSender: boolean, isExact: boolean) {
  const { random } = party;
  const { acts = {}, waits = {} } = handle;
  const choice = random.next();
  const wait = Object.values(waits)[random.below(Object.keys(waits).length || 1)];
  if (choice < 0.05 && wait !== undefined) {
    const options = { timeout: random.between(1, 30), spin: 0 };
    if (random.chance(0.5)) await wait.async?.(options);
    else wait.sync?.(options);
  } else if (isSender && handle.trySend) {
    const message = payload(1 + random.below(NUMBERS), LENGTH);
    const sends = Object.entries(acts).filter(([act]) => /^(send|publish by|write|call)/.test(act));
    if (sends.length > 0 && random.chance(0.5)) random.pick(sends)[1](() => {}, message);
    else handle.trySend(message);
    party.count("sent");
  } else if (handle.arrivals) {
    for (const arrival of handle.arrivals()) {
      if (!("message" in arrival)) continue;
      party.count("received");
      const { message } = arrival;
      if (!isExact || isOurs(message) || isMark(message)) continue;
      party.find(
        "corrupt",
        `a message of ${message.length} bytes is not what was sent: ${message}`,
      );
    }
  } else if (isSender && handle.mark) handle.mark();
  else handle.finds?.();
}

/** Opens an end of the ring that nobody disturbs, once there is memory for it. */
async function openCalm(party: Party, open: () => Handle): Promise<Handle> {
  let handle: Handle | undefined;
  while (handle === undefined) {
    await errorOf(party, () => handle = open());
    if (handle === undefined) await sleep(5);
  }
  return handle;
}

/** Uses one product after the other, each until its memory is gone or it has been used enough. */
async function live(party: Party): Promise<void> {
  const { random } = party;
  const ring = PRODUCTS[0]!;
  const calm = calmName(party, party.seat);
  using producer = await openCalm(party, () => ring.sender.open(calm, smallSizes(ring)));
  using consumer = await openCalm(party, () => ring.receiver.open(calm, smallSizes(ring)));
  while (!party.over) {
    const product = random.pick(PRODUCTS);
    const kind = random.pick(KINDS);
    const name = nameOf(party, product, kind);
    await useProduct(party, product, name, kind === "cut" && product !== SPSC_BYTES);
    producer.trySend!(payload(3, LENGTH));
    for (const arrival of consumer.arrivals!()) {
      if (!("message" in arrival) || !isPayload(arrival.message, 3)) {
        party.find("corrupt", "a message of an undisturbed ring is not what was sent");
      }
      party.count("calm");
    }
  }
}

/** An open handle of a product. */
interface Use {
  readonly handle: Handle;
  readonly isSender: boolean;
}

/** Opens one end of a product, or both, and uses it until its memory is gone or it is enough. */
async function useProduct(party: Party, product: Product, name: string, isExact: boolean) {
  const { random } = party;
  const ends = random.pick([[true], [false], [true, false], [false, true]]);
  const uses: Use[] = [];
  for (const isSender of ends) {
    const error = await errorOf(party, () => {
      const options = { ...smallSizes(product), ...product.succession };
      const handle = product[isSender ? "sender" : "receiver"].open(name, options);
      uses.push({ handle, isSender });
    });
    if (error === undefined) party.count("opened");
    else if (error !== "RoleTakenError") await errorOf(party, () => product.sender.unlink?.(name));
  }
  for (let left = random.below(300); left > 0 && uses.length > 0 && !party.over; left--) {
    const { handle, isSender } = random.pick(uses);
    const error = await errorOf(party, () => use(party, handle, isSender, isExact));
    if (error === "CorruptRegionError") break;
    if (random.chance(0.02)) await sleep(random.between(0, 3));
  }
  for (const { handle } of uses) {
    const error = await errorOf(party, () => handle.close());
    if (error !== undefined) party.complain(`closing ${product.name} throws a ${error}`);
  }
}

/** The files of this run, but not those of rings that nobody disturbs. */
function filesOf(party: Party, kind: string): string[] {
  const names = [...Deno.readDirSync(DIRECTORY)].map(({ name }) => name);
  return names.filter((name) => name.includes(party.name(`${kind}-`)))
    .map((name) => `${DIRECTORY}/${name}`);
}

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

/** Does something to a file that may be gone by now. */
async function attempt(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Takes memory away all the time; `isHonest` is false to give zeros to those, too, who get none. */
export async function takeAway(party: Party, isHonest = true): Promise<void> {
  const { random } = party;
  while (!party.over) {
    await sleep(random.between(0, 10));
    const kind = random.pick(KINDS);
    if (random.chance(0.02)) await fill(party, random);
    const files = filesOf(party, kind);
    if (files.length === 0) continue;
    await attempt(() => take(party, random.pick(files), isHonest && kind === "cut"));
  }
}

/** The workload, with the part that uses the products. */
export const TRUNCATED: Workload<keyof typeof CELLS> = defineWorkload({
  about: "files that are truncated and have holes under every product",
  cells: CELLS,
  facts: {
    "handles opened": "opened",
    "files truncated": "truncated",
    "holes punched": "punched",
    "times /dev/shm was full": "filled",
    "memory found gone": "noticed",
    "undisturbed messages": "calm",
  },
  parts: {
    party: {
      seats: SEATS,
      harm: { steps: ["load", "store", "map", "copy", "close"], lifeMs: [100, 4000] },
      run: live,
    },
    taker: { seats: 1, run: (actor) => takeAway(actor) },
  },
  begin(scene) {
    return {
      [Symbol.dispose]() {
        for (let i = 0; i < SEATS; i++) PRODUCTS[0]!.sender.unlink!(calmName(scene, i));
        for (const product of PRODUCTS) {
          for (const kind of KINDS) product.sender.unlink?.(nameOf(scene, product, kind));
        }
      },
    };
  },
});

export default TRUNCATED;
