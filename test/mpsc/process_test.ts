/**
 * Rings from many producers to one consumer between processes: under load, and when one is killed.
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PeerLostError } from "../../src/errors.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import type { Party } from "../shared/party.ts";
import { processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import type { Tools } from "./mpsc_child.ts";
import { CAPACITY, valueOf } from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./mpsc_child.ts", import.meta.url),
  "MPSC rings",
);

const OPTIONS = { producers: 3, capacity: CAPACITY };

/** Opens a producer elsewhere, which has sent these messages of 50 bytes. */
function sendThere(party: Party<Tools>, name: Name, messages: readonly number[]): Promise<number> {
  return party.run(({ mpsc, producers, payload }, { name, options, messages }) => {
    const producer = mpsc(name, options).producer();
    producers.push(producer);
    for (const message of messages) producer.trySend(payload(message, 50));
    return producer.id;
  }, { name: name.name, options: OPTIONS, messages });
}

test("a consumer continues with the living, and throws when the last one is dead", async () => {
  using name = new Name();
  await using one = startProcess();
  await using other = startProcess();
  const ring = mpsc(name.name, OPTIONS);
  using consumer = ring.consumer();
  await sendThere(one, name, [1, 2]);
  await sendThere(other, name, [11]);
  ring.producer().close(); // closing is not a loss
  await one.kill();
  for (let i = 0; i < 3; i++) valueOf(await consumer.receive());
  await assertRejects(() => consumer.receive({ timeout: 600 }), DOMException, "600 ms");
  await other.run(({ producers: [producer], payload }) => producer!.trySend(payload(12, 50)), null);
  await other.kill();
  assertEquals(valueOf(await consumer.receive()).value, payload(12, 50));
  await assertRejects(() => consumer.receive(), PeerLostError, "its last producer died");
  assertThrows(() => consumer.receiveSync(), PeerLostError, "its last producer died");
  assertEquals([consumer.tryReceive(), consumer.ended], [undefined, false]);
  using next = ring.producer();
  next.trySend(payload(3, 50));
  assertEquals(valueOf(await consumer.receive()).value, payload(3, 50));
});
