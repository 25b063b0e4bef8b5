/**
 * Hostile values at every entry point: each is refused by a TypeError or RangeError that begins with
 * "Cannot", has words that the engine would not use, and leaves the handle usable.
 */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import * as vring from "../mod.ts";

/** The handles without their types, as a caller in JavaScript sees them. */
// deno-lint-ignore no-explicit-any
type Untyped = any;
const {
  array,
  byteRing,
  calls,
  circular,
  domain,
  LeapfrogRing,
  Listener,
  lock: defineLock,
  MirrorRing,
  mpsc,
  observe,
  rwLock,
  sharedMemory,
  spsc,
  struct,
  topic,
  waitAny,
  waitAnySync,
} = vring as Untyped;

const NAME = `misuse-${Deno.pid}`;
const DOMAIN = domain(NAME).open();
const PAIR = struct("pair", { a: "u8", b: "u8" });

/** An array whose memory was transferred away. */
function transferred(): Uint8Array {
  const array = new Uint8Array(8);
  array.buffer.transfer();
  return array;
}

/** An array that lies beyond the end of its buffer. */
function cutOff(): Uint8Array {
  const buffer = new ArrayBuffer(16, { maxByteLength: 16 });
  const array = new Uint8Array(buffer, 8, 8);
  buffer.resize(4);
  return array;
}

const NO_BYTES: readonly unknown[] = [
  undefined,
  null,
  5,
  NaN,
  5n,
  "hello",
  Symbol("bytes"),
  () => {},
  {},
  { length: 3, byteLength: 3, buffer: new ArrayBuffer(3), byteOffset: 0 },
  [1, 2, 300],
  new ArrayBuffer(8),
  new SharedArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
  new Float64Array(2),
  new Int8Array(4),
  new Uint8ClampedArray(4),
  Object.create(Uint8Array.prototype),
  new Proxy(new Uint8Array(8), {}),
  transferred(),
  cutOff(),
];

/** One open handle of every product. */
class Handles extends DisposableStack {
  readonly rings = [
    this.use(spsc(NAME).producer()),
    this.use(spsc(NAME).consumer()),
  ] as Untyped[];
  readonly many = [
    this.use(mpsc(NAME).consumer()),
    this.use(mpsc(NAME).producer()),
  ].reverse() as Untyped[];
  readonly circular = [
    this.use(circular(NAME).writer()),
    this.use(circular(NAME).reader()),
    this.use(circular(NAME).observer()),
  ] as Untyped[];
  readonly topic = [
    this.use(topic(NAME).publisher()),
    this.use(topic(NAME).subscriber()),
    this.use(topic(NAME).observer()),
  ] as Untyped[];
  readonly slot: Untyped = this.use(domain(NAME, { slot: {} }).open()).slots.slot;
  readonly server: Untyped = this.use(calls(NAME).server());
  readonly client: Untyped = this.use(calls(NAME).client());
  readonly mirror: Untyped = this.use(new MirrorRing(4096));
  readonly leapfrog: Untyped = this.use(new LeapfrogRing(4096));
  readonly bytes = [
    this.use(byteRing(`${NAME}-bytes`).producer()),
    this.use(byteRing(`${NAME}-bytes`).consumer()),
  ] as Untyped[];
  readonly merged: Untyped = this.use(topic(`${NAME}/merged`, { publishers: "many" }).subscriber());
  readonly memory: Untyped = this.use(sharedMemory(NAME, { size: 64 }).open());
  readonly rwLock: Untyped = this.use(rwLock(NAME).open());
  readonly semaphore: Untyped = this.use(defineLock(NAME).open());
  readonly listener: Untyped = this.use(new Listener()).add(this.slot);

  constructor() {
    super();
    this.defer(() => defineLock(NAME).unlink());
  }
}

/** Fails unless the call throws an error of the library. */
async function assertRefused(call: () => unknown, what: string, told = ""): Promise<void> {
  let error: Error | undefined;
  try {
    await call();
  } catch (thrown) {
    error = thrown as Error;
  }
  const ours = error instanceof TypeError || error instanceof RangeError;
  assert(ours, `${what}: ${error ?? "nothing was thrown"}`);
  assertMatch(error!.message, /^Cannot [^:]+: /, what); // the engine has no colon there
  assert(error!.message.includes(told), `${what}: ${error}`);
}

function shown(value: unknown): string {
  return Deno.inspect(value).split("\n")[0]!;
}

