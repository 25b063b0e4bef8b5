import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { Slot } from "../../src/babus/slot.ts";
import { ClosedError, LostError, RoleTakenError, VringError } from "../../src/errors.ts";
import { bytes, type Codec } from "../../src/codec.ts";
import { time } from "../../src/os/clock.ts";
import { until } from "../os/until.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";
import { Inside, Scene } from "./scene.ts";

Deno.test("latest(), at(), since() and peek() find nothing in a new slot", () => {
  using scene = new Scene();
  const slot = scene.slot();
  assertEquals([slot.sequence, slot.depth, slot.size], [0, 4, 256]);
  assertEquals([slot.latest(), slot.at(0), slot.at(1)], [undefined, undefined, undefined]);
  assertEquals([slot.since(0), slot.since(9)], [[], []]);
  assertEquals([slot.peek(), slot.peek(1)], [undefined, undefined]);
  assertEquals(slot.readInto(new Uint8Array(256)), -1);
});

for (const depth of [1, 2, 3, 4, 7, 1024]) {
  Deno.test(`at() looks back at the last ${depth} messages, and since() at those that are new`, () => {
    using scene = new Scene();
    const slot = scene.slot("deep", { depth });
    using reader = scene.other("deep", { depth });
    for (let i = 1; i <= 2 * depth + 3; i++) {
      assertEquals(slot.writeSync(payload(i, lengthOf(i, 256))), i);
      assertEquals(reader.latest(), reader.at(i));
      for (const age of new Set([0, 1, depth >> 1, depth - 1])) {
        if (age >= Math.min(i, depth)) continue;
        const { sequence, value, lost } = reader.at(i - age)!;
        assertEquals([sequence, lost], [i - age, 0]);
        assertEquals(value, payload(sequence, lengthOf(sequence, 256)));
        const peek = reader.peek(i - age)!;
        assertEquals([peek.sequence, peek.valid, peek.view], [sequence, true, undefined]);
        assertEquals(peek.bytes, value);
      }
      for (const gone of [0, i - depth, i + 1]) {
        assertEquals([reader.at(gone), reader.peek(gone)], [undefined, undefined]);
      }
    }
    const last = 2 * depth + 3;
    for (const after of [0, last - depth - 1, last - depth, last - 1, last, last + 5]) {
      const messages = reader.since(after);
      const first = Math.max(after, last - depth) + 1;
      const expected = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
      assertEquals(messages.map(({ sequence }) => sequence), expected);
      const lost = expected.map((_, i) => i === 0 ? Math.max(0, last - depth - after) : 0);
      assertEquals(messages.map(({ lost }) => lost), lost);
      for (const { sequence, value } of messages) assert(isPayload(value, sequence));
    }
    assertEquals([reader.at(-1), reader.peek(-1), reader.since(-1)], [
      undefined,
      undefined,
      reader.since(0),
    ]);
    for (const wrong of [0.5, NaN, 2 ** 53]) {
      assertThrows(() => reader.at(wrong), RangeError);
      assertThrows(() => reader.peek(wrong), RangeError);
      assertThrows(() => reader.since(wrong), RangeError);
    }
  });
}

Deno.test("readInto() copies the newest message into an array that is long enough", () => {
  using scene = new Scene();
  const slot = scene.slot();
  const target = new Uint8Array(200).fill(9);
  for (const length of [100, 0, 200]) {
    slot.writeSync(payload(length, length));
    assertEquals(slot.readInto(target), length);
    assertEquals(target.subarray(0, length), payload(length, length));
  }
  slot.writeSync(payload(7, 201));
  const error = assertThrows(() => slot.readInto(target), RangeError, "it has 201 bytes");
  assertStringIncludes(error.message, "the array 200; pass a larger one");
  assertEquals(target, payload(200, 200));
  assertThrows(() => slot.readInto([] as never), TypeError, "is not a Uint8Array");
});

