/**
 * A program with only the permission that the package needs. It forgets its handles, lets the
 * garbage collector run, and reports the result. Run with `--v8-flags=--expose-gc`.
 *
 * @module
 */

import { circular } from "../../src/circular/definition.ts";
import { sleep } from "../../src/os/clock.ts";
import { lock as defineLock } from "../../src/shared/semaphore_lock.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { topic } from "../../src/vdds/definition.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";

const { gc } = globalThis as unknown as { gc(): void };
const name = Deno.args[0]!;

/** Collects garbage until the condition holds; false if it does not come true. */
async function collected(condition: () => boolean): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (condition()) return true;
    await collect();
  }
  return false;
}

function collect(): Promise<void> {
  gc();
  return sleep(1).then(() => {}); // finalizers run in a task of their own
}

function attempt(act: () => Disposable): boolean {
  try {
    act()[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}

(() => void defineLock(name).open().lockSync())();

using memory = sharedMemory(name, { size: 100 }).open();
(() => void sharedMemory(name, { size: 100 }).open())();
const { bytes } = (() => sharedMemory(name, { size: 100 }).open())();
const before = memory.references;
const memoryIsLeft = await collected(() => memory.references < before);

const ticker = circular(name, { capacity: 4096 });
using reader = ticker.reader();
(() => ticker.writer().trySend(new Uint8Array(8)))();
const held = !attempt(() => ticker.writer());
const roleIsFree = await collected(() => attempt(() => ticker.writer()));
const received = reader.tryReceive()?.sequence;

// A handle is forgotten of which only bytes in place are kept: they keep its role.
const samples = topic(name, { depth: 2, size: 16 });
using publisher = samples.publisher();
const sample = (() => {
  const subscriber = samples.subscriber();
  publisher.trySend(new Uint8Array(16).fill(1));
  return subscriber.tryTake()!.bytes;
})();
const ring = spsc(name, { capacity: 4096 });
const claim = (() => ring.producer().tryClaim(16)!.bytes)();

for (let time = 0; time < 10; time++) await collect(); // and what is in use?
for (let number = 0; number < 6; number++) publisher.trySend(new Uint8Array(16).fill(9));
const inPlace = {
  subscribers: publisher.peers,
  sample: [...new Set(sample)],
  claim: claim.length,
  producerIsHeld: !attempt(() => ring.producer()),
};
bytes[7] = 9;
const inUse = { references: memory.references, byte: memory.bytes[7] };
using lock = defineLock(name).open();
const lockIsFree = lock.tryLock() !== undefined;

console.log(
  JSON.stringify({ before, memoryIsLeft, held, roleIsFree, received, inUse, inPlace, lockIsFree }),
);
