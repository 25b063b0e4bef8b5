/**
 * Topics within a process: opening, joining and leaving, and the reports of that.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, RoleTakenError } from "../../src/errors.ts";
import { codec } from "../../src/codec.ts";
import { layout } from "../../src/layout/layout.ts";
import { Region } from "../../src/region/region.ts";
import { topicPath } from "../../src/region/names.ts";
import { Publisher } from "../../src/vdds/publisher.ts";
import { Subscriber } from "../../src/vdds/subscriber.ts";
import { topics } from "../../src/vdds/topics.ts";
import { readerRole, TOPIC } from "../../src/vdds/vring.ts";
import { within } from "../os/until.ts";
import { payload } from "../circular/scene.ts";
import { Name } from "../shared/scene.ts";
import { plain, sampleOf, Scene, valueOf } from "./scene.ts";

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
  assertEquals(plain(second.tryReceive()), {
    state: "ok",
    value: payload(4, 30),
    sequence: 4,
    lost: 0,
  });
});

Deno.test("publishers take turns, and subscribers stay", () => {
  using scene = new Scene({ depth: 3 });
  const subscriber = scene.subscribe();
  assertThrows(() => Publisher.open(scene.topic), RoleTakenError, "which is alive");
  assertEquals(subscriber.matched, 1);
  scene.publisher.trySend(payload(1, 30));
  scene.publisher.tryLoan(30)!.bytes.fill(1); // and never published
  scene.publisher.close();
  assertEquals(subscriber.matched, 0);
  assertEquals(valueOf(subscriber.tryReceive()), payload(1, 30));
  assertEquals(subscriber.tryReceive(), { state: "empty" }); // another may come
  using next = Publisher.open(scene.topic);
  for (let i = 2; i <= 4; i++) assert(next.trySend(payload(i, 30)));
  assertEquals(next.tryLoan(), undefined);
  for (let i = 2; i <= 4; i++) {
    const outcome = subscriber.tryReceive();
    assertEquals(plain(outcome), { state: "ok", value: payload(i, 30), sequence: i, lost: 0 });
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

Deno.test("codecs carry values", () => {
  using name = new Name();
  const options = { codec: codec.struct(layout("point", { x: "f64", y: "f32" })) };
  using publisher = Publisher.open(name.name, options);
  using subscriber = Subscriber.open(name.name, options);
  publisher.trySend({ x: 1, y: 2 });
  publisher.trySend({ x: 3, y: 4 });
  assertEquals(valueOf(subscriber.tryReceive()), { x: 1, y: 2 });
  using sample = sampleOf(subscriber.tryTake());
  assertEquals(sample.value, { x: 3, y: 4 });
});

Deno.test("Subscriber.connect() waits for a place that a stopped subscriber is just taking", async () => {
  using name = new Name();
  using _publisher = Publisher.open(name.name, { maxSubscribers: 1 });
  using topic = Region.tryConnect(TOPIC, topicPath("topic", name.name))!;
  using place = topic.tryHold(readerRole(0))!;
  assertEquals(Subscriber.tryConnect(name.name), undefined);
  const late = await assertRejects(() => Subscriber.connect(name.name, { timeout: 20 }));
  assertEquals((late as Error).name, "TimeoutError");
  const connecting = Subscriber.connect(name.name);
  place.close();
  (await connecting).close();
});

Deno.test("matches() reports peers that join and leave, on either side", async () => {
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

Deno.test("topics() reports topics, their publishers and subscribers, and the counts of samples", () => {
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
