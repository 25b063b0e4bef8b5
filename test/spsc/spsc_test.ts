import { assert, assertEquals, assertThrows } from "@std/assert";
import { CorruptRegionError, PeerLostError } from "../../src/errors.ts";
import { bytes, type Codec, json, text } from "../../src/codec.ts";
import type { Bytes } from "../../src/message.ts";
import { recordBytes } from "../../src/lane/record.ts";
import type { SpscConsumer } from "../../src/spsc/consumer.ts";
import { spsc } from "../../src/spsc/definition.ts";
import type { SpscProducer } from "../../src/spsc/producer.ts";
import { Random } from "../random.ts";
import { Name } from "../shared/scene.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { CAPACITY, Inside, Pair, plain, valueOf } from "./scene.ts";

Deno.test("SpscProducer.trySend() sends every length from 0 to maxMessage", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  assertEquals(producer.maxMessage, producer.capacity - 8);
  let sequence = 0;
  for (let length = 0; length <= producer.maxMessage; length += length < 300 ? 1 : 97) {
    assert(producer.trySend(payload(length, length)));
    const message = plain(consumer.tryReceive());
    const value = payload(length, length);
    assertEquals(message, { value, redelivered: false, sequence: ++sequence, lost: 0 });
  }
  assert(producer.trySend(payload(1, producer.maxMessage)));
  assertEquals(valueOf(consumer.tryReceive()), payload(1, producer.maxMessage));
  assertEquals(consumer.tryReceive(), undefined);
});

Deno.test("SpscProducer refuses a message that can never fit at once", () => {
  using pair = new Pair();
  const { producer } = pair;
  const tooLong = producer.maxMessage + 1;
  const attempts = [
    () => producer.trySend(new Uint8Array(tooLong)),
    () => producer.sendSync(new Uint8Array(tooLong)),
    () => producer.trySendBatch([new Uint8Array(tooLong)]),
    () => producer.tryClaim(tooLong),
    () => producer.claimSync(tooLong),
    () => producer.tryClaim(2 ** 32),
    () => producer.tryClaim(-1),
    () => producer.tryClaim(1.5),
    () => producer.tryClaim(NaN),
  ];
  for (const attempt of attempts) assertThrows(attempt, RangeError, "a message can have");
  assertEquals(producer.available, 0);
});

Deno.test("SpscProducer.trySendBatch() sends the messages that fit, and returns their number", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const values = Array.from({ length: 100 }, (_, i) => payload(i, 92));
  const sent = producer.trySendBatch(values);
  assertEquals(sent, Math.floor(producer.capacity / recordBytes(92)));
  let seen = 0;
  const check = (shown: { bytes: Uint8Array }) => assertEquals(shown.bytes, payload(seen++, 92));
  assertEquals(consumer.poll(check), sent);
  assertEquals(producer.trySendBatch(values.slice(sent, sent + 10)), 10);
  assertEquals(consumer.poll(check), 10);
  assertEquals(producer.trySendBatch([]), 0);
  assertEquals(consumer.poll(check), 0);
});

/** Bytes, and a look at the world before each is encoded. */
function codecThatLooks(look: () => void): Bytes {
  return {
    ...bytes(),
    encode: (value, into) => {
      look();
      return bytes().encode(value, into);
    },
  };
}

Deno.test("SpscProducer.trySendBatch() shows nothing before the last one is written", () => {
  using name = new Name();
  const seen: number[] = [];
  using consumer = spsc(name.name, { capacity: CAPACITY }).consumer();
  const looks = codecThatLooks(() => seen.push(consumer.available));
  using producer = spsc(name.name, { capacity: CAPACITY, type: looks }).producer();
  producer.trySendBatch([payload(1, 8), payload(2, 8), payload(3, 8)]);
  assertEquals(seen, [0, 0, 0]);
  assertEquals(consumer.available, 48);
});

Deno.test("SpscProducer.trySendBatch() sends the messages before a value that cannot be sent", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const values = [payload(1, 8), new Uint8Array(producer.capacity), payload(2, 8)];
  assertThrows(() => producer.trySendBatch(values), RangeError);
  assertEquals(valueOf(consumer.tryReceive()), payload(1, 8));
  assertEquals(consumer.tryReceive(), undefined);
});

