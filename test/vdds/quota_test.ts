/** The quota of a topic: the most samples that one subscriber can keep from the publisher. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { LayoutMismatchError } from "../../src/errors.ts";
import { topic } from "../../src/vdds/definition.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { Name } from "../shared/scene.ts";
import { Scene } from "./scene.ts";

const LENGTH = 100;

for (const policy of ["block", "dropNewest", "dropOldest"] as const) {
  Deno.test(`under "${policy}" a subscriber that keeps its quota holds up nobody`, () => {
    using scene = new Scene({ policy, depth: 4, quota: 2, subscribers: 2 });
    const { publisher } = scene;
    const greedy = scene.subscribe();
    const quick = scene.subscribe();
    const kept = [];
    for (let i = 1; i <= 20; i++) {
      assert(publisher.trySend(payload(i, LENGTH)), `sample ${i} finds no memory`);
      const sample = quick.tryReceive();
      assertEquals([sample?.sequence, sample?.lost], [i, 0]);
      if (kept.length < 2) kept.push(greedy.tryTake()!);
      else assertEquals(greedy.tryTake(), undefined);
    }
    assertEquals(kept.map(({ sequence }) => sequence), [1, 2]);
    for (const [i, sample] of kept.entries()) {
      assert(isPayload(sample.bytes, i + 1), "a sample that is held changed");
      sample[Symbol.dispose]();
    }
    publisher.trySend(payload(21, LENGTH));
    const next = greedy.tryReceive();
    assertEquals([next?.sequence, next?.lost, greedy.lost], [21, 18, 18]);
    assertEquals(publisher.counters.dropped, 18);
  });
}

Deno.test('unread samples count under "block", and can be dropped under "dropOldest"', () => {
  for (const [policy, first, lost] of [["block", 1, 0], ["dropOldest", 7, 6]] as const) {
    using scene = new Scene({ policy, depth: 4, quota: 2, subscribers: 1 });
    const idle = scene.subscribe();
    for (let i = 1; i <= 10; i++) assert(scene.publisher.trySend(payload(i, LENGTH)));
    const sample = idle.tryReceive();
    assertEquals([sample?.sequence, sample?.lost], [first, lost], policy);
  }
});

Deno.test("a subscriber that gives its samples back in time never misses one", () => {
  using scene = new Scene({ depth: 3, quota: 1, subscribers: 1 });
  const subscriber = scene.subscribe();
  for (let i = 1; i <= 100; i++) {
    assert(scene.publisher.trySend(payload(i, LENGTH)));
    const sample = subscriber.tryReceive();
    assertEquals([sample?.sequence, sample?.lost], [i, 0]);
  }
});

Deno.test("the successor of a publisher knows the quota, whatever it finds", () => {
  using name = new Name();
  const definition = topic(name.name, { depth: 4, size: 256, quota: 2, subscribers: 1 });
  using subscriber = definition.subscriber();
  const kept = [];
  for (let round = 0; round < 5; round++) {
    using publisher = definition.publisher();
    for (let i = 0; i < 3; i++) assert(publisher.trySend(payload(1, LENGTH)));
    for (let sample; (sample = subscriber.tryTake()) !== undefined;) kept.push(sample);
  }
  assertEquals(kept.map(({ sequence }) => sequence), [1, 2]);
  for (const sample of kept) sample[Symbol.dispose]();
});

Deno.test("topic() refuses a quota that nobody can have, and another one than the topic has", () => {
  for (const quota of [-1, 1.5, 9, NaN]) {
    assertThrows(() => topic("quota", { depth: 8, quota }), RangeError, "the quota is ");
  }
  using name = new Name();
  using _publisher = topic(name.name, { quota: 3 }).publisher();
  assertThrows(
    () => topic(name.name).subscriber(),
    LayoutMismatchError,
    "its quota is 3, and this definition says 0",
  );
});
