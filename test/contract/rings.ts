/**
 * Messages through any ring: one suite, run between threads and between processes.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError } from "../../src/errors.ts";
import { Party } from "../shared/party.ts";
import { NO_PROCESS } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";
import type { Tools } from "./contract_child.ts";
import type { Received, Receiver, Ring, Sender } from "./product.ts";

const CAPACITY = 2 ** 14;
const LONGEST = 1000;

/** Registers the tests for a ring. */
export function testRing(ring: Ring): void {
  testEnds(ring);
  for (const where of ["thread", "process"] as const) {
    const ignore = where === "process" && NO_PROCESS !== undefined;
    if (ignore) {
      console.warn(`The contract of the ${ring.name} is only tested in threads: ${NO_PROCESS}`);
    }
    testBetween(ring, {
      start: () => {
        const program = new URL("./contract_child.ts", import.meta.url);
        return Party.start(program, where, { argument: ring.name });
      },
      test: (name, fn) => Deno.test({ name: `${ring.name}, ${where}: ${name}`, fn, ignore }),
    });
  }
}

/** The message of a number. */
function message(sequence: number): Uint8Array {
  return payload(sequence, lengthOf(sequence, LONGEST));
}

/** The next message, which must be there and be the one of this number. */
function expect(received: Received, sequence: number): void {
  assertEquals(received.state, "ok");
  const { message: bytes } = received as { message: Uint8Array };
  assertEquals(bytes.length, lengthOf(sequence, LONGEST));
  assert(isPayload(bytes, sequence), `message ${sequence} is not what was sent`);
}

// ---- both ends in one place ----

