/**
 * Rings with many producers for `deno bench`: one producer sends while the other lanes are free.
 *
 * @module
 */

import { mpsc } from "../src/mpsc/definition.ts";

const BYTES = 64;
const BATCH = 100;

for (const producers of [1, 8, 32, 64]) {
  const ring = mpsc(`bench-${Deno.pid}-${producers}`, { producers, capacity: 65536 });
  const consumer = ring.consumer();
  const producer = ring.producer({ id: producers - 1 });
  globalThis.addEventListener("unload", () => {
    producer.close();
    consumer.close();
  });
  const message = Uint8Array.from({ length: BYTES }, (_, i) => i * 31);
  const batch = Array.from({ length: BATCH }, () => message);
  const target = new Uint8Array(BYTES);
  let seen = 0;
  const look = (shown: { bytes: Uint8Array }) => {
    seen += shown.bytes[1]!;
  };

  const baseline = producers === 1;
  const one = { group: "MPSC, one of them sends", baseline };
  Deno.bench(`trySend and tryReceiveInto, ${producers} lanes`, one, () => {
    producer.trySend(message);
    consumer.tryReceiveInto(target);
  });
  const batches = { group: "MPSC, one of them sends 100 messages", baseline };
  Deno.bench(`trySendBatch and poll, ${producers} lanes`, batches, () => {
    producer.trySendBatch(batch);
    consumer.poll(look);
  });
  Deno.bench(`trySendBatch, tryTakeBatch and ack, ${producers} lanes`, {
    group: batches.group,
  }, () => {
    producer.trySendBatch(batch);
    const taken = consumer.tryTakeBatch()!;
    for (const message of taken) look(message);
    taken.ack();
    taken[Symbol.dispose]();
  });
  const idle = { group: "MPSC, nobody sends", baseline };
  Deno.bench(`poll, ${producers} lanes`, idle, () => {
    consumer.poll(look);
  });
}
