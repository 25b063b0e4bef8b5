/** Streams and loops of all receivers, and how they report losses. */

import { assertEquals, assertRejects } from "@std/assert";
import { circular } from "../src/circular/definition.ts";
import { LostError } from "../src/errors.ts";
import type { Receiver } from "../src/receiver.ts";
import { topic } from "../src/vdds/definition.ts";
import { Name } from "./shared/scene.ts";

type Numbers = Receiver<"u32", { value: number; sequence: number; lost: number }, unknown>;

/** Opens a receiver, and sends so many numbers that it loses the first of them. */
const RECEIVERS: Record<string, (name: string, stack: DisposableStack) => Numbers> = {
  "a reader of a circular buffer": (name, stack) => {
    const buffer = circular(name, { type: "u32", capacity: 4096 });
    const writer = stack.use(buffer.writer());
    const reader = stack.use(buffer.reader());
    for (let i = 0; i < 200; i++) writer.trySend(i);
    return reader;
  },
  "an observer of a circular buffer": (name, stack) => {
    const buffer = circular(name, { type: "u32", capacity: 4096 });
    const writer = stack.use(buffer.writer());
    const observer = stack.use(buffer.observer());
    for (let i = 0; i < 200; i++) writer.trySend(i);
    return observer;
  },
  "a subscriber": (name, stack) => {
    const numbers = topic(name, { type: "u32", depth: 8, policy: "dropOldest" });
    const publisher = stack.use(numbers.publisher());
    const subscriber = stack.use(numbers.subscriber());
    for (let i = 0; i < 200; i++) publisher.trySend(i);
    return subscriber;
  },
  "an observer of a topic": (name, stack) => {
    const numbers = topic(name, { type: "u32", depth: 8, history: 4, policy: "dropOldest" });
    const publisher = stack.use(numbers.publisher());
    publisher.trySend(0);
    const observer = stack.use(numbers.observer());
    for (let i = 1; i < 200; i++) publisher.trySend(i);
    return observer;
  },
};

for (const [receiver, open] of Object.entries(RECEIVERS)) {
  Deno.test(`the stream of ${receiver} fails where messages were lost, and another continues`, async () => {
    using place = new Name();
    using stack = new DisposableStack();
    const numbers = open(place.name, stack);
    const failing = numbers.toReadableStream().getReader();
    await assertRejects(() => failing.read(), LostError, "; iterate again to continue");
    const reader = numbers.toReadableStream().getReader();
    const first = await reader.read() as ReadableStreamReadValueResult<number>;
    assertEquals(await reader.read(), { done: false, value: first.value + 1 });
    await reader.cancel();
    assertEquals(numbers.closed, true);
  });

  Deno.test(`a stream of ${receiver} skips lost messages if it may`, async () => {
    using place = new Name();
    using stack = new DisposableStack();
    const numbers = open(place.name, stack);
    const reader = numbers.toReadableStream({ onLoss: "skip" }).getReader();
    const first = await reader.read() as ReadableStreamReadValueResult<number>;
    assertEquals(first.done, false);
    assertEquals(await reader.read(), { done: false, value: first.value + 1 });
  });

  Deno.test(`values() of ${receiver} throws once where messages were lost`, async () => {
    using place = new Name();
    using stack = new DisposableStack();
    const numbers = open(place.name, stack);
    await assertRejects(() => numbers.values().next(), LostError);
    const { value } = await numbers.values().next();
    assertEquals(numbers.tryReceive()?.value, value! + 1);
  });
}
