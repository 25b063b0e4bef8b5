/**
 * A program that has only the permission that the package needs, forgets what it has opened, lets
 * the garbage collector run, and tells what became of it. Run with `--v8-flags=--expose-gc`.
 *
 * @module
 */

import { sleep } from "../../src/os/clock.ts";
import { CircularBufferReader } from "../../src/ring/circular_reader.ts";
import { CircularBufferWriter } from "../../src/ring/circular_writer.ts";
import { SemaphoreLock } from "../../src/shared/semaphore_lock.ts";
import { SharedMemory } from "../../src/shared/shared_memory.ts";

const { gc } = globalThis as unknown as { gc(): void };
const name = Deno.args[0]!;

/** Collects garbage until the condition holds; false if it does not come true. */
async function collected(condition: () => boolean): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (condition()) return true;
    gc();
    await sleep(1); // finalizers run in a task of their own
  }
  return false;
}

function attempt(act: () => Disposable): boolean {
  try {
    act()[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}

using lock = new SemaphoreLock(name);
(() => void new SemaphoreLock(name).acquireSync())();
let recovered: boolean | undefined;
const lockIsFree = await collected(() => {
  using permit = lock.tryAcquire();
  recovered = permit?.recovered;
  return permit !== undefined;
});

using memory = SharedMemory.open(name, { size: 100 });
(() => void SharedMemory.open(name, { size: 100 }))();
const before = memory.references;
const memoryIsLeft = await collected(() => memory.references === 1);

using reader = CircularBufferReader.open(name, { capacity: 4096 });
(() => CircularBufferWriter.open(name).write(new Uint8Array(8)))();
const held = !attempt(() => CircularBufferWriter.open(name));
const roleIsFree = await collected(() => attempt(() => CircularBufferWriter.open(name)));
const { state } = reader.tryRead();

console.log(
  JSON.stringify({ lockIsFree, recovered, before, memoryIsLeft, held, roleIsFree, state }),
);
lock.unlink();
