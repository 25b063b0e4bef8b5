/** Definitions of domains, and the handles of all their slots. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { domain } from "../../src/babus/definition.ts";
import { text } from "../../src/codec.ts";
import { struct } from "../../src/struct.ts";
import { ClosedError, LayoutMismatchError, OsError } from "../../src/errors.ts";
import { payload } from "../circular/scene.ts";
import { namesOf, Scene } from "./scene.ts";

const Imu = struct("imu", { time: "f64", heading: "f64" });

/** The slots of a robot. */
const ROBOT = {
  imu: { type: Imu, depth: 16 },
  mode: { type: text() },
  image: { size: 10_000 },
};

Deno.test("open() opens all slots of a definition, with its types and sizes", () => {
  using scene = new Scene();
  const robot = domain(scene.name, ROBOT);
  assertEquals(scene.files(), []);
  using one = robot.open();
  using other = robot.open();
  assertEquals(scene.files().length, 3);
  assertEquals([one.name, namesOf(Object.values(one.slots))], [scene.name, [
    "imu",
    "mode",
    "image",
  ]]);
  const sizes = Object.values(one.slots).map(({ depth, size }) => [depth, size]);
  assertEquals(sizes, [[16, Imu.size], [8, 65_536], [8, 10_000]]);
  one.slots.imu.writeSync({ time: 1, heading: 90 });
  one.slots.mode.writeSync("walk");
  one.slots.image.writeSync(payload(1, 10_000));
  const { imu, mode, image } = other.slots;
  assertEquals(imu.latest()!.value, { time: 1, heading: 90 });
  assertEquals([mode.latest()!.value, image.latest()!.value], ["walk", payload(1, 10_000)]);
  assertThrows(() => one.slots.image.writeSync(payload(1, 10_001)), RangeError, "larger size");
});

Deno.test("a definition refuses sizes and options that no slot can have, and opens nothing", () => {
  using scene = new Scene();
  assertThrows(() => domain(scene.name, { imu: { depth: 0 } }), RangeError, "the depth is 0");
  assertThrows(() => domain(scene.name, { imu: { size: -1 } }), RangeError, "the size is -1");
  assertThrows(() => domain(scene.name, { imu: null as never }), TypeError, "define slot");
  assertThrows(() => domain(scene.name, [] as never), TypeError, "define domain");
  assertThrows(() => domain(scene.name, {}, { mode: 0o1000 }), RangeError, "0o777");
  assertEquals(scene.files(), []);
});

Deno.test("open() leaves nothing open when one of the slots differs from its definition", () => {
  using scene = new Scene();
  using _robot = domain(scene.name, { image: { size: 20_000 } }).open();
  const others = () => domain(scene.name, ROBOT).open();
  const { message } = assertThrows(others, LayoutMismatchError, "its size is 20000");
  assert(message.includes("10000"), message);
  assertEquals(scene.files(), [`vring.slot.${scene.name}~image`]);
});

Deno.test("open() obeys its option open", () => {
  using scene = new Scene();
  const robot = domain(scene.name, ROBOT);
  const missing = assertThrows(() => robot.open({ open: "join" }), OsError, "/imu");
  assertEquals([missing.code, scene.files()], ["ENOENT", []]);
  {
    using _image = domain(scene.name, { image: ROBOT.image }).open();
    const taken = assertThrows(() => robot.open({ open: "create" }), OsError, "/image");
    assertEquals([taken.code, scene.files().length], ["EEXIST", 1]);
  }
  using _made = robot.open({ open: "create" });
  using joined = robot.open({ open: "join" });
  assertThrows(() => joined.slot("log"), OsError, "/log"); // it creates no other slot either
  assertEquals(scene.files().length, 3);
});

Deno.test("close() of a domain closes all its handles, and slot() is an error then", () => {
  using scene = new Scene();
  const robot = domain(scene.name, { mode: { type: text() } });
  const one = robot.open();
  const extra = one.slot("leg/left", { size: 100 });
  const [same, other] = [one.slot("leg/left", { size: 100 }), robot.open()];
  extra.writeSync(payload(1, 100));
  assertEquals(same.latest()!.value, payload(1, 100));
  assertEquals([one.closed, scene.files().length], [false, 2]);
  one.close();
  one.close();
  assertEquals([one.closed, one.slots.mode.closed, extra.closed, same.closed], [
    true,
    true,
    true,
    true,
  ]);
  assertThrows(() => one.slot("leg/left"), ClosedError, 'open slot "leg/left": this handle');
  assertEquals([other.slots.mode.closed, scene.files().length], [false, 1]);
  other.close();
  assertEquals(scene.files(), []);
});

