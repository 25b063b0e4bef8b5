/**
 * Whose turn it is in rings with many producers: fairness, lanes that do not hold each other up, and
 * hints, whether they are right or not.
 */

import { assert, assertEquals } from "@std/assert";
import { MOST_PRODUCERS } from "../../src/mpsc/mpsc.ts";
import type { MpscConsumer } from "../../src/mpsc/consumer.ts";
import type { MpscProducer } from "../../src/mpsc/producer.ts";
import { recordBytes } from "../../src/lane/record.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { Cast, countLoads, flood, Inside, valueOf } from "./scene.ts";

/** How many messages a lane gives before it is another one's turn. */
const TURN = 16;

/** How many looks that find nothing, or turns, there are until every lane is looked at. */
const LOOKS = 256;

type Way = (consumer: MpscConsumer, note: (producer: number) => void) => void;

/** Ways to receive a message, or some. */
const WAYS: Readonly<Record<string, Way>> = {
  tryReceive: (consumer, note) => note(valueOf(consumer.tryReceive()).producer),
  tryTake: (consumer, note) => {
    using message = consumer.tryTake()!;
    note(message.producer);
    message.ack();
  },
  "poll of one": (consumer, note) => {
    assertEquals(consumer.poll(({ producer }) => note(producer), 1), 1);
  },
  "poll of many": (consumer, note) => {
    assertEquals(consumer.poll(({ producer }) => note(producer), 50), 50);
  },
  "a batch": (consumer, note) => {
    using batch = consumer.tryTakeBatch({ limit: 50 })!;
    for (const { producer } of batch) note(producer);
    batch.ack();
  },
};

/** Keeps these lanes full while the consumer receives; returns the producer of each message. */
function underFlood(
  { consumer, way, flooders, count }: {
    consumer: MpscConsumer;
    way: Way;
    flooders: readonly MpscProducer[];
    count: number;
  },
): number[] {
  const order: number[] = [];
  while (order.length < count) {
    for (const flooder of flooders) flood(flooder);
    way(consumer, (producer) => order.push(producer));
  }
  return order;
}

for (const [name, way] of Object.entries(WAYS)) {
  for (const lanes of [2, 5, 40]) {
    Deno.test(`MpscConsumer serves a quiet one among ${lanes - 1} that flood, by ${name}`, () => {
      using cast = new Cast({ lanes });
      const { consumer, producers } = cast;
      const count = 2 * TURN * lanes;
      for (const quiet of [0, 1, lanes - 1]) {
        const flooders = producers.filter(({ id }) => id !== quiet);
        underFlood({ consumer, way, flooders, count: 3 * quiet + 50 });
        producers[quiet]!.trySend(payload(quiet, 9)); // in the middle of somebody's turn
        const order = underFlood({ consumer, way, flooders, count });
        const place = order.indexOf(quiet);
        assert(place >= 0 && place <= TURN * (lanes - 1), `it came after ${place} others`);
      }
    });
  }
}

Deno.test("MpscConsumer gives each busy producer its turn, and leaves none out", () => {
  using cast = new Cast({ lanes: 3 });
  const { consumer, producers } = cast;
  const way = WAYS.tryReceive!;
  const order = underFlood({ consumer, way, flooders: producers, count: 10 * 3 * TURN });
  const shares = producers.map(({ id }) => order.filter((producer) => producer === id).length);
  assertEquals(shares, [10 * TURN, 10 * TURN, 10 * TURN]);
  for (let at = 0; at < order.length; at++) assertEquals(order[at], order[at - at % TURN]);
});

