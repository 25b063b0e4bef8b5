/** Observing a slot without any right to write. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { SlotObserver } from "../../src/babus/observer.ts";
import { json } from "../../src/codec.ts";
import { ClosedError, LayoutMismatchError } from "../../src/errors.ts";
import { waitAny, waitAnySync } from "../../src/wait/any.ts";
import { payload } from "../circular/scene.ts";
import { Inside, Scene, SMALL } from "./scene.ts";

/** Looks until the observer has found another slot of the name. */
function untilMoved(observer: SlotObserver): void {
  const { slots } = observer;
  while (observer.slots === slots) observer.latest();
}

Deno.test("an observer finds what a reader finds, and changes no byte of the file", () => {
  using scene = new Scene();
  const slot = scene.slot();
  const observer = scene.observer();
  using inside = new Inside(scene);
  const target = new Uint8Array(30);
  for (let i = 1; i <= 10; i++) {
    slot.writeSync(payload(i, 20 + i));
    const before = inside.words.region.mapping.bytes.slice();
    for (let age = -1; age < i; age++) assertEquals(observer.at(i - age), slot.at(i - age));
    assertEquals([observer.readInto(target), target.subarray(0, 20 + i)], [
      20 + i,
      payload(i, 20 + i),
    ]);
    assertEquals([observer.latest(), observer.sequence], [slot.latest(), i]);
    for (const after of [0, 1, i - 1, i]) assertEquals(observer.since(after), slot.since(after));
    assertThrows(() => waitAnySync([observer], { timeout: 0, spin: 0 }), DOMException);
    assertEquals(inside.words.region.mapping.bytes, before);
  }
  const what = `slot "${scene.name}/slot"`;
  for (const wrong of [0.5, NaN]) {
    assertThrows(() => observer.at(wrong), RangeError, `message ${wrong} of ${what}`);
    assertThrows(() => observer.since(wrong), RangeError, `message ${wrong} of ${what}`);
  }
});

Deno.test("an observer continues with the slot that takes the name", () => {
  using scene = new Scene();
  const observer = scene.observer();
  assertEquals([observer.at(3), observer.since(9), observer.sequence], [undefined, [], 0]);
  assertEquals([observer.depth, observer.size], [4, 256]); // by its definition
  for (let round = 1; round <= 2; round++) {
    const slot = scene.slot();
    for (let i = 1; i <= 10 - round; i++) slot.writeSync(payload(10 * round + i, 5));
    untilMoved(observer);
    assertEquals(observer.sequence, 10 - round);
    const messages = observer.since(9); // of which the second slot has none
    assertEquals(messages.map(({ lost }) => lost), round === 1 ? [] : [4, 0, 0, 0]);
    slot.close();
  }
  assertEquals(observer.slots, 2);
});

Deno.test("waitAny() waits for a message that an observer has not shown, and for a slot", async () => {
  using scene = new Scene();
  const observer = scene.observer();
  const first = waitAny([observer], { timeout: 20_000 });
  const slot = scene.slot();
  slot.writeSync(payload(1, 5));
  assertEquals(await first, observer);
  assertEquals(waitAnySync([observer]), observer); // it was not read yet
  observer.latest();
  const second = waitAny([observer], { timeout: 20_000, spin: 0 });
  await new Promise((resolve) => setTimeout(resolve, 1));
  slot.writeSync(payload(2, 5));
  assertEquals(await second, observer);
});

Deno.test("an observer decodes values, and refuses a slot of another type", () => {
  using scene = new Scene();
  using watching = scene.definition.observer();
  const speed = scene.domain.slot("speed", { type: json<number>() });
  const observer = watching.slot("speed", { type: json<number>() });
  speed.writeSync(2.5, { origin: { host: "a", incarnation: 1, sequence: 2, hops: 3 } });
  const { value, origin } = observer.latest()!;
  assertEquals([value, origin?.hops], [2.5, 3]);
  assertThrows(() => watching.slot("speed"), LayoutMismatchError);
  const deep = { type: json<number>(), depth: 9 };
  assertThrows(() => watching.slot("speed", deep), LayoutMismatchError, "its depth is 8");
});

Deno.test("an observer ends with its domain, as do its waits", async () => {
  using scene = new Scene();
  scene.slot();
  const watching = scene.definition.observer();
  const observer = watching.slot("slot", SMALL);
  const waiting = waitAny([observer], { spin: 0 });
  watching.close();
  await assertRejects(() => waiting, ClosedError);
  assert(observer.closed);
  const calls = [() => observer.latest(), () => observer.since(0), () => observer.sequence];
  for (const call of calls) {
    assertThrows(call, ClosedError, `observer of slot "${scene.name}/slot"`);
  }
  assertThrows(
    () => watching.slot("slot"),
    ClosedError,
    `open slot "slot": this handle of domain "${scene.name}" is closed`,
  );
  observer.close();
});
