/**
 * Imports the package where there is no Deno, and uses everything that can be used first. In
 * JavaScript, as it also runs in Node.
 *
 * @module
 */

/** What each first use says; an empty list if the import or something else goes wrong otherwise. */
export async function firstUses(url) {
  const vring = await import(url);
  const type = vring.layout("first", { time: "f64" });
  const uses = {
    layout: () => type.size,
    codec: () => vring.codec.json().encode !== undefined,
    MirrorRing: () => new vring.MirrorRing(1),
    Publisher: () => vring.Publisher.open("first", { size: 8 }),
    Subscriber: () => vring.Subscriber.open("first", { size: 8 }),
    MergedSubscriber: () => vring.MergedSubscriber.open("first"),
    SpscProducer: () => vring.SpscProducer.open("first", { capacity: 4096 }),
    SpscConsumer: () => vring.SpscConsumer.open("first", { capacity: 4096 }),
    MpscProducer: () => vring.MpscProducer.open("first", { capacity: 4096 }),
    MpscConsumer: () => vring.MpscConsumer.open("first", { capacity: 4096 }),
    "calls, server": () => vring.calls("first", { capacity: 4096 }).server(),
    "calls, client": () => vring.calls("first", { capacity: 4096 }).client(),
    CircularBufferWriter: () => vring.circular("first", { capacity: 4096 }).writer(),
    CircularBufferReader: () => vring.circular("first", { capacity: 4096 }).reader(),
    connect: () => vring.Subscriber.connect("first", { timeout: 1000 }),
    Domain: () => vring.Domain.open("first").slot("slot", { maxSize: 8 }),
    sharedMemory: () => vring.sharedMemory("first", { size: 8 }).open(),
    lock: () => vring.lock("first").open(),
    rwLock: () => vring.rwLock("first").open(),
    regions: () => vring.regions(),
    topics: () => vring.topics(),
    useLibrary: () => vring.useLibrary({ library: "/first.so" }),
  };
  const said = {};
  for (const [name, use] of Object.entries(uses)) {
    try {
      said[name] = await use();
    } catch (error) {
      said[name] = `${error.name}: ${error.message}`;
    }
  }
  return said;
}