Deno.test("MpscProducer: a full lane holds up nobody else", () => {
  using cast = new Cast({ lanes: 3 });
  const { consumer, producers: [full, one, other] } = cast;
  const held = flood(full!, 100);
  assertEquals(held, Math.floor(full!.capacity / recordBytes(100)));
  assertEquals([one!.free, other!.available], [one!.capacity, 0]);
  for (let i = 0; i < 300; i++) { // many rounds of the other lanes, past the full one
    assert(one!.trySend(payload(i, 90)) && other!.trySend(payload(i + 1, 80)));
    assertEquals(full!.trySend(payload(0, 100)), false);
    for (let [others, all] = [0, 0]; others < 2; all++) {
      assert(all < 4 * TURN);
      if (valueOf(consumer.tryReceive()).producer !== full!.id) others++;
      else assert(full!.trySend(payload(0, 100))); // it has room again, and takes it
    }
  }
});

Deno.test(`MpscConsumer serves ${MOST_PRODUCERS} producers, each in its own order`, () => {
  using cast = new Cast({ lanes: MOST_PRODUCERS });
  const { consumer, producers } = cast;
  assertEquals(producers.map(({ id }) => id), Array.from(producers, (_, id) => id));
  const next = producers.map(() => 0);
  let [sent, received] = [0, 0];
  for (let round = 0; round < 100; round++) {
    for (const producer of producers) {
      if ((producer.id * 7 + round) % 3 === 0) continue;
      assert(producer.trySend(payload(1000 * producer.id + round, 40)));
      sent++;
    }
    const check = (bytes: Uint8Array, producer: number) => {
      while ((producer * 7 + next[producer]!) % 3 === 0) next[producer]!++;
      assert(isPayload(bytes, 1000 * producer + next[producer]!++));
    };
    if (round % 2 === 0) received += consumer.poll(({ bytes, producer }) => check(bytes, producer));
    else {
      for (; received < sent; received++) {
        const { value, producer } = valueOf(consumer.tryReceive());
        check(value, producer);
      }
    }
    assertEquals(received, sent);
  }
});

Deno.test("lanes that share a bit of the hints do not hide each other's messages", () => {
  for (const lanes of [33, 40, 63, 64]) {
    using cast = new Cast({ lanes });
    const { consumer, producers } = cast;
    const send = (id: number) => assert(producers[id]!.trySend(payload(id, 20)));
    const receive = () => valueOf(consumer.tryReceive()).producer;
    for (let id = 32; id < lanes; id++) {
      const sharing = id - 32;
      for (const order of [[id, sharing], [sharing, id], [id], [sharing]]) {
        assertEquals(consumer.poll(() => {}), 0); // all hints are taken
        order.forEach(send);
        assertEquals(order.map(receive).sort(), [...order].sort(), `${lanes} lanes`);
        order.forEach(send);
        const first = receive();
        send(first); // again, while the other one waits for its turn
        const rest = [receive(), ...order.slice(1).map(receive)];
        assertEquals(rest.sort(), [...order].sort());
      }
    }
  }
});

Deno.test("MpscConsumer.poll() finds a message without a hint within so many looks", () => {
  for (const lanes of [2, 64]) {
    using cast = new Cast({ lanes });
    const { name, consumer, producers } = cast;
    using inside = new Inside(name.name);
    for (const id of [0, lanes - 1]) {
      assertEquals(consumer.poll(() => {}), 0);
      producers[id]!.trySend(payload(id, 30));
      inside.board.hint.store(0); // as if it had died before it came to that
      let looks = 1;
      while (consumer.poll(({ bytes }) => assert(isPayload(bytes, id))) === 0 && looks < 1000) {
        looks++;
      }
      assert(looks > 1 && looks <= LOOKS, `it took ${looks} looks`);
    }
  }
});

Deno.test("MpscConsumer finds a message without a hint while others flood", () => {
  using cast = new Cast({ lanes: 3 });
  const { name, consumer, producers } = cast;
  using inside = new Inside(name.name);
  assertEquals(consumer.poll(() => {}), 0);
  producers[0]!.trySend(payload(0, 30));
  inside.board.hint.store(0);
  const flooders = producers.slice(1);
  const count = (LOOKS + 3) * TURN;
  const order = underFlood({ consumer, way: WAYS.tryReceive!, flooders, count });
  assert(order.includes(0), `not within ${count} messages`);
});

