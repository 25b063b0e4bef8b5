/**
 * Topics within a process: what is published arrives, is held and given back as promised.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, RoleTakenError } from "../../src/errors.ts";
import { topic } from "../../src/vdds/definition.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { within } from "../os/until.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { Name } from "../shared/scene.ts";
import { plain, present, Scene, valueOf } from "./scene.ts";

Deno.test("a sample is the same memory for all: each subscriber sees it in place", () => {
  using scene = new Scene();
  const { publisher } = scene;
  const [a, b] = [scene.subscribe(), scene.subscribe()];
  const loan = publisher.tryLoan({ length: 200 })!;
  const written = loan.bytes;
  written.set(payload(1, 200));
  assertEquals(a.tryTake(), undefined);
  loan.publish();
  using ofA = present(a.tryTake());
  using ofB = present(b.tryTake());
  assertEquals([...ofA.bytes], [...payload(1, 200)]);
  written[7] = 200; // against all rules, to see that nothing was copied
  assertEquals([ofA.bytes[7], ofB.bytes[7]], [200, 200]);
  assertEquals([ofA.sequence, ofA.lost, ofB.sequence], [1, 0, 1]);
  assertEquals(publisher.counters, { published: 1, delivered: 2, dropped: 0, inFlight: 1 });
});

Deno.test("samples of every length arrive in order, every byte unchanged", () => {
  using scene = new Scene({ depth: 3 });
  const subscriber = scene.subscribe();
  for (let i = 1; i <= 600; i++) {
    assert(scene.publisher.trySend(payload(i, i % 257)));
    if (i % 3 !== 0) continue;
    for (let j = i - 2; j <= i; j++) {
      assertEquals(plain(subscriber.tryReceive()), {
        value: payload(j, j % 257),
        sequence: j,
        lost: 0,
      });
    }
    assertEquals(subscriber.tryReceive(), undefined);
  }
});

Deno.test("samples are held as long as their subscriber likes, and given back in any order", () => {
  using scene = new Scene({ depth: 4 });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  for (let i = 1; i <= 4; i++) publisher.trySend(payload(i, 100));
  const held = [1, 2, 3, 4].map(() => present(subscriber.tryTake()));
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

Deno.test("tryTakeLatest() takes the newest sample, and gives older ones back", () => {
  using scene = new Scene({ depth: 4 });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  assertEquals(subscriber.tryTakeLatest(), undefined);
  for (let i = 1; i <= 4; i++) publisher.trySend(payload(i, 30));
  using sample = present(subscriber.tryTakeLatest());
  assertEquals([sample.sequence, sample.lost], [4, 0]);
  assert(isPayload(sample.bytes, 4));
  for (let i = 5; i <= 7; i++) assert(publisher.trySend(payload(i, 30)));
  assertEquals(publisher.tryLoan(), undefined);
  using next = present(subscriber.tryTakeLatest());
  assertEquals([next.sequence, next.lost], [7, 0]);
});

Deno.test("a subscriber waits for samples, and a publisher for room, without blocking the event loop", async () => {
  using scene = new Scene({ depth: 1 });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  const receiving = subscriber.take();
  publisher.trySend(payload(1, 30));
  const sample = present(await within("the sample", receiving));
  const sending = publisher.send(payload(2, 30));
  const latest = subscriber.takeLatest();
  sample[Symbol.dispose]();
  await within("room", sending);
  using second = present(await within("the next sample", latest));
  assert(isPayload(second.bytes, 2));
  await assertRejects(() => publisher.loan({ length: 5, timeout: 10 }), DOMException, "10 ms");
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
  const stream = scene.subscribe({ onPeerGone: "end" }).toReadableStream();
  const total = 50;
  const writing = ReadableStream.from(Array.from({ length: total }, (_, i) => payload(i, 60)))
    .pipeTo(publisher.toWritableStream());
  const received = await within("all values", Array.fromAsync(stream));
  await writing;
  assertEquals(received.length, total);
  received.forEach((value, i) => assertEquals(value, payload(i, 60)));
});

Deno.test("a sample of 256 MiB costs only the memory that it is given", () => {
  using name = new Name();
  const size = 2 ** 28;
  const large = topic(name.name, { depth: 4, size, reserve: false });
  using publisher = large.publisher();
  using subscriber = large.subscriber();
  const allocated = () => Deno.statSync(name.path("topic")).blocks! * 512;
  assert(Deno.statSync(name.path("topic")).size > 4 * size);
  assert(allocated() < 2 ** 20, `${allocated()} bytes are allocated`);
  const length = 3 * 2 ** 20 + 77;
  const bytes = bytesFrom(5, length);
  publisher.tryFill((loan) => void loan.bytes.set(bytes), length);
  using sample = present(subscriber.tryTake());
  assertEquals(sample.bytes.length, length);
  assert(sample.bytes.every((byte, i) => byte === bytes[i]), "the sample is not what was sent");
  assert(allocated() < 5 * 2 ** 20, `${allocated()} bytes are allocated`);
});

Deno.test("a topic works at its limits: depth 1, depth 1,024 and 64 subscribers", () => {
  for (const depth of [1, 1024]) {
    using scene = new Scene({ depth, size: 16, subscribers: 64 });
    const { publisher } = scene;
    const subscribers = Array.from({ length: 64 }, () => scene.subscribe());
    assertThrows(() => scene.subscribe(), RoleTakenError, "it has 64 subscribers");
    assertEquals(publisher.peers, 64);
    let sent = 0;
    for (let round = 0; round < 2; round++) {
      const first = sent;
      while (publisher.trySend(payload(sent + 1, 16))) sent++;
      assertEquals(sent - first, depth);
      for (const subscriber of subscribers) {
        let next = first;
        subscriber.poll(({ bytes, sequence, lost }) => {
          next++;
          assert(sequence === next && lost === 0 && isPayload(bytes, next));
        });
        assertEquals(next, sent);
      }
    }
    assertEquals(publisher.counters.delivered, 2 * depth * 64);
  }
});

/** Runs with a constructor that has no memory for the next arrays of this length. */
function withoutMemory(length: number, act: () => unknown): void {
  const real = globalThis.Uint8Array;
  globalThis.Uint8Array = new Proxy(real, {
    construct(target, given) {
      if (given.includes(length)) throw new RangeError("Array buffer allocation failed");
      return Reflect.construct(target, given);
    },
  });
  try {
    assertThrows(act, RangeError, "allocation failed");
  } finally {
    globalThis.Uint8Array = real;
  }
}

Deno.test("a receive that runs out of memory loses no sample: the next one returns it", () => {
  using scene = new Scene();
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  const ways = [
    () => subscriber.tryReceive(),
    () => subscriber.tryTake(),
    () => subscriber.tryTakeLatest(),
    () => subscriber.poll(() => {}),
  ];
  ways.forEach((way, k) => {
    const [first, second] = [2 * k + 1, 2 * k + 2];
    for (const seed of [first, second]) publisher.trySend(payload(seed, 100 + k));
    withoutMemory(100 + k, way);
    const isLatest = k === 2;
    if (!isLatest) assertEquals(subscriber.tryReceive()?.sequence, first);
    const last = subscriber.tryReceive();
    const value = payload(second, 100 + k);
    assertEquals(plain(last), { value, sequence: second, lost: 0 });
    assertEquals(subscriber.tryReceive(), undefined);
  });
  assertEquals(publisher.counters.inFlight, 0);
});
