/**
 * Waiting at rings with many producers: wake-ups, and reports of ends that closed or died.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PeerLostError } from "../../src/errors.ts";
import { json } from "../../src/codec.ts";
import { Word32 } from "../../src/memory/word.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import { CAPACITY, Cast, flood, Inside, valueOf } from "./scene.ts";

Deno.test("a waiting consumer is woken by the producer of any lane", async () => {
  using cast = new Cast({ lanes: 64 });
  const { consumer, producers } = cast;
  for (const { id } of producers) {
    for (const wait of [() => consumer.receive({ spin: 0 }), () => consumer.receive()]) {
      const waiting = wait();
      producers[id]!.trySend(payload(id, 20));
      const { value, producer } = valueOf(await waiting);
      assertEquals([value, producer], [payload(id, 20), id]);
    }
  }
});

Deno.test("a waiting producer is woken only by reads of its own lane", async () => {
  using cast = new Cast();
  const { consumer, producers: [one, other] } = cast;
  flood(one!, 248);
  flood(other!, 248);
  let woken = 0;
  const sends = [one!, other!].map((producer, id) =>
    producer.send(payload(id, 248), { spin: 0, timeout: 30_000 }).then(() => woken |= 1 << id)
  );
  const { producer } = valueOf(consumer.tryReceive());
  await sends[producer];
  assertEquals(woken, 1 << producer);
  assertEquals(cast.producers[1 - producer]!.free, 0);
  while (consumer.poll(() => {}) > 0);
  await Promise.all(sends);
  assertEquals(woken, 3);
});

Deno.test("a consumer sees that the producers have closed once the last one has", async () => {
  using cast = new Cast({ lanes: 3, vacant: 1 });
  const { ring, consumer, producers: [one, other] } = cast;
  one!.trySend(payload(1, 10));
  one!.close();
  assertEquals(valueOf(consumer.tryReceive()).value, payload(1, 10));
  assertEquals([consumer.tryReceive(), consumer.ended], [undefined, false]);
  assertThrows(() => consumer.receiveSync({ timeout: 1 }), DOMException, "have passed");
  other!.trySend(payload(2, 10));
  const waiting = consumer.receive();
  assertEquals(valueOf(await waiting).value, payload(2, 10));
  const last = consumer.receive();
  other!.close();
  assertEquals([await last, consumer.ended], [undefined, true]);
  for (const message of [consumer.tryReceive(), consumer.receiveSync(), consumer.tryTake()]) {
    assertEquals(message, undefined);
  }
  assertEquals([consumer.waitSync(), await consumer.wait()], [false, false]);
  using next = ring.producer({ id: 2 });
  assertEquals([consumer.tryReceive(), consumer.ended], [undefined, false]);
  next.trySend(payload(3, 10));
  assertEquals(valueOf(consumer.receiveSync()).value, payload(3, 10));
});

Deno.test("a consumer drains every lane of closed producers before it reports the end", async () => {
  using cast = new Cast({ lanes: 5 });
  const { name, consumer, producers } = cast;
  for (const producer of producers) {
    producer.trySendBatch([payload(producer.id, 20), payload(producer.id + 1, 20)]);
    producer.close();
  }
  using inside = new Inside(name.name);
  inside.board.hint.store(0); // also without hints
  const seen = new Map<number, number>();
  for (;;) {
    const message = await consumer.receive();
    if (message === undefined) break;
    const count = seen.get(message.producer) ?? 0;
    assertEquals(message.value, payload(message.producer + count, 20));
    seen.set(message.producer, count + 1);
  }
  assertEquals([...seen].toSorted(), [[0, 2], [1, 2], [2, 2], [3, 2], [4, 2]]);
});

Deno.test("a ring is not closed before the first producer has opened it", async () => {
  using cast = new Cast({ lanes: 3, vacant: 3 });
  const { ring, consumer } = cast;
  assertEquals([consumer.tryReceive(), consumer.ended], [undefined, false]);
  const waiting = consumer.receive();
  using producer = ring.producer();
  producer.trySend(payload(1, 10));
  assertEquals(valueOf(await waiting).value, payload(1, 10));
});

Deno.test("every waiting producer gets an error when its consumer closes", async () => {
  using cast = new Cast({ lanes: 3 });
  const { ring, consumer, producers } = cast;
  for (const producer of producers) flood(producer, 248);
  const waits = producers.map((producer) => producer.send(payload(1, 248)).catch((error) => error));
  const flushing = producers[0]!.flush().catch((error) => error);
  consumer.close();
  for (const error of await Promise.all([...waits, flushing])) {
    assert(error instanceof PeerLostError && error.message.includes("its consumer has closed"));
  }
  using patient = ring.producer({ onPeerGone: "wait", id: closeOne() });
  flood(patient, 248);
  assertThrows(
    () => patient.sendSync(payload(1, 248), { timeout: 5 }),
    DOMException,
    "have passed",
  );
  const sending = patient.send(payload(1, 248));
  using next = cast.open();
  while (next.poll(() => {}) > 0);
  await sending;
  assertEquals(valueOf(next.receiveSync()).producer, patient.id);

  /** Returns the number of a free seat with an empty lane. */
  function closeOne(): number {
    using reader = cast.open();
    while (reader.poll(() => {}) > 0);
    producers[1]!.close();
    return 1;
  }
});

