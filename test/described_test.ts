/** Types, sizes and policies as regions store them, and programs that know no type. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { domain } from "../src/babus/definition.ts";
import { calls } from "../src/calls/definition.ts";
import { circular } from "../src/circular/definition.ts";
import { json, raw, text } from "../src/codec.ts";
import { array, struct } from "../src/struct.ts";
import { describedType } from "../src/described.ts";
import { CorruptRegionError, LayoutMismatchError } from "../src/errors.ts";
import type { CallsDescription } from "../src/layout/describe.ts";
import { layout } from "../src/layout/layout.ts";
import { type Type, typeIn } from "../src/message.ts";
import { mpsc } from "../src/mpsc/definition.ts";
import { type RegionDetails, regions } from "../src/region/list.ts";
import { sharedMemory } from "../src/shared/shared_memory.ts";
import { spsc } from "../src/spsc/definition.ts";
import { topic } from "../src/vdds/definition.ts";
import { Name } from "./shared/scene.ts";

const Pose = layout("pose", { x: "f32", y: "f32" });
const Imu = struct("imu", {
  time: "f64",
  count: "u64",
  accel: layout.array("f32", 3),
  label: layout.text(16),
  poses: layout.array(Pose, 2),
}, { version: 2 });
const IMU = Imu;
const VALUE = {
  time: 1.5,
  count: 2n ** 63n,
  accel: Float32Array.of(0, 0.5, 9.75),
  label: "left wing",
  poses: [{ x: 1, y: 2 }, { x: 3, y: 4 }],
};

function detailsOf(name: string, kind: string): RegionDetails {
  const info = regions().find((info) => info.kind === kind && info.name === name);
  assert(info?.details !== undefined, `${kind} ${name}: ${info?.problem ?? "is not there"}`);
  return info.details;
}

Deno.test("a region of every kind states its type, its sizes and its policy", () => {
  using name = new Name();
  const { type } = IMU;
  const stated = (kind: string, path = name.name) => {
    const { type, geometry, policy } = detailsOf(path, kind);
    return { type, geometry, policy };
  };
  {
    using _spsc = spsc(name.name, { type: IMU, capacity: 5000 }).producer();
    assertEquals(stated("spsc"), { type, geometry: { capacity: 8192 }, policy: {} });
  }
  {
    const geometry = { capacity: 4096, producers: 3 };
    using _mpsc = mpsc(name.name, { type: IMU, ...geometry }).consumer();
    assertEquals(stated("mpsc"), { type, geometry, policy: {} });
  }
  {
    const options = { depth: 4, subscribers: 3, policy: "dropOldest", history: 2 } as const;
    using _topic = topic(name.name, { type: IMU, ...options }).publisher();
    const geometry = { depth: 4, size: Imu.size, subscribers: 3 };
    const policy = { policy: "dropOldest", history: 2, reserve: true, quota: 0 };
    assertEquals(stated("topic"), { type, geometry, policy });
  }
  {
    using _topic = topic(name.name, { type: IMU, reserve: false }).subscriber();
    const policy = { policy: "block", history: 0, reserve: false, quota: 0 };
    assertEquals(stated("topic").policy, policy);
  }
  {
    using _robot = domain(name.name, { imu: { type: IMU, depth: 2, size: 200 } }).open();
    const geometry = { depth: 2, size: 200 };
    assertEquals(stated("slot", `${name.name}/imu`), { type, geometry, policy: {} });
  }
  {
    using _circular = circular(name.name, { capacity: 4096 }).writer();
    assertEquals(stated("circular").geometry, { capacity: 4096 });
  }
  {
    using _memory = sharedMemory(name.name, { size: 1000 }).open();
    assertEquals(stated("shm"), {
      type: undefined,
      geometry: { size: 1000 },
      policy: {},
    });
  }
});

Deno.test("a program that knows no type reads and writes the values of a topic", () => {
  using name = new Name();
  const typed = topic(name.name, { type: IMU });
  using publisher = typed.publisher();
  const made = describedType(detailsOf(name.name, "topic").type!);
  const found = topic(name.name, { type: made });
  using subscriber = found.subscriber();
  publisher.trySend(VALUE);
  assertEquals(subscriber.tryReceive()?.value, VALUE);
  assertEquals(made.layout!.hash, Imu.hash);
  publisher.close();

  using other = found.publisher();
  using known = typed.subscriber();
  other.trySend({ ...VALUE, label: "from a tool" });
  assertEquals(known.tryReceive()?.value.label, "from a tool");
});

Deno.test("describedType() knows the codecs of this package, and shows others as bytes", () => {
  const own = { ...text(), type: { name: "own", hash: 0x123n } };
  for (const [chosen, value] of [[text(), "ä"], [json(), [1]]] as const) {
    const bytes = new Uint8Array(100);
    const length = describedType(chosen.type).encode(value, bytes);
    assertEquals(chosen.decode(bytes.slice(0, length)), value);
    assertEquals(describedType(chosen.type).type, chosen.type);
  }
  const made = describedType(own.type);
  assertEquals([made.type.name, made.type.hash], ["own", 0x123n]);
  assertEquals(made.decode(Uint8Array.of(1, 2)), Uint8Array.of(1, 2));
});

Deno.test("describedType() decodes messages of one scalar or array as their values", () => {
  const scan = struct("scan", { x: "f32" });
  const types = [["f64", 1.5], [array("f32", 2), Float32Array.of(1, 2)], [array(scan, 1), [{
    x: 3,
  }]]];
  for (const [type, value] of types as [Type, never][]) {
    const codec = typeIn(type, "test");
    const bytes = new Uint8Array(codec.sizeBytes as number);
    const made = describedType(codec.type);
    assertEquals([made.encode(value, bytes), made.decode(bytes)], [bytes.length, value]);
    assertEquals(made.layout?.read(bytes), { value });
    assertEquals(codec.decode(bytes), value);
  }
});

Deno.test("describedType() refuses a description that is not that of the type", () => {
  const { name, hash, description } = IMU.type;
  const wrong = { name, hash: hash ^ 1n, description: description! };
  assertThrows(() => describedType(wrong), CorruptRegionError, "has another hash than the type");
  const invalid = { struct: "imu", version: 1, fields: [] };
  const type = { name, hash, description: invalid };
  assertThrows(() => describedType(type), CorruptRegionError, "description is invalid: Cannot lay");
  assertThrows(() => describedType(invalid), CorruptRegionError, "use raw(type)");
  for (const wrong of [[], {}, { codec: "a" }, { codec: "a", hash: "g" }, { struct: "a" }]) {
    assertThrows(() => describedType(wrong as never), CorruptRegionError, "is invalid");
    const type = { name, hash, description: wrong as never };
    assertThrows(() => describedType(type), CorruptRegionError, "is invalid");
  }
  for (const none of [undefined, null, "imu"]) {
    assertThrows(() => describedType(none as never), TypeError, "is not a type");
  }
  const calls = { request: description!, response: description! };
  assertThrows(() => describedType(calls), TypeError, "pass its `request` or its `response`");
});

/** Both ways through a pair of ends: bytes to a typed end, and from one. */
interface RawPair extends Disposable {
  send(bytes: Uint8Array): void;
  receive(): unknown;
}

