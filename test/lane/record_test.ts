import { assert, assertEquals, assertThrows } from "@std/assert";
import { CorruptRegionError } from "../../src/errors.ts";
import { LaneReceiver, LaneSender } from "../../src/lane/lane.ts";
import {
  longestRecord,
  readRecord,
  RECORD_HEADER,
  recordBytes,
  recordLength,
  writeRecord,
} from "../../src/lane/record.ts";
import { peekView } from "../../src/memory/word.ts";
import { payload } from "../circular/scene.ts";
import { Inside } from "../spsc/scene.ts";

function ends(inside: Inside): { sender: LaneSender; receiver: LaneReceiver } {
  return { sender: new LaneSender(inside.place), receiver: new LaneReceiver(inside.place) };
}

function showRecord({ place, offset }: LaneReceiver, length: number): Uint8Array {
  return peekView(place.mapping, offset + RECORD_HEADER, length);
}

function write(sender: LaneSender, message: Uint8Array): void {
  writeRecord(sender, message, message.length);
  sender.announce();
}

Deno.test("recordBytes() is the header and the payload, filled up to a multiple of 8", () => {
  for (let length = 0; length < 100; length++) {
    const bytes = recordBytes(length);
    assert(
      bytes % 8 === 0 && bytes >= RECORD_HEADER + length && bytes < RECORD_HEADER + length + 8,
    );
  }
  assertEquals(recordBytes(longestRecord(4096)), 4096);
  assertEquals(recordBytes(longestRecord(2 ** 30)), 2 ** 30);
});

Deno.test("records of every length come out unchanged, from every offset", () => {
  using inside = new Inside();
  const { capacity } = inside.place;
  let start = 0;
  for (let length = 0; length <= longestRecord(capacity); length += length < 64 ? 1 : 61) {
    const positions = length < 64 ? capacity / 8 : 3;
    for (let i = 0; i < positions; i++, start = (start + 8) % 2 ** 32) {
      const { sender, receiver } = ends(inside.startAt(start));
      assertEquals(recordLength(receiver), -1);
      write(sender, payload(start, length));
      assertEquals(recordLength(receiver), length);
      assertEquals(showRecord(receiver, length), payload(start, length));
      const copy = new Uint8Array(length);
      readRecord(receiver, copy, length);
      assertEquals(copy, payload(start, length));
      receiver.release(recordBytes(length));
      assertEquals(recordLength(receiver), -1);
    }
  }
});

Deno.test("a payload begins at a multiple of 8, so that typed arrays can look at it", () => {
  using inside = new Inside();
  const { sender, receiver } = ends(inside);
  for (const length of [1, 7, 8, 9]) {
    write(sender, payload(length, length));
    assertEquals(showRecord(receiver, recordLength(receiver)).byteOffset % 8, 0);
    receiver.release(recordBytes(length));
  }
});

Deno.test("the longest record fills the ring, and the next fits once it is released", () => {
  using inside = new Inside();
  const { sender, receiver } = ends(inside.startAt(2 ** 32 - 64));
  const longest = longestRecord(inside.place.capacity);
  write(sender, payload(1, longest));
  assertEquals([sender.hasRoom(1), recordLength(receiver)], [false, longest]);
  receiver.release(recordBytes(longest));
  assert(sender.hasRoom(recordBytes(longest)));
});

Deno.test("recordLength() refuses a length that no correct sender writes, and moves nothing", () => {
  using inside = new Inside();
  const { sender, receiver } = ends(inside.startAt(4000));
  write(sender, payload(1, 100));
  write(sender, payload(2, 50));
  const published = recordBytes(100) + recordBytes(50);
  const { capacity } = inside.place;
  const lies = [
    -1,
    0.5,
    NaN,
    Infinity,
    -Infinity,
    5e-324,
    published - RECORD_HEADER + 1,
    capacity,
    capacity + 1,
    2 ** 31,
    2 ** 32,
    2 ** 32 + 8,
    2 ** 33 - 8,
    2 ** 53,
    1e300,
  ];
  for (const is of lies) {
    inside.length = { at: 4000, is };
    assertThrows(() => recordLength(receiver), CorruptRegionError, `states ${is} bytes`);
  }
  inside.length = { at: 4000, is: 100 };
  assertEquals(recordLength(receiver), 100);
  assertEquals(showRecord(receiver, 100), payload(1, 100));
  inside.length = { at: 4000, is: published - RECORD_HEADER }; // a lie that looks like the truth
  assertEquals(recordLength(receiver), published - RECORD_HEADER);
});

Deno.test("recordLength() refuses a head that is within a record", () => {
  using inside = new Inside();
  for (const beyond of [1, 4, 7, 9]) {
    const { sender, receiver } = ends(inside.startAt(0));
    write(sender, payload(1, 0));
    inside.head.store(8 + beyond);
    assertThrows(() => recordLength(receiver), CorruptRegionError);
  }
});

Deno.test("recordLength() returns a length within the published bytes, for any memory", () => {
  using inside = new Inside();
  const random = inside.data.subarray(0, inside.place.capacity);
  let fine = 0;
  let corrupt = 0;
  for (let round = 0; round < 200; round++) {
    crypto.getRandomValues(random);
    for (let at = 0; at < 256; at += 8) {
      if (at % 16 === 0) inside.length = { at, is: Math.floor(Math.random() * 600) };
      inside.startAt(at).head.store(at + 8 * (1 + round % 50));
      const receiver = new LaneReceiver(inside.place);
      try {
        const length = recordLength(receiver);
        assert(Number.isInteger(length) && length >= 0);
        assert(recordBytes(length) <= receiver.look());
        fine++;
      } catch (error) {
        if (!(error instanceof CorruptRegionError)) throw error;
        corrupt++;
      }
    }
  }
  assert(fine > 100 && corrupt > 100, `${fine} ${corrupt}`);
});
