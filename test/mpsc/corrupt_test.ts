/**
 * Rings with many producers whose memory one end corrupts: one error reports it, and the other ends
 * continue.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CorruptRegionError, PeerLostError, RoleTakenError } from "../../src/errors.ts";
import { MPSC_CONTROL, MPSC_SEAT } from "../../src/mpsc/mpsc.ts";
import type { MpscConsumer } from "../../src/mpsc/consumer.ts";
import { countFiles, rangesOf } from "../os/process_state.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { CAPACITY, Cast, Inside, valueOf } from "./scene.ts";

/** Ways to receive a message; each returns its producer, or -1 if all lanes are empty. */
const WAYS: Readonly<Record<string, (consumer: MpscConsumer) => number | Promise<number>>> = {
  tryReceive: (consumer) => producerOf(consumer.tryReceive()),
  receiveSync: (consumer) => producerOf(consumer.receiveSync()),
  receive: async (consumer) => producerOf(await consumer.receive()),
  tryTake: (consumer) => sampled(consumer.tryTake()),
  takeSync: (consumer) => sampled(consumer.takeSync()),
  take: async (consumer) => sampled(await consumer.take()),
  takeBatchSync: (consumer) => batched(consumer.takeBatchSync({ limit: 1 })),
  takeBatch: async (consumer) => batched(await consumer.takeBatch({ limit: 1 })),
  poll(consumer) {
    let found = -1;
    consumer.poll(({ producer }) => found = producer, 1);
    return found;
  },
};

function producerOf(message: ReturnType<MpscConsumer["tryReceive"]>): number {
  return message?.producer ?? -1;
}

function sampled(taken: ReturnType<MpscConsumer["tryTake"]>): number {
  if (taken === undefined) return -1;
  using message = taken;
  message.ack();
  return message.producer;
}

function batched(taken: ReturnType<MpscConsumer["tryTakeBatch"]>): number {
  if (taken === undefined) return -1;
  using batch = taken;
  const { producer } = [...batch][0]!;
  batch.ack();
  return producer;
}

/** The damage of a broken producer to its lane, which holds two messages of 10 bytes. */
const DAMAGES: Readonly<Record<string, (inside: Inside, id: number) => void>> = {
  "a length beyond what was published": (inside, id) => inside.setLength(id, 0, 100),
  "a length below 0": (inside, id) => inside.setLength(id, 0, -8),
  "a length that is not a number": (inside, id) => inside.setLength(id, 0, NaN),
  "a length that is a fraction": (inside, id) => inside.setLength(id, 0, 0.5),
  "a head beyond the capacity": ({ seats }, id) => seats[id]!.head.store(CAPACITY + 8),
  "a head before the tail": ({ seats }, id) => seats[id]!.head.store(2 ** 32 - 8),
  "a head that is not a multiple of 8": ({ seats }, id) => seats[id]!.head.store(23),
};

for (const [damage, harm] of Object.entries(DAMAGES)) {
  Deno.test(`MpscConsumer reports ${damage} once, and serves the other lanes`, async () => {
    for (const receive of Object.values(WAYS)) {
      using cast = new Cast({ lanes: 3 });
      const { name, consumer, producers } = cast;
      using inside = new Inside(name.name);
      for (const producer of producers) {
        producer.trySendBatch([payload(1, 10), payload(2, 10)]);
      }
      harm(inside, 1);
      const seen: (number | string)[] = [];
      while (seen.length < 5) {
        try {
          seen.push(await receive(consumer));
        } catch (error) {
          assert(error instanceof CorruptRegionError, `${error}`);
          seen.push(error.message);
        }
      }
      assertEquals(seen.filter((one) => typeof one === "number").sort(), [0, 0, 2, 2]);
      const message = seen.find((one) => typeof one === "string")!;
      assert(`${message}`.includes(`lane 1 of ring "${name.name}"`), `${message}`);
      for (let i = 0; i < 300; i++) { // also when every lane is looked at
        assertEquals(consumer.tryReceive(), undefined);
        assertEquals(consumer.available, 0);
      }
      const late = await consumer.receive({ timeout: 5 }).catch((error) => error.name);
      assertEquals(late, "TimeoutError");
      producers[2]!.trySend(payload(3, 30));
      assertEquals(valueOf(consumer.tryReceive()).value, payload(3, 30));
    }
  });
}

