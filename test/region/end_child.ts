/**
 * A program that opens one of everything, closes nothing, and ends in the way of its argument.
 *
 * @module
 */

import {
  byteRing,
  calls,
  circular,
  domain,
  lock as defineLock,
  mpsc,
  regions,
  rwLock,
  sharedMemory,
  spsc,
  topic,
} from "../../mod.ts";

const [ending, name] = Deno.args as [string, string];

/** One handle of every product. */
function openAll(): unknown[] {
  const capacity = 4096;
  const single = topic(`${name}/topic`, { size: 64 });
  const many = topic(`${name}/merged`, { size: 64, publishers: "many" });
  return [
    single.publisher(),
    single.subscriber(),
    many.publisher({ source: "one" }),
    many.subscriber(),
    spsc(`${name}-spsc`, { capacity }).producer(),
    spsc(`${name}-spsc`, { capacity }).consumer(),
    byteRing(`${name}-bytes`, { capacity }).producer(),
    byteRing(`${name}-bytes`, { capacity }).consumer(),
    mpsc(name, { capacity }).consumer(),
    mpsc(name, { capacity }).producer(),
    calls(name, { capacity }).server(),
    calls(name, { capacity }).client(),
    circular(name, { capacity }).writer(),
    circular(name, { capacity }).reader(),
    domain(name, { slot: { size: 64 } }).open(),
    sharedMemory(name, { size: 64 }).open(),
    rwLock(name).open(),
  ];
}

const ENDINGS: Record<string, () => void | Promise<void>> = {
  end() {},
  exit: () => Deno.exit(3),
  exitInHandler() {
    const consumer = spsc(`${name}-spsc-2`).consumer();
    using producer = spsc(`${name}-spsc-2`).producer();
    producer.trySend(new Uint8Array(1));
    consumer.poll(() => Deno.exit(3));
  },
  producer() {
    spsc(name).producer().trySend(Uint8Array.of(2, 7, 1));
    Deno.exit(3);
  },
  sync: workUntilSigterm,
  async forgotten() {
    openAll();
    const { gc } = globalThis as unknown as { gc(): void };
    const left = () => regions().filter((region) => region.name.includes(name)).length;
    console.log(left());
    for (let i = 0; i < 50 && left() > 0; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 1)); // finalizers run in a task of their own
    }
    console.log(left());
  },
  locks() {
    defineLock(name).open().lockSync();
    rwLock(name).open().writeSync();
    Deno.exit(3);
  },
};

/** The loop that the README recommends. */
async function workUntilSigterm(): Promise<void> {
  let ending = false;
  Deno.addSignalListener("SIGTERM", () => ending = true);
  using consumer = spsc(name).consumer();
  console.log("waiting");
  while (!ending) {
    try {
      consumer.waitSync({ timeout: 200 });
      consumer.poll(({ bytes }) => console.log(bytes[0]), 1000);
    } catch (error) {
      if ((error as Error).name !== "TimeoutError") throw error;
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
}

if (!["producer", "locks", "sync", "forgotten"].includes(ending)) {
  const opened = openAll();
  console.log(opened.length, regions().filter((region) => region.name.includes(name)).length);
}
await ENDINGS[ending]!();