const message = new Uint8Array(Imu.size);
Imu.write(message, VALUE);

const RAW: Record<string, (name: string) => RawPair> = {
  spsc(name) {
    const consumer = spsc(name, { type: IMU }).consumer();
    const producer = spsc(name, { type: raw(detailsOf(name, "spsc").type!) }).producer();
    return pair(
      (bytes) => producer.trySend(bytes),
      () => consumer.tryReceive(),
      producer,
      consumer,
    );
  },
  mpsc(name) {
    const consumer = mpsc(name, { type: IMU }).consumer();
    const producer = mpsc(name, { type: raw(detailsOf(name, "mpsc").type!) }).producer();
    return pair(
      (bytes) => producer.trySend(bytes),
      () => consumer.tryReceive(),
      producer,
      consumer,
    );
  },
  topic(name) {
    const subscriber = topic(name, { type: IMU }).subscriber();
    const type = raw(detailsOf(name, "topic").type!);
    const publisher = topic(name, { type, size: Imu.size }).publisher();
    const send = (bytes: Uint8Array) => publisher.trySend(bytes);
    return pair(send, () => subscriber.tryReceive(), publisher, subscriber);
  },
  slot(name) {
    const robot = domain(name).open();
    const typed = robot.slot("imu", { type: IMU });
    const { type } = detailsOf(`${name}/imu`, "slot");
    const plain = robot.slot("imu", { type: raw(type!), size: typed.size });
    return pair((bytes) => plain.tryWrite(bytes), () => typed.latest(), robot);
  },
};

