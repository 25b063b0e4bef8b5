import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClosedError, CorruptRegionError, VringError } from "../../src/errors.ts";
import type { Origin } from "../../src/origin.ts";
import { topic } from "../../src/vdds/definition.ts";
import type { Loan } from "../../src/vdds/publisher.ts";
import type { Sample } from "../../src/vdds/sample.ts";
import { Name } from "../shared/scene.ts";
import { Inside, present, Scene, valueOf } from "./scene.ts";

const ORIGIN: Origin = { host: "robot-1", incarnation: 1.7e12, sequence: 42, hops: 2 };
const MESSAGE = Uint8Array.of(1, 2, 3);

function factsOf({ sequence, lost, time, source, origin }: Sample) {
  return { sequence, lost, time, source, origin };
}

Deno.test("every form of receiving tells the time of the publish", () => {
  using scene = new Scene();
  const subscribers = [1, 2, 3, 4].map(() => scene.subscribe());
  const before = Date.now();
  scene.publisher.trySend(MESSAGE);
  const after = Date.now() + 1;
  const times: number[] = [];
  using sample = present(subscribers[0]!.tryTake());
  using latest = present(subscribers[1]!.tryTakeLatest());
  const received = present(subscribers[2]!.tryReceive());
  subscribers[3]!.poll(({ time }) => void times.push(time));
  times.push(sample.time, latest.time, received.time);
  assertEquals(times, Array(4).fill(times[0]));
  assert(times[0]! >= before && times[0]! < after, `${before} ${times[0]} ${after}`);
});

Deno.test("a late joiner gets the time at which the history was published", async () => {
  using scene = new Scene({ history: 1 });
  const first = scene.subscribe();
  scene.publisher.trySend(MESSAGE);
  const { time } = present(first.tryTake());
  const start = Date.now();
  while (Date.now() <= start) await Promise.resolve();
  assertEquals(present(scene.subscribe({ history: 1 }).tryTake()).time, time);
});

Deno.test("every form of publishing marks its sample with an origin, and no other", async () => {
  using scene = new Scene();
  const subscriber = scene.subscribe();
  const { publisher } = scene;
  const ways = [
    () => publisher.tryFill(({ bytes }) => void bytes.set(MESSAGE), 3, { origin: ORIGIN }),
    () => publisher.trySend(MESSAGE, { origin: ORIGIN }),
    () => publisher.sendSync(MESSAGE, { origin: ORIGIN, timeout: 0 }),
    () => publisher.send(MESSAGE, { origin: ORIGIN }),
    () => {
      const loan = publisher.tryLoan({ length: 3 })!;
      loan.bytes.set(MESSAGE);
      loan.publish(3, { origin: ORIGIN });
    },
  ];
  for (const way of ways) {
    await way();
    publisher.trySend(MESSAGE);
    const marked = present(subscriber.tryReceive());
    assertEquals([marked.value, marked.origin], [MESSAGE, ORIGIN]);
    using plain = present(subscriber.tryTake());
    assertEquals([[...plain.bytes], plain.origin], [[...MESSAGE], undefined]);
  }
});

Deno.test("a loan is published once whatever the getters of its origin do", () => {
  using scene = new Scene();
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  const getters = [
    (loan: Loan) => loan.publish(1),
    (loan: Loan) => loan[Symbol.dispose](),
    () => publisher.close(),
  ];
  for (const [i, act] of getters.entries()) {
    const loan = publisher.tryLoan({ length: 3 })!;
    const options = {
      get origin(): Origin {
        act(loan);
        return ORIGIN;
      },
    };
    assertThrows(() => loan.publish(3, options), i < 2 ? VringError : ClosedError);
  }
  using sample = present(subscriber.tryTake());
  assertEquals([sample.sequence, sample.bytes.length], [1, 1]);
  assertEquals(subscriber.tryTake(), undefined);
});

Deno.test("an origin that cannot be stored is refused, and nothing is published", () => {
  using scene = new Scene();
  const { publisher } = scene;
  const options = { origin: { ...ORIGIN, hops: 0 } };
  const loan = publisher.tryLoan({ length: 3 })!;
  for (
    const way of [
      () => publisher.trySend(MESSAGE, options),
      () => publisher.sendSync(MESSAGE, options),
      () => loan.publish(3, options),
      () => publisher.tryFill(() => 3, 3, options),
    ]
  ) assertThrows(way, RangeError, "Cannot mark a message of topic");
  assertEquals(publisher.sequence, 0);
  loan.publish(3); // it still is a loan
});

Deno.test("the largest sample can have an origin", () => {
  using name = new Name();
  const size = 2 ** 31;
  const large = topic(name.name, { depth: 1, size, reserve: false });
  using publisher = large.publisher();
  using inside = new Inside(large);
  publisher.trySend(MESSAGE, { origin: ORIGIN });
  inside.ring.descriptors.store(0, "length", 2 ** 32 + size);
  assertEquals(inside.ring.descriptors.load(0, "length") % 2 ** 32, size);
  assertEquals(inside.ring.descriptors.loadOrigin(0), ORIGIN);
});

Deno.test("samples of several publishers tell their source, in place and as values", () => {
  using name = new Name();
  const scans = topic(name.name, { publishers: "many" });
  using subscriber = scans.subscriber();
  using left = scans.publisher({ source: "left" });
  subscriber.tryReceive(); // finds it
  left.trySend(MESSAGE, { origin: ORIGIN });
  using sample = present(subscriber.tryTake());
  assertEquals(factsOf(sample), {
    sequence: 1,
    lost: 0,
    time: sample.time,
    source: "left",
    origin: ORIGIN,
  });
  left.trySend(MESSAGE);
  const received = present(subscriber.tryReceive());
  assert(received.time >= sample.time);
  assertEquals([received.source, received.origin], ["left", undefined]);
});

Deno.test("a corrupt origin costs its sample, and nothing more", () => {
  const wrong: Partial<Origin>[] = [{ host: "" }, { sequence: NaN }, { hops: 0 }];
  for (const part of wrong) {
    using scene = new Scene({ depth: 1 });
    const subscriber = scene.subscribe();
    using inside = new Inside(scene.definition);
    scene.publisher.trySend(MESSAGE, { origin: ORIGIN });
    inside.ring.descriptors.storeOrigin(0, { ...ORIGIN, ...part });
    assertThrows(() => subscriber.tryTake(), CorruptRegionError, "and no origin");
    assert(scene.publisher.trySend(MESSAGE), "it was not given back");
    assertEquals(valueOf(subscriber.tryReceive()), MESSAGE);
  }
});
