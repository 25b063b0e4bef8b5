/**
 * Processes that use every product while a hostile peer does something to the memory. No operation
 * ends a process, hangs, or throws an error that is not documented. Each process also has a ring for
 * itself, which nobody disturbs.
 *
 * @module
 */

import { now, sleep } from "../../../src/os/clock.ts";
import { isPayload, payload } from "../../circular/scene.ts";
import { type Handle, isMark, type Product, smallSizes } from "../../contract/product.ts";
import { PRODUCTS } from "../../contract/products.ts";
import { raise } from "../ledger.ts";
import { OwnWaits } from "../processor_time.ts";
import type { Actor, Scene } from "../workload.ts";

const DIRECTORY = "/dev/shm";

/** The messages that are sent have one of these numbers, and this length. */
const NUMBERS = 12;
const LENGTH = 64;

/** No operation of a wait of at most 30 ms takes longer, also in a process that is stopped for 1 s. */
const LONGEST_NS = 10e9;

/** Errors by which a hostile peer may end an operation, or which a living peer explains. */
const EXPECTED = [
  "ClosedError", // of a server that another handle has taken over
  "CorruptRegionError",
  "LayoutMismatchError",
  "LostError",
  "OsError",
  "PeerLostError",
  "RemoteError",
  "RoleTakenError",
  "TimeoutError",
  "VringError",
];

/** The number of these processes. */
export const VICTIMS = 4;

/** The counters of these processes. */
export const CELLS = {
  sent: 1,
  received: 1,
  corrupt: 1, // messages with other bytes than were sent
  noticed: 1, // operations that ended with a CorruptRegionError
  opened: 1,
  calm: 1, // messages through rings that nobody disturbs
  longest: 1, // the longest operation, in nanoseconds
};

/** The rows of these counters in an account. */
export const FACTS = {
  "handles opened": "opened",
  "corruption reported": "noticed",
  "undisturbed messages": "calm",
  "longest operation (ms)": "longest",
} as const;

/** A process that suffers. */
export type Victim = Actor<keyof typeof CELLS>;

/** What a hostile peer does to the memory, as far as its victims must know. */
export interface Hostility {
  /** The places of each product, by the beginnings of their names. */
  readonly kinds: readonly string[];
  /** Whether messages must arrive with the bytes that were sent. */
  isExact(kind: string, product: Product): boolean;
  /** Whether a lock may look as if a living peer held it; then only waits with a limit end. */
  readonly holdsLocks?: boolean;
}

type Namer = { name(suffix: string): string };

function nameOf(scene: Namer, product: Product, kind: string): string {
  return scene.name(`${kind}-${PRODUCTS.indexOf(product)}`);
}

/** The name of a ring that only this seat uses, and nobody disturbs. */
function calmName(scene: Namer, seat: number): string {
  return scene.name(`calm-${seat}`);
}

/** The files of this run in the places of a kind. */
export function filesOf(scene: Namer, kind: string): string[] {
  const names = [...Deno.readDirSync(DIRECTORY)].map(({ name }) => name);
  return names.filter((name) => name.includes(scene.name(`${kind}-`)))
    .map((name) => `${DIRECTORY}/${name}`);
}

