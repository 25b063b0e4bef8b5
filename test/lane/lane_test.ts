import { assertEquals, assertThrows } from "@std/assert";
import { CorruptRegionError } from "../../src/errors.ts";
import { copyIn, copyOut } from "../../src/memory/word.ts";
import { LANE, LaneReceiver, LaneSender } from "../../src/lane/lane.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { CAPACITY, Inside } from "../spsc/scene.ts";

function send(sender: LaneSender, bytes: Uint8Array): void {
  copyIn(sender.place.mapping, sender.offset, bytes);
  sender.publish(bytes.length);
}

function receive(receiver: LaneReceiver, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  copyOut(receiver.place.mapping, receiver.offset, bytes);
  receiver.release(length);
  return bytes;
}

Deno.test("lane carries bytes round the end, from every offset", () => {
  using inside = new Inside();
  const { capacity } = inside.place;
  for (let offset = 0; offset < capacity; offset++) {
    inside.startAt(offset);
    const sender = new LaneSender(inside.place);
    const receiver = new LaneReceiver(inside.place);
    const bytes = bytesFrom(offset, 64);
    send(sender, bytes);
    assertEquals(receiver.look(), 64);
    assertEquals(receive(receiver, 64), bytes);
    assertEquals(receiver.look(), 0);
  }
});

Deno.test("lane can be filled to the last byte, and full is not empty", () => {
  using inside = new Inside();
  const { capacity } = inside.place;
  for (const start of [0, 1, capacity - 1, 2 ** 31 - 5, 2 ** 32 - 1]) {
    inside.startAt(start);
    const sender = new LaneSender(inside.place);
    const receiver = new LaneReceiver(inside.place);
    assertEquals(receiver.look(), 0);
    assertEquals(sender.hasRoom(capacity), true);
    const bytes = bytesFrom(start, capacity);
    send(sender, bytes);
    assertEquals([sender.used, sender.hasRoom(0), sender.hasRoom(1)], [capacity, true, false]);
    assertEquals(receiver.look(), capacity);
    assertEquals(receive(receiver, 1), bytes.subarray(0, 1));
    assertEquals([sender.hasRoom(1), sender.hasRoom(2)], [true, false]);
    assertEquals(receive(receiver, capacity - 1), bytes.subarray(1));
    assertEquals([sender.used, receiver.look()], [0, 0]);
  }
});

Deno.test("lane works across the wrap of its positions at 2^32", () => {
  using inside = new Inside();
  inside.startAt(2 ** 32 - 100);
  const sender = new LaneSender(inside.place);
  const receiver = new LaneReceiver(inside.place);
  for (let sent = 0; sent < 300; sent += 30) {
    send(sender, bytesFrom(sent, 30));
    assertEquals(receiver.available(30), 30);
    assertEquals(receive(receiver, 30), bytesFrom(sent, 30));
  }
  assertEquals([inside.head.load(), inside.tail.load()], [200, 200]);
});

Deno.test("LaneSender continues where the last one stopped, and unpublished bytes are gone", () => {
  using inside = new Inside();
  const first = new LaneSender(inside.place);
  send(first, bytesFrom(0, 10));
  copyIn(inside.place.mapping, first.offset, bytesFrom(500, 10));
  first.advance(10); // and dies
  const second = new LaneSender(inside.place);
  assertEquals(second.used, 10);
  send(second, bytesFrom(10, 10));
  const receiver = new LaneReceiver(inside.place);
  assertEquals(receiver.look(), 20);
  assertEquals(receive(receiver, 20), bytesFrom(0, 20));
});

Deno.test("LaneReceiver leaves its successor the count of bytes shown and not released", () => {
  using inside = new Inside();
  for (const start of [0, 2 ** 32 - 20]) {
    inside.startAt(start);
    send(new LaneSender(inside.place), bytesFrom(0, 100));
    const first = new LaneReceiver(inside.place);
    assertEquals(first.redelivered, 0);
    first.take(10);
    first.take(40);
    first.take(20); // of what is noted already
    first.release(10); // and dies
    const second = new LaneReceiver(inside.place);
    assertEquals([second.look(), second.redelivered], [90, 30]);
    second.take(10); // what was shown before stays noted ..
    const third = new LaneReceiver(inside.place);
    assertEquals(third.redelivered, 30);
    third.release(20);
    assertEquals(third.redelivered, 10);
    third.release(50);
    assertEquals(third.redelivered, 0);
    assertEquals(new LaneReceiver(inside.place).redelivered, 0); // .. until it is released
  }
});