for (const [damage, harm] of Object.entries(DAMAGES)) {
  Deno.test(`a batch reports ${damage} once, and has every message of the other lanes`, () => {
    using cast = new Cast({ lanes: 3 });
    const { name, consumer, producers } = cast;
    using inside = new Inside(name.name);
    for (const producer of producers) producer.trySendBatch([payload(1, 10), payload(2, 10)]);
    harm(inside, 1);
    const seen: string[] = [];
    let errors = 0;
    for (let i = 0; i < 4; i++) {
      try {
        using batch = consumer.tryTakeBatch();
        if (batch === undefined) continue;
        for (const { producer, sequence, bytes, redelivered } of batch) {
          assertEquals([bytes, redelivered], [payload(sequence, 10), false]);
          seen.push(`${producer}/${sequence}`);
        }
        batch.ack();
      } catch (error) {
        assert(error instanceof CorruptRegionError, `${error}`);
        errors++;
      }
    }
    assertEquals([seen.toSorted(), errors], [["0/1", "0/2", "2/1", "2/2"], 1]);
  });
}

Deno.test("a batch has the messages that were found before a lane was corrupted", () => {
  using cast = new Cast({ lanes: 3 });
  const { name, consumer, producers } = cast;
  using inside = new Inside(name.name);
  producers[1]!.trySendBatch([1, 2, 3].map((seed) => payload(seed, 10)));
  assertEquals(consumer.tryReceive()?.sequence, 1);
  DAMAGES["a head before the tail"]!(inside, 1);
  producers[2]!.trySend(payload(1, 10));
  {
    using batch = consumer.tryTakeBatch();
    assertEquals([...batch!].map(({ sequence }) => sequence), [2, 3]);
    batch!.ack();
  }
  assertThrows(() => consumer.tryTakeBatch(), CorruptRegionError, "lane 1");
  using batch = consumer.tryTakeBatch();
  assertEquals([...batch!].map(({ producer }) => producer), [2]);
});

Deno.test("MpscConsumer reports a corrupt lane once, by any method", async () => {
  const looks: ((consumer: MpscConsumer) => unknown)[] = [
    (consumer) => consumer.available,
    (consumer) => consumer.waitSync({ timeout: 0 }),
    (consumer) => consumer.wait({ timeout: 0 }),
    (consumer) => consumer.tryReceiveInto(new Uint8Array(10)),
  ];
  for (const look of looks) {
    using cast = new Cast();
    const { name, consumer, producers } = cast;
    using inside = new Inside(name.name);
    inside.seats[0]!.head.store(CAPACITY + 8);
    await assertRejects(async () => await look(consumer), CorruptRegionError, "lane 0");
    producers[1]!.trySend(payload(1, 10));
    for (const again of looks) await again(consumer);
    assertEquals(consumer.tryReceive(), undefined); // it was received above
  }
});

Deno.test("MpscConsumer.poll() releases the messages before a corrupt length, and then throws", () => {
  using cast = new Cast();
  const { name, consumer, producers } = cast;
  using inside = new Inside(name.name);
  producers[0]!.trySendBatch([payload(1, 10), payload(2, 10), payload(3, 10)]);
  producers[1]!.trySend(payload(4, 10));
  inside.setLength(0, 48, 17);
  const seen: number[] = [];
  const note = ({ bytes, producer }: { bytes: Uint8Array; producer: number }) => {
    seen.push(producer);
    assert(isPayload(bytes, producer === 0 ? seen.filter((one) => one === 0).length : 4));
  };
  assertThrows(
    () => {
      for (let i = 0; i < 3; i++) consumer.poll(note);
    },
    CorruptRegionError,
    "17 bytes of the 24",
  );
  consumer.poll(note);
  assertEquals(seen.toSorted(), [0, 0, 1]);
  assertEquals(producers[0]!.available, 24);
  assertEquals(consumer.poll(note), 0);
});

Deno.test("a producer whose consumer corrupts its tail throws; the others keep sending", () => {
  using cast = new Cast();
  const { name, producers: [broken, sound] } = cast;
  using inside = new Inside(name.name);
  for (const producer of [broken!, sound!]) while (producer.trySend(payload(1, 100)));
  for (const tail of [inside.seats[0]!.head.load() + 8, 2 ** 32 - 8]) {
    inside.seats[0]!.tail.store(tail);
    assertThrows(() => broken!.trySend(payload(1, 100)), CorruptRegionError, "lane 0 of ring");
    assertEquals(sound!.trySend(payload(1, 100)), false);
  }
});