for (const leave of ["end", "abort"] as const) {
  Deno.test(`SpscProducer.${leave}() in a value of a batch loses none of the values before`, async () => {
    using name = new Name();
    const ring = spsc(name.name, { type: json<unknown>(), capacity: CAPACITY });
    using consumer = ring.consumer();
    using producer = ring.producer();
    const leaving = {
      toJSON() {
        producer.trySendBatch([]); // publishes nothing
        producer[leave]();
      },
    };
    assertThrows(() => producer.trySendBatch([1, 2, leaving, 4]), Error);
    assertEquals([consumer.receiveSync(), consumer.receiveSync()].map(valueOf), [1, 2]);
    if (leave === "end") {
      assertEquals([await consumer.receive(), consumer.ended], [undefined, true]);
    } else assertThrows(() => consumer.receiveSync(), PeerLostError);
  });
}

Deno.test("SpscProducer.end() stores no head when nothing is left to publish", () => {
  using pair = new Pair();
  const { name, producer } = pair;
  using inside = new Inside(name.name);
  producer.trySendBatch([payload(1, 8), payload(2, 8)]);
  inside.head.store(8); // a successor's, or that of a test which starts near a wrap
  producer.end();
  assertEquals(inside.head.load(), 8);
});

Deno.test("SpscConsumer.tryTake() shows a message in place until it is acknowledged", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  assertEquals(consumer.tryTake(), undefined);
  for (let round = 0; round < 100; round++) {
    producer.trySend(payload(round, 200));
    producer.trySend(payload(round + 1, 10));
    const message = consumer.tryTake()!;
    assertEquals([message.bytes, message.redelivered], [payload(round, 200), false]);
    assertEquals(producer.available, recordBytes(200) + recordBytes(10));
    message.ack();
    assertEquals(message.bytes.length, 0);
    assertEquals(producer.available, recordBytes(10));
    message[Symbol.dispose](); // gives nothing back
    assertEquals(producer.available, recordBytes(10));
    assertEquals(valueOf(consumer.tryReceive()), payload(round + 1, 10));
  }
});

Deno.test("the pattern max - 1, max, receive two, send max does not stick", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const max = producer.capacity / 2 - 8;
  for (let round = 0; round < 100; round++) {
    assert(producer.trySend(payload(1, max - 1)));
    assert(producer.trySend(payload(2, max)));
    assertEquals(producer.trySend(payload(0, 0)), false);
    assertEquals(valueOf(consumer.tryReceive()), payload(1, max - 1));
    assertEquals(valueOf(consumer.tryReceive()), payload(2, max));
    assert(producer.trySend(payload(3, producer.maxMessage)));
    assertEquals(valueOf(consumer.tryReceive()), payload(3, producer.maxMessage));
    producer.trySend(payload(4, round)); // and the next round begins elsewhere
    assertEquals(valueOf(consumer.tryReceive()), payload(4, round));
  }
});

Deno.test("messages stay in order where the positions wrap at 2^32, however far `taken` is behind", () => {
  using name = new Name();
  using inside = new Inside(name.name);
  for (const lag of [0, 2 ** 31 - 8, 2 ** 31, 2 ** 31 + inside.place.capacity - 8]) {
    inside.startAt(2 ** 32 - 800, lag);
    const ring = spsc(name.name, { capacity: CAPACITY });
    using producer = ring.producer();
    using consumer = ring.consumer();
    for (let i = 0; i < 20; i++) {
      assert(producer.trySend(payload(i, 90)));
      assert(producer.trySend(payload(i + 1, 30)));
      const first = consumer.tryReceive()!;
      assertEquals([first.value, first.redelivered], [payload(i, 90), false]);
      const second = consumer.poll(({ bytes, redelivered }) =>
        assert(isPayload(bytes, i + 1) && !redelivered)
      );
      assertEquals(second, 1);
    }
    assertEquals(inside.head.load(), 20 * 144 - 800);
  }
});