Deno.test("next() gives the newest message that its handle has not shown, and waits for one", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  const late = () => slot.nextSync({ timeout: 0 });
  assertThrows(late, DOMException, "0 ms have passed, and it has no messages");
  for (let i = 1; i <= 3; i++) slot.writeSync(payload(i, 8));
  assertEquals([slot.nextSync({ timeout: 0 }).sequence, slot.at(2)!.sequence], [3, 2]);
  assertThrows(late, DOMException, "0 ms have passed, and its newest message is number 3");
  await assertRejects(() => slot.next({ timeout: -1 }), RangeError);
  const waiting = slot.next({ timeout: 60_000, spin: 0 });
  using inside = new Inside(scene);
  await until("it sleeps", () => inside.word("bell").load() % 2 === 1);
  slot.writeSync(payload(4, 8));
  const { sequence, value, lost } = await waiting;
  assertEquals([sequence, value, lost], [4, payload(4, 8), 0]);
  const closed = assertRejects(() => slot.next(), ClosedError);
  slot.close();
  await closed;
});

Deno.test("messages() begins with the newest, follows in order, and tells what was overwritten", async () => {
  using scene = new Scene();
  const [slot, writer] = [scene.slot(), scene.slot()];
  for (let i = 1; i <= 6; i++) writer.writeSync(payload(i, 8));
  const seen: [sequence: number, lost: number][] = [];
  for await (const { sequence, lost, value } of slot.messages({ timeout: 60_000 })) {
    assert(isPayload(value, sequence));
    seen.push([sequence, lost]);
    if (sequence === 6) writer.writeSync(payload(7, 8));
    if (sequence === 7) { for (let i = 8; i <= 13; i++) writer.writeSync(payload(i, 8)); }
    if (sequence === 13) break;
  }
  assertEquals(seen, [[6, 0], [7, 0], [10, 2], [11, 0], [12, 0], [13, 0]]);
});

Deno.test("values() throws a LostError when messages were overwritten, unless it skips them", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  const loops = [slot[Symbol.asyncIterator](), slot.values({ onLoss: "skip" })];
  slot.writeSync(payload(1, 8));
  for (const loop of loops) assertEquals((await loop.next()).value, payload(1, 8));
  for (let i = 2; i <= 7; i++) slot.writeSync(payload(i, 8));
  await assertRejects(() => loops[0]!.next(), LostError, "this receiver lost 2 messages");
  assertEquals((await loops[1]!.next()).value, payload(4, 8));
  assertEquals(await loops[0]!.next(), { done: true, value: undefined });
});

Deno.test("peers counts the other handles, in this process too", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  assertEquals(slot.peers, 0);
  await slot.waitForPeers(0);
  const late = slot.waitForPeers(1, { timeout: 0 });
  await assertRejects(() => late, DOMException, "and it has 0");
  const waiting = slot.waitForPeers(2, { timeout: 60_000 });
  using _observer = scene.definition.observer();
  using _one = scene.other();
  {
    using _other = scene.other();
    await waiting;
    assertEquals(slot.peers, 2);
  }
  assertEquals(slot.peers, 1);
});

Deno.test("messages tell the time of their publish, by the clock of the system", () => {
  using scene = new Scene();
  const slot = scene.slot();
  const times = [time()];
  for (let i = 1; i <= 4; i++) {
    slot.writeSync(payload(i, 8));
    times.push(slot.latest()!.time, time());
  }
  assertEquals(times, [...times].sort((a, b) => a - b)); // unless the clock was set meanwhile
  assertEquals(slot.peek()!.time, slot.latest()!.time);
});

const ORIGIN = { host: "robot.local", incarnation: 7, sequence: 41, hops: 1 };

