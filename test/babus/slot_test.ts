import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Domain } from "../../src/babus/domain.ts";
import type { Slot } from "../../src/babus/slot.ts";
import { ClosedError, RoleTakenError, VringError } from "../../src/errors.ts";
import { type Codec, codec } from "../../src/codec.ts";
import { layout } from "../../src/layout/layout.ts";
import { until } from "../os/until.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";
import { Inside, messageOf, namesOf, Scene } from "./scene.ts";

Deno.test("latest(), at() and since() find nothing in a new slot", () => {
  using scene = new Scene();
  const slot = scene.slot();
  assertEquals([slot.sequence, slot.depth, slot.maxSize], [0, 4, 256]);
  assertEquals([slot.latest().state, slot.at(3).state], ["empty", "empty"]);
  assertEquals(slot.since(0), { messages: [], lost: 0 });
  assertEquals(slot.view(), undefined);
});

for (const depth of [1, 2, 3, 4, 7, 1024]) {
  Deno.test(`at() looks back at the last ${depth} messages, and since() at those that are new`, () => {
    using scene = new Scene();
    const slot = scene.slot("deep", { depth });
    const reader = scene.other("deep");
    for (let i = 1; i <= 2 * depth + 3; i++) {
      assertEquals(slot.writeSync(payload(i, lengthOf(i, 256))), i);
      for (const age of new Set([0, 1, depth >> 1, depth - 1])) {
        if (age >= depth) continue;
        const outcome = reader.at(age);
        if (i - age < 1) assertEquals(outcome.state, "empty");
        else {
          const { sequence, value } = messageOf(outcome);
          assertEquals(sequence, i - age);
          assertEquals(value, payload(sequence, lengthOf(sequence, 256)));
          const view = reader.view(age)!;
          assertEquals([view.sequence, view.valid], [sequence, true]);
          assertEquals(view.bytes, value);
        }
      }
    }
    const last = 2 * depth + 3;
    for (const after of [0, last - depth - 1, last - depth, last - 1, last, last + 5]) {
      const { messages, lost } = reader.since(after);
      const first = Math.max(after, last - depth) + 1;
      const expected = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
      assertEquals(messages.map(({ sequence }) => sequence), expected);
      assertEquals(lost, Math.max(0, last - depth - after));
      for (const { sequence, value } of messages) assert(isPayload(value, sequence));
    }
    for (const age of [-1, depth, 0.5, NaN]) {
      assertThrows(() => reader.at(age), RangeError);
      assertThrows(() => reader.view(age), RangeError);
    }
    for (const after of [-1, 0.5, NaN]) assertThrows(() => reader.since(after), RangeError);
    reader.close();
  });
}

Deno.test("messages tell the time of their publish, by the clock that Domain.now() tells", () => {
  using scene = new Scene();
  const slot = scene.slot();
  const times = [Domain.now()];
  for (let i = 1; i <= 4; i++) {
    slot.writeSync(payload(i, 8));
    times.push(messageOf(slot.latest()).time, Domain.now());
  }
  assertEquals(times, [...times].sort((a, b) => a - b)); // unless the clock was set meanwhile
  assertEquals(slot.view()!.time, messageOf(slot.latest()).time);
});

const ORIGIN = { host: "robot.local", incarnation: 7, sequence: 41, hops: 1 };

Deno.test("a message tells its origin, and the next one has none unless it is given", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  const reader = scene.slot();
  const origins: unknown[] = [];
  const note = () => origins.push(messageOf(reader.latest()).origin, reader.view()!.origin);
  slot.writeSync(payload(1, 8), { origin: ORIGIN });
  note();
  slot.writeSync(payload(2, 8));
  note();
  slot.tryWrite(payload(3, 8), { origin: { ...ORIGIN, sequence: 42 } });
  note();
  await slot.write(payload(4, 8), { origin: { ...ORIGIN, hops: 255 } });
  note();
  slot.claimSync(8).set(payload(5, 8));
  slot.publish(8, { origin: { ...ORIGIN, host: "x".repeat(64) } });
  note();
  const expected = [ORIGIN, undefined, { ...ORIGIN, sequence: 42 }, { ...ORIGIN, hops: 255 }, {
    ...ORIGIN,
    host: "x".repeat(64),
  }];
  assertEquals(origins, expected.flatMap((origin) => [origin, origin]));
  assertEquals(reader.since(0).messages.map(({ origin }) => origin), expected.slice(-slot.depth));
});

