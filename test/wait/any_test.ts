import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { circular } from "../../src/circular/definition.ts";
import { ClosedError, PeerLostError } from "../../src/errors.ts";
import { forceScan } from "../../src/os/futex.ts";
import { domain } from "../../src/babus/definition.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { Listener } from "../../src/babus/listener.ts";
import { byteRing, spsc } from "../../src/spsc/definition.ts";
import { type Waitable, waitAny, waitAnySync } from "../../src/wait/any.ts";
import { topic } from "../../src/vdds/definition.ts";
import { Name } from "../shared/scene.ts";

/** A ring of each product, with its sender. */
function scene() {
  const stack = new DisposableStack();
  const names = [0, 1, 2].map(() => stack.use(new Name()).name);
  const rings = {
    messages: spsc(names[0]!),
    bytes: byteRing(names[1]!),
    many: mpsc(names[2]!, { producers: 40 }),
  };
  const messages = stack.use(rings.messages.consumer());
  const bytes = stack.use(rings.bytes.consumer());
  const many = stack.use(rings.many.consumer());
  const senders = {
    messages: stack.use(rings.messages.producer()),
    bytes: stack.use(rings.bytes.producer()),
    many: stack.use(rings.many.producer({ id: 39 })),
  };
  const send = [
    () => senders.messages.trySend(new Uint8Array(1)),
    () => senders.bytes.claimSync(1).publish(),
    () => senders.many.trySend(new Uint8Array(1)),
  ];
  return {
    names,
    all: [messages, bytes, many] as const,
    senders,
    send,
    [Symbol.dispose]: () => stack.dispose(),
  };
}

for (const scan of [false, true]) {
  const how = scan ? "scanning" : "with futex_waitv";

  Deno.test(`waitAny() resolves with the first that has a message, ${how}`, async () => {
    forceScan(scan);
    try {
      for (let index = 0; index < 3; index++) {
        using rings = scene();
        const waiting = waitAny(rings.all);
        const spinless = waitAny(rings.all, { spin: 0 });
        rings.send[index]!();
        assertStrictEquals(await waiting, rings.all[index]);
        assertStrictEquals(await spinless, rings.all[index]);
        assertStrictEquals(waitAnySync(rings.all, { timeout: 0 }), rings.all[index]);
      }
    } finally {
      forceScan(false);
    }
  });

  Deno.test(`waitAny() and waitAnySync() give up after their timeout, ${how}`, async () => {
    forceScan(scan);
    try {
      using rings = scene();
      for (const timeout of [0, 1, 30]) {
        const start = performance.now();
        const error = assertThrows(() => waitAnySync(rings.all, { timeout }), DOMException);
        assertEquals(error.name, "TimeoutError");
        assert(performance.now() - start >= timeout);
        const begun = performance.now();
        const late = await assertRejects(() => waitAny(rings.all, { timeout }), DOMException);
        assertEquals(late.name, "TimeoutError");
        assert(performance.now() - begun >= timeout);
      }
    } finally {
      forceScan(false);
    }
  });
}

Deno.test("waitAny() returns the first ring that already has a message", async () => {
  using rings = scene();
  rings.send[2]!();
  rings.send[1]!();
  assertStrictEquals(await waitAny(rings.all), rings.all[1]);
  assertStrictEquals(waitAnySync(rings.all), rings.all[1]);
});

Deno.test("waitAny() reports a ring whose other end has closed, and continues with the rest", async () => {
  using rings = scene();
  const waiting = waitAny(rings.all, { spin: 0 });
  rings.senders.messages.close();
  assertStrictEquals(await waiting, rings.all[0]);
  assertEquals([rings.all[0].tryReceive(), rings.all[0].ended], [undefined, true]);
  const rest = [rings.all[1], rings.all[2]];
  const again = waitAny(rest, { spin: 0 });
  rings.send[2]!();
  assertStrictEquals(await again, rings.all[2]);
});

Deno.test("the next call at a handle whose peers are lost says so, after what they sent", async () => {
  using stack = new DisposableStack();
  const names = ["ring", "bytes", "many", "topic"].map((key) => [key, stack.use(new Name()).name]);
  const name = Object.fromEntries(names) as Record<"ring" | "bytes" | "many" | "topic", string>;
  const ring = stack.use(spsc(name.ring).consumer());
  const bytes = stack.use(byteRing(name.bytes).consumer());
  const many = stack.use(mpsc(name.many).consumer());
  const subscribed = stack.use(topic(name.topic).subscriber({ onPeerGone: "end" }));
  const target = new Uint8Array(8);
  const ends = {
    ring: [ring, [() => ring.tryReceive(), () => ring.tryTake(), () => ring.tryTakeBatch()]],
    bytes: [bytes, [() => bytes.tryRead(target), () => bytes.peek()]],
    many: [many, [() => many.poll(() => {}), () => many.tryReceiveInto(target)]],
    topic: [subscribed, [() => subscribed.poll(() => {}), () => subscribed.tryTakeLatest()]],
  } as const;
  const producer = spsc(name.ring).producer();
  producer.trySend(target);
  producer.abort();
  byteRing(name.bytes).producer().abort();
  mpsc(name.many).producer().abort();
  await topic(name.topic).publisher().toWritableStream().abort();
  for (const [handle, attempts] of Object.values(ends)) {
    if (handle === ring) {
      assertEquals(waitAnySync([ring]).tryReceive()?.value, target);
      assertEquals(ring.tryReceive(), undefined); // nobody has been told of it yet
    }
    for (const attempt of attempts) {
      assertStrictEquals(await waitAny<Waitable>([handle], { spin: 0 }), handle);
      assertThrows(attempt, PeerLostError);
      assertStrictEquals(waitAnySync<Waitable>([handle]), handle);
      assertThrows(attempt, PeerLostError);
    }
  }
  waitAnySync([ring]);
  using _successor = spsc(name.ring).producer();
  assertEquals(ring.tryReceive(), undefined);
});