function pair(
  send: (bytes: Uint8Array) => unknown,
  receive: () => unknown,
  ...ends: { close(): void }[]
): RawPair {
  const close = () => ends.forEach((end) => end.close());
  return { send, receive, [Symbol.dispose]: close };
}

for (const [kind, open] of Object.entries(RAW)) {
  Deno.test(`${kind}: a raw codec carries the bytes of a type that it does not know`, () => {
    using name = new Name();
    using pair = open(name.name);
    pair.send(message);
    assertEquals((pair.receive() as { value: unknown }).value, VALUE);
  });
}

Deno.test("calls: raw codecs carry both types", async () => {
  using name = new Name();
  using server = calls(name.name, { request: IMU, response: text() }).server();
  const { request, response } = detailsOf(name.name, "calls").type!.description as CallsDescription;
  using client = calls(name.name, {
    request: raw(describedType(request).type),
    response: raw(describedType(response).type),
  }).client();
  const serving = server.serve(({ label }) => label);
  assertEquals(await client.call(message), new TextEncoder().encode("left wing"));
  await server.shutdown();
  await serving;
});

Deno.test("a raw codec refuses a value that is not a type", () => {
  for (const type of [undefined, null, {}, { name: "a" }, { name: "a", hash: 1 }]) {
    assertThrows(() => raw(type as never), TypeError, "a type has a name and a hash");
  }
});

Deno.test("another type is refused with the names of the fields that differ", () => {
  using name = new Name();
  const Other = struct("imu", {
    time: "f64",
    count: "u64",
    accel: layout.array("f64", 3),
    temperature: "f32",
    poses: layout.array(Pose, 2),
  }, { version: 2 });
  using _publisher = topic(name.name, { type: IMU }).publisher();
  const error = assertThrows(
    () => topic(name.name, { type: Other }).subscriber(),
    LayoutMismatchError,
  );
  const differences =
    '"accel" is f32[3] at 16 there and f64[3] at 16 here, "label" is only there, ' +
    '"temperature" is only here; import the definition that the other programs use, or unlink ' +
    "the topic once nobody uses it";
  assert(error.message.includes(`: ${differences}`), error.message);
  const mismatch = assertThrows(() => topic(name.name, { type: text() }).subscriber());
  assert(!(mismatch as Error).message.includes("there"), `${mismatch}`);
});

Deno.test("scalars and arrays are named as in a definition", () => {
  const Scan = struct("scan", { time: "f64" });
  const types: [Type, Type, string][] = [
    ["f64", array("f32", 360), 'its messages are "f64", and this definition says "f32[360]"; '],
    [array(Scan, 2), "u8", 'its messages are "scan[2]", and this definition says "u8"; '],
    [Scan, "f64", 'its messages are "scan", and this definition says "f64"; '],
  ];
  for (const [there, here, message] of types) {
    using name = new Name();
    using _publisher = topic(name.name, { type: there }).publisher();
    const join = () => topic(name.name, { type: here }).subscriber();
    assertThrows(join, LayoutMismatchError, message);
  }
  const short = () => array("f32", 4).encode([1, 2, 3, 4], new Uint8Array(8));
  assertThrows(short, RangeError, 'Cannot encode "f32[4]" into 8 bytes');
});

Deno.test("another type of calls is refused with the names of the fields that differ", () => {
  using name = new Name();
  const Request = struct("request", { x: "f64" });
  const Other = struct("request", { x: "f32" });
  using _server = calls(name.name, { request: Request }).server();
  assertThrows(
    () => calls(name.name, { request: Other }).client(),
    LayoutMismatchError,
    '"request.x" is f64 at 0 there and f32 at 0 here',
  );
});