/** Does something to a file that may be gone by now. */
export async function attempt(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Removes all that the processes have made. */
export function unlinkAll(scene: Namer, { kinds }: Hostility): void {
  for (let i = 0; i < VICTIMS; i++) PRODUCTS[0]!.sender.unlink!(calmName(scene, i));
  for (const product of PRODUCTS) {
    for (const kind of kinds) product.sender.unlink?.(nameOf(scene, product, kind));
  }
}

const waits = new OwnWaits();

/** Runs an act; returns the name of its error. */
async function errorOf(party: Victim, act: () => unknown): Promise<string | undefined> {
  const start = now();
  try {
    await act();
    return undefined;
  } catch (error) {
    const { name, message, stack } = error as Error;
    if (!EXPECTED.includes(name)) party.complain(`${name}: ${message} ${stack}`);
    if (name === "CorruptRegionError") party.count("noticed");
    return name;
  } finally {
    const took = now() - start;
    raise(party.cells.longest[0]!, took);
    const free = took > LONGEST_NS ? took - waits.since * 1e6 : 0;
    if (free > LONGEST_NS) party.complain(`an operation took ${free / 1e9} s: ${act}`);
    waits.note();
  }
}

/** Whether a message is one that was sent. */
function isOurs(message: Uint8Array): boolean {
  if (message.length !== LENGTH) return false;
  for (let i = 1; i <= NUMBERS; i++) if (isPayload(message, i)) return true;
  return false;
}

/** An open handle of a product. */
interface Use {
  readonly product: Product;
  readonly handle: Handle;
  readonly isSender: boolean;
  readonly isExact: boolean;
}

/** Uses a handle once, in any way. */
async function useOnce(
  party: Victim,
  { handle, isSender, isExact, product }: Use,
  hostility: Hostility,
): Promise<void> {
  const { random } = party;
  const { waits = {} } = handle;
  const mayBlock = hostility.holdsLocks && (product.locks || product.name === "slot");
  const wait = Object.values(waits)[random.below(Object.keys(waits).length || 1)];
  if (random.chance(mayBlock ? 0.5 : 0.05) && wait !== undefined) {
    const options = { timeout: random.between(1, 30), spin: 0 };
    if (random.chance(0.5)) await wait.async?.(options);
    else wait.sync?.(options);
  } else if (isSender && handle.trySend && !mayBlock) {
    send(party, handle);
  } else if (handle.arrivals) {
    for (const arrival of handle.arrivals()) {
      if (!("message" in arrival)) continue;
      party.count("received");
      const { message } = arrival;
      if (!isExact || isOurs(message) || isMark(message)) continue;
      const what = `a message of ${message.length} bytes is not what was sent: ${message}`;
      party.find("corrupt", what);
    }
  } else if (isSender && handle.mark && !mayBlock) handle.mark();
  else handle.finds?.();
}

function send(party: Victim, handle: Handle): void {
  const { random } = party;
  const message = payload(1 + random.below(NUMBERS), LENGTH);
  const acts = Object.entries(handle.acts ?? {});
  const sends = acts.filter(([act]) => /^(send|publish by|write|call)/.test(act));
  if (sends.length > 0 && random.chance(0.5)) random.pick(sends)[1](() => {}, message);
  else handle.trySend!(message);
  party.count("sent");
}

/** Uses one product after the other, each until its memory is corrupt or it was used enough. */
export async function suffer(party: Victim, hostility: Hostility): Promise<void> {
  const { random } = party;
  const ring = PRODUCTS[0]!;
  const calm = calmName(party, party.seat);
  using producer = await openCalm(party, () => ring.sender.open(calm, smallSizes(ring)));
  using consumer = await openCalm(party, () => ring.receiver.open(calm, smallSizes(ring)));
  while (!party.over) {
    await useProduct(party, random.pick(PRODUCTS), random.pick(hostility.kinds), hostility);
    producer.trySend!(payload(3, LENGTH));
    for (const arrival of consumer.arrivals!()) {
      if (!("message" in arrival) || !isPayload(arrival.message, 3)) {
        party.find("corrupt", "a message of an undisturbed ring is not what was sent");
      }
      party.count("calm");
    }
  }
}

/** Opens an end of the ring that nobody disturbs, once there is memory for it. */
async function openCalm(party: Victim, open: () => Handle): Promise<Handle> {
  let handle: Handle | undefined;
  while (handle === undefined) {
    await errorOf(party, () => handle = open());
    if (handle === undefined) await sleep(5);
  }
  return handle;
}

/** Opens one end of a product, or both, and uses it until its memory is corrupt or it is enough. */
async function useProduct(party: Victim, product: Product, kind: string, hostility: Hostility) {
  const { random } = party;
  const isExact = hostility.isExact(kind, product);
  const name = nameOf(party, product, kind);
  const ends = random.pick([[true], [false], [true, false], [false, true]]);
  const uses: Use[] = [];
  for (const isSender of ends) {
    const error = await errorOf(party, () => {
      const options = { ...smallSizes(product), ...product.succession };
      const handle = product[isSender ? "sender" : "receiver"].open(name, options);
      uses.push({ product, handle, isSender, isExact });
    });
    if (error === undefined) party.count("opened");
    else if (error !== "RoleTakenError" || random.chance(0.05)) {
      await errorOf(party, () => product.sender.unlink?.(name));
    }
  }
  for (let left = random.below(300); left > 0 && uses.length > 0 && !party.over; left--) {
    const error = await errorOf(party, () => useOnce(party, random.pick(uses), hostility));
    if (error === "CorruptRegionError") break;
    if (random.chance(0.02)) await sleep(random.between(0, 3));
  }
  for (const { handle } of uses) {
    const error = await errorOf(party, () => handle.close());
    if (error !== undefined) party.complain(`closing ${product.name} throws a ${error}`);
  }
}

/** Uses every place once more, while nobody else does: it must work once its name is unlinked. */
export function useAfresh(scene: Scene, { kinds }: Hostility): void {
  for (const product of PRODUCTS) {
    for (const kind of kinds) {
      const name = nameOf(scene, product, kind);
      product.sender.unlink?.(name);
      const options = { ...smallSizes(product), ...product.succession };
      using receiver = product.receiver.open(name, options);
      using sender = product.sender.open(name, options);
      sender.mark?.();
      const finds = receiver.finds?.() ?? true;
      if (!finds) scene.complain(`${product.name}: a place made anew does not carry a message`);
    }
  }
}
