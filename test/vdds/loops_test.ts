/**
 * Loops over the samples and the values of a topic, and the waits behind them.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { struct } from "../../src/struct.ts";
import { ClosedError, LostError, PeerLostError } from "../../src/errors.ts";
import { topic } from "../../src/vdds/definition.ts";
import type { Sample } from "../../src/vdds/sample.ts";
import type { Subscriber } from "../../src/vdds/subscriber.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { Name } from "../shared/scene.ts";
import { plain, present, Scene } from "./scene.ts";

Deno.test("samples() releases each sample at its next turn, and the last when the loop is left", async () => {
  using scene = new Scene({ depth: 1 });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  const seen: Sample[] = [];
  const sending: Promise<void>[] = [];
  publisher.trySend(payload(1, 20));
  for await (const sample of subscriber.samples()) {
    seen.push(sample);
    assert(isPayload(sample.bytes, sample.sequence));
    assertEquals(publisher.trySend(payload(9, 20)), false); // it is held
    if (sample.sequence === 3) break;
    sending.push(publisher.send(payload(sample.sequence + 1, 20))); // until the next turn
  }
  assertEquals(seen.map(({ sequence, bytes }) => [sequence, bytes.length]), [[1, 0], [2, 0], [
    3,
    0,
  ]]);
  await Promise.all(sending);
  assert(publisher.trySend(payload(4, 20)));
});

/** Ways to leave a stream into a topic before everything was written, after one sample. */
const LEAVING: Record<string, (stream: WritableStream<Uint8Array>) => Promise<void>> = {
  "was aborted": async (stream) => {
    const writer = stream.getWriter();
    await writer.write(payload(1, 20));
    await writer.abort(new Error("the disk is gone"));
  },
  "had a failed write": async (stream) => {
    const parts = ReadableStream.from([payload(1, 20), "no bytes" as never]);
    await assertRejects(() => parts.pipeTo(stream), TypeError);
  },
};

for (const [how, leave] of Object.entries(LEAVING)) {
  Deno.test(`a stream into a topic that ${how} never looks complete`, async () => {
    using scene = new Scene();
    const subscriber = scene.subscribe({ onPeerGone: "end" });
    const patient = scene.subscribe();
    await leave(scene.publisher.toWritableStream());
    assertThrows(() => scene.publisher.trySend(payload(2, 20)), ClosedError);
    const reader = subscriber.toReadableStream().getReader();
    assertEquals((await reader.read()).value, payload(1, 20));
    await assertRejects(() => reader.read(), PeerLostError, "without close()");
    assertThrows(() => subscriber.receiveSync(), PeerLostError, "without close()");
    assertEquals(subscriber.ended, false);
    using next = scene.definition.publisher(); // the role is free ..
    next.trySend(payload(3, 20));
    next.close();
    assertEquals(present(subscriber.tryReceive()).value, payload(3, 20));
    assertEquals([subscriber.receiveSync(), subscriber.ended], [undefined, true]); // .. as after a kill
    assertEquals([...Array(2)].map(() => patient.tryReceive()?.sequence), [1, 2]);
  });
}

Deno.test("values() and streams throw a LostError at a loss, and the next one begins after it", async () => {
  using scene = new Scene({ depth: 2, policy: "dropOldest" });
  const subscriber = scene.subscribe();
  const iterator = subscriber.values();
  const lose = (from: number) => {
    for (let seed = from; seed < from + 5; seed++) scene.publisher.trySend(payload(seed, 20));
  };
  lose(1);
  const loss = await assertRejects(() => iterator.next(), LostError);
  assert(loss.message.includes("3"), loss.message);
  assertEquals(await iterator.next(), { done: true, value: undefined });
  assertEquals(plain(subscriber.tryReceive()), { value: payload(4, 20), sequence: 4, lost: 0 });
  lose(6);
  const reader = subscriber.toReadableStream().getReader();
  await assertRejects(() => reader.read(), LostError);
});

Deno.test('values() and streams skip losses with onLoss: "skip"', async () => {
  using scene = new Scene({ depth: 2, policy: "dropOldest" });
  const subscriber = scene.subscribe();
  for (let seed = 1; seed <= 5; seed++) scene.publisher.trySend(payload(seed, 20));
  const iterator = subscriber.values({ onLoss: "skip" });
  assertEquals((await iterator.next()).value, payload(4, 20));
  await iterator.return();
  for (let seed = 6; seed <= 9; seed++) scene.publisher.trySend(payload(seed, 20));
  const reader = subscriber.toReadableStream({ onLoss: "skip" }).getReader();
  assertEquals((await reader.read()).value, payload(8, 20));
  await reader.cancel();
});

Deno.test("samples() and messages tell losses, and throw nothing", async () => {
  using scene = new Scene({ depth: 2, policy: "dropOldest" });
  const subscriber = scene.subscribe();
  for (let seed = 1; seed <= 5; seed++) scene.publisher.trySend(payload(seed, 20));
  for await (const { sequence, lost } of subscriber.samples()) {
    assertEquals([sequence, lost], [4, 3]);
    break;
  }
  assertEquals(subscriber.tryReceive()?.lost, 0);
});