Deno.test("a message tells its origin, and the next one has none unless it is given", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  const reader = scene.slot();
  const origins: unknown[] = [];
  const note = () => origins.push(reader.latest()!.origin, reader.peek()!.origin);
  slot.writeSync(payload(1, 8), { origin: ORIGIN });
  note();
  slot.writeSync(payload(2, 8));
  note();
  slot.tryWrite(payload(3, 8), { origin: { ...ORIGIN, sequence: 42 } });
  note();
  await slot.write(payload(4, 8), { origin: { ...ORIGIN, hops: 255 } });
  note();
  const claim = slot.claimSync(8);
  claim.bytes.set(payload(5, 8));
  claim.publish(8, { origin: { ...ORIGIN, host: "x".repeat(64) } });
  note();
  const expected = [ORIGIN, undefined, { ...ORIGIN, sequence: 42 }, { ...ORIGIN, hops: 255 }, {
    ...ORIGIN,
    host: "x".repeat(64),
  }];
  assertEquals(origins, expected.flatMap((origin) => [origin, origin]));
  assertEquals(reader.since(0).map(({ origin }) => origin), expected.slice(-slot.depth));
});

Deno.test("an origin that cannot be stored is refused, and nothing is written", () => {
  using scene = new Scene();
  const slot = scene.slot();
  for (const origin of [{ ...ORIGIN, hops: 0 }, { ...ORIGIN, host: "" }]) {
    assertThrows(() => slot.writeSync(payload(1, 8), { origin }), RangeError, "with an origin");
  }
  assertThrows(() => slot.writeSync(payload(1, 8), { origin: null as never }), TypeError);
  const claim = slot.claimSync(8);
  assertThrows(() => claim.publish(8, { origin: { ...ORIGIN, hops: 256 } }), RangeError);
  assertEquals(claim.publish(8), 1);
});

Deno.test("a message in place is valid until it is overwritten, or the slot is closed", () => {
  using scene = new Scene();
  const slot = scene.slot("slot", { depth: 3 }); // four entries
  slot.writeSync(payload(1, 100));
  const peek = slot.peek()!;
  for (let i = 2; i <= 4; i++) {
    assertEquals(slot.writeSync(payload(i, 100)), i);
    assertEquals([peek.valid, isPayload(peek.bytes, 1)], [true, true]);
  }
  {
    using _claim = slot.tryClaim(100)!; // in its place
    assertEquals(peek.valid, false);
  }
  assertEquals(peek.valid, false);
  assertEquals([slot.sequence, slot.at(2)?.sequence], [4, 2]);
  const last = slot.peek()!;
  slot.close();
  assertEquals([last.valid, last.bytes.length], [false, 0]);
});

Deno.test("messages in place and claims are at the right place after any earlier ones", () => {
  using scene = new Scene();
  const slot = scene.slot("views", { depth: 3 }); // four entries
  const expected = (sequence: number) => payload(sequence, [100, 0, 40][(sequence >> 2) % 3]!);
  for (let sequence = 1; sequence <= 40; sequence++) {
    const last = slot.peek();
    const claim = slot.claimSync(100);
    claim.bytes.set(expected(sequence));
    if (last !== undefined) assertEquals(last.bytes, expected(sequence - 1));
    claim.publish(expected(sequence).length);
    for (let age = 0; age < Math.min(sequence, 3); age++) {
      assertEquals(slot.peek(sequence - age)!.bytes, expected(sequence - age));
    }
  }
});

Deno.test("one writer writes at a time: the others wait, or get undefined", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  using other = scene.other();
  const claim = slot.claimSync(20);
  assertEquals([other.tryWrite(payload(9, 9)), other.tryClaim(3)], [undefined, undefined]);
  for (
    const wait of [
      () => other.writeSync(payload(9, 9), { timeout: 5 }),
      () => other.claimSync(3, { timeout: 0 }),
    ]
  ) {
    const error = assertThrows(wait, DOMException);
    assertEquals(error.name, "TimeoutError");
    assertStringIncludes(error.message, `write to slot "${scene.name}/slot"`);
    assertStringIncludes(error.message, "another handle is writing");
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
  claim.bytes.set(payload(1, 20));
  assertEquals([claim.publish(), await writing], [1, 2]);
  assertEquals(slot.since(0).map(({ value }) => value), [payload(1, 20), payload(2, 20)]);
  assertEquals(inside.word("owner").load(), 0);
});

