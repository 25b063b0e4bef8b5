/**
 * Slots in which a peer stored what no correct peer stores, and counters that are about to end: what
 * is believed costs an error at most.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { CorruptRegionError } from "../../src/errors.ts";
import { SLOT_CONTROL } from "../../src/babus/slot_words.ts";
import { payload } from "../circular/scene.ts";
import { Inside, Scene } from "./scene.ts";

Deno.test("slot() refuses a slot whose shape is not that of its memory", () => {
  for (const field of ["depth", "max_bytes"] as const) {
    for (const value of [0, 5, 1024, 1025, 2 ** 31, NaN, Infinity, -1, 0.5]) {
      using scene = new Scene();
      scene.slot();
      using inside = new Inside(scene);
      const { mapping, controlOffset } = inside.words.region;
      const control = mapping.bytes.subarray(controlOffset, controlOffset + SLOT_CONTROL.size);
      const view = new DataView(control.buffer, control.byteOffset);
      const { offset } = SLOT_CONTROL.fields[field];
      if (field === "depth") view.setUint32(offset, value, true);
      else view.setFloat64(offset, value, true);
      assertThrows(() => scene.other(), CorruptRegionError, "sizes that do not fit");
      assertEquals(scene.definition.info(), []);
    }
  }
});

Deno.test("a length that cannot be is an error to readers, until it is overwritten", () => {
  const wrong: ["length" | "committed", number][] = [
    ["length", 257],
    ["length", -1],
    ["length", 0.5],
    ["length", NaN],
    ["length", Infinity],
    ["length", 2 ** 53],
    ["committed", 9],
    ["committed", NaN],
    ["committed", -1],
  ];
  for (const [field, value] of wrong) {
    using scene = new Scene();
    const slot = scene.slot();
    slot.writeSync(payload(1, 10));
    using inside = new Inside(scene);
    inside.note(1, field, value);
    for (
      const act of [() => slot.latest(), () => slot.at(1), () => slot.peek(), () => slot.since(0)]
    ) {
      assertThrows(act, CorruptRegionError, "message 1 has");
    }
    slot.writeSync(payload(2, 10));
    assertEquals(slot.latest()!.value, payload(2, 10));
  }
});

Deno.test("an origin that cannot be is an error to readers, until it is overwritten", () => {
  using scene = new Scene();
  const slot = scene.slot();
  const observer = scene.observer();
  slot.writeSync(payload(1, 10));
  using inside = new Inside(scene);
  inside.note(1, "length", 10 + 2 ** 32); // marked, and no origin is there
  for (const act of [() => slot.latest(), () => slot.peek(), () => observer.latest()]) {
    assertThrows(act, CorruptRegionError, "message 1 has 10 bytes");
  }
  slot.writeSync(payload(2, 10));
  assertEquals(observer.latest()!.origin, undefined);
});

Deno.test("a stamp that cannot be is an error to readers, not an endless search", () => {
  for (const stamp of [0, 2, 5, 2 ** 53, 2 ** 60]) {
    using scene = new Scene();
    const slot = scene.slot();
    slot.writeSync(payload(1, 10));
    using inside = new Inside(scene);
    inside.stamp(1).store(stamp);
    for (
      const act of [() => slot.latest(), () => slot.at(1), () => slot.peek(), () => slot.since(0)]
    ) {
      assertThrows(act, CorruptRegionError, "is not in its entry");
    }
  }
});

Deno.test("a number of messages that cannot be is an error", () => {
  using scene = new Scene();
  const slot = scene.slot();
  using inside = new Inside(scene);
  inside.words.published.store(2 ** 53);
  for (
    const act of [() => slot.latest(), () => slot.sequence, () => slot.tryWrite(payload(1, 1))]
  ) {
    assertThrows(act, CorruptRegionError, "its last message is");
  }
  inside.words.published.store(7); // of which none was written
  assertThrows(() => slot.latest(), CorruptRegionError, "is not in its entry");
  assertEquals(slot.writeSync(payload(8, 10)), 8); // and the lock is free
});

Deno.test("an owner that cannot be is an error to writers, one that never was is followed", () => {
  using scene = new Scene();
  const slot = scene.slot();
  using inside = new Inside(scene);
  const owner = inside.word("owner");
  owner.store(1); // which nobody has yet
  assertEquals(slot.writeSync(payload(1, 10)), 1);
  for (const seat of [1, 65, 2 ** 31, 2 ** 32 - 1]) { // seat 1 is its own
    owner.store(seat);
    assertThrows(() => slot.tryWrite(payload(1, 10)), CorruptRegionError, `seat ${seat}`);
    assertThrows(() => slot.writeSync(payload(1, 10)), CorruptRegionError, `seat ${seat}`);
    assertEquals(slot.latest()!.value, payload(1, 10)); // reading needs no owner
  }
  for (const seat of [2, 64]) {
    owner.store(seat);
    assert(slot.writeSync(payload(1, 10), { timeout: 60_000 }) > 0);
    assertEquals(owner.load(), 0);
  }
});