/** Each entry point that takes bytes, and a call which shows that its handle still works. */
function byteEntries(h: Handles): [string, (value: unknown) => unknown, () => unknown][] {
  const [spsc, many, overwriting, ends] = [h.rings, h.many, h.circular, h.topic];
  const slot = h.slot;
  const bytes = Uint8Array.of(1, 2, 3);
  const carries = (send: () => unknown, receive: () => { value: Uint8Array }) => () => {
    send();
    return [...receive().value];
  };
  const bySpsc = carries(() => spsc[0].sendSync(bytes), () => spsc[1].receiveSync());
  const byMpsc = carries(() => many[0].sendSync(bytes), () => many[1].receiveSync());
  const byTopic = carries(() => ends[0].sendSync(bytes), () => ends[1].receiveSync());
  const bySlot = carries(() => slot.writeSync(bytes), () => slot.latest());
  const byCircular = () => {
    overwriting[0].trySend(bytes);
    return [...overwriting[1].receiveSync().value];
  };
  const byBytes = () => {
    h.bytes[0].writeSync(bytes);
    const target = new Uint8Array(8);
    return [...target.subarray(0, h.bytes[1].readSync(target))];
  };
  const through = (ring: Untyped) => () => {
    ring.write(bytes);
    const found = [...ring.peek()];
    ring.consume(found.length);
    return found;
  };
  const byStruct = () => [1, 2, 3].map((_, i) => PAIR.read(Uint8Array.of(i + 1, 0)).a);
  return [
    ["SpscProducer.trySend", (x) => spsc[0].trySend(x), bySpsc],
    ["SpscProducer.sendSync", (x) => spsc[0].sendSync(x), bySpsc],
    ["SpscProducer.send", (x) => spsc[0].send(x), bySpsc],
    ["SpscProducer.trySendBatch", (x) => spsc[0].trySendBatch([x]), bySpsc],
    ["SpscProducer.sendBatchSync", (x) => spsc[0].sendBatchSync([x]), bySpsc],
    ["SpscProducer.sendBatch", (x) => spsc[0].sendBatch([x]), bySpsc],
    ["SpscConsumer.tryReceiveInto", (x) => spsc[1].tryReceiveInto(x), bySpsc],
    [
      "SpscConsumer.tryReceiveBatchInto",
      (x) => spsc[1].tryReceiveBatchInto(x, new Uint32Array(2)),
      bySpsc,
    ],
    ["MpscProducer.trySend", (x) => many[0].trySend(x), byMpsc],
    ["ByteProducer.tryWrite", (x) => h.bytes[0].tryWrite(x), byBytes],
    ["ByteProducer.writeSync", (x) => h.bytes[0].writeSync(x), byBytes],
    ["ByteProducer.write", (x) => h.bytes[0].write(x), byBytes],
    ["ByteConsumer.tryRead", (x) => h.bytes[1].tryRead(x), byBytes],
    ["ByteConsumer.readSync", (x) => h.bytes[1].readSync(x), byBytes],
    ["ByteConsumer.read", (x) => h.bytes[1].read(x), byBytes],
    ["MpscConsumer.tryReceiveInto", (x) => many[1].tryReceiveInto(x), byMpsc],
    ["CircularBufferWriter.trySend", (x) => overwriting[0].trySend(x), byCircular],
    ["CircularBufferReader.tryReceiveInto", (x) => overwriting[1].tryReceiveInto(x), byCircular],
    ["Publisher.trySend", (x) => ends[0].trySend(x), byTopic],
    ["Publisher.sendSync", (x) => ends[0].sendSync(x), byTopic],
    ["Publisher.send", (x) => ends[0].send(x), byTopic],
    ["Subscriber.tryReceiveInto", (x) => ends[1].tryReceiveInto(x), byTopic],
    ["Slot.tryWrite", (x) => slot.tryWrite(x), bySlot],
    ["Slot.writeSync", (x) => slot.writeSync(x), bySlot],
    ["Slot.write", (x) => slot.write(x), bySlot],
    ["CallClient.call", (x) => h.client.call(x), () => [1, 2, 3]],
    ["CallClient.callSync", (x) => h.client.callSync(x), () => [1, 2, 3]],
    ["MirrorRing.write", (x) => h.mirror.write(x), through(h.mirror)],
    ["MirrorRing.read", (x) => h.mirror.read(x), through(h.mirror)],
    ["LeapfrogRing.write", (x) => h.leapfrog.write(x), through(h.leapfrog)],
    ["LeapfrogRing.read", (x) => h.leapfrog.read(x), through(h.leapfrog)],
    [
      "bytes().encode",
      (x) => vring.bytes().encode(x as Uint8Array, new Uint8Array(8)),
      () => [1, 2, 3],
    ],
    ["struct.view", (x) => PAIR.view(x), byStruct],
    ["struct.read", (x) => PAIR.read(x), byStruct],
    ["struct.write", (x) => PAIR.write(x, { a: 1, b: 2 }), byStruct],
    ["struct.inspect", (x) => PAIR.inspect(x), byStruct],
  ];
}

Deno.test("bytes are a Uint8Array that has its memory, wherever they are passed", async () => {
  using handles = new Handles();
  for (const [name, call, works] of byteEntries(handles)) {
    for (const value of NO_BYTES) {
      await assertRefused(() => call(value), `${name}(${shown(value)})`);
    }
    assertEquals(works(), [1, 2, 3], name);
  }
});