Deno.test("waitAny() ends with the signal's reason, and leaves no sleep behind", async () => {
  using rings = scene();
  const controller = new AbortController();
  const waiting = waitAny(rings.all, { signal: controller.signal });
  setTimeout(() => controller.abort("enough"), 5);
  assertEquals(await waiting.catch((reason) => reason), "enough");
  assertEquals(await waitAny(rings.all, { signal: AbortSignal.abort("no") }).catch((r) => r), "no");
});

Deno.test("waitAny() is called off also while it lets the event loop have its turn", async () => {
  using rings = scene();
  rings.send[0]!();
  let calledOff = 0;
  for (let i = 0; i < 1100; i++) { // one of these begins with a turn
    const controller = new AbortController();
    const waiting = waitAny(rings.all, { signal: controller.signal });
    controller.abort("enough");
    if (await waiting.catch((reason) => reason) === "enough") calledOff++;
  }
  assert(calledOff > 0);
});

Deno.test("waitAny() ends with a ClosedError when one of them is closed", async () => {
  using rings = scene();
  const waiting = waitAny(rings.all, { spin: 0 });
  setTimeout(() => rings.all[1].close(), 5);
  await assertRejects(() => waiting, ClosedError);
  await assertRejects(() => waitAny(rings.all), ClosedError);
  assertThrows(() => waitAnySync(rings.all), ClosedError);
});

Deno.test("waitAny() refuses an empty list, and invalid limits", async () => {
  using rings = scene();
  await assertRejects(() => waitAny([]), RangeError, "first of nothing");
  assertThrows(() => waitAnySync([]), RangeError, "first of nothing");
  for (const options of [{ timeout: -1 }, { timeout: NaN }, { spin: -1 }]) {
    assertThrows(() => waitAnySync(rings.all, options), RangeError);
    await assertRejects(() => waitAny(rings.all, options), RangeError);
  }
});

Deno.test("waitAny() takes a slot as ready when it has a message that its handle has not shown", async () => {
  using name = new Name();
  const robot = domain(name.name, { imu: {}, log: {} });
  using own = robot.open();
  using elsewhere = robot.open();
  const { imu: slot, log: other } = own.slots;
  const writer = elsewhere.slots.imu;
  const isReady = () => {
    try {
      return waitAnySync([other, slot], { timeout: 0 }) === slot;
    } catch {
      return false;
    }
  };
  const reads = [
    () => slot.latest(),
    () => slot.at(slot.sequence),
    () => slot.peek(),
    () => slot.readInto(new Uint8Array(3)),
    () => slot.nextSync(),
    () => slot.since(0),
  ];
  for (const read of reads) {
    assert(!isReady());
    const waiting = waitAny([other, slot]);
    writer.writeSync(new Uint8Array(3));
    assertStrictEquals(await waiting, slot);
    writer.writeSync(new Uint8Array(3));
    slot.at(slot.sequence - 1); // not the newest
    assert(isReady());
    read();
  }
  slot.close();
  assertThrows(() => waitAnySync([other, slot]), ClosedError);
});

Deno.test("waitAny() waits for a mix of all receivers", async () => {
  const NAMES = ["circular", "messages", "topic", "source", "slot", "listened"] as const;
  for (const first of NAMES) {
    using stack = new DisposableStack();
    const name = Object.fromEntries(NAMES.map((product) => [product, stack.use(new Name()).name]));
    const writer = stack.use(circular(name.circular!).writer());
    const producer = stack.use(spsc(name.messages!).producer());
    const single = topic(name.topic!);
    const many = topic(name.source!, { publishers: "many" });
    const publisher = stack.use(single.publisher());
    const source = stack.use(many.publisher());
    const slot = stack.use(domain(name.slot!).open()).slot("imu");
    const listened = stack.use(domain(name.listened!).open()).slot("imu");
    const receivers = {
      circular: stack.use(circular(name.circular!).reader()),
      messages: stack.use(spsc(name.messages!).consumer()),
      topic: stack.use(single.subscriber()),
      source: stack.use(many.subscriber()),
      slot,
      listened: stack.use(new Listener().add(listened)),
    };
    const bytes = new Uint8Array(8);
    const send = {
      circular: () => writer.trySend(bytes),
      messages: () => producer.trySend(bytes),
      topic: () => publisher.trySend(bytes),
      source: () => source.trySend(bytes),
      slot: () => slot.writeSync(bytes),
      listened: () => listened.writeSync(bytes),
    };
    const waiting = waitAny(Object.values(receivers), { spin: 0 });
    send[first]();
    assertStrictEquals(await waiting, receivers[first], first);
    assertStrictEquals(waitAnySync(Object.values(receivers)), receivers[first], first);
  }
});