/** Every receive after which only the subscriber can tell a loss, or which may tell it twice. */
const COUNTED: Record<string, (subscriber: Subscriber) => unknown> = {
  tryReceiveInto: (subscriber) => subscriber.tryReceiveInto(new Uint8Array(20)),
  "tryReceiveInto, into too little first": (subscriber) => {
    assertThrows(() => subscriber.tryReceiveInto(new Uint8Array(1)), RangeError);
    subscriber.tryReceiveInto(new Uint8Array(20));
  },
  poll: (subscriber) => subscriber.poll(() => {}, 1),
  tryTakeLatest: (subscriber) => subscriber.tryTakeLatest()?.[Symbol.dispose](),
  "values() that skip": (subscriber) => subscriber.values({ onLoss: "skip" }).next(),
  "values() that throw": async (subscriber) => {
    await assertRejects(() => subscriber.values().next(), LostError);
    await subscriber.values().next();
  },
};

for (const [how, receive] of Object.entries(COUNTED)) {
  Deno.test(`a subscriber counts what it lost in all, by ${how}`, async () => {
    using scene = new Scene({ depth: 2, policy: "dropOldest" });
    const subscriber = scene.subscribe();
    for (let round = 1; round <= 2; round++) {
      for (let seed = 1; seed <= 5; seed++) scene.publisher.trySend(payload(seed, 20));
      await receive(subscriber);
      while (subscriber.tryReceive() !== undefined);
      assertEquals(subscriber.lost, 3 * round);
    }
    subscriber.close();
    assertEquals(subscriber.lost, 6);
  });
}

Deno.test("a time-out says whether there is a publisher", async () => {
  using name = new Name();
  const scans = topic(name.name);
  using subscriber = scans.subscriber();
  const waits = [
    () => subscriber.receive({ timeout: 5 }),
    () => subscriber.take({ timeout: 5 }),
    () => subscriber.samples({ timeout: 5 }).next(),
    async () => await subscriber.receiveSync({ timeout: 5 }),
  ];
  for (const wait of waits) {
    const { message } = await assertRejects<DOMException>(wait, DOMException);
    assertEquals(
      message,
      `Cannot receive from topic "${name.name}": 5 ms have passed, and it has no publisher`,
    );
  }
  using _publisher = scans.publisher();
  const { message } = await assertRejects<DOMException>(waits[0]!, DOMException);
  assert(message.endsWith("its publisher is alive"), message);
});

Deno.test("a time-out of a publisher says who keeps its samples", () => {
  using scene = new Scene({ depth: 2 });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  publisher.trySend(payload(1, 20));
  using _held = present(subscriber.tryTake());
  using _loan = publisher.tryLoan()!;
  const { message } = assertThrows(
    () => publisher.sendSync(payload(2, 20), { timeout: 5 }),
    DOMException,
  );
  assert(message.endsWith("has 1 loan, and it has 1 subscriber"), message);
});

Deno.test("tryReceiveInto() copies a sample, or leaves it where it is if it does not fit", () => {
  using scene = new Scene();
  const subscriber = scene.subscribe();
  const target = new Uint8Array(20);
  assertEquals(subscriber.tryReceiveInto(target), -1);
  scene.publisher.trySend(payload(1, 20));
  assertThrows(() => subscriber.tryReceiveInto(target.subarray(1)), RangeError, "has 20");
  assertEquals([subscriber.tryReceiveInto(target), target], [20, payload(1, 20)]);
  assertEquals(scene.publisher.counters.inFlight, 0);
});

Deno.test("poll() shows all samples by one object, with views and values, which ends with the handler", () => {
  using name = new Name();
  const points = topic(name.name, { type: struct("point", { x: "f64", y: "f64" }) });
  using publisher = points.publisher();
  using subscriber = points.subscriber();
  for (const x of [1, 2, 3]) publisher.trySend({ x, y: -x });
  const shown = new Set<{ readonly bytes: Uint8Array }>();
  const values: unknown[] = [];
  subscriber.poll((sample) => {
    shown.add(sample);
    values.push(sample.view.x, sample.value);
  });
  assertEquals(values, [1, { x: 1, y: -1 }, 2, { x: 2, y: -2 }, 3, { x: 3, y: -3 }]);
  const [sample] = shown;
  assertEquals([shown.size, sample!.bytes.length], [1, 0]);
});

Deno.test("a message is the receiver's to keep", () => {
  using scene = new Scene({ depth: 1 });
  const subscriber = scene.subscribe();
  const received: Uint8Array[] = [];
  for (let seed = 1; seed <= 5; seed++) {
    scene.publisher.trySend(payload(seed, 20));
    const message = present(subscriber.tryReceive());
    assertEquals(message.value, message.value);
    received.push(message.value);
  }
  received.forEach((value, i) => assert(isPayload(value, i + 1)));
});