function testEnds(ring: Ring): void {
  const test = (name: string, fn: (place: Name) => void | Promise<void>) => {
    Deno.test(`${ring.name}: ${name}`, async () => {
      using place = new Name();
      await fn(place);
    });
  };
  const open = (place: Name) => {
    const receiver = ring.receiver.open(place.name, { capacity: CAPACITY });
    return { receiver, sender: ring.sender.open(place.name, { capacity: CAPACITY }) };
  };

  test("a receiver gets every message in order", ({ name }) => {
    using receiver = ring.receiver.open(name, { capacity: CAPACITY });
    using sender = ring.sender.open(name, { capacity: CAPACITY });
    assertEquals(receiver.tryReceive().state, "empty");
    for (let i = 0; i < 10; i++) assert(sender.trySend(message(i)));
    for (let i = 0; i < 10; i++) expect(receiver.tryReceive(), i);
    assertEquals(receiver.tryReceive().state, "empty");
  });

  test("a message of 0 bytes is a message", (place) => {
    const { receiver, sender } = open(place);
    using _ends = both(receiver, sender);
    assert(sender.trySend(new Uint8Array(0)));
    assert(sender.trySendInPlace(0, () => {}));
    for (let i = 0; i < 2; i++) {
      assertEquals(receiver.tryReceive(), { state: "ok", message: new Uint8Array(0) });
    }
    assertEquals(receiver.tryReceive().state, "empty");
  });

  test("a message has at least half the capacity, and one byte more than the most is refused", (place) => {
    const { receiver, sender } = open(place);
    using _ends = both(receiver, sender);
    const { maxMessage } = sender;
    assert(maxMessage >= CAPACITY / 2);
    for (let i = 0; i < 3; i++) {
      assert(sender.trySend(payload(i, maxMessage)));
      assertEquals(receiver.tryReceive(), { state: "ok", message: payload(i, maxMessage).slice() });
    }
    const tooLong = new Uint8Array(maxMessage + 1);
    for (
      const send of [
        () => sender.trySend(tooLong),
        () => sender.trySendInPlace(tooLong.length, () => {}),
      ]
    ) {
      const error = assertThrows(send, RangeError);
      assert(error.message.includes(`${maxMessage}`), error.message);
    }
    assertEquals(receiver.tryReceive().state, "empty");
  });

  test("messages cross the end of the ring in one piece, sent and shown in either way", (place) => {
    const { receiver, sender } = open(place);
    using _ends = both(receiver, sender);
    for (let i = 0; i < 600; i++) { // some 12 rounds
      const bytes = message(i);
      if (i % 3 === 0) assert(sender.trySendInPlace(bytes.length, (space) => space.set(bytes)));
      else assert(sender.trySend(bytes));
      if (i % 2 === 0) {
        expect(receiver.tryReceive(), i);
        continue;
      }
      let shown: Uint8Array | undefined;
      assertEquals(receiver.poll((bytes) => shown = bytes.slice()), 1);
      expect({ state: "ok", message: shown! }, i);
    }
  });

  test(`a full ring ${ring.whenFull} what comes`, (place) => {
    const { receiver, sender } = open(place);
    using _ends = both(receiver, sender);
    let sent = 0;
    while (sent < 1000 && sender.trySend(message(sent))) sent++;
    if (ring.whenFull === "overwrites") {
      const received = receiver.tryReceive();
      assert(sent === 1000 && received.state === "lost");
      expect(receiver.tryReceive(), received.messages);
      return;
    }
    assert(sent > CAPACITY / (LONGEST + 64) && sent < 1000);
    for (let i = 0; i < sent; i++) expect(receiver.tryReceive(), i);
    assert(sender.trySend(message(0)));
  });

  test("closed ends throw a ClosedError, and can be closed again", async (place) => {
    const { receiver, sender } = open(place);
    for (const end of [receiver, sender, receiver, sender]) end.close();
    for (
      const use of [
        () => sender.trySend(message(0)),
        () => sender.trySendInPlace(1, () => {}),
        () => receiver.tryReceive(),
        () => receiver.receiveSync(),
        () => receiver.poll(() => {}),
      ]
    ) assertThrows(use, ClosedError);
    await assertRejects(() => receiver.receive(), ClosedError);
  });

  test("a receiver learns that the sender has closed, after the last message", async (place) => {
    const { receiver, sender } = open(place);
    using _ends = both(receiver, sender);
    sender.trySend(message(0));
    sender.close();
    expect(receiver.tryReceive(), 0);
    assertEquals(await receiver.receive({ timeout: 5000 }), { state: "closed" });
  });

  for (const [wrap, position] of Object.entries(ring.wraps)) {
    test(`messages travel across ${wrap}`, ({ name }) => {
      for (const units of [1, 7, 100, 1999]) {
        using _ring = ring.beginBefore(name, CAPACITY, position, units);
        using receiver = ring.receiver.open(name, { capacity: CAPACITY });
        using sender = ring.sender.open(name, { capacity: CAPACITY });
        for (let i = 0; i < 60; i++) {
          assert(sender.trySend(message(i)));
          expect(receiver.tryReceive(), i);
        }
        ring.sender.unlink!(name);
      }
    });
  }
}

/** Closes both ends. */
function both(receiver: Receiver, sender: Sender): Disposable {
  return {
    [Symbol.dispose]() {
      receiver.close();
      sender.close();
    },
  };
}

// ---- the ends in different threads or processes ----

interface Between {
  start(): Party<Tools>;
  test(name: string, fn: () => Promise<void>): void;
}

/** Opens an end over there, and keeps it. */
function openThere(party: Party<Tools>, end: "senders" | "receivers", name: string): Promise<void> {
  return party.run(({ ring, senders, receivers }, { end, name, capacity }) => {
    if (end === "senders") senders.push(ring.sender.open(name, { capacity }));
    else receivers.push(ring.receiver.open(name, { capacity }));
  }, { end, name, capacity: CAPACITY });
}

/**
 * Sends messages of these numbers over there; waits while the ring is full. It pauses now and then,
 * as a Worker that never returns to its event loop cannot be terminated.
 */
