/**
 * Acknowledged batches, in every ring whose receivers take turns: a message that is not
 * acknowledged comes again, flagged and with the same number, to this receiver or to the next one.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, VringError } from "../../src/errors.ts";
import { isPayload, payload } from "../circular/scene.ts";
import type { Batch, Receiver, Ring, Sender } from "./product.ts";
import { UnderTest } from "./under_test.ts";

const LENGTH = 60;

interface Ends {
  readonly receiver: Receiver;
  readonly sender: Sender;
  /** Sends the next messages. */
  send(count: number): void;
  /** Opens the next receiver. */
  open(): Receiver;
}

/** Fails unless a batch has these messages, by number, of which so many are flagged. */
function assertBatch(batch: Batch | undefined, numbers: number[], again: number): void {
  const messages = [...batch!];
  assertEquals(messages.map(({ sequence }) => sequence), numbers);
  assertEquals(batch!.length, numbers.length);
  for (const { bytes, value, sequence } of messages) {
    assert(isPayload(bytes, sequence) && bytes.length === LENGTH, `message ${sequence}`);
    assertEquals(value, bytes);
  }
  const flags = messages.map(({ redelivered }) => redelivered);
  assertEquals(flags, messages.map((_, i) => i < again));
}

/** Registers the tests for a ring. */
export function testBatches(ring: Ring): void {
  const tested = new UnderTest(ring);
  const test = (name: string, fn: (ends: Ends) => void | Promise<void>) =>
    tested.test(`batches: ${name}`, async ({ name }) => {
      using stack = new DisposableStack();
      const options = { ...tested.small, ...ring.succession };
      const open = () => stack.use(ring.receiver.open(name, options));
      const receiver = open();
      const sender = stack.use(ring.sender.open(name, options));
      let sent = 0;
      const send = (count: number) => {
        for (let i = 0; i < count; i++) assert(sender.trySend(payload(++sent, LENGTH)));
      };
      await fn({ receiver, sender, send, open });
    });

  test("messages stay until they are acknowledged, and then make room", ({ receiver, sender, send }) => {
    assertEquals(receiver.tryTakeBatch!(), undefined);
    send(1);
    const fits = 1 + fill(sender);
    const batch = receiver.tryTakeBatch!(1000)!;
    assertEquals(batch.length, fits);
    assertEquals(sender.trySend(payload(0, LENGTH)), false);
    batch.ack(1);
    assert(sender.trySend(payload(0, LENGTH)));
    assertEquals(sender.trySend(payload(0, LENGTH)), false);
    batch.ack();
    batch[Symbol.dispose]();
    assertEquals(fill(sender), fits - 1);
  });

  test("an acknowledged part does not come again, and the rest does", ({ receiver, send }) => {
    send(5);
    {
      using batch = receiver.tryTakeBatch!();
      assertBatch(batch, [1, 2, 3, 4, 5], 0);
      batch!.ack(1);
      batch!.ack(0);
      batch!.ack(1);
    }
    send(1);
    for (let round = 0; round < 2; round++) {
      using batch = receiver.tryTakeBatch!();
      assertBatch(batch, [3, 4, 5, 6], round === 0 ? 3 : 4);
    }
    const first = receiver.tryReceive();
    assert(first.state === "ok" && isPayload(first.message, 3));
    using batch = receiver.tryTakeBatch!();
    assertBatch(batch, [4, 5, 6], 3);
    batch!.ack();
    send(1);
    batch![Symbol.dispose]();
    using last = receiver.tryTakeBatch!();
    assertBatch(last, [7], 0);
  });

  test("an error within a `using` block loses nothing", ({ receiver, send }) => {
    send(3);
    assertThrows(
      () => {
        using batch = receiver.tryTakeBatch!(2);
        assertBatch(batch, [1, 2], 0);
        throw new Error("the commit failed");
      },
      Error,
      "the commit failed",
    );
    using batch = receiver.tryTakeBatch!();
    assertBatch(batch, [1, 2, 3], 2);
  });

  test("a message that always fails can be passed", ({ receiver, send }) => {
    send(4);
    const handled: number[] = [];
    const failed: number[] = [];
    for (;;) {
      using batch = receiver.tryTakeBatch!();
      if (batch === undefined) break;
      for (const { sequence } of batch) {
        if (sequence === 2 && failed.push(sequence) < 3) break; // the third time it is given up
        if (sequence !== 2) handled.push(sequence);
        batch.ack(1);
      }
    }
    assertEquals([handled, failed], [[1, 3, 4], [2, 2, 2]]);
  });

  test("the next receiver gets what was not acknowledged, with the same numbers", ({ receiver, send, open }) => {
    send(6);
    assertEquals(receiver.tryReceive().state, "ok");
    const batch = receiver.tryTakeBatch!(3)!;
    batch.ack(1);
    receiver.close();
    const [, second] = [...batch];
    assertEquals(second!.bytes.length, 0);
    assertThrows(() => second!.value, ClosedError);
    assertThrows(() => batch.ack(), ClosedError);
    batch[Symbol.dispose]();
    const next = open();
    using rest = next.tryTakeBatch!();
    assertBatch(rest, [3, 4, 5, 6], 2);
    rest!.ack();
    rest![Symbol.dispose]();
    next.close();
    send(1);
    using last = open().tryTakeBatch!();
    assertBatch(last, [7], 0);
  });

  test("a batch has at most as many messages as were asked for", ({ receiver, send }) => {
    send(5);
    for (const [limit, numbers] of [[2, [1, 2]], [1, [3]], [9, [4, 5]]] as const) {
      using batch = receiver.tryTakeBatch!(limit);
      assertBatch(batch, [...numbers], 0);
      batch!.ack();
    }
    for (const limit of [0, -1, NaN]) {
      assertThrows(() => receiver.tryTakeBatch!(limit), RangeError);
      assertThrows(() => receiver.batchSync!({ limit, timeout: 0 }), RangeError);
    }
  });

  test("ack() refuses more than is left, and what is released is empty", ({ receiver, send }) => {
    send(3);
    const batch = receiver.tryTakeBatch!()!;
    const messages = [...batch];
    const { bytes } = messages[0]!;
    for (const count of [4, -1, 0.5, NaN, null]) {
      assertThrows(() => batch.ack(count as number), RangeError, "3 of the batch are left");
    }
    batch.ack(2);
    batch.ack(0);
    assertThrows(() => batch.ack(2), RangeError, "1 of the batch are left");
    assertEquals([messages[0]!.bytes.length, bytes.length], [0, LENGTH]);
    assertThrows(() => messages[1]!.value, VringError, "it was released");
    assert(isPayload(messages[2]!.bytes, 3));
    batch[Symbol.dispose]();
    batch[Symbol.dispose](); // the second call does nothing
    for (const count of [1, undefined]) { // it comes again
      assertThrows(() => batch.ack(count), VringError, "the batch was disposed");
    }
    assertEquals(messages[2]!.bytes.length, 0);
  });

  test("nothing else is received while a batch is held", async ({ receiver, send }) => {
    send(2);
    using batch = receiver.tryTakeBatch!(1);
    const acts = [
      () => receiver.tryReceive(),
      () => receiver.tryTakeBatch!(),
      () => receiver.tryHold!(),
      () => receiver.poll(() => {}),
    ];
    for (const act of acts) assertThrows(act, VringError, "dispose it");
    await assertRejects(() => receiver.batch!(), VringError, "a batch is still in use");
    batch!.ack();
    batch![Symbol.dispose]();
    const next = receiver.tryReceive();
    assert(next.state === "ok" && isPayload(next.message, 2));
  });

  test("a batch that is awaited comes with the first message", async ({ receiver, send }) => {
    assertThrows(() => receiver.batchSync!({ timeout: 1 }), DOMException, "have passed");
    const waiting = receiver.batch!({ limit: 2, timeout: 20_000 });
    send(3);
    using batch = await waiting;
    assertBatch(batch, batch!.length === 1 ? [1] : [1, 2], 0); // it may have woken at the first
    batch!.ack();
    batch![Symbol.dispose]();
    const next = batch!.length + 1;
    using rest = receiver.batchSync!();
    assertBatch(rest, next === 2 ? [2, 3] : [3], 0);
  });
}

/** Sends until the ring is full; returns the number of messages. */
function fill(sender: Sender): number {
  let sent = 0;
  while (sender.trySend(payload(0, LENGTH))) sent++;
  return sent;
}