Deno.test("concurrent writes of one handle run one after another, even when some are aborted", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  using other = scene.other();
  using inside = new Inside(scene);
  for (let round = 0; round < 10; round++) {
    const before = slot.sequence;
    const claim = slot.claimSync(20);
    const controller = new AbortController();
    const { signal } = controller;
    const writes = Array.from(
      { length: 20 },
      (_, i) =>
        other.write(payload(i, 20), i % 2 === 0 ? { signal, spin: 0 } : { timeout: 60_000 }),
    );
    await until("they sleep", () => inside.word("owner_bell").load() % 2 === 1);
    if (round % 2 === 0) controller.abort("enough"); // just before, or just after
    claim[Symbol.dispose]();
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
  const claim = slot.claimSync(20);
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
      () => claim.publish(),
      () => slot.peers,
      () => slot.peek(),
      () => slot.readInto(new Uint8Array(9)),
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
  assertEquals(slot.latest()!.value.length, 0);
});

Deno.test("a slot takes memory only for written messages", () => {
  using scene = new Scene();
  const slot = scene.domain.slot("big", { depth: 1000, size: 10_000_000 });
  const allocated = () => scene.definition.info()[0]!.allocatedBytes;
  const before = allocated();
  assert(before < 200_000, `${before} bytes`);
  for (let i = 1; i <= 3; i++) slot.writeSync(payload(i, 1000));
  assert(allocated() <= before + 3 * 4096 + 4096);
  slot.writeSync(payload(4, 1_000_000));
  assert(allocated() >= before + 1_000_000 && allocated() < before + 1_100_000);
  for (let i = 1; i <= 4; i++) assert(isPayload(slot.at(i)!.value, i));
});

Deno.test("tryWrite() throws a RoleTakenError when there are more writers than seats", () => {
  using scene = new Scene();
  const slots: Slot[] = [];
  scene.slot();
  for (let i = 1; i <= 64; i++) {
    slots.push(scene.slot());
    assertEquals(slots.at(-1)!.tryWrite(payload(i, 9)), i);
  }
  const late = scene.slot();
  assertThrows(() => late.tryWrite(payload(65, 9)), RoleTakenError, "it has 64 writers");
  assertEquals(late.latest()!.sequence, 64); // reading needs no seat
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
  const plain = bytes();
  const nested: Codec<Uint8Array> = {
    ...plain,
    encode: (value, into) => {
      during();
      return plain.encode(value, into);
    },
  };
  const slot = scene.domain.slot("nested", { type: nested });
  const second = scene.domain.slot("nested");
  const claim = slot.claimSync(4);
  const uses = [
    () => slot.tryWrite(payload(9, 4)),
    () => slot.writeSync(payload(9, 4)),
    () => slot.tryClaim(4),
    () => slot.claimSync(4),
    () => claim.publish(),
  ];
  for (const use of uses) {
    during = () => void assertThrows(use, VringError);
    slot.claimSync(4).bytes.fill(7); // discarded by the write
    slot.writeSync(payload(1, 4));
    during = () => void use();
    assertThrows(() => slot.tryWrite(payload(2, 4)), VringError);
  }
  during = () => {
    claim[Symbol.dispose]();
    assertEquals(second.tryWrite(payload(8, 4)), undefined);
  };
  assertEquals(slot.tryWrite(payload(3, 4)), uses.length + 1);
  assertEquals(second.tryWrite(payload(4, 4)), uses.length + 2);
  const values = slot.since(0).map(({ value }) => value);
  assertEquals(values, [...uses.map(() => payload(1, 4)), payload(3, 4), payload(4, 4)]);

  during = () => slot.close();
  assertThrows(() => slot.tryWrite(payload(6, 4)), ClosedError, "it is closed");
  assertEquals(second.tryWrite(payload(6, 4)), uses.length + 3);
});
