/** The samples that wait at the end of an import. */

import { assertEquals } from "@std/assert";
import { Batch, Samples } from "../../src/bridge/message.ts";
import { Outlet } from "../../src/bridge/outlet.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import type { Publisher } from "../../src/vdds/publisher.ts";
import { bytes } from "./carriers.ts";

const STEM = { host: "a", incarnation: 1, hops: 1 };

/** A message with so many samples, each as long as its number. */
function message(count: number): Samples {
  const batch = new Batch(4096);
  for (let i = 1; i <= count; i++) batch.add(i, 0, bytes(i));
  return Samples.records(batch.records)!;
}

function sendAll(outlet: Outlet, samples: Samples): void {
  while (samples.next()) outlet.send(outlet.publisher, samples, STEM);
}

Deno.test("samples that wait arrive in order, and survive a change of the message", async () => {
  using _place = namespace();
  const definition = topic("t", { size: 100, depth: 2 });
  using subscriber = definition.subscriber();
  const outlet = new Outlet(() => {});
  outlet.open(definition.publisher(), "block");
  const batch = new Batch(4096);
  for (let i = 1; i <= 30; i++) batch.add(i, 0, bytes(i));
  const { records } = batch;
  sendAll(outlet, Samples.records(records)!);
  records.fill(0xee); // the network uses the memory again
  for (let i = 1; i <= 30; i++) {
    const { value, origin, lost } = (await subscriber.receive({ timeout: 60_000 }))!;
    assertEquals([value, origin!.sequence, lost], [bytes(i), i, 0]);
  }
  assertEquals([await outlet.settled(), outlet.published], [true, 30]);
  outlet.close();
});

Deno.test("a sample that was sent just before close() is published, and the others are dropped", async () => {
  let sequence = 0;
  const sending = Promise.withResolvers<void>();
  const publisher = { // one that is full, and publishes when the test says so
    maxSample: 100,
    get sequence() {
      return sequence;
    },
    trySend: () => false,
    send: () => sending.promise,
    close() {},
  } as unknown as Publisher;
  let dropped = 0;
  const outlet = new Outlet(() => void dropped++);
  outlet.open(publisher, "block");
  sendAll(outlet, message(3));
  sequence++;
  sending.resolve();
  outlet.close(); // before the outlet continues
  await sending.promise;
  await null;
  assertEquals([outlet.published, dropped, outlet.lostBefore], [1, 2, 2]);
});
