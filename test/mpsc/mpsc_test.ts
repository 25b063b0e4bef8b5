/**
 * Rings with many producers: whose message it is, in whatever way it is received, and in which order
 * messages come. What all senders and receivers have in common is tested in spsc_test.ts.
 */

import { assert, assertEquals } from "@std/assert";
import { mpsc } from "../../src/mpsc/definition.ts";
import { recordBytes } from "../../src/lane/record.ts";
import { Name } from "../shared/scene.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";
import { CAPACITY, Cast, flood, Inside, valueOf } from "./scene.ts";

Deno.test("MpscConsumer names the producer of each message, in every way to receive", async () => {
  using cast = new Cast({ lanes: 3 });
  const { name, ring, consumer, producers } = cast;
  using inside = new Inside(name.name);
  inside.seats[2]!.generation.store(41); // a look at it comes only with a message
  producers[2]!.close();
  producers[2] = ring.producer();
  assertEquals(producers.map(({ id, generation }) => [id, generation]), [[0, 1], [1, 1], [2, 42]]);
  for (const { id: producer, generation } of producers) {
    const send = () => producers[producer]!.trySend(payload(producer, 30));
    const value = payload(producer, 30).slice();
    const told = { value, redelivered: false, producer, generation, lost: 0 };
    const seen = (message: ReturnType<typeof consumer.tryReceive>) => {
      const { value, redelivered, producer, generation, lost, sequence } = message!;
      return { value, redelivered, producer, generation, lost, sequence };
    };
    send();
    assertEquals(seen(consumer.tryReceive()), { ...told, sequence: 1 });
    send();
    assertEquals(seen(consumer.receiveSync()), { ...told, sequence: 2 });
    send();
    assertEquals(seen(await consumer.receive()), { ...told, sequence: 3 });
    for (
      const [take, sequence] of [[() => consumer.tryTake(), 4], [
        () => consumer.takeSync(),
        5,
      ]] as const
    ) {
      send();
      using message = take()!;
      assertEquals(message.bytes, value);
      assertEquals(seen(message), { ...told, sequence });
      message.ack();
    }
    send();
    using batch = consumer.takeBatchSync()!;
    const [message] = [...batch];
    assertEquals([message!.producer, message!.generation, message!.sequence], [
      producer,
      generation,
      6,
    ]);
    batch.ack();
    batch[Symbol.dispose]();
    send();
    const handled = consumer.poll((message) => {
      assertEquals(message.bytes, value);
      assertEquals(seen(message), { ...told, sequence: 7 });
    });
    assertEquals(handled, 1);
  }
});

Deno.test("MpscDefinition.producer() takes the first free seat, or the requested one", () => {
  using cast = new Cast({ lanes: 5, vacant: 3 });
  const { ring, producers } = cast;
  const open = (id?: number) => {
    const producer = ring.producer({ id });
    producers.push(producer);
    return producer.id;
  };
  assertEquals(producers.map(({ id }) => id), [0, 1]);
  assertEquals([open(3), open(), open()], [3, 2, 4]);
  producers[1]!.close();
  assertEquals(open(), 1);
  producers[0]!.close();
  producers[2]!.close();
  assertEquals([open(3), open(0)], [3, 0]);
});

Deno.test("a seat that is taken again has another generation, and messages tell them apart", () => {
  using cast = new Cast({ lanes: 2, vacant: 2 });
  const { ring, consumer } = cast;
  for (let generation = 1; generation <= 20; generation++) {
    using producer = ring.producer({ id: 1 });
    assertEquals(producer.generation, generation);
    producer.trySend(payload(generation, 12));
    if (generation % 2 === 0) producer.close(); // what it sent is still its own
    const outcome = valueOf(consumer.tryReceive());
    assertEquals([outcome.value, outcome.producer], [payload(generation, 12), 1]);
    assertEquals(outcome.generation, generation);
  }
});

Deno.test("MpscConsumer keeps the order of each producer, by every way to receive, mixed", () => {
  using cast = new Cast({ lanes: 4 });
  const { consumer, producers } = cast;
  const sent = producers.map(() => 0);
  const received = producers.map(() => 0);
  const message = (id: number, i: number) => payload(5000 * id + i, lengthOf(5000 * id + i, 700));
  const check = (bytes: Uint8Array, producer: number) => {
    assertEquals(bytes, message(producer, received[producer]!++));
  };
  for (let round = 0; round < 4000; round++) {
    const id = (round * 7 + (round >> 3)) % 4;
    if (producers[id]!.trySend(message(id, sent[id]!))) sent[id]!++;
    if (round % 3 === 0) continue;
    if (round % 50 === 1) {
      consumer.poll(({ bytes, producer }) => check(bytes, producer), round % 7);
    } else if (round % 2 === 0) {
      const message = consumer.tryReceive();
      if (message !== undefined) check(message.value, message.producer);
    } else {
      using message = consumer.tryTake();
      if (message === undefined) continue;
      check(message.bytes, message.producer);
      message.ack();
    }
  }
  consumer.poll(({ bytes, producer }) => check(bytes, producer));
  assertEquals(received, sent);
  assert(sent.every((count) => count > 500), `${sent}`);
});

