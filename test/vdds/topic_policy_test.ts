/**
 * Topics within a process: publishing to a full topic, or without subscribers.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { topic } from "../../src/vdds/definition.ts";
import type { Publisher } from "../../src/vdds/publisher.ts";
import type { Policy } from "../../src/vdds/topic_options.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { within } from "../os/until.ts";
import { Name } from "../shared/scene.ts";
import { plain, present, Scene, valueOf } from "./scene.ts";

Deno.test("publishing without subscribers succeeds under every policy", () => {
  for (const policy of ["block", "dropNewest", "dropOldest"] satisfies Policy[]) {
    using scene = new Scene({ policy, depth: 1 });
    for (let i = 1; i <= 10; i++) assert(scene.publisher.trySend(payload(i, 50)));
    assertEquals(scene.publisher.counters, {
      published: 10,
      delivered: 0,
      dropped: 0,
      inFlight: 0,
    });
    assertEquals(scene.publisher.peers, 0);
  }
});

Deno.test('policy "block" refuses, and loses nothing', () => {
  using scene = new Scene({ depth: 2 });
  const { publisher } = scene;
  const [slow, quick] = [scene.subscribe(), scene.subscribe()];
  publisher.sendSync(payload(1, 9));
  publisher.sendSync(payload(2, 9));
  assertEquals(quick.poll(() => {}), 2);
  assertEquals(publisher.trySend(payload(3, 9)), false);
  assertThrows(() => publisher.sendSync(payload(3, 9), { timeout: 20 }), DOMException, "20 ms");
  assertThrows(() => publisher.loanSync({ length: 9, timeout: 0 }), DOMException, "0 ms");
  assertEquals(plain(slow.tryReceive()), { value: payload(1, 9), sequence: 1, lost: 0 });
  assert(publisher.trySend(payload(3, 9)));
  assertEquals(valueOf(slow.tryReceive()), payload(2, 9));
  assertEquals(plain(slow.tryReceive()), { value: payload(3, 9), sequence: 3, lost: 0 });
  assertEquals(publisher.counters.dropped, 0);
});

Deno.test('policy "dropNewest" does not send what there is no room for, and tells so', () => {
  using scene = new Scene({ depth: 2, policy: "dropNewest" });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  const sent = [1, 2, 3, 4].map((i) => publisher.trySend(payload(i, 9)));
  assertEquals(sent, [true, true, false, false]);
  assertEquals(valueOf(subscriber.tryReceive()), payload(1, 9));
  assert(publisher.trySend(payload(5, 9)));
  assertEquals(plain(subscriber.tryReceive()), { value: payload(2, 9), sequence: 2, lost: 0 });
  assertEquals(plain(subscriber.tryReceive()), { value: payload(5, 9), sequence: 5, lost: 2 });
  assertEquals(publisher.counters, { published: 3, delivered: 3, dropped: 2, inFlight: 0 });
});

Deno.test('policy "dropOldest" takes the oldest that nobody holds, and tells who lost it', () => {
  using scene = new Scene({ depth: 3, policy: "dropOldest" });
  const { publisher } = scene;
  const [slow, quick] = [scene.subscribe(), scene.subscribe()];
  const seen: number[] = [];
  for (let i = 1; i <= 10; i++) {
    assert(publisher.trySend(payload(i, 60)));
    quick.poll(({ bytes, sequence, lost }) => {
      assert(isPayload(bytes, sequence) && lost === 0);
      seen.push(sequence);
    });
  }
  assertEquals(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  using held = present(slow.tryTake());
  assertEquals([held.sequence, held.lost], [8, 7]);
  for (let i = 11; i <= 14; i++) assert(publisher.trySend(payload(i, 60)));
  assert(isPayload(held.bytes, 8), "what is held was taken");
  const outcome = slow.tryReceive();
  assertEquals(plain(outcome), { value: payload(13, 60), sequence: 13, lost: 4 });
  assertEquals(quick.poll(() => {}), 2);
  assertEquals(publisher.counters.published, 14);
});

Deno.test('policy "dropOldest" drops the newest where all are held', () => {
  using scene = new Scene({ depth: 2, policy: "dropOldest" });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  publisher.trySend(payload(1, 9));
  publisher.trySend(payload(2, 9));
  const held = [present(subscriber.tryTake()), present(subscriber.tryTake())];
  assertEquals(publisher.trySend(payload(3, 9)), false);
  assertEquals(publisher.tryLoan({ length: 9 }), undefined);
  held[0]![Symbol.dispose]();
  assert(publisher.trySend(payload(5, 9)));
  assertEquals(plain(subscriber.tryReceive()), { value: payload(5, 9), sequence: 5, lost: 2 });
});

Deno.test("late joiners get as much of the history as they ask for and as is kept", () => {
  using scene = new Scene({ depth: 5, history: 3 });
  const { publisher } = scene;
  for (let i = 1; i <= 7; i++) assert(publisher.trySend(payload(i, 40)));
  const all = scene.subscribe();
  const two = scene.subscribe({ history: 2 });
  const none = scene.subscribe({ history: 0 });
  publisher.trySend(payload(8, 40));
  const received = (subscriber: typeof all) => {
    const sequences: number[] = [];
    subscriber.poll(({ bytes, sequence, lost }) => {
      assert(isPayload(bytes, sequence) && lost === 0);
      sequences.push(sequence);
    });
    return sequences;
  };
  assertEquals(received(all), [5, 6, 7, 8]);
  assertEquals(received(two), [6, 7, 8]);
  assertEquals(received(none), [8]);
  const later = scene.subscribe();
  publisher.close();
  assertEquals(received(later), [6, 7, 8]);
  const after = scene.subscribe({ history: 1 });
  assertEquals(received(after), [8]); // kept without a publisher
  using successor = scene.definition.publisher();
  assertEquals(received(scene.subscribe({ history: 3 })), [6, 7, 8]);
  for (let i = 9; i <= 13; i++) assert(successor.trySend(payload(i, 40)), `no room for ${i}`);
});

Deno.test("topic() refuses a history as long as the topic is deep, and an unknown policy", () => {
  using name = new Name();
  assertThrows(() => topic(name.name, { depth: 2, history: 2 }), RangeError, "or a larger depth");
  assertThrows(() => topic(name.name, { history: -1 }), RangeError);
  const kept = topic(name.name, { history: 2 });
  for (const history of [0.5, -1, 3]) {
    assertThrows(() => kept.subscriber({ history }), RangeError, "history");
  }
  assertThrows(() => kept.observer({ history: 0.5 }), RangeError, "history");
  const policy = "drop" as Policy;
  assertThrows(() => topic(name.name, { policy }), TypeError, '"dropOldest"');
  assertEquals(name.files(), []);
});

Deno.test('sends and loans that wait lose nothing under "block" and "dropNewest"', async () => {
  for (const policy of ["block", "dropNewest"] satisfies Policy[]) {
    using scene = new Scene({ depth: 2, policy });
    const { publisher } = scene;
    const subscriber = scene.subscribe();
    for (const seed of [1, 2]) publisher.sendSync(payload(seed, 9));
    for (const wait of fullWaits(publisher)) assertThrows(wait, DOMException, "have passed");
    const sending = publisher.send(payload(3, 9), { spin: 0 });
    assertEquals(valueOf(subscriber.tryReceive()), payload(1, 9));
    await within("room", sending);
    const loaning = publisher.loan({ length: 9, spin: 0 });
    assertEquals(valueOf(subscriber.tryReceive()), payload(2, 9));
    using loan = await within("a loan", loaning);
    loan.bytes.set(payload(4, 9));
    loan.publish();
    for (const sequence of [3, 4]) {
      const value = payload(sequence, 9);
      assertEquals(plain(subscriber.tryReceive()), { value, sequence, lost: 0 });
    }
    assertEquals(publisher.counters.dropped, 0);
  }
});

Deno.test('under "dropOldest" sends and loans wait only while every sample is held', async () => {
  using scene = new Scene({ depth: 2, policy: "dropOldest" });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  for (const seed of [1, 2, 3]) publisher.sendSync(payload(seed, 9), { timeout: 0 });
  await publisher.send(payload(4, 9), { timeout: 0 });
  const held = [present(subscriber.tryTake()), present(subscriber.tryTake())];
  assertEquals(held.map(({ sequence, lost }) => [sequence, lost]), [[3, 2], [4, 0]]);
  for (const wait of fullWaits(publisher)) assertThrows(wait, DOMException, "have passed");
  const sending = publisher.send(payload(5, 9), { spin: 0 });
  held[0]![Symbol.dispose]();
  await within("room", sending);
  assertEquals(valueOf(subscriber.tryReceive()), payload(5, 9));
});

/** The waits that end by a time-out while nothing is free. */
function fullWaits(publisher: Publisher): (() => void)[] {
  return [
    () => publisher.sendSync(payload(3, 9), { timeout: 0 }),
    () => publisher.loanSync({ timeout: 0 }),
  ];
}

