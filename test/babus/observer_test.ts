/** Observing a slot without any right to write. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Domain } from "../../src/babus/domain.ts";
import type { SlotObserver } from "../../src/babus/observer.ts";
import { codec } from "../../src/codec.ts";
import { ClosedError, LayoutMismatchError } from "../../src/errors.ts";
import { waitAny, waitAnySync } from "../../src/wait/any.ts";
import { payload } from "../circular/scene.ts";
import { Inside, messageOf, Scene } from "./scene.ts";

/** Looks until the observer has found another slot of the name. */
function untilMoved(observer: SlotObserver): void {
  const { slots } = observer;
  while (observer.slots === slots) observer.latest();
}

Deno.test("an observer finds what a reader finds, and changes no byte of the file", () => {
  using scene = new Scene();
  const slot = scene.slot();
  const observer = scene.domain.observer("slot");
  using inside = new Inside(scene);
  for (let i = 1; i <= 10; i++) {
    slot.writeSync(payload(i, 20 + i));
    const before = inside.words.region.mapping.bytes.slice();
    for (let age = 0; age < 4; age++) assertEquals(observer.at(age), slot.at(age));
    assertEquals([observer.latest(), observer.sequence], [slot.latest(), i]);
    for (const after of [0, 1, i - 1, i]) assertEquals(observer.since(after), slot.since(after));
    assertThrows(() => waitAnySync([observer], { timeout: 0, spin: 0 }), DOMException);
    assertEquals(inside.words.region.mapping.bytes, before);
  }
  for (const age of [-1, 4, NaN]) assertThrows(() => observer.at(age), RangeError, "it keeps 4");
  assertThrows(() => observer.since(-1), RangeError, 'slot "slot" since number -1');
});

Deno.test("an observer does not keep a slot alive, and may come before it", () => {
  using scene = new Scene();
  const observer = scene.domain.observer("slot");
  assertEquals([observer.latest(), observer.at(3), observer.since(9), observer.sequence], [
    { state: "empty" },
    { state: "empty" },
    { messages: [], lost: 0 },
    0,
  ]);
  const slot = scene.slot();
  slot.writeSync(payload(1, 5));
  untilMoved(observer);
  assertEquals(messageOf(observer.latest()).value, payload(1, 5));
  slot.close();
  assertEquals(scene.files(), []);
  assertEquals(messageOf(observer.latest()).value, payload(1, 5)); // the last one, still
});

Deno.test("an observer continues with the slot that takes the name", () => {
  using scene = new Scene();
  const observer = scene.domain.observer("slot");
  for (let round = 1; round <= 2; round++) {
    const slot = scene.slot();
    for (let i = 1; i <= 10 - round; i++) slot.writeSync(payload(10 * round + i, 5));
    untilMoved(observer);
    assertEquals(observer.sequence, 10 - round);
    const { messages, lost } = observer.since(9); // of which the second slot has none
    assertEquals([messages.length, lost], round === 1 ? [0, 0] : [4, 4]);
    slot.close();
  }
  assertEquals(observer.slots, 2);
});

Deno.test("waitAny() waits for a message that an observer has not shown, and for a slot", async () => {
  using scene = new Scene();
  const observer = scene.domain.observer("slot");
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
  const speed = scene.domain.slot("speed", { codec: codec.json<number>() });
  const observer = scene.domain.observer("speed", { codec: codec.json<number>() });
  speed.writeSync(2.5, { origin: { host: "a", incarnation: 1, sequence: 2, hops: 3 } });
  const { value, origin } = messageOf(observer.latest());
  assertEquals([value, origin?.hops], [2.5, 3]);
  assertThrows(() => scene.domain.observer("speed"), LayoutMismatchError);
});

Deno.test("an observer ends with its domain, as do its waits", async () => {
  using scene = new Scene();
  scene.slot();
  const domain = Domain.open(scene.name);
  const observer = domain.observer("slot");
  const waiting = waitAny([observer], { spin: 0 });
  domain.close();
  await assertRejects(() => waiting, ClosedError);
  assert(observer.closed);
  const calls = [() => observer.latest(), () => observer.since(0), () => observer.sequence];
  for (const call of calls) assertThrows(call, ClosedError, 'observer of slot "slot"');
  assertThrows(() => domain.observer("slot"), ClosedError, 'observe slot "slot" of domain');
  observer.close();
});
