/**
 * A program that has only the permission that the package needs, forgets what it has opened, lets
 * the garbage collector run, and tells what became of it. Run with `--v8-flags=--expose-gc`.
 *
 * @module
 */

import { sleep } from "../../src/os/clock.ts";
import { CircularBufferReader } from "../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
import { SemaphoreLock } from "../../src/shared/semaphore_lock.ts";
import { SharedMemory } from "../../src/shared/shared_memory.ts";

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
  return sleep(1); // finalizers run in a task of their own
}

function attempt(act: () => Disposable): boolean {
  try {
    act()[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}

(() => void new SemaphoreLock(name).acquireSync())();

using memory = SharedMemory.open(name, { size: 100 });
(() => void SharedMemory.open(name, { size: 100 }))();
const { bytes } = (() => SharedMemory.open(name, { size: 100 }))();
const before = memory.references;
const memoryIsLeft = await collected(() => memory.references < before);

using reader = CircularBufferReader.open(name, { capacity: 4096 });
(() => CircularBufferWriter.open(name).write(new Uint8Array(8)))();
const held = !attempt(() => CircularBufferWriter.open(name));
const roleIsFree = await collected(() => attempt(() => CircularBufferWriter.open(name)));
const { state } = reader.tryRead();

for (let time = 0; time < 10; time++) await collect(); // and what is in use?
bytes[7] = 9;
const inUse = { references: memory.references, byte: memory.bytes[7] };
using lock = new SemaphoreLock(name);
const lockIsFree = lock.tryAcquire() !== undefined;

console.log(
  JSON.stringify({ before, memoryIsLeft, held, roleIsFree, state, inUse, lockIsFree }),
);