Deno.test("SpscConsumer refuses a corrupt length in every way of receiving, and then continues", () => {
  using pair = new Pair();
  const { name, producer, consumer } = pair;
  using inside = new Inside(name.name);
  producer.trySend(payload(1, 10));
  producer.trySend(payload(2, 10));
  assertEquals(valueOf(consumer.tryReceive()), payload(1, 10));
  inside.length = { at: 24, is: 17 };
  const attempts = [
    () => consumer.tryReceive(),
    () => consumer.tryReceiveInto(new Uint8Array(100)),
    () => consumer.tryReceiveBatchInto(new Uint8Array(100), new Uint32Array(2)),
    () => consumer.receiveSync(),
    () => consumer.tryTake(),
    () => consumer.poll(() => {}),
    () => consumer.tryTakeBatch(),
    () => consumer.takeBatchSync(),
  ];
  for (const attempt of attempts) assertThrows(attempt, CorruptRegionError, "17 bytes of the 24");
  inside.length = { at: 24, is: 10 };
  assertEquals(valueOf(consumer.tryReceive()), payload(2, 10));
});

Deno.test("tryReceiveBatchInto() copies as many messages as fit, round the end of the ring, too", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const places = new Uint32Array(2 * 5);
  const random = new Random(15);
  const lengths = [0, 1, 7, 8, 9, 100, 200];
  let [sent, received] = [0, 0];
  const lengthOf = (number: number) => lengths[number * 31 % lengths.length]!;
  while (received < 2000) {
    while (random.below(8) > 0 && producer.trySend(payload(sent, lengthOf(sent)))) sent++;
    const target = new Uint8Array(300 + random.below(900)).subarray(8);
    const sequence = received;
    const count = consumer.tryReceiveBatchInto(target, places);
    assert(count <= 5 && (count > 0 || received === sent));
    for (let i = 0; i < count; i++) {
      const [start, end] = [places[2 * i]!, places[2 * i + 1]!];
      assertEquals([start % 8, target.subarray(start, end)], [
        0,
        payload(received, lengthOf(received)),
      ]);
      received++;
    }
    if (received < sent) { // the others, one of them as before
      assertEquals(consumer.tryReceive()!.sequence, sequence + count + 1);
      received++;
    }
  }
});

Deno.test("tryReceiveBatchInto() refuses what is too small, and ends before a corrupt length", () => {
  using pair = new Pair();
  const { name, producer, consumer } = pair;
  using inside = new Inside(name.name);
  const places = new Uint32Array(20);
  const target = new Uint8Array(200);
  producer.trySendBatch([payload(1, 10), payload(2, 10), payload(3, 10)]);
  const small = () => consumer.tryReceiveBatchInto(new Uint8Array(23), places);
  assertThrows(small, RangeError, "the message has 10");
  for (const wrong of [new Uint32Array(1), [0, 0], undefined, new Float64Array(4)] as never[]) {
    assertThrows(() => consumer.tryReceiveBatchInto(target, wrong), TypeError, "a Uint32Array");
  }
  inside.length = { at: 48, is: 17 };
  assertEquals(consumer.tryReceiveBatchInto(target, places), 2);
  assertThrows(() => consumer.tryReceiveBatchInto(target, places), CorruptRegionError, "17 bytes");
  inside.length = { at: 48, is: 10 };
  assertEquals(consumer.tryReceiveBatchInto(target, new Uint32Array(2)), 1);
  assertEquals(consumer.tryReceiveBatchInto(target, places), 0);
});

Deno.test("SpscConsumer.tryTakeBatch() takes the messages before a corrupt length or head", () => {
  const harms: ((inside: Inside) => void)[] = [
    (inside) => inside.length = { at: 48, is: 17 },
    (inside) => inside.head.store(2 ** 31),
  ];
  for (const harm of harms) {
    using pair = new Pair();
    const { name, producer, consumer } = pair;
    using inside = new Inside(name.name);
    producer.trySendBatch([payload(1, 10), payload(2, 10), payload(3, 10)]);
    assertEquals(consumer.available, 72);
    harm(inside);
    const batch = consumer.tryTakeBatch()!;
    assertEquals([...batch].slice(0, 2).map(({ bytes }) => bytes), [
      payload(1, 10),
      payload(2, 10),
    ]);
    batch.ack();
    batch[Symbol.dispose]();
    assertThrows(() => consumer.tryTakeBatch(), CorruptRegionError);
  }
});