Deno.test("LaneReceiver.hide() takes back messages that were not looked at, and no others", () => {
  using inside = new Inside();
  inside.startAt(2 ** 32 - 50);
  send(new LaneSender(inside.place), bytesFrom(0, 200));
  const first = new LaneReceiver(inside.place);
  first.take(60); // and dies
  const second = new LaneReceiver(inside.place);
  second.take(200);
  second.release(20);
  second.hide();
  assertEquals(new LaneReceiver(inside.place).redelivered, 40); // the first one's
  second.take(180);
  second.release(100);
  second.hide();
  assertEquals(new LaneReceiver(inside.place).redelivered, 0);
  second.hide();
  assertEquals(inside.taken.load(), inside.tail.load());
});

Deno.test("LaneReceiver never takes a `taken` far behind for one ahead", () => {
  using inside = new Inside();
  const { capacity } = inside.place;
  const sender = new LaneSender(inside.place);
  send(sender, bytesFrom(0, 8));
  new LaneReceiver(inside.place).take(8); // and leaves a whole round of the counter to another
  const receiver = new LaneReceiver(inside.place);
  assertEquals(receiver.redelivered, 8);
  receiver.release(8);
  let highest = 0;
  for (let bytes = 0; bytes <= 2 ** 32 + 2 * capacity; bytes += capacity) {
    sender.hasRoom(capacity);
    sender.publish(capacity);
    receiver.look();
    highest = Math.max(highest, receiver.redelivered);
    receiver.release(capacity);
    if (bytes % 2 ** 26 === 0) assertEquals(new LaneReceiver(inside.place).redelivered, 0);
  }
  assertEquals(highest, 0);
});

Deno.test("LaneReceiver lets `taken` catch up in time, also in the largest ring", () => {
  using inside = new Inside(undefined, 2 ** 20);
  const { capacity } = inside.place;
  for (const lag of [2 ** 31 - 1, 2 ** 31, 2 ** 31 + capacity - 1]) {
    inside.startAt(5, lag);
    const sender = new LaneSender(inside.place);
    const receiver = new LaneReceiver(inside.place);
    assertEquals(receiver.redelivered, 0);
    sender.publish(capacity);
    receiver.look();
    receiver.advance(capacity);
    assertEquals(inside.taken.load(), lag < 2 ** 31 ? (5 - lag) >>> 0 : 5);
    // stored before the tail: a death in between has released nothing, and shown nothing
    assertEquals(new LaneReceiver(inside.place).redelivered, 0);
  }
});

Deno.test("lane refuses positions that no correct peer stores, and keeps its own", () => {
  using inside = new Inside();
  const { capacity } = inside.place;
  inside.startAt(1000);
  const sender = new LaneSender(inside.place);
  const receiver = new LaneReceiver(inside.place);
  send(sender, bytesFrom(0, 100));
  assertEquals(receiver.look(), 100);
  for (const head of [1099, 999, 1000 + capacity + 1, 2 ** 31, 0]) {
    inside.head.store(head);
    assertThrows(() => receiver.look(), CorruptRegionError, `its head is ${head}`);
  }
  inside.head.store(1100);
  assertEquals(receive(receiver, 100), bytesFrom(0, 100));
  assertEquals(sender.hasRoom(capacity), true);
  send(sender, bytesFrom(0, 10));
  for (const tail of [1111, 1099, 2 ** 32 - 1, 1110 - capacity]) {
    inside.tail.store(tail >>> 0);
    assertThrows(() => sender.hasRoom(capacity), CorruptRegionError, `its tail is ${tail >>> 0}`);
  }
  inside.tail.store(1110);
  assertEquals(sender.hasRoom(capacity), true);
});

Deno.test("lane refuses to begin with positions that no correct peer stores", () => {
  using inside = new Inside();
  const { capacity } = inside.place;
  inside.startAt(0).head.store(capacity + 1);
  assertThrows(() => new LaneSender(inside.place), CorruptRegionError);
  assertThrows(() => new LaneReceiver(inside.place), CorruptRegionError);
  inside.startAt(2000).head.store(2100);
  inside.taken.store(2101);
  assertThrows(() => new LaneReceiver(inside.place), CorruptRegionError, "2101 was shown");
  inside.taken.store(2100);
  assertEquals(new LaneReceiver(inside.place).redelivered, 100);
});

