/**
 * Messages in place: shown by poll(), held as a sample, and delivered again to the next receiver, in
 * every ring whose receivers take turns.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VringError } from "../../src/errors.ts";
import { isPayload, payload } from "../circular/scene.ts";
import type { Arrival, Receiver, Ring, Sender } from "./product.ts";
import { UnderTest } from "./under_test.ts";

const LENGTH = 60;

/** Registers the tests for a ring. */
export function testPolling(ring: Ring): void {
  const tested = new UnderTest(ring);
  const test = (name: string, fn: (ends: Ends) => void | Promise<void>) =>
    tested.test(name, async ({ name }) => {
      using stack = new DisposableStack();
      const open = () => stack.use(ring.receiver.open(name, tested.small));
      const receiver = open();
      const sender = stack.use(ring.sender.open(name, tested.small));
      const send = (count: number) => {
        for (let i = 0; i < count; i++) assert(sender.trySend(payload(i, LENGTH)));
      };
      await fn({ receiver, sender, send, open });
    });

  test("poll() shows messages up to a limit, and makes room when it returns", ({ receiver, sender }) => {
    let [sent, seen] = [0, 0];
    for (let round = 0; round < 60; round++) {
      while (sender.trySend(payload(sent, LENGTH))) sent++;
      const limit = round % 7;
      const handled = receiver.poll((bytes, redelivered) => {
        assert(isPayload(bytes, seen++) && bytes.length === LENGTH && !redelivered);
        assert(!sender.trySend(payload(sent, LENGTH)), "there is room already");
      }, limit);
      assertEquals(handled, limit);
    }
    const rest = sent - seen;
    assertEquals(receiver.poll((bytes) => assert(isPayload(bytes, seen++))), rest);
    for (const limit of [-1, NaN]) assertThrows(() => receiver.poll(() => {}, limit), RangeError);
  });

  test("poll() counts the message whose handler throws as seen", ({ receiver, send }) => {
    send(5);
    let calls = 0;
    const failing = () => {
      if (++calls === 3) throw new Error("enough");
    };
    assertThrows(() => receiver.poll(failing), Error, "enough");
    assertEquals(numbersOf(receiver.arrivals!()), [3, 4]);
  });

  test("poll() refuses to be disturbed by its handler", ({ receiver, send }) => {
    send(3);
    let seen = 0;
    const handled = receiver.poll((bytes) => {
      for (const act of actsOf(receiver)) assertThrows(act, VringError, "let poll() return");
      assert(isPayload(bytes, seen++));
    });
    assertEquals([handled, seen], [3, 3]);
  });

  test("close() within poll() leaves the rest to the next receiver", ({ receiver, send, open }) => {
    send(5);
    let calls = 0;
    const handled = receiver.poll(() => {
      if (++calls === 2) receiver.close();
    });
    assertEquals(handled, 2);
    assertRedelivered(open().arrivals!(), [2, 3, 4], []);
  });

  test("nothing else is received while a message is held", async ({ receiver, send }) => {
    send(3);
    const held = receiver.tryHold!();
    for (const act of actsOf(receiver)) assertThrows(act, VringError, "dispose it");
    const waits = Object.values(receiver.waits!);
    for (const { sync, async } of waits) {
      assertThrows(() => sync!(), VringError, "dispose it");
      await assertRejects(() => async!(), VringError, "dispose it");
    }
    assert(isPayload(held.bytes, 0) && held.bytes.length === LENGTH);
    held.ack();
    assertThrows(() => held.ack(), VringError, "it was released");
    assertEquals(held.bytes.length, 0);
    held[Symbol.dispose](); // gives nothing back
    assertEquals(numbersOf(receiver.arrivals!()), [1, 2]);
  });

  test("a held message that is not acknowledged comes again, flagged", ({ receiver, send }) => {
    send(2);
    for (let round = 0; round < 3; round++) {
      using held = receiver.tryHold!();
      assert(isPayload(held.bytes, 0));
    }
    assertThrows(
      () => {
        using _held = receiver.tryHold!();
        throw new Error("the commit failed");
      },
      Error,
      "the commit failed",
    );
    assertRedelivered(receiver.arrivals!(), [0, 1], [0]);
  });

  test("the next receiver gets a message again that was held, and no other", ({ receiver, send, open }) => {
    send(6);
    receiver.poll(() => {}, 1); // shows one, and leaves the others
    assertEquals(receiver.tryReceive().state, "ok");
    const held = receiver.tryHold!();
    receiver.close();
    assertEquals(held.bytes.length, 0); // the memory is gone
    held[Symbol.dispose]();
    const second = open();
    assert(isPayload(second.tryHold!().bytes, 2));
    second.close();
    assertRedelivered(open().arrivals!(), [2, 3, 4, 5], [2]);
  });

  test("tryReceiveInto() fills an array, and leaves what does not fit", ({ receiver, sender }) => {
    const target = new Uint8Array(20).fill(0xee);
    assertEquals(receiver.tryReceiveInto!(target), -1);
    sender.trySend(payload(1, 21));
    assertThrows(() => receiver.tryReceiveInto!(target), RangeError, "the message has 21");
    assertEquals(receiver.tryReceive(), { state: "ok", message: payload(1, 21).slice() });
    for (const length of [20, 5, 0]) {
      sender.trySend(payload(length, length));
      assertEquals(receiver.tryReceiveInto!(target.fill(0xee)), length);
      assert(isPayload(target.subarray(0, length), length));
      assert(target.subarray(length).every((byte) => byte === 0xee));
    }
  });
}

interface Ends {
  readonly receiver: Receiver;
  readonly sender: Sender;
  /** Sends messages from number 0 on. */
  send(count: number): void;
  /** Opens the next receiver. */
  open(): Receiver;
}

function actsOf(receiver: Receiver): (() => unknown)[] {
  return [
    () => receiver.tryReceive(),
    () => receiver.tryReceiveInto!(new Uint8Array(LENGTH)),
    () => receiver.tryHold!(),
    () => receiver.poll(() => {}),
  ];
}

function numbersOf(arrivals: readonly Arrival[]): number[] {
  return arrivals.map((one) => {
    assert("message" in one && one.message.length === LENGTH);
    return [0, 1, 2, 3, 4, 5].find((number) => isPayload(one.message, number))!;
  });
}

function assertRedelivered(arrivals: Arrival[], all: number[], again: number[]): void {
  assertEquals(numbersOf(arrivals), all);
  const flagged = arrivals.filter((one) => "redelivered" in one && one.redelivered);
  assertEquals(numbersOf(flagged), again);
}