/** An object with an impossible length. */
class Liar extends Uint8Array {
  override get length(): number {
    return 2 ** 31;
  }
  override get byteLength(): number {
    return 2 ** 31;
  }
  override subarray(): never {
    throw new Error("not mine");
  }
  override set(): void {}
  override slice(): never {
    throw new Error("not mine");
  }
}

Deno.test("an array that lies about its length counts with its true length", () => {
  using handles = new Handles();
  const { rings: [producer, consumer], circular: [writer, reader], topic: [publisher] } = handles;
  const { slot, mirror } = handles;
  const message = new Liar([1, 2, 3]);
  producer.trySend(message);
  writer.trySend(message);
  assertEquals(publisher.trySend(message), true);
  assertEquals([slot.tryWrite(message), slot.latest().value.length], [1, 3]);
  assertEquals([mirror.write(message), mirror.read(new Liar(2)), mirror.available], [3, 2, 1]);
  assertThrows(() => consumer.tryReceiveInto(new Liar(2)), RangeError, "the message has 3");
  assertThrows(() => reader.tryReceiveInto(new Liar(2)), RangeError, "the message has 3");
  const [first, second] = [new Liar(4), new Liar(4)];
  assertEquals([consumer.tryReceiveInto(first), reader.tryReceiveInto(second)], [3, 3]);
  for (const target of [first, second]) assertEquals([target[0], target[2], target[3]], [1, 3, 0]);
});

Deno.test("arrays over shared and resizable buffers are sent and filled with their length of that moment", () => {
  using handles = new Handles();
  const [producer, consumer] = handles.rings;
  const buffers = [
    new SharedArrayBuffer(8),
    new SharedArrayBuffer(8, { maxByteLength: 16 }),
    new ArrayBuffer(8, { maxByteLength: 16 }),
  ];
  for (const buffer of buffers) {
    const tracking = new Uint8Array(buffer);
    tracking.set([1, 2, 3, 4, 5, 6, 7, 8]);
    assertEquals(producer.trySend(tracking), true);
    assertEquals(consumer.tryReceiveInto(tracking.subarray(0, 8)), 8);
    if (buffer instanceof ArrayBuffer) buffer.resize(4);
    producer.trySend(tracking);
    assertEquals(consumer.tryReceive().value, tracking.slice());
  }
});

/** Values that are invalid for every option, name, handler and limit. */
const NEVER: readonly unknown[] = [5n, Symbol("option"), {}, [], "nonsense", NaN, -1, 1.5, 2 ** 53];

/** The values of NEVER that some options allow; all others allow none. */
const FITS: Readonly<Record<string, readonly unknown[]>> = {
  timeout: [1.5, 2 ** 53],
  spin: [1.5, 2 ** 53],
  history: [2 ** 53],
};

const RING = ["capacity", "mode", "group", "persist", "anyOwner", "directory"];
const TOPIC = "depth size subscribers reserve policy quota history publishers".split(" ");

