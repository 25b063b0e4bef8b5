/**
 * Rings from one producer to one consumer for `deno bench`: messages sent and received by the same
 * thread, one by one and in batches, copied and in place.
 *
 * @module
 */

import { SpscConsumer } from "../src/spsc/consumer.ts";
import { SpscProducer } from "../src/spsc/producer.ts";

const BATCH = 100;

for (const bytes of [64, 1024]) {
  const name = `bench-${Deno.pid}-${bytes}`;
  const producer = SpscProducer.open(name);
  const consumer = SpscConsumer.open(name);
  globalThis.addEventListener("unload", () => {
    producer.close();
    consumer.close();
  });
  const message = Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  const batch = Array.from({ length: BATCH }, () => message);
  const target = new Uint8Array(bytes);
  let seen = 0;
  const look = (shown: Uint8Array) => {
    seen += shown[1]!;
  };

  const group = `SPSC, ${bytes} B`;
  Deno.bench(`trySend and tryReceiveInto ${bytes} B`, { group, baseline: true }, () => {
    producer.trySend(message);
    consumer.tryReceiveInto(target);
  });
  Deno.bench(`trySend and tryReceive ${bytes} B`, { group }, () => {
    producer.trySend(message);
    consumer.tryReceive();
  });
  Deno.bench(`trySend and tryTake ${bytes} B`, { group }, () => {
    producer.trySend(message);
    const outcome = consumer.tryTake();
    if (outcome.state === "ok") outcome.sample[Symbol.dispose]();
  });
  Deno.bench(`tryClaim, publish and poll ${bytes} B`, { group }, () => {
    producer.tryClaim(bytes)![1] = 1;
    producer.publish();
    consumer.poll(look);
  });
  const batches = `SPSC, ${BATCH} x ${bytes} B`;
  Deno.bench(`trySend and tryReceiveInto, ${BATCH} times`, { group: batches }, () => {
    for (let i = 0; i < BATCH; i++) producer.trySend(message);
    for (let i = 0; i < BATCH; i++) consumer.tryReceiveInto(target);
  });
  Deno.bench(`trySendBatch and poll, ${BATCH} messages`, { group: batches, baseline: true }, () => {
    producer.trySendBatch(batch);
    consumer.poll(look);
  });
  Deno.bench(`trySendBatch, tryTakeBatch and ack, ${BATCH} messages`, { group: batches }, () => {
    producer.trySendBatch(batch);
    const taken = consumer.tryTakeBatch()!;
    for (const { bytes } of taken) look(bytes);
    taken.ack();
    taken[Symbol.dispose]();
  });
}
