/** Structs that receivers decode where the message is. */

import { assertEquals, assertThrows } from "@std/assert";
import { domain } from "../src/babus/definition.ts";
import { bytes, type Codec, json, raw, text } from "../src/codec.ts";
import { struct } from "../src/struct.ts";
import { decoderOf } from "../src/decoder.ts";
import { CorruptRegionError, VringError } from "../src/errors.ts";
import { layout } from "../src/layout/layout.ts";
import { topic } from "../src/vdds/definition.ts";
import { Name } from "./shared/scene.ts";

const Robot = struct("robot", {
  time: "f64",
  name: layout.text(8),
  key: layout.bytes(3),
  joints: layout.array("f32", 3),
  pose: layout("pose", { x: "f32", turns: "u64" }),
});

function robot(seed: number) {
  return {
    time: seed + 0.5,
    name: `arm ${seed}`,
    key: Uint8Array.of(seed, 2, 3),
    joints: Float32Array.of(seed, -1, 0.25),
    pose: { x: seed, turns: BigInt(seed) },
  };
}

Deno.test("a subscriber receives structs and shows them in samples, each a copy", () => {
  using name = new Name();
  const robots = topic(name.name, { type: Robot });
  using publisher = robots.publisher();
  using subscriber = robots.subscriber();
  const received = [1, 2, 3].map((seed) => {
    publisher.trySend(robot(seed));
    return subscriber.tryReceive()?.value;
  });
  publisher.trySend(robot(4));
  publisher.trySend(robot(5));
  const sample = subscriber.tryTake()!;
  const unseen = subscriber.tryTake()!;
  const { value } = sample;
  assertEquals(sample.value, value);
  for (const each of [sample, unseen]) each[Symbol.dispose]();
  for (let seed = 6; seed < 20; seed++) { // over everything that was there
    publisher.trySend(robot(seed));
    subscriber.tryReceive();
  }
  assertEquals([...received, value], [1, 2, 3, 4].map(robot));
  assertEquals(sample.value, value);
  assertThrows(() => unseen.value, VringError, "released");
});

Deno.test("a slot shows structs, each a copy", () => {
  using name = new Name();
  using handle = domain(name.name, { robot: { type: Robot, depth: 2 } }).open();
  const slot = handle.slots.robot;
  [1, 2, 3].forEach((seed) => slot.tryWrite(robot(seed)));
  const newest = slot.latest();
  const messages = slot.since(0);
  for (let seed = 4; seed < 10; seed++) slot.tryWrite(robot(seed));
  assertEquals(newest!.value, robot(3));
  assertEquals(messages.map(({ value }) => value), [robot(2), robot(3)]);
  assertEquals(messages.map(({ lost }) => lost), [1, 0]);
});

Deno.test("a message of another length is an error, and costs nothing else", () => {
  using name = new Name();
  using handle = domain(name.name).open();
  const Raw = raw(Robot.type);
  using publisher = topic(name.name, { type: Raw, size: Robot.size }).publisher();
  using subscriber = topic(name.name, { type: Robot }).subscriber();
  const slots = [Raw, Robot].map((type) =>
    handle.slot("robot", { type: type as typeof Raw, size: 256 })
  );
  const message = new Uint8Array(Robot.size);
  Robot.write(message, robot(7));
  for (const length of [0, Robot.size - 1, Robot.size + 1]) {
    const problem = `it has ${length} bytes, not ${Robot.size}`;
    if (length <= publisher.maxSample) {
      publisher.trySend(new Uint8Array(length));
      assertThrows(() => subscriber.tryReceive(), CorruptRegionError, problem);
    }
    slots[0]!.tryWrite(new Uint8Array(length));
    assertThrows(() => slots[1]!.latest(), CorruptRegionError, problem);
  }
  publisher.trySend(message);
  slots[0]!.tryWrite(message);
  const newest = slots[1]!.latest();
  assertEquals(subscriber.tryReceive()?.value, robot(7));
  assertEquals(newest!.value as unknown, robot(7));
});

Deno.test("only structs are decoded in place, and no codec that changes one", () => {
  assertEquals(decoderOf(Robot)?.size, Robot.size);
  for (
    const other of [bytes(), text(), json(), { ...Robot }, raw(Robot.type)]
  ) {
    assertEquals(decoderOf(other as Codec<unknown>), undefined);
  }
});