Deno.test("a new consumer throws once over a corrupt lane, and then serves all lanes", () => {
  using cast = new Cast();
  const { name, ring, consumer, producers: [sound, broken] } = cast;
  using inside = new Inside(name.name);
  const { head, tail, taken } = inside.seats[1]!;
  consumer.close();
  broken!.close();
  const before = [countFiles(), rangesOf("/dev/shm").length];
  for (const [word, value] of [[head, CAPACITY + 8], [taken, 8]] as const) {
    sound!.trySend(payload(1, 10));
    word.store(tail.load() + value);
    assertThrows(() => cast.open(), CorruptRegionError, `lane 1 of ring "${name.name}"`);
    assertEquals([countFiles(), rangesOf("/dev/shm").length], before);
    assertEquals(inside.board.consumer.state.load(), 2); // it never was open
    using next = cast.open();
    assertEquals(valueOf(next.tryReceive()).value, payload(1, 10));
    using producer = ring.producer(); // in the lane that was corrupt
    producer.trySend(payload(2, 10));
    const received = valueOf(next.tryReceive());
    assertEquals([received.producer, received.value], [1, payload(2, 10)]);
  }
});

Deno.test("a new producer takes no lane with corrupt positions", () => {
  using cast = new Cast({ lanes: 2, vacant: 2 });
  const { name, ring } = cast;
  using inside = new Inside(name.name);
  inside.seats[0]!.head.store(CAPACITY + 8);
  assertThrows(() => ring.producer({ id: 0 }), RoleTakenError, "still unread");
  using other = ring.producer();
  assertEquals(other.id, 1);
});

Deno.test("any generation is reported unchanged, and counts on from there", () => {
  using cast = new Cast({ lanes: 1, vacant: 1 });
  const { name, ring, consumer } = cast;
  using inside = new Inside(name.name);
  for (const before of [0, 7, 2 ** 31 - 1, 2 ** 32 - 2, 2 ** 32 - 1]) {
    inside.seats[0]!.generation.store(before);
    using producer = ring.producer();
    assertEquals(producer.generation, (before + 1) % 2 ** 32);
    producer.trySend(payload(before, 20));
    assertEquals(valueOf(consumer.tryReceive()).generation, producer.generation);
  }
});

Deno.test("every word of the control block may be anything: lanes that are sound are served", () => {
  const words = wordsOfControl();
  const random = new Uint32Array(1);
  let corrupt = 0;
  for (let round = 0; round < 10 * words; round++) {
    const chance = crypto.getRandomValues(random)[0]!;
    const values = [0, 2 ** 32 - 1, chance, chance % 8192, chance % 64 * 8];
    corrupt += tryWord(round % words, values[Math.floor(round / words) % values.length]!);
  }
  assert(corrupt > 10, `${corrupt}`); // most words are the rest of a line
});

function wordsOfControl(): number {
  using inside = new Inside();
  return inside.size;
}

/** Stores a value in a word, uses every end, and returns the number of errors. */
function tryWord(index: number, value: number): number {
  using cast = new Cast();
  const { name, ring, consumer, producers } = cast;
  using inside = new Inside(name.name);
  for (const [id, producer] of producers.entries()) {
    for (let i = 0; i < 5; i++) producer.trySend(payload(10 * id + i, 30 * i));
  }
  assertEquals(valueOf(consumer.tryReceive()).producer, 1);
  inside.word(index).store(value);
  const seat = Math.floor((4 * index - MPSC_CONTROL.fields.seats.offset) / MPSC_SEAT.size);
  const errors: CorruptRegionError[] = [];
  const received = [0, 1];
  const attempt = (act: () => void, known: typeof RoleTakenError | typeof PeerLostError) => {
    try {
      act();
    } catch (error) {
      if (error instanceof known) return;
      assert(error instanceof CorruptRegionError, `word ${index} = ${value}: ${error}`);
      errors.push(error);
    }
  };
  const check = (id: number, bytes: Uint8Array) => {
    const next = received[id]!++;
    const isRight = bytes.length === (next % 5) * 30 && isPayload(bytes, 10 * id + next);
    assert(isRight || id === seat, `word ${index} = ${value} changed a message of lane ${id}`);
  };
  for (let look = 0; look < 300; look++) {
    attempt(() => {
      const message = consumer.tryReceive();
      if (message !== undefined) check(message.producer, message.value);
    }, PeerLostError);
  }
  assert(errors.length <= 1, `word ${index} = ${value}: ${errors.length} errors of one lane`);
  for (const id of [0, 1]) {
    if (id !== seat) assertEquals(received[id], 5, `word ${index} = ${value}: lane ${id}`);
    attempt(() => producers[id]!.trySend(payload(1, producers[id]!.maxMessage)), PeerLostError);
    attempt(() => ring.producer({ id }).close(), RoleTakenError);
  }
  consumer.close();
  attempt(() => {
    using next = cast.open();
    for (let look = 0; look < 10; look++) next.poll(() => {}, 100);
  }, RoleTakenError);
  return errors.length;
}
