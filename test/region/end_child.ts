/**
 * A program that opens one of everything, closes nothing, and ends in the way of its argument.
 *
 * @module
 */

import {
  calls,
  circular,
  domain,
  lock as defineLock,
  MergedSubscriber,
  MpscConsumer,
  MpscProducer,
  Publisher,
  regions,
  rwLock,
  sharedMemory,
  type SpscByteConsumer,
  SpscConsumer,
  SpscProducer,
  Subscriber,
} from "../../mod.ts";

const [ending, name] = Deno.args as [string, string];

/** One handle of every product. */
function openAll(): unknown[] {
  const capacity = 4096;
  return [
    Publisher.open(`${name}/topic`, { size: 64 }),
    Subscriber.open(`${name}/topic`, { size: 64 }),
    Publisher.open(`${name}/merged`, { size: 64, source: "one" }),
    MergedSubscriber.open(`${name}/merged`),
    SpscProducer.open(`${name}-spsc`, { capacity }),
    SpscConsumer.open(`${name}-spsc`, { capacity }),
    SpscProducer.open(`${name}-bytes`, { capacity, level: "bytes" }),
    SpscConsumer.open(`${name}-bytes`, { capacity, level: "bytes" }) satisfies SpscByteConsumer,
    MpscConsumer.open(name, { capacity }),
    MpscProducer.open(name, { capacity }),
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
    const consumer = SpscConsumer.open(`${name}-spsc-2`);
    using producer = SpscProducer.open(`${name}-spsc-2`);
    producer.trySend(new Uint8Array(1));
    consumer.poll(() => Deno.exit(3));
  },
  producer() {
    SpscProducer.open(name).trySend(Uint8Array.of(2, 7, 1));
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
  using consumer = SpscConsumer.open(name);
  console.log("waiting");
  while (!ending) {
    try {
      consumer.waitSync({ timeout: 200 });
      consumer.poll((job) => console.log(job[0]), 1000);
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
