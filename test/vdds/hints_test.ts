/**
 * What a subscriber gives back is told to the publisher of several samples together; the publisher
 * finds it all the same, and is not left asleep.
 */

import { assert, assertEquals } from "@std/assert";
import { until, within } from "../os/until.ts";
import { isPayload, payload } from "../ring/circular_scene.ts";
import { Inside, Scene } from "./vdds_scene.ts";

const DEPTH = 16;
const WAIT = { timeout: 30_000 };

Deno.test("poll() gives back to a publisher that sleeps before it goes on", async () => {
  using scene = new Scene({ depth: DEPTH });
  using inside = new Inside(scene.topic);
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  for (let i = 1; i <= DEPTH; i++) assert(publisher.trySend(payload(i, 30)));
  const { word } = inside.ring.spaceBell;
  const isAsleep = () => word.load() % 2 === 1;
  const sending = publisher.send(payload(DEPTH + 1, 30), { spin: 0 });
  await until("the publisher sleeps", isAsleep);
  const asleep: boolean[] = [];
  subscriber.poll((bytes, sequence) => {
    assert(isPayload(bytes, sequence));
    asleep.push(isAsleep());
  }, 3);
  assertEquals(asleep, [true, false, false]);
  assertEquals(await within("room", sending), true);
});

Deno.test("a publisher finds room that it was not told of yet", () => {
  using scene = new Scene({ depth: DEPTH });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  for (let i = 1; i <= DEPTH; i++) assert(publisher.trySend(payload(i, 30)));
  let sent = DEPTH;
  subscriber.poll((bytes, sequence) => {
    assert(isPayload(bytes, sequence));
    if (sequence > 1 && sequence <= DEPTH) assert(publisher.sendSync(payload(++sent, 30), WAIT));
  });
  assertEquals(sent, 2 * DEPTH - 1);
});