Deno.test("lane returns bytes within the ring or throws a CorruptRegionError, for any words", () => {
  using inside = new Inside();
  const { capacity, data } = inside.place;
  const words = new Uint32Array(3);
  let corrupt = 0;
  let fine = 0;
  for (let round = 0; round < 5000; round++) {
    crypto.getRandomValues(words);
    if (round % 2 === 0) {
      for (const i of [1, 2]) words[i] = words[0]! + words[i]! % (2 * CAPACITY);
    }
    [inside.tail, inside.head, inside.taken].forEach((word, i) => word.store(words[i]!));
    try {
      const receiver = new LaneReceiver(inside.place);
      const available = receiver.look();
      if (available > capacity || receiver.redelivered > available) throw new Error("too much");
      if (receiver.offset < data || receiver.offset >= data + capacity) throw new Error("outside");
      if (!new LaneSender(inside.place).hasRoom(capacity - available)) throw new Error("no room");
      fine++;
    } catch (error) {
      if (!(error instanceof CorruptRegionError)) throw error;
      corrupt++;
    }
  }
  assertEquals([corrupt > 100, fine > 100], [true, true]);
});

Deno.test("lane rings the bell of the waiting end, after a position and when an end opens", () => {
  using inside = new Inside();
  const sender = new LaneSender(inside.place);
  const receiver = new LaneReceiver(inside.place);
  const steps: [bell: typeof inside.place.spaceBell, act: () => unknown][] = [
    [inside.place.dataBell, () => sender.publish(8)],
    [inside.place.spaceBell, () => receiver.release(8)],
    [inside.place.dataBell, () => new LaneSender(inside.place)],
    [inside.place.spaceBell, () => new LaneReceiver(inside.place)],
  ];
  for (const [bell, act] of steps) {
    const raised = bell.raise();
    assertEquals(raised & 1, 1);
    if (act === steps[1]![1]) receiver.look();
    act();
    assertEquals(bell.word.load(), (raised + 1) >>> 0);
  }
});

Deno.test("LaneReceiver numbers what it reads, and its successors go on", () => {
  using inside = new Inside();
  inside.startAt(2 ** 32 - 24);
  const sender = new LaneSender(inside.place);
  const first = new LaneReceiver(inside.place);
  const begin = first.sequence;
  for (let i = 0; i < 5; i++) {
    send(sender, bytesFrom(0, 8));
    first.look();
    assertEquals(first.sequence, begin + i);
    first.release(8);
    assertEquals(new LaneReceiver(inside.place).sequence, begin + i + 1);
  }
  send(sender, bytesFrom(0, 32));
  first.look();
  for (let i = 0; i < 4; i++) first.advance(8);
  assertEquals(new LaneReceiver(inside.place).sequence, begin + 5); // nothing of it was released
  first.announceAllBut(16, 2);
  assertEquals(new LaneReceiver(inside.place).sequence, begin + 7);
  assertEquals([first.sequence, inside.tail.load()], [begin + 9, 32]);
  first.rewind(16, 2);
  assertEquals([first.sequence, first.look()], [begin + 7, 16]);
});

Deno.test("LaneReceiver finds the count that belongs to the tail, whichever step its predecessor died at", () => {
  using inside = new Inside();
  const sender = new LaneSender(inside.place);
  const receiver = new LaneReceiver(inside.place);
  const counts = (inside.place.control + LANE.fields.counts.offset) / 8;
  const { doubles } = inside.place.mapping;
  for (let i = 1; i < 5; i++) {
    send(sender, bytesFrom(0, 8));
    receiver.look();
    receiver.release(8);
    const other = [0, 2].find((pair) => doubles[counts + pair] !== inside.tail.load())!;
    const kept = doubles.slice(counts + other, counts + other + 2);
    doubles[counts + other] = 8 * i + 8; // the position of the next release, without its count
    assertEquals(new LaneReceiver(inside.place).sequence, i + 1);
    doubles[counts + other + 1] = i + 1;
    assertEquals(new LaneReceiver(inside.place).sequence, i + 1);
    doubles.set(kept, counts + other);
  }
});

Deno.test("LaneReceiver jumps ahead where no count belongs to the tail, and loses nothing", () => {
  const values = [NaN, -1, 0.5, Infinity, 2 ** 53, -0, 7];
  for (const position of values) {
    for (const count of values) {
      using inside = new Inside();
      inside.startAt(80);
      const { doubles } = inside.place.mapping;
      const counts = (inside.place.control + LANE.fields.counts.offset) / 8;
      doubles.set([position, count, position, count], counts);
      send(new LaneSender(inside.place), bytesFrom(3, 8));
      const receiver = new LaneReceiver(inside.place);
      const known = Number.isSafeInteger(count) && count > 0 ? count : 0;
      assertEquals(receiver.sequence, known + inside.place.capacity / 8 + 1);
      assertEquals(new LaneReceiver(inside.place).sequence, receiver.sequence);
      assertEquals(receive(receiver, 8), bytesFrom(3, 8));
      assertEquals(new LaneReceiver(inside.place).sequence, receiver.sequence);
    }
  }
});