Deno.test("for await yields every value of all producers until the last one closes", async () => {
  using name = new Name();
  const type = json<[number, number]>();
  const ring = mpsc(name.name, { type, capacity: CAPACITY, producers: 4 });
  using consumer = ring.consumer();
  const sending = [0, 1, 2, 3].map(async (id) => {
    using producer = ring.producer({ id });
    for (let i = 0; i < 500; i++) await producer.send([id, i], { spin: 0 });
    producer.end();
  });
  const next = [0, 0, 0, 0];
  for await (const [id, i] of consumer) assertEquals(i, next[id]!++);
  assertEquals(next, [500, 500, 500, 500]);
  await Promise.all(sending);
});

Deno.test("a consumer reports a lost producer once the last one is gone, unless another took its lane", async () => {
  using cast = new Cast({ lanes: 2 });
  const { ring, consumer, producers: [one, other] } = cast;
  one!.trySend(payload(1, 10));
  one!.abort();
  assertEquals(valueOf(consumer.tryReceive()).value, payload(1, 10));
  assertThrows(() => consumer.receiveSync({ timeout: 1 }), DOMException, "have passed"); // the other is open
  const waiting = consumer.receive();
  other!.end();
  await assertRejects(() => waiting, PeerLostError, "without end()");
  ring.producer({ id: 0 }).end();
  assertEquals([consumer.receiveSync(), consumer.ended], [undefined, true]);
});

Deno.test("MpscConsumer raises its bell only to sleep: while it polls, nobody makes a system call", () => {
  using cast = new Cast();
  const { name, consumer, producers } = cast;
  using inside = new Inside(name.name);
  const { dataBell } = inside.board;
  const bells = () =>
    [dataBell.word, ...inside.seats.map(({ spaceBell }) => spaceBell)]
      .map((bell) => bell.load());
  const before = bells();
  const changes: string[] = [];
  const methods = ["or", "add", "exchange", "sub", "and"] as const;
  const shipped = methods.map((method) => Word32.prototype[method]);
  methods.forEach((method, i) => {
    Word32.prototype[method] = function (value) {
      if (this.path.endsWith("bell")) changes.push(`${this.path} ${method}`);
      return shipped[i]!.call(this, value);
    };
  });
  try {
    for (let i = 0; i < 3000; i++) {
      while (!producers[i % 2]!.trySend(payload(i, 60))) consumer.poll(() => {}, 5);
      if (i % 3 === 0) consumer.tryReceive();
      if (i % 100 === 0) { while (consumer.poll(() => {}) > 0); }
    }
    while (consumer.tryReceive() !== undefined);
    assertEquals(consumer.poll(() => {}), 0);
  } finally {
    methods.forEach((method, i) => Word32.prototype[method] = shipped[i]!);
  }
  assertEquals([changes, bells()], [[], before]); // even: a producer that rings wakes no one
  assert(before.every((bell) => bell % 2 === 0));
  assertThrows(() => consumer.receiveSync({ timeout: 1 }), DOMException, "have passed");
  assertEquals(dataBell.word.load() % 2, 1);
  producers[0]!.trySend(payload(1, 10));
  assertEquals(dataBell.word.load() % 2, 0); // and now it has woken
});
