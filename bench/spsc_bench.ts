/**
 * Rings from one producer to one consumer for `deno bench`: messages sent and received by the same
 * thread, one by one and in batches, copied and in place.
 *
 * @module
 */

import { spsc } from "../src/spsc/definition.ts";

const BATCH = 100;

for (const bytes of [64, 1024]) {
  const ring = spsc(`bench-${Deno.pid}-${bytes}`);
  const producer = ring.producer();
  const consumer = ring.consumer();
  globalThis.addEventListener("unload", () => {
    producer.close();
    consumer.close();
  });
  const message = Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  const batch = Array.from({ length: BATCH }, () => message);
  const target = new Uint8Array(bytes);
  let seen = 0;
  const look = (shown: { bytes: Uint8Array }) => {
    seen += shown.bytes[1]!;
  };

  const fill = (claim: { bytes: Uint8Array }) => {
    claim.bytes[1] = 1;
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
    consumer.tryTake()!.ack();
  });
  Deno.bench(`tryClaim, publish and poll ${bytes} B`, { group }, () => {
    const claim = producer.tryClaim(bytes)!;
    claim.bytes[1] = 1;
    claim.publish();
    consumer.poll(look);
  });
  Deno.bench(`tryFill and poll ${bytes} B`, { group }, () => {
    producer.tryFill(fill, bytes);
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
    for (const message of taken) look(message);
    taken.ack();
    taken[Symbol.dispose]();
  });
}