function sendThere(party: Party<Tools>, from: number, to: number): Promise<void> {
  return party.run(async ({ senders: [sender], payload, lengthOf }, { from, to, longest }) => {
    const pause = () => new Promise((resolve) => setTimeout(resolve));
    for (let i = from; i < to; i++) {
      const bytes = payload(i, lengthOf(i, longest));
      const send = i % 2 === 0
        ? () => sender!.trySend(bytes)
        : () => sender!.trySendInPlace(bytes.length, (space) => space.set(bytes));
      while (!send()) await pause();
      if (i % 256 === 255) await pause();
    }
  }, { from, to, longest: LONGEST });
}

/** Receives until message `end` comes next; returns how many were lost, or what is wrong. */
async function receiveUpTo(receiver: Receiver, end: number): Promise<number> {
  let lost = 0;
  for (let next = 0; next < end;) {
    const received = await receiver.receive({ timeout: 20_000 });
    if (received.state === "lost") {
      lost += received.messages;
      next += received.messages;
    } else expect(received, next++);
  }
  return lost;
}

function testBetween(ring: Ring, { start, test }: Between): void {
  for (const way of ["receiveSync", "receive"] as const) {
    test(`${way}() is woken by what is sent elsewhere, in turn`, async () => {
      using there = new Name();
      using back = new Name();
      await using party = start();
      using sender = ring.sender.open(there.name, { capacity: CAPACITY });
      using receiver = ring.receiver.open(back.name, { capacity: CAPACITY });
      await openThere(party, "receivers", there.name);
      await openThere(party, "senders", back.name);
      const rounds = 60;
      const echo = party.run(async ({ receivers, senders }, { way, rounds }) => {
        for (let i = 0; i < rounds; i++) {
          const received = await receivers[0]![way]({ spin: 0, timeout: 20_000 });
          if (received.state === "ok") senders[0]!.trySend(received.message);
        }
      }, { way, rounds });
      const begin = performance.now();
      for (let i = 0; i < rounds; i++) {
        assert(sender.trySend(message(i)));
        expect(await receiver[way]({ spin: 0, timeout: 20_000 }), i);
      }
      await echo;
      const taken = performance.now() - begin;
      assert(taken < rounds * 125, `${taken} ms: only the ends of slices ended the waits`);
    });
  }

  test("a stream of messages from elsewhere is accounted for", async () => {
    using place = new Name();
    await using party = start();
    using receiver = ring.receiver.open(place.name, { capacity: CAPACITY });
    await openThere(party, "senders", place.name);
    const sending = sendThere(party, 0, 20_000);
    const lost = await receiveUpTo(receiver, 20_000);
    assert(ring.whenFull === "overwrites" || lost === 0);
    await sending;
  });

  test("a stream of messages to elsewhere is accounted for", async () => {
    using place = new Name();
    await using party = start();
    using sender = ring.sender.open(place.name, { capacity: CAPACITY });
    await openThere(party, "receivers", place.name);
    const end = 20_000;
    const receiving = party.run(({ receivers: [receiver], isPayload, lengthOf }, task) => {
      const { end, longest } = task;
      let lost = 0;
      for (let next = 0; next < end;) {
        const received = receiver!.receiveSync({ timeout: 20_000 });
        if (received.state === "lost") {
          lost += received.messages;
          next += received.messages;
        } else if (received.state !== "ok") return `${received.state} before message ${next}`;
        else if (received.message.length !== lengthOf(next, longest)) return `length of ${next}`;
        else if (!isPayload(received.message, next++)) return `bytes of ${next - 1}`;
      }
      return lost;
    }, { end, longest: LONGEST });
    for (let i = 0; i < end; i++) {
      while (!sender.trySend(message(i))) await new Promise((resolve) => setTimeout(resolve));
      if (i % 500 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    const lost = await receiving;
    assert(typeof lost === "number" && (ring.whenFull === "overwrites" || lost === 0), `${lost}`);
  });
}