/** Each way to open a product: its arguments, its options, and the options that it needs. */
const OPENINGS: [string, (name: unknown, options: unknown) => unknown, string[], object?][] = [
  ["spsc", (n, o) => spsc(n, o).producer(), [...RING, "type"]],
  ["byteRing", (n, o) => byteRing(n, o).consumer(), RING],
  ["mpsc", (n, o) => mpsc(n, o).consumer(), [...RING, "type", "producers"]],
  ["SpscDefinition.producer", (n, o) => spsc(n).producer(o), ["open", "onPeerGone"]],
  ["SpscDefinition.consumer", (n, o) => spsc(n).consumer(o), ["open", "onPeerGone", "own"]],
  ["SpscDefinition.nextConsumer", (n, o) => spsc(n).nextConsumer(o), [
    "open",
    "onPeerGone",
    "timeout",
    "signal",
  ]],
  ["SpscDefinition.ready", (n, o) => spsc(n).ready(o), ["timeout", "signal"]],
  ["ByteRingDefinition.producer", (n, o) => byteRing(n).producer(o), ["open", "onPeerGone"]],
  ["MpscDefinition.producer", (n, o) => mpsc(n).producer(o), ["open", "onPeerGone", "id"]],
  ["MpscDefinition.nextProducer", (n, o) => mpsc(n).nextProducer(o), ["id", "timeout", "signal"]],
  ["MpscDefinition.consumer", (n, o) => mpsc(n).consumer(o), ["open", "onPeerGone", "own"]],
  ["circular", (n, o) => circular(n, o).writer(), [...RING, "type"]],
  ["circular.writer", (n, o) => circular(n).writer(o), ["open"]],
  ["circular.nextWriter", (n, o) => circular(n).nextWriter(o), ["open", "timeout", "signal"]],
  [
    "circular.reader",
    (n, o) => circular(n).reader(o),
    ["open", "start", "afterLoss", "onPeerGone", "own"],
  ],
  ["circular.observer", (n, o) => circular(n).observer(o), ["start", "afterLoss", "own"]],
  ["topic", (n, o) => topic(n, o).publisher(), [
    ...TOPIC,
    "type",
    "mode",
    "group",
    "persist",
    "anyOwner",
    "directory",
  ]],
  ["topic.publisher", (n, o) => topic(n).publisher(o), ["open", "source"]],
  ["topic.nextPublisher", (n, o) => topic(n).nextPublisher(o), ["timeout", "signal", "open"]],
  ["topic.subscriber", (n, o) => topic(n).subscriber(o), ["open", "history", "onPeerGone", "own"]],
  ["topic.nextSubscriber", (n, o) => topic(n).nextSubscriber(o), ["timeout", "spin"]],
  ["topic.observer", (n, o) => topic(n).observer(o), ["history"]],
  ["topic.ready", (n, o) => topic(n).ready(o), ["timeout", "signal", "spin"]],
  ["calls", (n, o) => calls(n, o).server(), [
    ...RING,
    "request",
    "response",
    "clients",
    "servers",
    "retry",
  ]],
  ["CallsDefinition.server", (n, o) => calls(n).server(o), ["open"]],
  ["CallsDefinition.client", (n, o) => calls(n).client(o), ["open", "onPeerGone"]],
  ["CallsDefinition.nextServer", (n, o) => calls(n).nextServer(o), ["open", "timeout", "signal"]],
  ["CallsDefinition.nextClient", (n, o) => calls(n).nextClient(o), ["onPeerGone", "timeout"]],
  ["CallsDefinition.ready", (n, o) => calls(n).ready(o), ["timeout", "signal"]],
  [
    "sharedMemory",
    (n, o) => sharedMemory(n, o).open(),
    ["size", "mode", "persist", "anyOwner", "directory"],
    { size: 64 },
  ],
  [
    "SharedMemoryDefinition.open",
    (n, o) => sharedMemory(n, { size: 64 }).open(o),
    ["open"],
  ],
  ["observe", (n, o) => observe("spsc", n, o), ["anyOwner", "directory"]],
  ["rwLock", (n, o) => rwLock(n, o).open(), ["mode", "group", "persist", "anyOwner", "directory"]],
  ["lock", (n, o) => defineLock(n, o).open(), ["interop", "mode"]],
  [
    "domain",
    (n, o) => domain(n, { slot: {} }, o).open(),
    ["mode", "group", "persist", "anyOwner", "directory"],
  ],
  ["DomainDefinition.open", (n, o) => domain(n).open(o), ["open", "own"]],
  ["DomainDefinition.observer", (n, o) => domain(n).observer(o), ["own"]],
  ["Domain.slot", (n, o) => DOMAIN.slot(n, o), ["depth", "size", "type"]],
];

Deno.test("a name, the options as a whole and each option are refused unless they can be one", async () => {
  const taken = `${NAME}-never`;
  for (const [what, open, options, needed] of OPENINGS) {
    for (
      const name of [
        5,
        5n,
        null,
        undefined,
        {},
        Symbol("name"),
        "",
        ".",
        "a b",
        "a\0b",
        "x".repeat(201),
      ]
    ) {
      await assertRefused(() => open(name, { ...needed }), `${what} of ${shown(name)}`);
    }
    for (const value of [null, 5, "options", 5n, [], new Uint8Array(4), () => {}]) {
      await assertRefused(() => open(taken, value), `${what} with ${shown(value)}`);
    }
    for (const option of options) {
      for (const value of NEVER) {
        if (FITS[option]?.includes(value)) continue;
        const given = { ...needed, [option]: value };
        await assertRefused(() => open(taken, given), `${what} with ${option}: ${shown(value)}`);
      }
    }
  }
  assertEquals(vring.regions().filter(({ name }) => name.includes(taken)), []);
});

Deno.test("a handler that returns a promise is refused: what it is shown ends when it returns", () => {
  using handles = new Handles();
  const { rings, many, circular, topic, slot } = handles;
  const told = "the handler returned a promise, and must finish before it returns";
  for (const [sender, ...receivers] of [rings, many, circular, topic]) {
    const { name } = sender.constructor;
    assertThrows(() => sender.tryFill(async () => {}, 8), TypeError, told, name);
    sender.trySend(Uint8Array.of(1));
    for (const receiver of receivers) {
      const what = receiver.constructor.name;
      assertThrows(() => receiver.poll(async () => {}), TypeError, told, what);
      receiver.poll(() => 5); // is ignored
    }
  }
  assertThrows(() => slot.tryFill(async () => {}, 8), TypeError, told);
});