Deno.test("observer() watches all slots of a definition, before and after they exist", async () => {
  using scene = new Scene();
  const robot = domain(scene.name, ROBOT);
  using watching = robot.observer();
  const { mode, imu } = watching.slots;
  assertEquals([mode.latest(), imu.depth, imu.size, scene.files()], [undefined, 16, Imu.size, []]);
  const news = mode.next({ timeout: 60_000 });
  using body = robot.open();
  body.slots.mode.writeSync("stand");
  assertEquals((await news).value, "stand");
  const values = mode.values({ timeout: 60_000 });
  body.slots.mode.writeSync("walk");
  assertEquals((await values.next()).value, "walk");
  watching.close();
  assertEquals((await values.next()).done, true);
  assertEquals([watching.closed, mode.closed, imu.closed, body.closed], [true, true, true, false]);
});

Deno.test("a domain that persists is observed like any other, and keeps its slots", async () => {
  using scene = new Scene();
  const robot = domain(scene.name, { mode: { type: text() } }, { persist: true });
  using watching = robot.observer();
  {
    using body = robot.open();
    body.slots.mode.writeSync("walk");
  }
  await robot.ready();
  assertEquals((await watching.slots.mode.next({ timeout: 60_000 })).value, "walk");
  using body = robot.open({ open: "join" });
  assertEquals(body.slots.mode.latest()!.value, "walk");
});

Deno.test("a loop of an observer continues with the first message of a slot that takes the name", async () => {
  using scene = new Scene();
  const observer = scene.observer();
  const seen: [sequence: number, lost: number][] = [];
  let slot = scene.slot();
  slot.writeSync(payload(1, 8));
  for await (const { sequence, lost } of observer.messages({ timeout: 60_000 })) {
    seen.push([sequence, lost]);
    if (seen.length === 1) {
      slot.close();
      slot = scene.slot();
      for (let i = 1; i <= 5; i++) slot.writeSync(payload(i, 8));
    }
    if (seen.length === 5) break;
  }
  assertEquals(seen, [[1, 0], [2, 1], [3, 0], [4, 0], [5, 0]]);
});

Deno.test("ready() resolves once all slots exist, and rejects when one differs", async () => {
  using scene = new Scene();
  const robot = domain(scene.name, ROBOT);
  const { signal } = new AbortController();
  const waiting = robot.ready({ timeout: 60_000, signal });
  using _image = domain(scene.name, { image: ROBOT.image }).open();
  const late = () => robot.ready({ timeout: 0 });
  const { message } = await assertRejects(late, DOMException, "do not exist: 0 ms");
  const named = ["imu", "mode"].map((slot) => `slot "${scene.name}/${slot}"`);
  assertStringIncludes(message, `of which ${named.join(" and ")} do not`);
  using _all = robot.open();
  await waiting;
  const otherwise = domain(scene.name, { mode: {} });
  await assertRejects(() => otherwise.ready(), LayoutMismatchError, `"text"`);
  await assertRejects(() => robot.ready({ timeout: -1 }), RangeError);
});

Deno.test("info() lists the slots of a domain, and unlink() removes their names", () => {
  using scene = new Scene();
  const robot = domain(scene.name, { b: { type: text(), depth: 2, size: 10 } });
  using body = robot.open();
  const { b } = body.slots;
  domain(scene.name, { "a/c": {} }, { persist: true }).open().close();
  b.writeSync("x");
  b.writeSync("y");
  const file = `/dev/shm/${scene.files().find((name) => name.endsWith("~b"))}`;
  Deno.copyFileSync(file, file.replace(/b$/, "dead")); // as of a process that was killed
  const infos = robot.info().map(({ allocatedBytes, ...info }) => {
    assert(allocatedBytes > 0);
    return info;
  });
  assertEquals(infos, [
    { name: "a/c", type: "bytes", depth: 8, size: 65_536, sequence: 0 },
    { name: "b", type: "text", depth: 2, size: 10, sequence: 2 },
  ]);
  assertEquals(domain(`${scene.name}x`).info(), []);
  assertEquals([robot.unlink("b"), robot.unlink("b")], [true, false]);
  assertEquals(namesOf(robot.info()), ["a/c"]);
  assertEquals([robot.unlink(), robot.unlink()], [true, false]);
  assertEquals([robot.info(), b.latest()!.value], [[], "y"]);
});

Deno.test("short messages share a buffer, unless the handle gives each its own", () => {
  using scene = new Scene();
  const definition = domain(scene.name, { log: {} });
  using shared = definition.open();
  using own = definition.open({ own: true });
  using watching = definition.observer({ own: true });
  shared.slots.log.writeSync(payload(1, 100));
  const [first, second] = [shared.slots.log.latest()!.value, shared.slots.log.latest()!.value];
  assertEquals([first.buffer === second.buffer, first.byteOffset === second.byteOffset], [
    true,
    false,
  ]);
  for (const { slots: { log } } of [own, watching]) {
    assertEquals(log.latest()!.value.buffer.byteLength, 100);
  }
});