Deno.test("both ends return messages or throw a CorruptRegionError, for any words of a peer", () => {
  using name = new Name();
  using inside = new Inside(name.name);
  const random = new Uint32Array(2);
  const { head, tail, taken, producer: own, consumer: other, cutAt, cuts } = inside;
  const words = [head, tail, taken, own, other, cutAt, cuts];
  let corrupt = 0;
  let received = 0;
  for (let round = 0; round < 1500; round++) {
    words.forEach((word) => word.store(0));
    const ring = spsc(name.name, { capacity: CAPACITY });
    using producer = ring.producer();
    using consumer = ring.consumer();
    for (let i = 0; i < 4; i++) producer.trySend(payload(i, (round * 37 + i) % 300));
    if (round % 3 === 0) consumer.tryReceive();
    crypto.getRandomValues(random);
    const word = words[round % words.length]!;
    word.store(round % 2 === 0 ? random[0]! : word.load() + random[0]! % 4096);
    const counts = [NaN, -1, 2 ** 60, random[0]!, random[1]! / 7];
    inside.count = { at: round % 4, is: counts[round % counts.length]! };
    if (round % 4 === 0) inside.length = { at: random[1]! - random[1]! % 8, is: random[0]! % 900 };
    const acts = [() => fill(producer, round % 500), () => drain(consumer)];
    for (const act of random[1]! % 3 === 0 ? acts : acts.reverse()) {
      try {
        act();
      } catch (error) {
        if (!(error instanceof CorruptRegionError)) throw error;
        corrupt++;
      }
    }
  }
  assert(corrupt > 100 && received > 100, `${corrupt} ${received}`);

  function fill(producer: SpscProducer, length: number): void {
    for (let i = 0; i < 1000; i++) if (!producer.trySend(payload(i, length))) return;
    throw new Error("more was sent than the ring can hold");
  }

  function drain(consumer: SpscConsumer): void {
    for (let i = 0; i < 1000; i++) {
      if (i % 3 === 2) {
        using batch = consumer.tryTakeBatch({ limit: 2 });
        if (batch === undefined) return;
        for (const { bytes, sequence } of batch) {
          assert(bytes.length <= consumer.maxMessage && Number.isInteger(sequence));
          received++;
        }
        batch.ack();
        continue;
      }
      const message = consumer.tryReceive();
      if (message === undefined) return;
      assert(message.value.length <= consumer.maxMessage);
      received++;
    }
    throw new Error("more was received than the ring can hold");
  }
});

Deno.test("a codec that receives while it decodes keeps the bytes that it has", () => {
  using name = new Name();
  let depth = 0;
  const inner: unknown[] = [];
  const nested: Codec<string> = {
    ...text(),
    decode: (bytes) => {
      if (depth++ === 0) inner.push(valueOf(consumer.tryReceive()));
      depth--;
      return text().decode(bytes);
    },
  };
  const ring = spsc(name.name, { type: nested });
  using producer = ring.producer();
  using consumer = ring.consumer();
  producer.sendBatchSync(["outer", "inner"]);
  assertEquals([valueOf(consumer.tryReceive()), ...inner], ["outer", "inner"]);
});

Deno.test("SpscConsumer.poll() shows one message object, which is empty once the handler has returned", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  producer.trySendBatch([payload(1, 10), payload(2, 20)]);
  const seen = new Set<{ readonly bytes: Uint8Array }>();
  const handled = consumer.poll((message) => {
    seen.add(message);
    assertEquals(message.bytes, payload(message.sequence, 10 * message.sequence));
    assertEquals(message.value, message.bytes);
    assert(message.value !== message.bytes && message.value === message.value);
  });
  assertEquals([handled, seen.size], [2, 1]);
  const [message] = seen;
  assertEquals(message!.bytes.length, 0);
});