Deno.test("MpscConsumer.poll() shows up to a limit, and releases a lane's messages together", () => {
  using cast = new Cast({ lanes: 3 });
  const { consumer, producers } = cast;
  for (const producer of producers) flood(producer, 40);
  const used = () => producers.map(({ available }) => available / recordBytes(40));
  for (const limit of [0, 1, 5, 16, 17, 40]) {
    const before = used();
    const seen = [0, 0, 0];
    const handled = consumer.poll(({ producer }) => {
      seen[producer]!++;
      // of the lane whose turn it is nothing is released yet
      assertEquals(
        used()[producer]! + Math.floor((seen[producer]! - 1) / 16) * 16,
        before[producer],
      );
    }, limit);
    assertEquals(handled, limit);
    assertEquals(used(), before.map((count, id) => count - seen[id]!));
  }
  const rest = used().reduce((sum, count) => sum + count, 0);
  assertEquals(consumer.poll(() => {}), rest);
  assertEquals([used(), consumer.available], [[0, 0, 0], 0]);
});

Deno.test("MpscConsumer.close() within a poll keeps the messages that the handler has not seen, in every lane", () => {
  using cast = new Cast();
  const { consumer, producers } = cast;
  for (const { id } of producers) {
    producers[id]!.trySendBatch([payload(id, 10), payload(id + 2, 10), payload(id + 4, 10)]);
  }
  const left = new Set([0, 1, 2, 3, 4, 5]);
  let calls = 0;
  const handled = consumer.poll(({ bytes, producer }) => {
    const message = [0, 2, 4].find((i) => isPayload(bytes, producer + i))!;
    left.delete(producer + message);
    if (++calls === 4) consumer.close();
  });
  assertEquals([handled, left.size], [4, 2]);
  using next = cast.open();
  next.poll(({ bytes, producer, redelivered }) => {
    const message = [0, 2, 4].find((i) => isPayload(bytes, producer + i))!;
    assert(left.delete(producer + message) && !redelivered);
  });
  assertEquals(left.size, 0);
});

Deno.test("MpscConsumer reports the messages that an earlier consumer had taken, for each lane", () => {
  using cast = new Cast({ lanes: 3 });
  const { consumer, producers } = cast;
  for (const { id } of producers) {
    producers[id]!.trySendBatch([payload(id, 30), payload(id + 10, 30)]);
  }
  const taken = consumer.tryTake()!;
  const first = taken.producer;
  consumer.close();
  taken[Symbol.dispose](); // too late
  using next = cast.open();
  const flags: Record<number, boolean[]> = { 0: [], 1: [], 2: [] };
  while (next.available > 0) {
    const { producer, redelivered, value } = valueOf(next.tryReceive());
    assertEquals(value, payload(producer + 10 * flags[producer]!.length, 30));
    flags[producer]!.push(redelivered);
  }
  for (const { id } of producers) assertEquals(flags[id], [id === first, false]);
});

Deno.test("every lane keeps its messages where its positions wrap", () => {
  for (const wrap of [2 ** 31, 2 ** 32]) {
    using name = new Name();
    using inside = new Inside(name.name, { producers: 3 });
    inside.startAt(wrap - 800);
    const ring = mpsc(name.name, { producers: 3, capacity: CAPACITY });
    using consumer = ring.consumer();
    const producers = [0, 1, 2].map((id) => ring.producer({ id }));
    for (let i = 0; i < 30; i++) {
      for (const { id } of producers) assert(producers[id]!.trySend(payload(id + i, 90)));
      const seen = new Set<number>();
      while (seen.size < 3) {
        const { producer, value, redelivered } = valueOf(consumer.tryReceive());
        assertEquals([value, redelivered], [payload(producer + i, 90), false]);
        seen.add(producer);
      }
    }
    for (const { head } of inside.seats) {
      assertEquals(head.load(), (wrap - 800 + 30 * 104) % 2 ** 32);
    }
    for (const producer of producers) producer.close();
  }
});

Deno.test("MpscConsumer loops over the messages of all producers, and acknowledges each in its lane", async () => {
  using cast = new Cast({ lanes: 3 });
  const { consumer, producers } = cast;
  for (const { id } of producers) {
    producers[id]!.trySendBatch([payload(id, 8), payload(id + 3, 8)]);
    producers[id]!.end();
  }
  let left: { producer: number; sequence: number } | undefined;
  let turns = 0;
  for await (const message of consumer.messages()) {
    const { producer, sequence, bytes, generation } = message;
    assertEquals([bytes, generation], [payload(producer + 3 * (sequence - 1), 8), 1]);
    if (++turns === 4) {
      left = { producer, sequence };
      break;
    }
  }
  const again: string[] = [];
  for await (const batch of consumer.batches({ limit: 2 })) {
    for (const { producer, sequence, redelivered } of batch) {
      assertEquals(redelivered, producer === left!.producer && sequence === left!.sequence);
      again.push(`${producer}/${sequence}`);
    }
  }
  assertEquals([new Set(again).size, again.length, consumer.ended], [3, 3, true]);
});