Deno.test("an origin that cannot be stored is refused, and nothing is written", () => {
  using scene = new Scene();
  const slot = scene.slot();
  for (const origin of [{ ...ORIGIN, hops: 0 }, { ...ORIGIN, host: "" }]) {
    assertThrows(() => slot.writeSync(payload(1, 8), { origin }), RangeError, "with an origin");
  }
  assertThrows(() => slot.writeSync(payload(1, 8), { origin: null as never }), TypeError);
  slot.claimSync(8);
  assertThrows(() => slot.publish(8, { origin: { ...ORIGIN, hops: 256 } }), RangeError);
  assertEquals(slot.publish(8), 1);
});

Deno.test("a view is valid until its message is overwritten, or the slot is closed", () => {
  using scene = new Scene();
  const slot = scene.slot("slot", { depth: 3 }); // four entries
  slot.writeSync(payload(1, 100));
  const view = slot.view()!;
  for (let i = 2; i <= 4; i++) {
    assertEquals(slot.writeSync(payload(i, 100)), i);
    assertEquals([view.valid, isPayload(view.bytes, 1)], [true, true]);
  }
  slot.tryClaim(100); // in its place
  assertEquals(view.valid, false);
  slot.discard();
  assertEquals(view.valid, false);
  assertEquals([slot.sequence, slot.at(2).state], [4, "ok"]);
  const last = slot.view()!;
  slot.close();
  assertEquals([last.valid, last.bytes.length], [false, 0]);
});

Deno.test("views and claims are at the right place after any earlier ones", () => {
  using scene = new Scene();
  const slot = scene.slot("views", { depth: 3 }); // four entries
  const expected = (sequence: number) => payload(sequence, [100, 0, 40][(sequence >> 2) % 3]!);
  for (let sequence = 1; sequence <= 40; sequence++) {
    const last = slot.view();
    slot.claimSync(100).set(expected(sequence));
    if (last !== undefined) assertEquals(last.bytes, expected(sequence - 1));
    slot.publish(expected(sequence).length);
    for (let age = 0; age < Math.min(sequence, 3); age++) {
      assertEquals(slot.view(age)!.bytes, expected(sequence - age));
    }
  }
});

Deno.test("publish() makes a message of a claim, and discard() makes none", () => {
  using scene = new Scene();
  const slot = scene.slot();
  slot.tryClaim(100)!.set(payload(1, 100));
  assertEquals([slot.sequence, slot.latest().state], [0, "empty"]);
  assertEquals(slot.publish(), 1);
  assertEquals(messageOf(slot.latest()).value, payload(1, 100));
  slot.claimSync().set(payload(2, 256));
  assertEquals(slot.publish(50), 2);
  assertEquals(messageOf(slot.latest()).value, payload(2, 256).subarray(0, 50));
  slot.claimSync(10);
  slot.discard();
  assertThrows(() => slot.publish(), VringError, "nothing is claimed");
  slot.claimSync(10).set(payload(3, 10));
  for (const length of [11, -1, 0.5]) assertThrows(() => slot.publish(length), RangeError);
  assertEquals(slot.writeSync(payload(4, 10)), 3); // gives the claim up
  assertThrows(() => slot.publish(), VringError, "nothing is claimed");
  assertEquals(slot.sequence, 3);
});

Deno.test("one writer writes at a time: the others wait, or get undefined", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  using other = scene.other();
  const view = slot.claimSync(20);
  assertEquals([other.tryWrite(payload(9, 9)), other.tryClaim(3)], [undefined, undefined]);
  for (
    const wait of [
      () => other.writeSync(payload(9, 9), { timeout: 5 }),
      () => other.claimSync(3, { timeout: 0 }),
    ]
  ) {
    const error = assertThrows(wait, DOMException);
    assertEquals(error.name, "TimeoutError");
    assertStringIncludes(error.message, 'write to slot "slot"');
  }
  const controller = new AbortController();
  const aborted = assertRejects(
    () => other.write(payload(9, 9), { signal: controller.signal }),
    Error,
    "enough",
  );
  const writing = other.write(payload(2, 20), { timeout: 60_000 });
  using inside = new Inside(scene);
  await until("it sleeps", () => inside.word("owner_bell").load() % 2 === 1);
  controller.abort(new Error("enough"));
  await aborted;
  view.set(payload(1, 20));
  assertEquals([slot.publish(), await writing], [1, 2]);
  assertEquals(slot.since(0).messages.map(({ value }) => value), [payload(1, 20), payload(2, 20)]);
  assertEquals(inside.word("owner").load(), 0);
});