/** Each call that can wait. */
function waits(h: Handles): [string, (options: unknown) => unknown, boolean?][] {
  const [[producer, consumer], [writer, reader, observer]] = [h.rings, h.circular];
  const [publisher, subscriber, topicObserver] = h.topic;
  const bytes = Uint8Array.of(1);
  writer.trySend(bytes);
  return [
    ["SpscProducer.sendSync", (o) => producer.sendSync(bytes, o)],
    ["SpscProducer.send", (o) => producer.send(bytes, o)],
    ["SpscProducer.sendBatchSync", (o) => producer.sendBatchSync([bytes], o)],
    ["SpscProducer.sendBatch", (o) => producer.sendBatch([bytes], o)],
    ["SpscProducer.claimSync", (o) => producer.claimSync(1, o)],
    ["SpscProducer.claim", (o) => producer.claim(1, o)],
    ["SpscProducer.flushSync", (o) => producer.flushSync(o)],
    ["SpscProducer.flush", (o) => producer.flush(o)],
    ["SpscProducer.toWritableStream", (o) => producer.toWritableStream(o)],
    ["SpscConsumer.receiveSync", (o) => consumer.receiveSync(o)],
    ["SpscConsumer.receive", (o) => consumer.receive(o)],
    ["SpscConsumer.takeSync", (o) => consumer.takeSync(o)],
    ["SpscConsumer.take", (o) => consumer.take(o)],
    ["SpscConsumer.takeBatchSync", (o) => consumer.takeBatchSync(o)],
    ["SpscConsumer.takeBatch", (o) => consumer.takeBatch(o)],
    ["SpscConsumer.waitSync", (o) => consumer.waitSync(o)],
    ["SpscConsumer.wait", (o) => consumer.wait(o)],
    ["SpscConsumer.values", (o) => consumer.values(o).next()],
    ["SpscConsumer.messages", (o) => consumer.messages(o).next()],
    ["SpscConsumer.toByteStream", (o) => consumer.toByteStream(o)],
    ["SpscConsumer.waitForPeers", (o) => consumer.waitForPeers(2, o)],
    ["SpscProducer.waitForPeers", (o) => producer.waitForPeers(2, o)],
    ["SpscConsumer.toReadableStream", (o) => consumer.toReadableStream(o)],
    ["CircularBufferReader.receiveSync", (o) => reader.receiveSync(o)],
    ["CircularBufferReader.receive", (o) => reader.receive(o)],
    ["CircularBufferReader.waitSync", (o) => reader.waitSync(o)],
    ["CircularBufferReader.wait", (o) => reader.wait(o)],
    ["CircularBufferReader.values", (o) => reader.values(o).next()],
    ["CircularBufferObserver.receiveSync", (o) => observer.receiveSync(o)],
    ["CircularBufferObserver.receive", (o) => observer.receive(o)],
    ["Publisher.sendSync", (o) => publisher.sendSync(bytes, o)],
    ["Publisher.send", (o) => publisher.send(bytes, o)],
    ["Publisher.loanSync", (o) => publisher.loanSync(o)],
    ["Publisher.loan", (o) => publisher.loan(o)],
    ["Publisher.waitForPeers", (o) => publisher.waitForPeers(1, o)],
    ["Publisher.toWritableStream", (o) => publisher.toWritableStream(o)],
    ["TopicObserver.receiveSync", (o) => topicObserver.receiveSync(o)],
    ["TopicObserver.receive", (o) => topicObserver.receive(o)],
    ["Subscriber.receiveSync", (o) => subscriber.receiveSync(o)],
    ["Subscriber.receive", (o) => subscriber.receive(o)],
    ["Subscriber.takeLatestSync", (o) => subscriber.takeLatestSync(o)],
    ["Subscriber.waitForPeers", (o) => subscriber.waitForPeers(1, o)],
    ["Subscriber.samples", (o) => subscriber.samples(o).next()],
    ["Subscriber.values", (o) => subscriber.values(o).next()],
    ["Subscriber.toReadableStream", (o) => subscriber.toReadableStream(o)],
    ["Subscriber of many.receiveSync", (o) => h.merged.receiveSync(o)],
    ["Subscriber of many.take", (o) => h.merged.take(o)],
    ["Slot.writeSync", (o) => h.slot.writeSync(bytes, o)],
    ["Slot.write", (o) => h.slot.write(bytes, o)],
    ["Slot.claimSync", (o) => h.slot.claimSync(1, o)],
    ["Slot.claim", (o) => h.slot.claim(1, o)],
    ["Slot.nextSync", (o) => h.slot.nextSync(o)],
    ["Slot.next", (o) => h.slot.next(o)],
    ["Slot.messages", (o) => h.slot.messages(o).next()],
    ["Slot.waitForPeers", (o) => h.slot.waitForPeers(1, o)],
    ["DomainDefinition.ready", (o) => domain(NAME, { never: {} }).ready(o)],
    ["Listener.waitSync", (o) => h.listener.waitSync(o)],
    ["Listener.wait", (o) => h.listener.wait(o)],
    ["Listener.news", (o) => h.listener.news(o).next()],
    ["waitAnySync", (o) => waitAnySync([h.slot, consumer], o)],
    ["waitAny", (o) => waitAny([h.slot, consumer], o)],
    ["CallClient.callSync", (o) => h.client.callSync(bytes, o)],
    ["CallClient.call", (o) => h.client.call(bytes, o)],
    ["CallClient.callSyncInto", (o) => h.client.callSyncInto(bytes, new Uint8Array(4), o)],
    ["CallClient.callInto", (o) => h.client.callInto(bytes, new Uint8Array(4), o)],
    ["CallClient.waitForPeers", (o) => h.client.waitForPeers(2, o)],
    ["CallServer.waitForPeers", (o) => h.server.waitForPeers(2, o)],
    ["CallServer.handleSync", (o) => h.server.handleSync(() => bytes, o)],
    ["CallServer.serve", (o) => h.server.serve(() => bytes, o)],
    ["CallServer.shutdown", (o) => h.server.shutdown(o)],
    ["RwLock.readSync", (o) => h.rwLock.readSync(o)],
    ["RwLock.write", (o) => h.rwLock.write(o)],
    ["SemaphoreLock.lockSync", (o) => h.semaphore.lockSync(o)],
    ["SemaphoreLock.lock", (o) => h.semaphore.lock(o)],
    ["ByteProducer.waitSync", (o) => h.bytes[0].waitSync(1, o)],
    ["ByteProducer.wait", (o) => h.bytes[0].wait(1, o)],
    ["ByteConsumer.waitSync", (o) => h.bytes[1].waitSync(1, o)],
    ["ByteConsumer.wait", (o) => h.bytes[1].wait(1, o)],
    ["ByteConsumer.readSync", (o) => h.bytes[1].readSync(new Uint8Array(1), o)],
    ["ByteConsumer.read", (o) => h.bytes[1].read(new Uint8Array(1), o)],
    ["ByteProducer.writeSync", (o) => h.bytes[0].writeSync(bytes, o)],
    ["ByteProducer.write", (o) => h.bytes[0].write(bytes, o)],
    ["ByteConsumer.toReadableStream", (o) => h.bytes[1].toReadableStream(o)],
  ];
}

