/**
 * Tests as a user may write them, with the sanitizers on: the first of them is the first to use the
 * package.
 *
 * @module
 */

import { MirrorRing, spsc } from "../../mod.ts";

const sanitized = { sanitizeOps: true, sanitizeResources: true, sanitizeExit: true };

Deno.test("the first test uses the package", sanitized, async () => {
  using ring = new MirrorRing(1);
  if (ring.write(Uint8Array.of(3, 1, 4)) !== 3) throw new Error("nothing was written");

  const ends = spsc(`sanitized-${Deno.pid}`, { capacity: 4096 });
  using consumer = ends.consumer();
  const received = consumer.receive(); // sleeps on a thread of the pool
  using producer = ends.producer();
  producer.trySend(Uint8Array.of(2, 7, 1));
  if ((await received)?.value.length !== 3) throw new Error("it did not arrive");
});

Deno.test("the second test uses the package too", sanitized, () => {
  using ring = new MirrorRing(1);
  if (ring.write(Uint8Array.of(3, 1, 4)) !== 3) throw new Error("nothing was written");
});