Deno.test("concurrent writes of one handle run one after another, even when some are aborted", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  using other = scene.other();
  using inside = new Inside(scene);
  for (let round = 0; round < 10; round++) {
    const before = slot.sequence;
    slot.claimSync(20);
    const controller = new AbortController();
    const { signal } = controller;
    const writes = Array.from(
      { length: 20 },
      (_, i) =>
        other.write(payload(i, 20), i % 2 === 0 ? { signal, spin: 0 } : { timeout: 60_000 }),
    );
    await until("they sleep", () => inside.word("owner_bell").load() % 2 === 1);
    if (round % 2 === 0) controller.abort("enough"); // just before, or just after
    slot.discard();
    controller.abort("enough");
    const ends = await Promise.allSettled(writes);
    const given = ends.flatMap((end) => end.status === "fulfilled" ? [end.value] : []);
    const expected = Array.from({ length: given.length }, (_, i) => before + 1 + i);
    assertEquals(given.sort((a, b) => a - b), expected);
    assert(given.length >= 10, "only those that were called off wrote nothing");
    assertEquals([slot.sequence, inside.word("owner").load()], [before + given.length, 0]);
  }
});

Deno.test("close() discards the claim, and lets others write", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  const other = scene.other();
  slot.claimSync(20);
  const writing = other.write(payload(1, 20), { timeout: 60_000 });
  slot.close();
  slot.close();
  assertEquals([await writing, other.sequence], [1, 1]);
  for (
    const act of [
      () => slot.latest(),
      () => slot.since(0),
      () => slot.tryWrite(payload(1, 1)),
      () => slot.claimSync(1),
      () => slot.publish(),
      () => slot.sequence,
    ]
  ) assertThrows(act, ClosedError);
  await assertRejects(() => slot.write(payload(1, 1)), ClosedError);
  other.close();
  assertEquals(scene.files(), []);
});

Deno.test("a value that cannot be written is refused, and does not block other writers", () => {
  using scene = new Scene();
  const slot = scene.slot();
  using other = scene.other();
  assertThrows(() => slot.writeSync(new Uint8Array(257)), RangeError, "a message can have 256");
  assertThrows(() => slot.tryWrite("text" as unknown as Uint8Array), TypeError);
  for (const length of [257, -1, 0.5]) assertThrows(() => slot.tryClaim(length), RangeError);
  assertEquals([other.writeSync(new Uint8Array()), slot.sequence], [1, 1]);
  assertEquals(messageOf(slot.latest()).value.length, 0);
});

Deno.test("values of any codec are written and read", () => {
  using scene = new Scene();
  const { domain } = scene;
  const Imu = layout("imu", { time: "f64", gyro: layout.array("f32", 3) });
  const imu = domain.slot("imu", { codec: codec.struct(Imu), maxSize: Imu.size });
  imu.writeSync({ time: 1.5, gyro: new Float32Array([1, 2, 3]) });
  const { value } = messageOf(imu.latest());
  assertEquals([value.time, [...value.gyro]], [1.5, [1, 2, 3]]);
  const state = domain.slot("state", { codec: codec.json<{ mode: string }>() });
  state.writeSync({ mode: "walk" });
  assertEquals(messageOf(state.latest()).value, { mode: "walk" });
});

Deno.test("close() of a domain closes its slots, and slot() is an error then", () => {
  using scene = new Scene();
  const { domain } = scene;
  const slot = domain.slot("one/two");
  const again = domain.slot("one/two");
  slot.writeSync(payload(1, 100));
  assertEquals(messageOf(again.latest()).value, payload(1, 100));
  assertEquals(scene.files().length, 1);
  domain.close();
  assertEquals([slot.closed, again.closed, scene.files()], [true, true, []]);
  assertThrows(() => domain.slot("one/two"), ClosedError);
});

