/**
 * Imports the package where there is no Deno, and uses everything that can be used first. In
 * JavaScript, as it also runs in Node.
 *
 * @module
 */

/** What each first use says; an empty list if the import or something else goes wrong otherwise. */
export async function firstUses(url) {
  const vring = await import(url);
  const type = vring.struct("first", { time: "f64" });
  const uses = {
    struct: () => type.size,
    json: () => vring.json().encode !== undefined,
    definition: () => vring.topic("first", { type }).name,
    MirrorRing: () => new vring.MirrorRing(1),
    "topic, publisher": () => vring.topic("first").publisher(),
    "topic, subscriber": () => vring.topic("first").subscriber(),
    "topic, ready": () => vring.topic("first").ready({ timeout: 1000 }),
    "spsc, producer": () => vring.spsc("first").producer(),
    "spsc, consumer": () => vring.spsc("first").consumer(),
    "mpsc, producer": () => vring.mpsc("first").producer(),
    "mpsc, consumer": () => vring.mpsc("first").consumer(),
    byteRing: () => vring.byteRing("first").producer(),
    "calls, server": () => vring.calls("first", { capacity: 4096 }).server(),
    "calls, client": () => vring.calls("first", { capacity: 4096 }).client(),
    "circular, writer": () => vring.circular("first", { capacity: 4096 }).writer(),
    "circular, reader": () => vring.circular("first", { capacity: 4096 }).reader(),
    domain: () => vring.domain("first", { slot: { size: 8 } }).open(),
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
