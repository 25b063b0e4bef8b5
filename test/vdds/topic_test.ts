/**
 * Topics within a process: what is published arrives, is held, dropped and given back as promised.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  ClosedError,
  LayoutMismatchError,
  OsError,
  RoleTakenError,
  VringError,
} from "../../src/errors.ts";
import { codec } from "../../src/layout/codec.ts";
import { layout } from "../../src/layout/layout.ts";
import { type Policy, Publisher } from "../../src/vdds/publisher.ts";
import type { Sample, SampleOutcome } from "../../src/vdds/sample.ts";
import { Subscriber } from "../../src/vdds/subscriber.ts";
import { topics } from "../../src/vdds/topics.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { within } from "../os/until.ts";
import { isPayload, payload } from "../ring/circular_scene.ts";
import { Name } from "../shared/scene.ts";
import { Scene, valueOf } from "./vdds_scene.ts";

function sampleOf<T>(outcome: SampleOutcome<T>): Sample<T> {
  if (outcome.state === "ok") return outcome.sample;
  throw new Error(`There is no sample: ${outcome.state}`);
}

Deno.test("a sample is the same memory for all: each subscriber sees it in place", () => {
  using scene = new Scene();
  const { publisher } = scene;
  const [a, b] = [scene.subscribe(), scene.subscribe()];
  const loan = publisher.tryLoan(200)!;
  loan.set(payload(1, 200));
  assertEquals(a.tryTake(), { state: "empty" });
  publisher.publish();
  using ofA = sampleOf(a.tryTake());
  using ofB = sampleOf(b.tryTake());
  assertEquals([...ofA.bytes], [...payload(1, 200)]);
  loan[7] = 200; // against all rules, to see that nothing was copied
  assertEquals([ofA.bytes[7], ofB.bytes[7]], [200, 200]);
  assertEquals([ofA.sequence, ofA.lost, ofB.sequence], [1, 0, 1]);
  assertEquals(publisher.counters, { published: 1, delivered: 2, dropped: 0, inFlight: 1 });
});

Deno.test("samples of every length arrive in order, each byte as it was sent", () => {
  using scene = new Scene({ depth: 3 });
  const subscriber = scene.subscribe();
  for (let i = 1; i <= 600; i++) {
    assert(scene.publisher.trySend(payload(i, i % 257)));
    if (i % 3 !== 0) continue;
    for (let j = i - 2; j <= i; j++) {
      const outcome = subscriber.tryReceive();
      assertEquals(outcome, { state: "ok", value: payload(j, j % 257), sequence: j, lost: 0 });
    }
    assertEquals(subscriber.tryReceive(), { state: "empty" });
  }
});

Deno.test("publish() hands on only the beginning of a loan, and discard() nothing", () => {
  using scene = new Scene();
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  assertThrows(() => publisher.publish(), VringError, "nothing is loaned");
  publisher.tryLoan()!.set(payload(1, 256));
  for (const length of [-1, 257, 1.5, NaN]) {
    assertThrows(() => publisher.publish(length), RangeError, "256 are loaned");
  }
  publisher.publish(10);
  publisher.tryLoan(5);
  publisher.discard();
  assertThrows(() => publisher.publish(), VringError, "nothing is loaned");
  publisher.tryLoan(0);
  publisher.publish();
  assertEquals(valueOf(subscriber.tryReceive()), payload(1, 256).slice(0, 10));
  assertEquals(valueOf(subscriber.tryReceive()), new Uint8Array(0));
  assertEquals(subscriber.tryReceive(), { state: "empty" });
  for (const length of [-1, 257, 0.5]) {
    assertThrows(() => publisher.tryLoan(length), RangeError, "a sample can have 256");
  }
  assertThrows(() => publisher.trySend(new Uint8Array(257)), RangeError, "a larger size");
});

Deno.test("a publisher without subscribers is no error, whatever its policy", () => {
  for (const policy of ["block", "dropNewest", "dropOldest"] satisfies Policy[]) {
    using scene = new Scene({ policy, depth: 1 });
    for (let i = 1; i <= 10; i++) assert(scene.publisher.trySend(payload(i, 50)));
    assertEquals(scene.publisher.counters, {
      published: 10,
      delivered: 0,
      dropped: 0,
      inFlight: 0,
    });
    assertEquals(scene.publisher.matched, 0);
  }
});

Deno.test("samples are held as long as their subscriber likes, and given back in any order", () => {
  using scene = new Scene({ depth: 4 });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  for (let i = 1; i <= 4; i++) publisher.trySend(payload(i, 100));
  const held = [1, 2, 3, 4].map(() => sampleOf(subscriber.tryTake()));
  assertEquals(publisher.tryLoan(), undefined);
  held[2]![Symbol.dispose]();
  assertEquals(held[2]!.bytes.length, 0);
  held[2]![Symbol.dispose](); // twice is once
  assert(publisher.trySend(payload(5, 100)));
  assertEquals(publisher.tryLoan(), undefined);
  for (const i of [0, 1, 3]) assert(isPayload(held[i]!.bytes, i + 1), `sample ${i + 1} changed`);
  for (const i of [3, 0, 1]) held[i]![Symbol.dispose]();
  for (let i = 6; i <= 8; i++) assert(publisher.trySend(payload(i, 100)));
  assertEquals(publisher.tryLoan(), undefined);
  for (let i = 5; i <= 8; i++) assertEquals(valueOf(subscriber.tryReceive()), payload(i, 100));
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
  assertThrows(() => publisher.loanSync(9, { timeout: 0 }), DOMException, "0 ms");
  assertEquals(slow.tryReceive(), { state: "ok", value: payload(1, 9), sequence: 1, lost: 0 });
  assert(publisher.trySend(payload(3, 9)));
  assertEquals(valueOf(slow.tryReceive()), payload(2, 9));
  assertEquals(slow.tryReceive(), { state: "ok", value: payload(3, 9), sequence: 3, lost: 0 });
  assertEquals(publisher.counters.dropped, 0);
});

Deno.test('policy "dropNewest" does not send what there is no room for, and tells so', () => {
  using scene = new Scene({ depth: 2, policy: "dropNewest" });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  assertEquals([1, 2, 3, 4].map((i) => publisher.sendSync(payload(i, 9))), [
    true,
    true,
    false,
    false,
  ]);
  assertEquals(valueOf(subscriber.tryReceive()), payload(1, 9));
  assert(publisher.trySend(payload(5, 9)));
  assertEquals(subscriber.tryReceive(), {
    state: "ok",
    value: payload(2, 9),
    sequence: 2,
    lost: 0,
  });
  assertEquals(subscriber.tryReceive(), {
    state: "ok",
    value: payload(5, 9),
    sequence: 5,
    lost: 2,
  });
  assertEquals(publisher.counters, { published: 3, delivered: 3, dropped: 2, inFlight: 0 });
});

Deno.test('policy "dropOldest" takes the oldest that nobody holds, and tells who lost it', () => {
  using scene = new Scene({ depth: 3, policy: "dropOldest" });
  const { publisher } = scene;
  const [slow, quick] = [scene.subscribe(), scene.subscribe()];
  const seen: number[] = [];
  for (let i = 1; i <= 10; i++) {
    assert(publisher.trySend(payload(i, 60)));
    quick.poll((bytes, sequence, lost) => {
      assert(isPayload(bytes, sequence) && lost === 0);
      seen.push(sequence);
    });
  }
  assertEquals(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  using held = sampleOf(slow.tryTake());
  assertEquals([held.sequence, held.lost], [8, 7]);
  for (let i = 11; i <= 14; i++) assert(publisher.trySend(payload(i, 60)));
  assert(isPayload(held.bytes, 8), "what is held was taken");
  const outcome = slow.tryReceive();
  assertEquals(outcome, { state: "ok", value: payload(13, 60), sequence: 13, lost: 4 });
  assertEquals(quick.poll(() => {}), 2);
  assertEquals(publisher.counters.published, 14);
});

Deno.test('policy "dropOldest" drops the newest where all are held', () => {
  using scene = new Scene({ depth: 2, policy: "dropOldest" });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  publisher.trySend(payload(1, 9));
  publisher.trySend(payload(2, 9));
  const held = [sampleOf(subscriber.tryTake()), sampleOf(subscriber.tryTake())];
  assertEquals(publisher.sendSync(payload(3, 9)), false);
  assertEquals(publisher.loanSync(9), undefined);
  held[0]![Symbol.dispose]();
  assert(publisher.trySend(payload(5, 9)));
  assertEquals(subscriber.tryReceive(), {
    state: "ok",
    value: payload(5, 9),
    sequence: 5,
    lost: 2,
  });
});

Deno.test("late joiners get as much of the history as they ask for and as is kept", () => {
  using scene = new Scene({ depth: 5, history: 3 });
  const { publisher } = scene;
  for (let i = 1; i <= 7; i++) assert(publisher.trySend(payload(i, 40)));
  const all = scene.subscribe({ history: 10 });
  const two = scene.subscribe({ history: 2 });
  const none = scene.subscribe();
  publisher.trySend(payload(8, 40));
  const received = (subscriber: typeof all) => {
    const sequences: number[] = [];
    subscriber.poll((bytes, sequence, lost) => {
      assert(isPayload(bytes, sequence) && lost === 0);
      sequences.push(sequence);
    });
    return sequences;
  };
  assertEquals(received(all), [5, 6, 7, 8]);
  assertEquals(received(two), [6, 7, 8]);
  assertEquals(received(none), [8]);
  const later = scene.subscribe({ history: 3 });
  publisher.close();
  assertEquals(received(later), [6, 7, 8]);
  const after = scene.subscribe({ history: 1 });
  assertEquals(received(after), [8]); // kept, though there is no publisher
  using successor = Publisher.open(scene.topic);
  assertEquals(received(scene.subscribe({ history: 3 })), []); // which keeps none
  for (let i = 9; i <= 13; i++) assert(successor.trySend(payload(i, 40)), `no room for ${i}`);
});

Deno.test("Publisher.open() refuses a history as long as the topic is deep, and what is no policy", () => {
  using name = new Name();
  assertThrows(() => Publisher.open(name.name, { depth: 2, history: 2 }), RangeError, "deeper");
  assertThrows(() => Publisher.open(name.name, { history: -1 }), RangeError);
  assertThrows(() => Subscriber.open(name.name, { history: 0.5 }), RangeError);
  const policy = "drop" as Policy;
  assertThrows(() => Publisher.open(name.name, { policy }), TypeError, '"dropOldest"');
  assertEquals(name.files(), []);
});

Deno.test("tryTakeLatest() gives the newest, and those before it back", () => {
  using scene = new Scene({ depth: 4 });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  assertEquals(subscriber.tryTakeLatest(), { state: "empty" });
  for (let i = 1; i <= 4; i++) publisher.trySend(payload(i, 30));
  using sample = sampleOf(subscriber.tryTakeLatest());
  assertEquals([sample.sequence, sample.lost], [4, 0]);
  assert(isPayload(sample.bytes, 4));
  for (let i = 5; i <= 7; i++) assert(publisher.trySend(payload(i, 30)));
  assertEquals(publisher.tryLoan(), undefined);
  using next = sampleOf(subscriber.tryTakeLatest());
  assertEquals([next.sequence, next.lost], [7, 0]);
});

Deno.test("a subscriber that leaves gives everything back, and its place", () => {
  using scene = new Scene({ depth: 3, maxSubscribers: 1 });
  const { publisher } = scene;
  const first = scene.subscribe();
  assertThrows(() => scene.subscribe(), RoleTakenError, "it has 1 subscribers, which are alive");
  for (let i = 1; i <= 3; i++) publisher.trySend(payload(i, 30));
  const sample = sampleOf(first.tryTake());
  assertEquals(publisher.tryLoan(), undefined);
  assertEquals(publisher.matched, 1);
  first.close();
  assertEquals(publisher.matched, 0);
  assertEquals(sample.bytes.length, 0);
  sample[Symbol.dispose]();
  const second = scene.subscribe();
  assertEquals(second.tryTake(), { state: "empty" });
  for (let i = 4; i <= 6; i++) assert(publisher.trySend(payload(i, 30)));
  assertEquals(second.tryReceive(), { state: "ok", value: payload(4, 30), sequence: 4, lost: 0 });
});

Deno.test("publishers take turns, and subscribers go on", () => {
  using scene = new Scene({ depth: 3 });
  const subscriber = scene.subscribe();
  assertThrows(() => Publisher.open(scene.topic), RoleTakenError, "which is alive");
  assertEquals(subscriber.matched, 1);
  scene.publisher.trySend(payload(1, 30));
  scene.publisher.tryLoan(30)!.fill(1); // and never published
  scene.publisher.close();
  assertEquals(subscriber.matched, 0);
  assertEquals(valueOf(subscriber.tryReceive()), payload(1, 30));
  assertEquals(subscriber.tryReceive(), { state: "empty" }); // another may come
  using next = Publisher.open(scene.topic);
  for (let i = 2; i <= 4; i++) assert(next.trySend(payload(i, 30)));
  assertEquals(next.tryLoan(), undefined);
  for (let i = 2; i <= 4; i++) {
    const outcome = subscriber.tryReceive();
    assertEquals(outcome, { state: "ok", value: payload(i, 30), sequence: i, lost: 0 });
  }
});

Deno.test("a subscriber without keepOpen drains the topic, and then learns that it is closed", async () => {
  using scene = new Scene();
  const hasty = scene.subscribe({ keepOpen: false });
  const iterated = scene.subscribe({ keepOpen: false });
  scene.publisher.trySend(payload(1, 30));
  scene.publisher.trySend(payload(2, 30));
  scene.publisher.close();
  assertEquals(valueOf(hasty.tryReceive()), payload(1, 30));
  assertEquals(valueOf(await hasty.receive()), payload(2, 30));
  assertEquals(hasty.tryTake(), { state: "closed" });
  assertEquals(hasty.takeSync(), { state: "closed" });
  assertEquals(await hasty.receive(), { state: "closed" });
  const values = await Array.fromAsync(iterated);
  assertEquals(values, [payload(1, 30), payload(2, 30)]);
});

Deno.test("a subscriber waits for samples, and a publisher for room, without blocking the event loop", async () => {
  using scene = new Scene({ depth: 1 });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  const receiving = subscriber.take();
  publisher.trySend(payload(1, 30));
  const sample = sampleOf(await within("the sample", receiving));
  const sending = publisher.send(payload(2, 30));
  const latest = subscriber.takeLatest();
  sample[Symbol.dispose]();
  assertEquals(await within("room", sending), true);
  using second = sampleOf(await within("the next sample", latest));
  assert(isPayload(second.bytes, 2));
  await assertRejects(() => publisher.loan(5, { timeout: 10 }), DOMException, "10 ms");
  await assertRejects(() => subscriber.receive({ timeout: 10 }), DOMException, "10 ms");
  const aborted = AbortSignal.abort(new Error("enough"));
  await assertRejects(() => subscriber.receive({ signal: aborted }), Error, "enough");
  const never = subscriber.receive();
  subscriber.close();
  await assertRejects(() => never, ClosedError);
});

Deno.test("streams carry values from and to topics", async () => {
  using scene = new Scene({ depth: 2 });
  const { publisher } = scene;
  const stream = scene.subscribe({ keepOpen: false }).toReadableStream();
  const total = 50;
  const writing = ReadableStream.from(Array.from({ length: total }, (_, i) => payload(i, 60)))
    .pipeTo(publisher.toWritableStream());
  const received = await within("all values", Array.fromAsync(stream));
  await writing;
  assertEquals(received.length, total);
  received.forEach((value, i) => assertEquals(value, payload(i, 60)));
});

Deno.test("codecs carry values, and other codecs are refused", () => {
  using name = new Name();
  const Point = layout("point", { x: "f64", y: "f32" });
  using publisher = Publisher.open(name.name, { codec: codec.struct(Point) });
  using subscriber = Subscriber.open(name.name, { codec: codec.struct(Point) });
  publisher.trySend({ x: 1, y: 2 });
  publisher.trySend({ x: 3, y: 4 });
  assertEquals(valueOf(subscriber.tryReceive()), { x: 1, y: 2 });
  using sample = sampleOf(subscriber.tryTake());
  assertEquals(sample.value, { x: 3, y: 4 });
  const wrong = () => Subscriber.open(name.name, { codec: codec.text });
  assertThrows(wrong, LayoutMismatchError, 'its messages are "point"');
  assertThrows(() => Publisher.open(name.name), LayoutMismatchError, 'not "bytes"');
});

Deno.test("open() joins a topic of any shape, or of exactly the one that is asked for", () => {
  using scene = new Scene({ depth: 3, size: 100, maxSubscribers: 2 });
  using subscriber = Subscriber.open(scene.topic, { depth: 3, size: 100, maxSubscribers: 2 });
  assertEquals([subscriber.depth, subscriber.maxSample], [3, 100]);
  const wrong = [{ depth: 4 }, { size: 128 }, { maxSubscribers: 3 }];
  for (const options of wrong) {
    assertThrows(() => Subscriber.open(scene.topic, options), LayoutMismatchError, "not");
  }
  using name = new Name();
  const impossible = [
    { depth: 0 },
    { depth: 1025 },
    { size: 0 },
    { size: 2 ** 31 + 1 },
    { maxSubscribers: 65 },
    { depth: 1024, size: 2 ** 30 },
    { depth: 1.5 },
  ];
  for (const options of impossible) {
    assertThrows(() => Publisher.open(name.name, options), RangeError, "the depth is 1 to 1024");
  }
  assertEquals(name.files(), []);
});

Deno.test("create() and connect() are strict about who makes the topic", async () => {
  using name = new Name();
  await assertRejects(
    () => Subscriber.connect(name.name, { timeout: 5 }),
    DOMException,
    "not there",
  );
  const connecting = Subscriber.connect(name.name, { history: 1 });
  using publisher = Publisher.create(name.name, { history: 1, depth: 2 });
  assertThrows(() => Publisher.create(name.name), OsError, "already in use");
  assertThrows(() => Subscriber.create(name.name), OsError, "already in use");
  publisher.trySend(payload(1, 10));
  using subscriber = await within("the topic", connecting);
  assertEquals(valueOf(await subscriber.receive()), payload(1, 10));
  await assertRejects(() => Publisher.connect(name.name), RoleTakenError);
});

Deno.test("a topic is gone with its last member, unless it persists", () => {
  using name = new Name();
  Publisher.open(name.name).close();
  assertEquals(name.files(), []);
  {
    using _publisher = Publisher.open(name.name, { depth: 3 });
    using _subscriber = Subscriber.open(name.name, { persist: true });
  }
  assertEquals(name.files(), [`vring.topic.${name.name}`]);
  {
    using publisher = Publisher.open(name.name);
    assertEquals(publisher.depth, 3);
  }
  assert(Publisher.unlink(name.name));
  assertEquals(Subscriber.unlink(name.name), false);
  assertEquals(name.files(), []);
});

Deno.test("matches() tells of peers that come and go, on either side", async () => {
  using name = new Name();
  using publisher = Publisher.open(name.name);
  using observer = Subscriber.open(name.name);
  const readers = publisher.matches();
  const writers = observer.matches();
  const next = async <V>(iterator: AsyncGenerator<V, void, void>) =>
    (await within("a change", iterator.next())).value;
  assertEquals(await next(readers), 1);
  assertEquals(await next(writers), 1);
  const joining = next(readers);
  const other = Subscriber.open(name.name);
  assertEquals(await joining, 2);
  const leaving = next(readers);
  other.close();
  assertEquals(await leaving, 1);
  const closing = next(writers);
  const ending = next(readers);
  publisher.close();
  assertEquals(await ending, undefined);
  assertEquals(await closing, 0);
  await writers.return();
});

Deno.test("topics() tells what is there, who takes part and what became of the samples", () => {
  using name = new Name();
  const topic = `${name.name}.camera/front`;
  {
    using publisher = Publisher.open(topic, { depth: 5, size: 100, codec: codec.text });
    using subscriber = Subscriber.open(topic, { codec: codec.text });
    using _other = Subscriber.open(topic, { codec: codec.text });
    for (const text of ["a", "b", "c"]) publisher.trySend(text);
    subscriber.tryReceive();
    const found = topics().filter((info) => info.topic === topic);
    assertEquals(found.map(({ allocatedBytes: _, ...rest }) => rest), [{
      topic,
      type: "text",
      publishers: 1,
      subscribers: 2,
      maxSubscribers: 16,
      depth: 5,
      size: 100,
      counters: { published: 3, delivered: 6, dropped: 0, inFlight: 3 },
    }]);
    assert(found[0]!.allocatedBytes > 500);
  }
  assertEquals(topics().filter((info) => info.topic === topic), []);
});

Deno.test("a closed end throws ClosedError", async () => {
  using scene = new Scene();
  const subscriber = scene.subscribe();
  scene.publisher.close();
  subscriber.close();
  subscriber.close();
  scene.publisher.close();
  for (
    const act of [() => scene.publisher.trySend(payload(1, 1)), () => scene.publisher.tryLoan()]
  ) {
    assertThrows(act, ClosedError);
  }
  for (const act of [() => subscriber.tryTake(), () => subscriber.tryReceive()]) {
    assertThrows(act, ClosedError);
  }
  assertThrows(() => scene.publisher.counters, ClosedError);
  await assertRejects(() => subscriber.receive(), ClosedError);
  await assertRejects(() => scene.publisher.send(payload(1, 1)), ClosedError);
});

Deno.test("a sample of 256 MiB costs only the memory that it is given", () => {
  using name = new Name();
  const size = 2 ** 28;
  using publisher = Publisher.open(name.name, { depth: 4, size, reserve: false });
  using subscriber = Subscriber.open(name.name);
  const allocated = () => Deno.statSync(name.path("topic")).blocks! * 512;
  assert(Deno.statSync(name.path("topic")).size > 4 * size);
  assert(allocated() < 2 ** 20, `${allocated()} bytes are allocated`);
  const length = 3 * 2 ** 20 + 77;
  const bytes = bytesFrom(5, length);
  publisher.tryLoan(length)!.set(bytes);
  publisher.publish();
  using sample = sampleOf(subscriber.tryTake());
  assertEquals(sample.bytes.length, length);
  assert(sample.bytes.every((byte, i) => byte === bytes[i]), "the sample is not what was sent");
  assert(allocated() < 5 * 2 ** 20, `${allocated()} bytes are allocated`);
});

Deno.test("a topic works at its limits: depth 1, depth 1,024 and 64 subscribers", () => {
  for (const depth of [1, 1024]) {
    using scene = new Scene({ depth, size: 16, maxSubscribers: 64 });
    const { publisher } = scene;
    const subscribers = Array.from({ length: 64 }, () => scene.subscribe());
    assertThrows(() => scene.subscribe(), RoleTakenError, "it has 64 subscribers");
    assertEquals(publisher.matched, 64);
    let sent = 0;
    for (let round = 0; round < 2; round++) {
      const first = sent;
      while (publisher.trySend(payload(sent + 1, 16))) sent++;
      assertEquals(sent - first, depth);
      for (const subscriber of subscribers) {
        let next = first;
        subscriber.poll((bytes, sequence, lost) => {
          next++;
          assert(sequence === next && lost === 0 && isPayload(bytes, next));
        });
        assertEquals(next, sent);
      }
    }
    assertEquals(publisher.counters.delivered, 2 * depth * 64);
  }
});
