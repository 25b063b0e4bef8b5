/**
 * Topics within a process: opening, joining and leaving, and the reports of that.
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ClosedError, RoleTakenError } from "../../src/errors.ts";
import { text } from "../../src/codec.ts";
import { topicPath } from "../../src/region/names.ts";
import { topic } from "../../src/vdds/definition.ts";
import { topics } from "../../src/vdds/topics.ts";
import { readerRole, TOPIC } from "../../src/vdds/vring.ts";
import { within } from "../os/until.ts";
import { payload } from "../circular/scene.ts";
import { Name } from "../shared/scene.ts";
import { plain, present, Scene, valueOf } from "./scene.ts";
import { joinRegion } from "../region/opening.ts";

const WAIT = { timeout: 20 };

Deno.test("a subscriber that leaves gives everything back, and its place", () => {
  using scene = new Scene({ depth: 3, subscribers: 1 });
  const { publisher } = scene;
  const first = scene.subscribe();
  assertThrows(
    () => scene.subscribe(),
    RoleTakenError,
    "it has 1 subscriber, the most it can have, all alive; close one, wait with nextSubscriber()",
  );
  for (let i = 1; i <= 3; i++) publisher.trySend(payload(i, 30));
  const sample = present(first.tryTake());
  assertEquals(publisher.tryLoan(), undefined);
  assertEquals(publisher.peers, 1);
  first.close();
  assertEquals(publisher.peers, 0);
  assertEquals(sample.bytes.length, 0);
  sample[Symbol.dispose]();
  const second = scene.subscribe();
  assertEquals(second.tryTake(), undefined);
  for (let i = 4; i <= 6; i++) assert(publisher.trySend(payload(i, 30)));
  assertEquals(plain(second.tryReceive()), { value: payload(4, 30), sequence: 4, lost: 0 });
});

Deno.test("publishers take turns, and subscribers stay", () => {
  using scene = new Scene({ depth: 3 });
  const subscriber = scene.subscribe();
  assertThrows(
    () => scene.definition.publisher(),
    RoleTakenError,
    "which is alive; close that first, or wait for it with nextPublisher()",
  );
  assertEquals(subscriber.peers, 1);
  scene.publisher.trySend(payload(1, 30));
  scene.publisher.tryLoan({ length: 30 })!.bytes.fill(1); // and never published
  scene.publisher.close();
  assertEquals(subscriber.peers, 0);
  assertEquals(valueOf(subscriber.tryReceive()), payload(1, 30));
  assertEquals(subscriber.tryReceive(), undefined); // another may come
  using next = scene.definition.publisher();
  for (let i = 2; i <= 4; i++) assert(next.trySend(payload(i, 30)));
  assertEquals(next.tryLoan(), undefined);
  for (let i = 2; i <= 4; i++) {
    const value = payload(i, 30);
    assertEquals(plain(subscriber.tryReceive()), { value, sequence: i, lost: 0 });
  }
});

Deno.test('a subscriber with onPeerGone "end" drains the topic, and then it has ended', async () => {
  using scene = new Scene();
  const hasty = scene.subscribe({ onPeerGone: "end" });
  const iterated = scene.subscribe({ onPeerGone: "end" });
  scene.publisher.trySend(payload(1, 30));
  scene.publisher.trySend(payload(2, 30));
  scene.publisher.close();
  assertEquals(valueOf(hasty.tryReceive()), payload(1, 30));
  assertEquals(hasty.ended, false);
  assertEquals(valueOf(await hasty.receive()), payload(2, 30));
  assertEquals([hasty.tryTake(), hasty.ended], [undefined, true]);
  assertEquals([hasty.takeSync(), await hasty.receive()], [undefined, undefined]);
  const values = await Array.fromAsync(iterated);
  assertEquals(values, [payload(1, 30), payload(2, 30)]);
});

Deno.test("nextSubscriber() waits for a place that a stopped subscriber is just taking", async () => {
  using name = new Name();
  const single = topic(name.name, { subscribers: 1 });
  using _publisher = single.publisher();
  using region = joinRegion(TOPIC, topicPath("topic", name.name))!;
  using place = region.tryHold(readerRole(0))!;
  const late = await assertRejects(() => single.nextSubscriber({ timeout: 20 }));
  assertEquals((late as Error).name, "TimeoutError");
  const next = single.nextSubscriber();
  place.close();
  (await next).close();
});

Deno.test("nextPublisher() and nextSubscriber() resolve once the role is free", async () => {
  using name = new Name();
  const single = topic(name.name, { subscribers: 1 });
  const [publisher, subscriber] = [single.publisher(), single.subscriber()];
  for (const next of [() => single.nextPublisher(WAIT), () => single.nextSubscriber(WAIT)]) {
    const error = await assertRejects(() => next(), DOMException);
    assertStringIncludes(error.message, "alive");
  }
  const waiting = [single.nextPublisher(), single.nextSubscriber()] as const;
  publisher.close();
  subscriber.close();
  using first = await waiting[0];
  using second = await waiting[1];
  assertEquals([first.peers, second.peers], [1, 1]);
});

Deno.test("waitForPeers() resolves as peers join, on either side, and counts those that left", async () => {
  using name = new Name();
  const joined = topic(name.name);
  using publisher = joined.publisher();
  using subscriber = joined.subscriber();
  await subscriber.waitForPeers(1);
  const waiting = publisher.waitForPeers(2);
  const other = joined.subscriber();
  await within("a second subscriber", waiting);
  assertEquals([publisher.peers, subscriber.peers], [2, 1]);
  other.close();
  publisher.close();
  assertEquals(subscriber.peers, 0);
  const late = await assertRejects(() => subscriber.waitForPeers(1, { timeout: 20 }), DOMException);
  assertStringIncludes(late.message, "has 0");
});

Deno.test("topics() reports topics, their publishers and subscribers, and the counts of samples", () => {
  using name = new Name();
  const path = `${name.name}.camera/front`;
  {
    const camera = topic(path, { depth: 5, size: 100, type: text() });
    using publisher = camera.publisher();
    using subscriber = camera.subscriber();
    using _other = camera.subscriber();
    for (const letter of ["a", "b", "c"]) publisher.trySend(letter);
    subscriber.tryReceive();
    const [found] = topics().filter((info) => info.name === path);
    const { details, publishers, subscribers, depth, size, counters } = found!;
    assertEquals({ publishers, subscribers, depth, size, counters }, {
      publishers: 1,
      subscribers: 2,
      depth: 5,
      size: 100,
      counters: { published: 3, delivered: 6, dropped: 0, inFlight: 3 },
    });
    assertEquals([details?.type?.name, details?.geometry?.subscribers], ["text", 16]);
    assert(found!.allocatedBytes > 500);
    assertEquals(camera.info(), found);
  }
  assertEquals(topics().filter((info) => info.name === path), []);
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
