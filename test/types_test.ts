/** Types of messages: structs, arrays, scalars, and sized bytes, text and JSON. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { assertType, type IsExact } from "@std/testing/types";
import { domain } from "../src/babus/definition.ts";
import type { Domain } from "../src/babus/domain.ts";
import type { SlotObserver } from "../src/babus/observer.ts";
import type { Slot } from "../src/babus/slot.ts";
import { calls, type CallsDefinition } from "../src/calls/definition.ts";
import { circular, type CircularDefinition } from "../src/circular/definition.ts";
import { bytes, type Codec, json, text } from "../src/codec.ts";
import type { Claim } from "../src/claim.ts";
import { describedType } from "../src/described.ts";
import { array, struct } from "../src/struct.ts";
import { encoderOf } from "../src/encoder.ts";
import {
  type Bytes,
  type Input,
  type TakenMessage,
  type Type,
  typeIn,
  type Value,
  type View,
} from "../src/message.ts";
import { mpsc, type MpscDefinition } from "../src/mpsc/definition.ts";
import { spsc, type SpscDefinition } from "../src/spsc/definition.ts";
import { topic, type TopicDefinition } from "../src/vdds/definition.ts";
import type { TopicOptions } from "../src/vdds/topic_options.ts";

const Pose = struct("pose", { x: "f32", y: "f32" });
const Imu = struct("imu", {
  time: "f64",
  valid: "bool",
  offset: "i8",
  count: "i64",
  accel: array("f32", 3),
  label: text(16),
  raw: bytes(4),
  pose: Pose,
  flags: array("bool", 2),
});

const IMU = {
  time: 1.5,
  valid: true,
  offset: -100,
  count: -(2n ** 63n),
  accel: [0, 0.5, 9.75],
  label: "left wing",
  raw: new Uint8Array([1, 2, 3, 4]),
  pose: { x: 3, y: -1 },
  flags: [true, false],
};

function roundTrip<K extends Type>(type: K, value: Input<K>): Value<K> {
  const codec = typeIn(type, "test") as unknown as Codec<Value<K>, Input<K>>;
  const { sizeBytes } = codec;
  const space = new Uint8Array(typeof sizeBytes === "number" ? sizeBytes : sizeBytes(value));
  return codec.decode(space.subarray(0, codec.encode(value, space)));
}

Deno.test("struct() is a layout and the type of messages with its fields", () => {
  const value = roundTrip(Imu, IMU);
  assertEquals(value, {
    ...IMU,
    accel: new Float32Array(IMU.accel),
    flags: new Uint8Array([1, 0]),
  });
  const memory = new Uint8Array(Imu.size);
  const view = Imu.view(memory);
  view.valid = true;
  view.accel.set([1, 2, 3]);
  assertEquals([Imu.read(memory).valid, [...Imu.read(memory).accel]], [true, [1, 2, 3]]);
  assertEquals(Imu.type.hash, Imu.hash);
  assert(Object.isFrozen(Imu));
});

Deno.test("Value, Input and View are those of each type", () => {
  assertType<IsExact<Value<"f64">, number>>(true);
  assertType<IsExact<Input<"i64">, bigint>>(true);
  assertType<IsExact<View<"bool">, undefined>>(true);
  assertType<IsExact<Value<typeof Imu>["accel"], Float32Array<ArrayBuffer>>>(true);
  assertType<IsExact<Input<typeof Imu>["accel"], ArrayLike<number>>>(true);
  assertType<IsExact<View<typeof Imu>["valid"], boolean>>(true);
  const ranges = array("f32", 360);
  assertType<IsExact<Value<typeof ranges>, Float32Array<ArrayBuffer>>>(true);
  assertType<IsExact<Input<typeof ranges>, ArrayLike<number>>>(true);
  const sized = text(16);
  assertType<IsExact<Value<typeof sized>, string>>(true);
  const plain = bytes(16);
  assertType<IsExact<Value<typeof plain>, Uint8Array<ArrayBuffer>>>(true);
  const parsed = json<{ a: number }>();
  assertType<IsExact<Value<typeof parsed>, { a: number }>>(true);
});

Deno.test("the view of a received message cannot be assigned, as all receivers share it", () => {
  type Shown = TakenMessage<typeof Imu>["view"];
  assertType<IsExact<Shown["pose"], { readonly x: number; readonly y: number }>>(true);
  assertType<IsExact<Pick<Shown, "time">, { readonly time: number }>>(true);
  assertType<IsExact<Shown["accel"], View<typeof Imu>["accel"]>>(true);
  assertType<IsExact<Pick<Claim<typeof Imu>["view"], "time">, { time: number }>>(true);
  assertType<IsExact<TakenMessage<"f64">["view"], undefined>>(true);
  assertType<IsExact<TakenMessage<Codec<string, string, Set<string>>>["view"], Set<string>>>(true);
  const Poses = array(Pose, 2);
  type First = TakenMessage<typeof Poses>["view"][0];
  assertType<IsExact<First, { readonly x: number; readonly y: number }>>(true);
});

Deno.test("a definition has the type that its options state, otherwise bytes", () => {
  const capacity = 4096;
  const topics = topic("types", { type: Imu, depth: 2 });
  assertType<IsExact<typeof topics, TopicDefinition<typeof Imu>>>(true);
  const ring = spsc("types", { type: Imu, capacity });
  assertType<IsExact<typeof ring, SpscDefinition<typeof Imu>>>(true);
  const scalars = mpsc("types", { type: "f64", capacity });
  assertType<IsExact<typeof scalars, MpscDefinition<"f64">>>(true);
  const buffer = circular("types", { type: "i64", capacity });
  assertType<IsExact<typeof buffer, CircularDefinition<"i64">>>(true);
  const both = calls("types", { request: "f64", response: Imu, capacity });
  assertType<IsExact<typeof both, CallsDefinition<"f64", typeof Imu>>>(true);
  const asked = calls("types", { request: "f64", capacity });
  assertType<IsExact<typeof asked, CallsDefinition<"f64", Bytes>>>(true);
  const answered = calls("types", { response: "f64", capacity });
  assertType<IsExact<typeof answered, CallsDefinition<Bytes, "f64">>>(true);

  const plain = [
    [topic("types"), spsc("types"), mpsc("types"), circular("types"), calls("types")] as const,
    [
      topic("types", { type: undefined }),
      spsc("types", { type: undefined, capacity }),
      mpsc("types", { type: undefined, capacity }),
      circular("types", { type: undefined, capacity }),
      calls("types", { request: undefined, response: undefined, capacity }),
    ] as const,
  ] as const;
  type AllBytes = readonly [
    TopicDefinition,
    SpscDefinition,
    MpscDefinition,
    CircularDefinition,
    CallsDefinition,
  ];
  assertType<IsExact<typeof plain, readonly [AllBytes, AllBytes]>>(true);
  const optional: TopicOptions = { depth: 2 };
  const more = { depth: 2, policy: "block" } as const;
  const passed = [
    topic("types", optional),
    topic("types", { type: describedType(Imu.type), ...more }),
  ];
  const generic = <K extends Type>(type: K): TopicDefinition<K> => topic("types", { type });
  const pair = <Q extends Type, S extends Type>(request: Q, response: S): CallsDefinition<Q, S> =>
    calls("types", { request, response });
  const callers = [generic("f64"), pair("f64", Imu)] as const;
  assertType<
    IsExact<typeof callers, readonly [TopicDefinition<"f64">, CallsDefinition<"f64", typeof Imu>]>
  >(true);
  for (const each of [...plain.flat(), ...passed, ...callers]) assertEquals(each.name, "types");

  const slots = (open: Domain, seen: Domain<Record<never, never>, "observer">) =>
    [
      open.slot("a", { type: "f64" }),
      open.slot("a"),
      open.slot("a", { depth: 2 }),
      seen.slot("a", { type: Imu }),
    ] as const;
  assertType<
    IsExact<
      ReturnType<typeof slots>,
      readonly [Slot<"f64">, Slot<Bytes>, Slot<Bytes>, SlotObserver<typeof Imu>]
    >
  >(true);
});

Deno.test("a definition whose options leave out the type cannot claim another than bytes", () => {
  const capacity = 4096;
  // @ts-expect-error: the options state no type
  topic<"f64">("types");
  // @ts-expect-error: the options state no type
  topic<"f64">("types", { depth: 2 });
  // @ts-expect-error: the definition is one of bytes
  const _topic: TopicDefinition<"f64"> = topic("types");
  // @ts-expect-error: the options state no type
  spsc<typeof Imu>("types", { capacity });
  // @ts-expect-error: the definition is one of bytes
  const _spsc: SpscDefinition<typeof Imu> = spsc("types", { capacity });
  // @ts-expect-error: the options state no type
  mpsc<typeof Imu>("types", { capacity });
  // @ts-expect-error: the definition is one of bytes
  const _mpsc: MpscDefinition<"f64"> = mpsc("types", { capacity });
  // @ts-expect-error: the options state no type
  circular<typeof Imu>("types", { capacity });
  // @ts-expect-error: the definition is one of bytes
  const _circular: CircularDefinition<"f64"> = circular("types", { capacity });
  // @ts-expect-error: the options state no types
  calls<"f64", "f64">("types", { capacity });
  // @ts-expect-error: the options state no type of responses
  calls<"f64", "f64">("types", { request: "f64" });
  // @ts-expect-error: the options state no type of requests
  calls<"f64", "f64">("types", { response: "f64" });
  // @ts-expect-error: the responses are bytes
  const _asked: CallsDefinition<"f64", "f64"> = calls("types", { request: "f64" });
  // @ts-expect-error: the requests are bytes
  const _answered: CallsDefinition<"f64", "f64"> = calls("types", { response: "f64" });
  // @ts-expect-error: the definition is one of bytes
  const _calls: CallsDefinition<"f64", "f64"> = calls("types");
  // @ts-expect-error: the definition has no slots
  domain<{ imu: { type: "f64" } }>("types");
  // @ts-expect-error: the options state no type
  const _slot = (open: Domain) => open.slot<"f64">("types");
  // @ts-expect-error: the slot is one of bytes
  const _typed = (open: Domain): Slot<"f64"> => open.slot("types", { depth: 2 });
});

Deno.test("scalars and arrays are types of messages", () => {
  assertEquals(roundTrip("f64", 1.25), 1.25);
  assertEquals(roundTrip("i16", -32768), -32768);
  assertEquals(roundTrip("u64", 2n ** 64n - 1n), 2n ** 64n - 1n);
  assertEquals(roundTrip("bool", false), false);
  assertEquals(roundTrip(array("f32", 3), [1, 2, 3]), new Float32Array([1, 2, 3]));
  assertEquals(roundTrip(array(Pose, 2), [{ x: 1, y: 2 }, { x: 3, y: 4 }])[1], { x: 3, y: 4 });
  const ranges = array("u16", 2);
  const memory = new Uint8Array(4);
  ranges.view!(memory)[1] = 7;
  assertEquals(ranges.decode(memory), new Uint16Array([0, 7]));
});

Deno.test("scalars that do not fit are refused, and the error names the field", () => {
  const encode = (value: unknown) => roundTrip(Imu, { ...IMU, ...value as object });
  const cases: [object, string][] = [
    [{ offset: 128 }, "128 does not fit in i8; pass an integer from -128 to 127"],
    [{ offset: -129 }, "-129 does not fit in i8"],
    [{ count: 2n ** 63n }, "does not fit in i64"],
    [{ valid: 1 }, "Cannot write imu.valid: the value is of type number; pass a boolean"],
    [{ count: 1 }, "Cannot write imu.count: the value is of type number; pass a bigint"],
    [{ accel: [1, 2] }, "Cannot write imu.accel: it holds 3 and 2 were passed; pass all"],
  ];
  for (const [value, message] of cases) assertThrows(() => encode(value), Error, message);
  assertThrows(() => roundTrip("i16", 40_000), RangeError, "40000 does not fit in i16");
  assertThrows(() => roundTrip(array("f32", 3), [1]), RangeError, "it holds 3 and 1 were passed");
});

Deno.test("a byte that is neither 0 nor 1 reads as true", () => {
  const Flag = struct("flag", { set: "bool" });
  assertEquals(Flag.read(new Uint8Array([2])), { set: true });
  assertEquals(Flag.view(new Uint8Array([255])).set, true);
});

Deno.test("sized types refuse longer messages, in every way of encoding", () => {
  const long = "vier€"; // 7 bytes
  const cases: [Codec<never>, unknown, string][] = [
    [bytes(4), new Uint8Array(5), "Cannot send 5 bytes as bytes(4): pass at most 4 bytes"],
    [text(6), long, "Cannot send 7 bytes as text(6): pass at most 6 bytes"],
    [json(6), long, "Cannot send 9 bytes as json(6): pass at most 6 bytes"],
  ] as unknown as [Codec<never>, unknown, string][];
  for (const [type, value, message] of cases) {
    const encoder = encoderOf(type as Codec<unknown>, "send through", 'ring "a"');
    assertThrows(
      () => {
        const prepared = encoder.prepare(value);
        encoder.bound(prepared);
        encoder.toBytes(prepared);
      },
      RangeError,
      message,
    );
    assertThrows(() => type.encode(value as never, new Uint8Array(64)), RangeError);
  }
  assertEquals(roundTrip(text(7), long), long);
  assertEquals(roundTrip(json<string>(9), long), long);
  assertEquals(roundTrip(bytes(4), new Uint8Array([1, 2])), new Uint8Array([1, 2]));
});

Deno.test("a size and a type that cannot be are refused", () => {
  for (const size of [0, -1, 1.5, NaN, 2 ** 31]) {
    assertThrows(() => bytes(size), RangeError, "Cannot declare bytes(");
    assertThrows(() => text(size), RangeError, "Cannot declare text(");
    assertThrows(() => json(size), RangeError, "Cannot declare json(");
    assertThrows(() => json(size), RangeError);
  }
  const wrong = [null, 8, "u128", {}, { type: "f64" }, () => 1] as unknown as Type[];
  for (const type of wrong) {
    assertThrows(() => typeIn(type, "define a"), TypeError, "Cannot define a: the option type is ");
  }
  for (
    const [type, name] of [[bytes(), "bytes"], [json(20), "json"], [{ a: "f64" }, "an Object"]]
  ) {
    const message = `field "b" is ${name}, which cannot be a field; use bytes(n), text(n), `;
    for (const b of [type, { type, at: 0 }] as unknown as "u8"[]) {
      assertThrows(() => struct("a", { b }), TypeError, message);
    }
  }
});
