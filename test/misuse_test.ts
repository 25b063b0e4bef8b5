/**
 * Hostile values at every entry point: each is refused by a TypeError or RangeError that begins with
 * "Cannot", says something that the engine would not say, and leaves the handle as it was.
 */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import * as vring from "../mod.ts";

/** What no type admits: the handles as a caller in JavaScript sees them. */
// deno-lint-ignore no-explicit-any
type Untyped = any;
const {
  CircularBufferReader,
  CircularBufferWriter,
  codec,
  Domain,
  layout,
  MirrorRing,
  MpscConsumer,
  MpscProducer,
  Publisher,
  RpcClient,
  RpcServer,
  SpscConsumer,
  SpscProducer,
  Subscriber,
} = vring as Untyped;

const NAME = `misuse-${Deno.pid}`;
const PAIR = layout("pair", { a: "u8", b: "u8" });

/** An array whose memory is somebody else's now. */
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

/** All products of a kind of their own, open. */
class Handles extends DisposableStack {
  readonly rings = [
    this.use(SpscProducer.open(NAME)),
    this.use(SpscConsumer.open(NAME)),
  ] as Untyped[];
  readonly many = [
    this.use(MpscConsumer.open(NAME)),
    this.use(MpscProducer.open(NAME)),
  ].reverse() as Untyped[];
  readonly circular = [
    this.use(CircularBufferWriter.open(NAME)),
    this.use(CircularBufferReader.open(NAME)),
  ] as Untyped[];
  readonly topic = [
    this.use(Publisher.open(NAME)),
    this.use(Subscriber.open(NAME)),
  ] as Untyped[];
  readonly slot: Untyped = this.use(Domain.open(NAME)).slot("slot");
  readonly server: Untyped = this.use(RpcServer.open(NAME));
  readonly client: Untyped = this.use(RpcClient.open(NAME));
  readonly mirror: Untyped = this.use(new MirrorRing(4096));
}

/** Fails unless the call is refused in words of ours. */
async function assertRefused(call: () => unknown, what: string): Promise<void> {
  let error: Error | undefined;
  try {
    await call();
  } catch (thrown) {
    error = thrown as Error;
  }
  const ours = error instanceof TypeError || error instanceof RangeError;
  assert(ours, `${what}: ${error ?? "nothing was thrown"}`);
  assertMatch(error!.message, /^Cannot [^:]+: /, what); // the engine has no colon there
}

function shown(value: unknown): string {
  return Deno.inspect(value).split("\n")[0]!;
}

/** Each entry point that takes bytes, and what then shows that its handle works. */
function byteEntries(h: Handles): [string, (value: unknown) => unknown, () => unknown][] {
  const [spsc, many, circular, topic] = [h.rings, h.many, h.circular, h.topic];
  const slot = h.slot;
  const bytes = Uint8Array.of(1, 2, 3);
  const carries = (send: () => unknown, receive: () => { value: Uint8Array }) => () => {
    send();
    return [...receive().value];
  };
  const bySpsc = carries(() => spsc[0].sendSync(bytes), () => spsc[1].receiveSync());
  const byMpsc = carries(() => many[0].sendSync(bytes), () => many[1].receiveSync());
  const byTopic = carries(() => topic[0].sendSync(bytes), () => topic[1].receiveSync());
  const bySlot = carries(() => slot.writeSync(bytes), () => slot.latest().message);
  const byCircular = () => {
    circular[0].write(bytes);
    return [...circular[1].readSync().message];
  };
  const byMirror = () => {
    h.mirror.write(bytes);
    const found = [...h.mirror.peek()];
    h.mirror.consume(found.length);
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
    ["MpscProducer.trySend", (x) => many[0].trySend(x), byMpsc],
    ["MpscConsumer.tryReceiveInto", (x) => many[1].tryReceiveInto(x), byMpsc],
    ["CircularBufferWriter.write", (x) => circular[0].write(x), byCircular],
    ["Publisher.trySend", (x) => topic[0].trySend(x), byTopic],
    ["Publisher.sendSync", (x) => topic[0].sendSync(x), byTopic],
    ["Publisher.send", (x) => topic[0].send(x), byTopic],
    ["Slot.tryWrite", (x) => slot.tryWrite(x), bySlot],
    ["Slot.writeSync", (x) => slot.writeSync(x), bySlot],
    ["Slot.write", (x) => slot.write(x), bySlot],
    ["RpcClient.call", (x) => h.client.call(x), () => [1, 2, 3]],
    ["RpcClient.callSync", (x) => h.client.callSync(x), () => [1, 2, 3]],
    ["MirrorRing.write", (x) => h.mirror.write(x), byMirror],
    ["MirrorRing.read", (x) => h.mirror.read(x), byMirror],
    ["codec.bytes.encode", (x) => codec.bytes.encode(x), () => [1, 2, 3]],
    ["layout.view", (x) => PAIR.view(x), byStruct],
    ["layout.read", (x) => PAIR.read(x), byStruct],
    ["layout.write", (x) => PAIR.write(x, { a: 1, b: 2 }), byStruct],
    ["layout.inspect", (x) => PAIR.inspect(x), byStruct],
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

Deno.test("a target of a circular buffer is a Uint8Array, and not taken for options", async () => {
  using handles = new Handles();
  const [writer, reader] = handles.circular;
  writer.write(Uint8Array.of(1, 2, 3));
  for (const value of NO_BYTES.filter((value) => value !== undefined)) {
    const isOptions = typeof value === "object" && value?.constructor === Object;
    await assertRefused(() => reader.tryRead(value), `tryRead(${shown(value)})`);
    if (isOptions) continue;
    await assertRefused(() => reader.readSync(value), `readSync(${shown(value)})`);
    await assertRefused(() => reader.read(value), `read(${shown(value)})`);
  }
  assertEquals(reader.readSync(new Uint8Array(4)), { state: "ok", length: 3 });
});

/** Says that it is as long as nothing can be. */
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

Deno.test("an array that lies about its length counts for as long as it is", () => {
  using handles = new Handles();
  const { rings: [producer, consumer], circular: [writer, reader], topic: [publisher] } = handles;
  const { slot, mirror } = handles;
  const message = new Liar([1, 2, 3]);
  producer.trySend(message);
  writer.write(message);
  assertEquals(publisher.trySend(message), true);
  assertEquals([slot.tryWrite(message), slot.latest().message.value.length], [1, 3]);
  assertEquals([mirror.write(message), mirror.read(new Liar(2)), mirror.available], [3, 2, 1]);
  assertThrows(() => consumer.tryReceiveInto(new Liar(2)), RangeError, "the message has 3");
  assertEquals(reader.tryRead(new Liar(2)), { state: "tooSmall", length: 3 });
  const [first, second] = [new Liar(4), new Liar(4)];
  assertEquals([consumer.tryReceiveInto(first), reader.tryRead(second).length], [3, 3]);
  for (const target of [first, second]) assertEquals([target[0], target[2], target[3]], [1, 3, 0]);
});

Deno.test("arrays over shared and resizable buffers are sent and filled as they are at that moment", () => {
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