Deno.test("every wait refuses wrong options, whether or not it had to wait", async () => {
  using h = new Handles();
  for (const [what, wait] of waits(h)) {
    for (const value of [null, 5, "options", [], new Float64Array(4), () => {}]) {
      await assertRefused(() => wait(value), `${what} with ${shown(value)}`);
    }
    for (const option of ["timeout", "spin", "signal"]) {
      for (const value of NEVER) {
        if (FITS[option]?.includes(value)) continue;
        const act = () => wait({ [option]: value });
        await assertRefused(act, `${what} with ${option}: ${shown(value)}`);
      }
    }
  }
  assertEquals([h.rings[0].available, h.topic[0].sequence, h.slot.sequence], [0, 0, 0]);
  assertEquals([h.client.inFlight, h.rwLock.tryWrite() !== undefined], [0, true]);
});

Deno.test("an option that does not exist is refused, with the name that was probably meant", async () => {
  using h = new Handles();
  const unknown = 'no option is called "depht"; ';
  for (const [what, open, , needed] of OPENINGS) {
    await assertRefused(() => open(`${NAME}-not`, { ...needed, depht: 3 }), what, unknown);
  }
  for (const [what, wait] of waits(h)) {
    const told = 'no option is called "timeOut"; did you mean timeout?';
    await assertRefused(() => wait({ timeOut: 5 }), what, told);
  }
  const meant = 'no option is called "depht"; did you mean depth?';
  assertThrows(() => topic(NAME, { depht: 1 }), TypeError, meant);
  const other = "it takes no option depth; it takes type, capacity, mode, group, persist, anyOwner";
  assertThrows(() => spsc(NAME, { depth: 1 } as object), TypeError, other);
  const far = 'no option is called "nothingLikeIt"; leave it out';
  assertThrows(() => topic(NAME, { nothingLikeIt: 1 }), TypeError, far);
  assertThrows(() => topic(NAME, { toString: 1 }), TypeError, 'no option is called "toString"');
  assertEquals(spsc(`${NAME}-not`, { depht: undefined }).info(), undefined);
});

Deno.test("a call that blocks the thread refuses a signal, and a call that does not loop `until`", async () => {
  using h = new Handles();
  const { signal } = new AbortController();
  for (const [what, wait] of waits(h)) {
    const name = what.split(" ")[0]!;
    if (/Sync/.test(name)) await assertRefused(() => wait({ signal }), what, "takes no signal");
    if (/values|messages|samples|batches|news|serve|iterate/.test(name)) continue;
    const told = "only loops take the option until";
    await assertRefused(() => wait({ until: signal }), what, told);
  }
});

Deno.test("an option of the wrong type is a TypeError, and one out of range a RangeError", () => {
  const wrong: [string, () => unknown][] = [
    ["reserve", () => topic(NAME, { reserve: 1 })],
    ["publishers", () => topic(NAME, { publishers: 3 })],
    ["size", () => topic(NAME, { size: null })],
    ["producers", () => mpsc(NAME, { producers: null })],
    ["clients", () => calls(NAME, { clients: null })],
    ["source", () => topic(NAME, { publishers: "many" }).publisher({ source: 5 })],
    ["persist", () => spsc(NAME, { persist: "yes" })],
    ["capacity", () => spsc(NAME, { capacity: "big" })],
  ];
  for (const [option, call] of wrong) {
    assertThrows(call, TypeError, `the option ${option} is `, option);
  }
  for (const options of [{ mode: 0o1000 }, { group: -1 }, { capacity: -1 }]) {
    assertThrows(() => spsc(NAME, options), RangeError);
  }
  using h = new Handles();
  const [publisher] = h.topic;
  assertThrows(() => publisher.tryLoan({ length: "x" }), TypeError, 'the length is "x"; pass a');
  assertThrows(() => publisher.tryLoan().publish("x"), TypeError, 'the length is "x"; pass a');
});

