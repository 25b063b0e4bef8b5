/**
 * A subscriber announces samples that it gives back in batches; the publisher finds each of them
 * earlier if it needs it, and is not left asleep.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { waitAnySync } from "../../src/wait/any.ts";
import { stampOfSequence, State, wordOf } from "../../src/vdds/vring_layout.ts";
import { until, within } from "../os/until.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { Party } from "../shared/party.ts";
import { promptly } from "../wait/promptly.ts";
import type { Tools } from "./vdds_child.ts";
import { Inside, present, Scene } from "./scene.ts";

const DEPTH = 16;
const WAIT = { timeout: 30_000 };

Deno.test("poll() gives samples back to a sleeping publisher before it continues", async () => {
  using scene = new Scene({ depth: DEPTH });
  using inside = new Inside(scene.definition);
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  for (let i = 1; i <= DEPTH; i++) assert(publisher.trySend(payload(i, 30)));
  const { word } = inside.ring.spaceBell;
  const isAsleep = () => word.load() % 2 === 1;
  const sending = publisher.send(payload(DEPTH + 1, 30), { spin: 0 });
  await until("the publisher sleeps", isAsleep);
  const asleep: boolean[] = [];
  subscriber.poll(({ bytes, sequence }) => {
    assert(isPayload(bytes, sequence));
    asleep.push(isAsleep());
  }, 3);
  assertEquals(asleep, [true, false, false]);
  await within("room", sending);
});

Deno.test("giving a sample back wakes the publisher, even if one that left seems to have it too", async () => {
  await promptly(async () => {
    using scene = new Scene({ depth: 1 });
    using inside = new Inside(scene.definition);
    const [reader, leaver] = [scene.subscribe(), scene.subscribe()];
    assert(scene.publisher.trySend(payload(1, 30)));
    const sample = present(reader.tryTake());
    leaver.close();
    inside.ring.reader(1).row[0]!.store(wordOf(stampOfSequence(1), State.ready)); // as if given late
    inside.ring.descriptors.references[0]!.add(1);
    const sending = scene.publisher.send(payload(2, 30), { ...WAIT, spin: 0 });
    await until("the publisher sleeps", () => inside.ring.isWriterAsleep());
    sample[Symbol.dispose]();
    await sending;
  });
});

Deno.test("a subscriber waits on when publishers take turns and it has taken all", () => {
  using scene = new Scene();
  const subscriber = scene.subscribe();
  for (let i = 1; i <= 3; i++) scene.publisher.trySend(payload(i, 30));
  for (let i = 1; i <= 2; i++) subscriber.tryReceive();
  scene.publisher.close();
  using _next = scene.definition.publisher();
  assertEquals(subscriber.tryReceive()?.sequence, 3);
  assertThrows(() => waitAnySync([subscriber], { timeout: 0 }), DOMException, "have passed");
});

Deno.test("a publisher finds room that was not announced yet", () => {
  using scene = new Scene({ depth: DEPTH });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  for (let i = 1; i <= DEPTH; i++) assert(publisher.trySend(payload(i, 30)));
  let sent = DEPTH;
  subscriber.poll(({ bytes, sequence }) => {
    assert(isPayload(bytes, sequence));
    if (sequence > 1 && sequence <= DEPTH) publisher.sendSync(payload(++sent, 30), WAIT);
  });
  assertEquals(sent, 2 * DEPTH - 1);
});

Deno.test("receiveSync() times out, however many false hints it gets", async () => {
  using scene = new Scene();
  using inside = new Inside(scene.definition);
  const subscriber = scene.subscribe();
  const LIES = 10_000; // with a limit, so that the test fails and does not hang
  await using liar = Party.start<Tools>(new URL("./vdds_child.ts", import.meta.url), "thread");
  await liar.run(async ({ topic }, { name, lies, url }) => {
    const { Inside, SHAPE }: typeof import("./scene.ts") = await import(url);
    const { used, bell } = new Inside(topic(name, SHAPE)).ring.reader(0);
    let told = 0;
    const telling = setInterval(() => {
      used.add(1);
      bell.ring();
      if (++told === lies) clearInterval(telling);
    }, 1);
  }, { name: scene.topic, lies: LIES, url: new URL("./scene.ts", import.meta.url).href });
  for (const timeout of [1, 50]) {
    const error = assertThrows(() => subscriber.receiveSync({ timeout }), DOMException);
    assertEquals(error.name, "TimeoutError");
  }
  assert(inside.ring.reader(0).used.load() < LIES);
});