Deno.test("slots() lists the slots of a domain, and unlink() removes their names", () => {
  using scene = new Scene();
  const { domain } = scene;
  const b = domain.slot("b", { depth: 2, maxSize: 10, codec: codec.text });
  domain.slot("a/c", { persist: true }).close();
  b.writeSync("x");
  b.writeSync("y");
  const file = `/dev/shm/${scene.files().find((name) => name.endsWith("~b"))}`;
  Deno.copyFileSync(file, file.replace(/b$/, "dead")); // as of a process that was killed
  const [kept, used, ...more] = domain.slots();
  assertEquals(more, []);
  assertEquals(
    [kept!.name, kept!.type, kept!.depth, kept!.maxSize, kept!.sequence],
    ["a/c", "bytes", 8, 65_536, 0],
  );
  assertEquals(
    [used!.name, used!.type, used!.depth, used!.maxSize, used!.sequence],
    ["b", "text", 2, 10, 2],
  );
  assertEquals(namesOf(Domain.open(`${scene.name}x`).slots()), []);
  assertEquals([domain.unlink("b"), domain.unlink("b")], [true, false]);
  assertEquals(namesOf(domain.slots()), ["a/c"]);
  assertEquals([Domain.unlink(scene.name), Domain.unlink(scene.name)], [true, false]);
  assertEquals([domain.slots(), messageOf(b.latest()).value], [[], "y"]);
});

Deno.test("a slot takes memory only for written messages", () => {
  using scene = new Scene();
  const slot = scene.domain.slot("big", { depth: 1000, maxSize: 10_000_000 });
  const allocated = () => scene.domain.slots()[0]!.allocatedBytes;
  const before = allocated();
  assert(before < 200_000, `${before} bytes`);
  for (let i = 1; i <= 3; i++) slot.writeSync(payload(i, 1000));
  assert(allocated() <= before + 3 * 4096 + 4096);
  slot.writeSync(payload(4, 1_000_000));
  assert(allocated() >= before + 1_000_000 && allocated() < before + 1_100_000);
  for (let i = 1; i <= 4; i++) assert(isPayload(messageOf(slot.at(4 - i)).value, i));
});

Deno.test("tryWrite() throws a RoleTakenError when there are more writers than seats", () => {
  using scene = new Scene();
  const slots: Slot[] = [];
  const domain = scene.domain;
  scene.slot();
  for (let i = 1; i <= 64; i++) {
    slots.push(domain.slot("slot"));
    assertEquals(slots.at(-1)!.tryWrite(payload(i, 9)), i);
  }
  const late = domain.slot("slot");
  assertThrows(() => late.tryWrite(payload(65, 9)), RoleTakenError, "it has 64 writers");
  assertEquals(messageOf(late.latest()).sequence, 64); // reading needs no seat
  slots.pop()!.close();
  assertEquals(late.tryWrite(payload(65, 9)), 65);
});

Deno.test("write() and claim() let the event loop have its turns", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  let fired = false;
  setTimeout(() => fired = true, 0);
  let written = 0;
  while (!fired && written < 1e6) written = await slot.write(payload(1, 8));
  assert(fired, `${written} writes in one turn`);
});

Deno.test("a codec that uses its own slot is refused, and others wait for it", () => {
  using scene = new Scene();
  let during = () => {};
  const nested: Codec<Uint8Array> = {
    ...codec.bytes,
    encode: (value, into) => {
      during();
      return codec.bytes.encode(value, into);
    },
  };
  const slot = scene.domain.slot("nested", { codec: nested });
  using other = Domain.open(scene.name);
  const second = other.slot("nested");
  const uses = [
    () => slot.tryWrite(payload(9, 4)),
    () => slot.writeSync(payload(9, 4)),
    () => slot.tryClaim(4),
    () => slot.claimSync(4),
    () => slot.publish(),
  ];
  for (const use of uses) {
    during = () => void assertThrows(use, VringError);
    slot.claimSync(4).fill(7); // discarded by the write
    slot.writeSync(payload(1, 4));
    during = () => void use();
    assertThrows(() => slot.tryWrite(payload(2, 4)), VringError);
  }
  during = () => {
    slot.discard();
    assertEquals(second.tryWrite(payload(8, 4)), undefined);
  };
  assertEquals(slot.tryWrite(payload(3, 4)), uses.length + 1);
  assertEquals(second.tryWrite(payload(4, 4)), uses.length + 2);
  const values = slot.since(0).messages.map(({ value }) => value);
  assertEquals(values, [...uses.map(() => payload(1, 4)), payload(3, 4), payload(4, 4)]);

  during = () => slot.close();
  assertThrows(() => slot.tryWrite(payload(6, 4)), ClosedError, "it is closed");
  assertEquals(second.tryWrite(payload(6, 4)), uses.length + 3);
});
