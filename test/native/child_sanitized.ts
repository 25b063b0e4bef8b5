/**
 * Tests as a user may write them, with the sanitizers on: the first of them is the first to use the
 * package.
 *
 * @module
 */

import { MirrorRing, SpscConsumer, SpscProducer } from "../../mod.ts";

const sanitized = { sanitizeOps: true, sanitizeResources: true, sanitizeExit: true };

Deno.test("the first test uses the package", sanitized, async () => {
  using ring = new MirrorRing(1);
  if (ring.write(Uint8Array.of(3, 1, 4)) !== 3) throw new Error("nothing was written");

  const name = `sanitized-${Deno.pid}`;
  using consumer = SpscConsumer.open(name, { capacity: 4096 });
  const received = consumer.receive(); // sleeps on a thread of the pool
  using producer = SpscProducer.open(name, { capacity: 4096 });
  producer.trySend(Uint8Array.of(2, 7, 1));
  const { state } = await received;
  if (state !== "ok") throw new Error(`the outcome is ${state}`);
});

Deno.test("the second test uses the package too", sanitized, () => {
  using ring = new MirrorRing(1);
  if (ring.write(Uint8Array.of(3, 1, 4)) !== 3) throw new Error("nothing was written");
});