Deno.test("MpscConsumer.waitSync() and wait() find a message without a hint at once", async () => {
  using cast = new Cast({ lanes: 64 });
  const { name, consumer, producers } = cast;
  using inside = new Inside(name.name);
  for (const id of [0, 31, 32, 63]) {
    for (const wait of [() => consumer.waitSync({ timeout: 0 }), () => consumer.wait()]) {
      assertEquals(consumer.poll(() => {}), 0);
      producers[id]!.trySend(payload(id, 30));
      inside.board.hint.store(0);
      assertEquals(consumer.tryReceive(), undefined);
      assertEquals(await wait(), true);
      assertEquals(valueOf(consumer.tryReceive()).producer, id);
    }
  }
});

Deno.test("a new consumer finds messages whose hints a dead consumer had taken", () => {
  using cast = new Cast({ lanes: 40 });
  const { name, consumer, producers } = cast;
  for (const { id } of producers) producers[id]!.trySend(payload(id, 10));
  using inside = new Inside(name.name);
  inside.board.hint.store(0);
  consumer.close();
  using next = cast.open();
  let seen = 0;
  assertEquals(next.poll(({ bytes, producer }) => seen += Number(isPayload(bytes, producer))), 40);
  assertEquals(seen, 40);
});

Deno.test("MpscConsumer returns every message once, for any hints", () => {
  using cast = new Cast({ lanes: 35 });
  const { name, consumer, producers } = cast;
  using inside = new Inside(name.name);
  const random = new Uint32Array(2);
  const sent = producers.map(() => 0);
  const received = producers.map(() => 0);
  const note = ({ bytes, producer }: { bytes: Uint8Array; producer: number }) => {
    assert(isPayload(bytes, 100 * producer + received[producer]!++));
  };
  for (let round = 0; round < 20_000; round++) {
    crypto.getRandomValues(random);
    const id = random[0]! % 35;
    if (producers[id]!.trySend(payload(100 * id + sent[id]!, 30))) sent[id]!++;
    if (round % 3 === 0) inside.board.hint.store(round % 2 === 0 ? 0 : random[1]!);
    if (round % 4 === 0) consumer.poll(note, random[1]! % 9);
  }
  while (consumer.waitSync() && consumer.poll(note) > 0 && consumer.available > 0);
  assertEquals(received, sent);
});

Deno.test("MpscConsumer.poll() looks at no lane that is idle, but for one time in so many", () => {
  for (const lanes of [1, 8, 32, 64]) {
    using cast = new Cast({ lanes });
    const { consumer, producers } = cast;
    const poll = () => consumer.poll(() => {});
    poll();
    const rounds = 10 * LOOKS;
    const idle = () => {
      for (let i = 0; i < rounds; i++) poll();
    };
    assertEquals(countLoads("head", idle), 10 * lanes);
    assertEquals(countLoads("hint", idle), rounds);
    producers[0]!.trySend(payload(1, 8));
    const heads = countLoads("head", () => assertEquals(poll(), 1));
    assert(heads <= 6, `heads were looked at ${heads} times for one message`);
  }
});

Deno.test("a batch that fails again and again keeps no other lane waiting for ever", () => {
  using cast = new Cast({ lanes: 3 });
  const { consumer, producers } = cast;
  for (const producer of producers) flood(producer);
  const shown = new Set<number>();
  for (let i = 0; i < 3 * TURN; i++) {
    using batch = consumer.tryTakeBatch({ limit: 1 })!;
    for (const { producer, sequence, redelivered } of batch) {
      assertEquals([sequence, redelivered], [1, shown.has(producer)]);
      shown.add(producer);
    }
  }
  assertEquals([...shown].toSorted(), [0, 1, 2]);
});