Deno.test("countLost() gives samples that never came numbers, and subscribers learn of them", () => {
  for (const policy of ["block", "dropNewest", "dropOldest"] satisfies Policy[]) {
    using scene = new Scene({ policy, depth: 4 });
    const { publisher } = scene;
    publisher.countLost(7); // nobody subscribes yet
    const subscriber = scene.subscribe();
    assert(publisher.trySend(payload(1, 9)));
    publisher.countLost(0);
    publisher.countLost(2);
    publisher.countLost(3);
    assert(publisher.trySend(payload(2, 9)));
    publisher.countLost(2 ** 29);
    assert(publisher.trySend(payload(3, 9)));
    assertEquals(plain(subscriber.tryReceive()), { value: payload(1, 9), sequence: 8, lost: 0 });
    assertEquals(plain(subscriber.tryReceive()), { value: payload(2, 9), sequence: 14, lost: 5 });
    const last = { value: payload(3, 9), sequence: 15 + 2 ** 29, lost: 2 ** 29 };
    assertEquals(plain(subscriber.tryReceive()), last);
    assertEquals([subscriber.lost, publisher.counters.dropped], [5 + 2 ** 29, 5 + 2 ** 29]);
    for (const count of [-1, 0.5, NaN, 2 ** 29 + 1]) {
      assertThrows(() => publisher.countLost(count), RangeError, "as lost: pass 0 to 536870912");
    }
  }
});