/** Each call with other arguments, and their valid values, which are left out. */
const OTHERS: [string, (h: Handles, value: unknown) => unknown, unknown[]?][] = [
  ["SpscConsumer.poll", (h, x) => h.rings[1].poll(x)],
  ["SpscConsumer.poll limit", (h, x) => h.rings[1].poll(() => {}, x), [1.5, 2 ** 53]],
  ["MpscConsumer.poll", (h, x) => h.many[1].poll(x)],
  ["MpscConsumer.poll limit", (h, x) => h.many[1].poll(() => {}, x), [1.5, 2 ** 53]],
  ["TopicObserver.poll", (h, x) => h.topic[2].poll(x)],
  ["TopicObserver.poll limit", (h, x) => h.topic[2].poll(() => {}, x), [1.5, 2 ** 53]],
  ["CircularBufferReader.poll", (h, x) => h.circular[1].poll(x)],
  ["CircularBufferReader.poll limit", (h, x) => h.circular[1].poll(() => {}, x), [1.5, 2 ** 53]],
  ["Subscriber.poll", (h, x) => h.topic[1].poll(x)],
  ["Subscriber.poll limit", (h, x) => h.topic[1].poll(() => {}, x), [1.5, 2 ** 53]],
  ["CallServer.tryHandle", (h, x) => h.server.tryHandle(x)],
  ["CallServer.tryHandle options", (h, x) => h.server.tryHandle(() => {}, x), [{}]],
  ["CallServer.tryHandle limit", (h, x) => h.server.tryHandle(() => {}, { limit: x }), [
    1.5,
    2 ** 53,
  ]],
  ["CallServer.handleSync", (h, x) => h.server.handleSync(x)],
  ["CallClient.callSyncInto", (h, x) => h.client.callSyncInto(new Uint8Array(1), x)],
  ["CallClient.callInto", (h, x) => h.client.callInto(new Uint8Array(1), x)],
  ["CallServer.serve until", (h, x) => h.server.serve(() => {}, { until: x })],
  ["CallServer.serve", (h, x) => h.server.serve(x)],
  ["CallServer.serve concurrency", (h, x) => h.server.serve(() => {}, { concurrency: x }), [
    1.5,
    2 ** 53,
  ]],
  ["SpscProducer.trySendBatch", (h, x) => h.rings[0].trySendBatch(x), [[]]],
  ["SpscProducer.tryClaim", (h, x) => h.rings[0].tryClaim(x)],
  ["SpscProducer.tryFill", (h, x) => h.rings[0].tryFill(x, 1)],
  ["SpscProducer.tryFill length", (h, x) => h.rings[0].tryFill(() => {}, x)],
  ["Claim.publish of a ring", (h, x) => h.rings[0].tryClaim(1).publish(x)],
  ["SpscConsumer.waitForPeers", (h, x) => h.rings[1].waitForPeers(x, { timeout: 0 }), [2 ** 53]],
  ["MpscProducer.tryClaim", (h, x) => h.many[0].tryClaim(x)],
  ["CircularBufferWriter.tryClaim", (h, x) => h.circular[0].tryClaim(x)],
  ["CircularBufferWriter.tryFill", (h, x) => h.circular[0].tryFill(x, 1)],
  ["CircularBufferWriter.tryFill length", (h, x) => h.circular[0].tryFill(() => {}, x)],
  ["Claim.publish of a circular buffer", (h, x) => h.circular[0].tryClaim(1).publish(x)],
  ["Publisher.tryLoan", (h, x) => h.topic[0].tryLoan(x), [{}]],
  ["Publisher.tryLoan length", (h, x) => h.topic[0].tryLoan({ length: x })],
  ["Publisher.loanSync length", (h, x) => h.topic[0].loanSync({ length: x })],
  ["Publisher.waitForPeers", (h, x) => h.topic[0].waitForPeers(x), [2 ** 53]],
  ["Loan.publish", (h, x) => {
    using loan = h.topic[0].tryLoan({ length: 1 });
    loan.publish(x);
  }],
  ["Publisher.tryFill", (h, x) => h.topic[0].tryFill(x)],
  ["Slot.tryClaim", (h, x) => h.slot.tryClaim(x)],
  ["Slot.tryFill", (h, x) => h.slot.tryFill(x)],
  ["Slot.tryFill length", (h, x) => h.slot.tryFill(() => {}, x)],
  ["SlotClaim.publish", (h, x) => h.slot.tryClaim(1).publish(x)],
  ["Slot.at", (h, x) => h.slot.at(x), [-1]],
  ["Slot.since", (h, x) => h.slot.since(x), [-1]],
  ["Slot.peek", (h, x) => h.slot.peek(x), [-1]],
  ["Slot.readInto", (h, x) => h.slot.readInto(x)],
  ["Slot.values until", (h, x) => h.slot.values({ until: x })],
  ["Slot.values onLoss", (h, x) => h.slot.values({ onLoss: x })],
  ["Slot.waitForPeers", (h, x) => h.slot.waitForPeers(x), [2 ** 53]],
  ["ByteProducer.tryClaim", (h, x) => h.bytes[0].tryClaim(x)],
  ["ByteProducer.waitSync", (h, x) => h.bytes[0].waitSync(x)],
  ["ByteConsumer.release", (h, x) => h.bytes[1].release(x)],
  ["ByteConsumer.waitSync", (h, x) => h.bytes[1].waitSync(x)],
  ["SharedMemory.as", (h, x) => h.memory.as(x)],
  ["SharedMemory.view", (h, x) => h.memory.view(x)],
  ["SharedMemory.view offset", (h, x) => h.memory.view(PAIR, x)],
  ["MirrorRing", (_, x) => new MirrorRing(x)],
  ["MirrorRing options", (_, x) => new MirrorRing(4096, x), [{}]],
  ["MirrorRing hugePages", (_, x) => new MirrorRing(4096, { hugePages: x })],
  ["MirrorRing.claim", (h, x) => h.mirror.claim(x)],
  ["MirrorRing.commit", (h, x) => h.mirror.commit(x)],
  ["MirrorRing.peek", (h, x) => h.mirror.peek(x)],
  ["MirrorRing.consume", (h, x) => h.mirror.consume(x)],
  ["LeapfrogRing", (_, x) => new LeapfrogRing(x)],
  ["LeapfrogRing options", (_, x) => new LeapfrogRing(4096, x), [{}]],
  ["LeapfrogRing range", (_, x) => new LeapfrogRing(4096, { range: x })],
  ["LeapfrogRing.claim", (h, x) => h.leapfrog.claim(x)],
  ["LeapfrogRing.commit", (h, x) => h.leapfrog.commit(x)],
  ["LeapfrogRing.peek", (h, x) => h.leapfrog.peek(x)],
  ["LeapfrogRing.consume", (h, x) => h.leapfrog.consume(x)],
  ["Listener.add", (h, x) => h.listener.add(x)],
  ["Listener.add options", (h, x) => h.listener.add(h.slot, x), [{}]],
  ["Listener.add wake", (h, x) => h.listener.add(h.slot, { wake: x })],
  ["waitAny", (_, x) => waitAny(x)],
  ["waitAnySync", (_, x) => waitAnySync(x)],
  ["waitAny of one", (_, x) => waitAny([x])],
  ["struct", (_, x) => struct("pair", x)],
  ["array", (_, x) => array("f32", x)],

  ["struct fields", (_, x) => struct("name", x)],
  ["struct field", (_, x) => struct("name", { a: x })],
  ["struct options", (_, x) => struct("name", { a: "u8" }, x), [{}]],
  ["struct version", (_, x) => struct("name", { a: "u8" }, { version: x })],
  ["struct.view offset", (_, x) => PAIR.view(new Uint8Array(8), x)],
  ["struct.write", (_, x) => PAIR.write(new Uint8Array(8), x)],
  ["struct.write field", (_, x) => PAIR.write(new Uint8Array(8), { a: x, b: 1 })],
  ["domain", (_, x) => domain(x), ["nonsense"]],
  ["domain slots", (_, x) => domain(NAME, x), [{}]],
  ["DomainDefinition.unlink", (_, x) => domain(NAME).unlink(x), ["nonsense"]],
  ["SpscDefinition.unlink", (_, x) => spsc(x).unlink(), ["nonsense"]],
  ["LockDefinition.unlink", (_, x) => defineLock(x).unlink(), ["nonsense"]],
];

Deno.test("useLibrary() refuses what is not a path", async () => {
  const { useLibrary } = vring as Untyped;
  for (const wrong of [undefined, null, 5, "/lib.so", {}, { library: 5 }, { library: null }]) {
    await assertRefused(() => useLibrary(wrong), `useLibrary(${shown(wrong)})`);
  }
  await assertRefused(() => useLibrary({ library: "/lib.so", sentinel: 5n }), "a sentinel");
});

Deno.test("handlers, limits, lengths and all else are refused unless they can be one", async () => {
  using h = new Handles();
  for (const [what, call, fits = []] of OTHERS) {
    for (const value of [...NEVER, null]) {
      const isDefault = fits.some((one) => Deno.inspect(one) === Deno.inspect(value));
      if (isDefault) continue;
      if (value === null && what.endsWith("publish")) continue;
      await assertRefused(() => call(h, value), `${what} with ${shown(value)}`);
    }
  }
  for (const [name, , works] of byteEntries(h)) assertEquals(works(), [1, 2, 3], name);
});
