/**
 * What every ring does, whatever its kind: one suite, run between threads and between processes. A
 * kind takes part by an adapter, which is a module that exports a {@linkcode RingKind} as `KIND`.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  ClosedError,
  LayoutMismatchError,
  PeerLostError,
  RoleTakenError,
} from "../../src/errors.ts";
import type { SyncWaitOptions, WaitOptions } from "../../src/wait/until.ts";
import { until } from "../os/until.ts";
import { Party, PartyEnded, type Where } from "../shared/party.ts";
import { NO_PROCESS } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";
import type { Tools } from "./contract_child.ts";

/** The sending end of a ring. */
export interface Sender extends Disposable {
  /** The longest message that fits. */
  readonly maxMessage: number;
  /** Sends a message; false if there is no room, which rings that overwrite always have. */
  trySend(message: Uint8Array): boolean;
  /** The same, with the message written in place. */
  trySendInPlace(length: number, fill: (space: Uint8Array) => void): boolean;
  close(): void;
}

/** What comes out of a ring. */
export type Received =
  | { state: "ok"; message: Uint8Array }
  | { state: "empty" }
  | { state: "closed" }
  | { state: "lost"; messages: number };

/** The receiving end of a ring. */
export interface Receiver extends Disposable {
  tryReceive(): Received;
  receiveSync(options?: SyncWaitOptions): Received;
  receive(options?: WaitOptions): Promise<Received>;
  /** Shows messages in place; gives how many there were. */
  poll(handler: (message: Uint8Array) => void): number;
  close(): void;
}

/** A kind of ring. */
export interface RingKind {
  /** What it is called in the names of tests, such as `circular buffer`. */
  readonly name: string;
  /** The kind in the names of its files, such as `circular`. */
  readonly file: string;
  /** What happens to a message for which there is no room. */
  readonly whenFull: "overwrites" | "refuses";
  /** How many may send at a time. */
  readonly senders: "one" | "many";
  /** How many may receive at a time; each gets every message. */
  readonly receivers: "one" | "many";
  /** Opens an end, or makes the ring; what has no peer waits for the next one. */
  openSender(name: string, capacity?: number): Sender;
  openReceiver(name: string, capacity?: number): Receiver;
  unlink(name: string): boolean;
  /** Positions before which a ring can be made to begin, by what wraps there. */
  readonly wraps: Readonly<Record<string, number>>;
  /** Makes a ring so many units before a wrap; it lives while what is returned is open. */
  beginBefore(name: string, capacity: number, wrap: number, units: number): Disposable;
}

const CAPACITY = 2 ** 14;
const LONGEST = 1000;

/** Registers the tests for a kind of ring. */
export function testContract(adapter: URL, kind: RingKind): void {
  testEnds(kind);
  for (const where of ["thread", "process"] as const) {
    const ignore = where === "process" && NO_PROCESS !== undefined;
    if (ignore) {
      console.warn(`The contract of the ${kind.name} is only tested in threads: ${NO_PROCESS}`);
    }
    testBetween(kind, {
      where,
      start: () => {
        const program = new URL("./contract_child.ts", import.meta.url);
        return Party.start(program, where, { argument: adapter.href });
      },
      test: (name, fn) => Deno.test({ name: `${kind.name}, ${where}: ${name}`, fn, ignore }),
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

function testEnds(kind: RingKind): void {
  const test = (name: string, fn: (place: Name) => void | Promise<void>) => {
    Deno.test(`${kind.name}: ${name}`, async () => {
      using place = new Name();
      await fn(place);
    });
  };
  const open = (place: Name) => {
    const receiver = kind.openReceiver(place.name, CAPACITY);
    return { receiver, sender: kind.openSender(place.name) };
  };

  test("a receiver gets what was sent, in order", ({ name }) => {
    using receiver = kind.openReceiver(name, CAPACITY);
    using sender = kind.openSender(name);
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

  test(`a full ring ${kind.whenFull} what comes`, (place) => {
    const { receiver, sender } = open(place);
    using _ends = both(receiver, sender);
    let sent = 0;
    while (sent < 1000 && sender.trySend(message(sent))) sent++;
    if (kind.whenFull === "overwrites") {
      const received = receiver.tryReceive();
      assert(sent === 1000 && received.state === "lost");
      expect(receiver.tryReceive(), received.messages);
      return;
    }
    assert(sent > CAPACITY / (LONGEST + 64) && sent < 1000);
    for (let i = 0; i < sent; i++) expect(receiver.tryReceive(), i);
    assert(sender.trySend(message(0)));
  });

  test("receive() and receiveSync() give up when the time is up", async (place) => {
    const { receiver, sender } = open(place);
    using _ends = both(receiver, sender);
    const late = assertThrows(() => receiver.receiveSync({ timeout: 20 }), DOMException);
    const later = await assertRejects(() => receiver.receive({ timeout: 20 }), DOMException);
    assertEquals([late.name, later.name], ["TimeoutError", "TimeoutError"]);
    sender.trySend(message(0));
    expect(receiver.receiveSync({ timeout: 0 }), 0);
  });

  test("receive() gives up when the signal says so", async (place) => {
    const { receiver, sender } = open(place);
    using _ends = both(receiver, sender);
    const controller = new AbortController();
    const waiting = receiver.receive({ signal: controller.signal });
    controller.abort(new Error("enough"));
    await assertRejects(() => waiting, Error, "enough");
    sender.trySend(message(0));
    expect(await receiver.receive(), 0);
  });

  test("receive() ends with a ClosedError when the receiver is closed", async (place) => {
    const { receiver, sender } = open(place);
    using _ends = both(receiver, sender);
    const waiting = receiver.receive();
    receiver.close();
    await assertRejects(() => waiting, ClosedError);
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

  test("a receiver is told that the sender has closed, after the last message", async (place) => {
    const { receiver, sender } = open(place);
    using _ends = both(receiver, sender);
    sender.trySend(message(0));
    sender.close();
    expect(receiver.tryReceive(), 0);
    assertEquals(await receiver.receive({ timeout: 5000 }), { state: "closed" });
  });

  test("the last end to close removes the file, whichever it is", (place) => {
    for (const order of [[0, 1], [1, 0]]) {
      const { receiver, sender } = open(place);
      const ends = [receiver, sender];
      ends[order[0]!]!.close();
      assertEquals(place.files(), [`vring.${kind.file}.${place.name}`]);
      ends[order[1]!]!.close();
      assertEquals(place.files(), []);
    }
  });

  test("unlink() removes the name, and the next ring is another", (place) => {
    const { receiver, sender } = open(place);
    using _ends = both(receiver, sender);
    assertEquals([kind.unlink(place.name), kind.unlink(place.name)], [true, false]);
    using other = kind.openReceiver(place.name, CAPACITY);
    sender.trySend(message(0));
    assertEquals(other.tryReceive().state, "empty");
    expect(receiver.tryReceive(), 0);
  });

  test("names that cannot be one are refused", () => {
    for (const name of ["", "/", "a/b", " ", "..", "ü", "a".repeat(201)]) {
      assertThrows(() => kind.openSender(name), TypeError);
      assertThrows(() => kind.openReceiver(name), TypeError);
      assertThrows(() => kind.unlink(name), TypeError);
    }
  });

  for (const [wrap, position] of Object.entries(kind.wraps)) {
    test(`messages travel across ${wrap}`, ({ name }) => {
      for (const units of [1, 7, 100, 1999]) {
        using _ring = kind.beginBefore(name, CAPACITY, position, units);
        using receiver = kind.openReceiver(name);
        using sender = kind.openSender(name);
        for (let i = 0; i < 60; i++) {
          assert(sender.trySend(message(i)));
          expect(receiver.tryReceive(), i);
        }
        kind.unlink(name);
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
  readonly where: Where;
  start(): Party<Tools>;
  test(name: string, fn: () => Promise<void>): void;
}

/** Opens an end over there, and keeps it. */
function openThere(party: Party<Tools>, end: "senders" | "receivers", name: string): Promise<void> {
  return party.run(({ kind, senders, receivers }, { end, name, capacity }) => {
    if (end === "senders") senders.push(kind.openSender(name, capacity));
    else receivers.push(kind.openReceiver(name, capacity));
  }, { end, name, capacity: CAPACITY });
}

function closeThere(party: Party<Tools>): Promise<void> {
  return party.run(({ senders, receivers }) => {
    for (const end of [...senders, ...receivers]) end.close();
    senders.length = receivers.length = 0;
  }, null);
}

/** Opens an end here, once the kernel has dropped the role of the one that died. */
async function openAfter<End>(open: () => End): Promise<End> {
  let end: End | undefined;
  await until("the role of the dead is free", () => {
    try {
      end = open();
      return true;
    } catch (error) {
      if (error instanceof RoleTakenError) return false;
      throw error;
    }
  });
  return end!;
}

/**
 * Sends messages of these numbers over there; waits where there is no room. It pauses now and then,
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

/** Receives until message `end` comes next; gives how many were lost, or what is wrong. */
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

/** Takes what is there; who is about to sleep finds also what the dead had no time to tell of. */
function drain(receiver: Receiver, take: (received: Received) => string): void {
  try {
    while (take(receiver.receiveSync({ timeout: 0 })) !== "closed");
  } catch (error) {
    const isDry = error instanceof DOMException && error.name === "TimeoutError";
    if (!isDry && !(error instanceof PeerLostError)) throw error;
  }
}

function testBetween(kind: RingKind, { where, start, test }: Between): void {
  test("a receiver gets what a sender sent elsewhere, in order", async () => {
    using place = new Name();
    await using party = start();
    using receiver = kind.openReceiver(place.name, CAPACITY);
    await openThere(party, "senders", place.name);
    await sendThere(party, 0, 10);
    for (let i = 0; i < 10; i++) expect(receiver.tryReceive(), i);
    assertEquals(receiver.tryReceive().state, "empty");
  });

  test("a sender comes before its receiver elsewhere", async () => {
    using place = new Name();
    await using party = start();
    using sender = kind.openSender(place.name, CAPACITY);
    for (let i = 0; i < 10; i++) assert(sender.trySend(message(i)));
    await openThere(party, "receivers", place.name);
    const seen = await party.run(({ receivers: [receiver], isPayload }) => {
      const seen: boolean[] = [];
      for (;;) {
        const received = receiver!.tryReceive();
        if (received.state !== "ok") return [...seen, received.state];
        seen.push(isPayload(received.message, seen.length));
      }
    }, null);
    assertEquals(seen, [...Array(10).fill(true), "empty"]);
  });

  for (const way of ["receiveSync", "receive"] as const) {
    test(`${way}() is woken by what is sent elsewhere, in turn`, async () => {
      using there = new Name();
      using back = new Name();
      await using party = start();
      using sender = kind.openSender(there.name, CAPACITY);
      using receiver = kind.openReceiver(back.name, CAPACITY);
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

  test("a receiver that waits is told that the sender elsewhere has closed", async () => {
    using place = new Name();
    await using party = start();
    using receiver = kind.openReceiver(place.name, CAPACITY);
    await openThere(party, "senders", place.name);
    const waiting = receiver.receive({ timeout: 20_000 });
    await closeThere(party);
    assertEquals(await waiting, { state: "closed" });
  });

  test("a stream of messages from elsewhere is accounted for", async () => {
    using place = new Name();
    await using party = start();
    using receiver = kind.openReceiver(place.name, CAPACITY);
    await openThere(party, "senders", place.name);
    const sending = sendThere(party, 0, 20_000);
    const lost = await receiveUpTo(receiver, 20_000);
    assert(kind.whenFull === "overwrites" || lost === 0);
    await sending;
  });

  test("a stream of messages to elsewhere is accounted for", async () => {
    using place = new Name();
    await using party = start();
    using sender = kind.openSender(place.name, CAPACITY);
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
    assert(typeof lost === "number" && (kind.whenFull === "overwrites" || lost === 0), `${lost}`);
  });

  test("what a sender sent before it was killed arrives, and the next one goes on", async () => {
    using place = new Name();
    await using party = start();
    using receiver = kind.openReceiver(place.name, CAPACITY);
    await openThere(party, "senders", place.name);
    await sendThere(party, 0, 10);
    await party.kill();
    for (let i = 0; i < 10; i++) expect(receiver.tryReceive(), i);
    assertEquals(receiver.tryReceive().state, "empty");
    using sender = await openAfter(() => kind.openSender(place.name));
    assert(sender.trySend(message(10)));
    expect(await receiver.receive({ timeout: 20_000 }), 10);
  });

  test("a sender goes on when a receiver elsewhere is killed, and so does the next one", async () => {
    using place = new Name();
    await using party = start();
    using sender = kind.openSender(place.name, CAPACITY);
    await openThere(party, "receivers", place.name);
    assert(sender.trySend(message(0)));
    const first = await party.run(
      ({ receivers: [receiver] }) => receiver!.tryReceive().state,
      null,
    );
    await party.kill();
    assert(sender.trySend(message(1)));
    using receiver = await openAfter(() => kind.openReceiver(place.name));
    if (kind.receivers === "many") expect(receiver.tryReceive(), 0); // each gets every message
    expect(receiver.tryReceive(), 1);
    assertEquals([first, receiver.tryReceive().state], ["ok", "empty"]);
  });

  for (const [end, role] of [["senders", kind.senders], ["receivers", kind.receivers]] as const) {
    const open = (name: string) =>
      end === "senders" ? kind.openSender(name) : kind.openReceiver(name);
    const verb = role === "one" ? "excludes" : "allows";
    test(`one of the ${end} ${verb} another one elsewhere`, async () => {
      using place = new Name();
      await using party = start();
      await openThere(party, end, place.name);
      if (role === "many") return open(place.name).close();
      const error = assertThrows(() => open(place.name), RoleTakenError);
      assert(error.message.includes(place.name) && error.message.includes("alive"), error.message);
      await closeThere(party);
      open(place.name).close();
    });

    if (where === "process" && role === "one") {
      test(`one of the ${end} excludes another one while it is stopped`, async () => {
        using place = new Name();
        await using party = start();
        await openThere(party, end, place.name);
        party.signal("SIGSTOP");
        await until("it is stopped", () => party.state === "T");
        assertThrows(() => open(place.name), RoleTakenError);
        await party.kill();
        (await openAfter(() => open(place.name))).close();
      });
    }
  }

  test("a ring whose ends were all killed is gone, and the next one is new", async () => {
    using place = new Name();
    await using one = start();
    await using other = start();
    await openThere(one, "senders", place.name);
    await openThere(other, "receivers", place.name);
    await sendThere(one, 0, 5);
    await Promise.all([one.kill(), other.kill()]);
    await until("the ring is new", () => {
      try {
        using receiver = kind.openReceiver(place.name, 2 * CAPACITY); // the old one has another size
        return receiver.tryReceive().state === "empty";
      } catch (error) {
        if (error instanceof LayoutMismatchError) return false; // the kernel is at it
        throw error;
      }
    });
    assertEquals(place.files(), []);
  });

  // When a terminated Worker has sent its last is only known by the role that it held.
  if (where === "process" || kind.senders === "one") {
    test("a stream is accounted for while senders are killed", async () => {
      using place = new Name();
      using receiver = kind.openReceiver(place.name, CAPACITY);
      let [next, lost] = [0, 0];
      const take = (received: Received) => {
        if (received.state === "ok") expect(received, next++);
        else if (received.state === "lost") {
          lost += received.messages;
          next += received.messages;
        }
        return received.state;
      };
      for (let life = 0; life < 4; life++) {
        await using party = start();
        await openThere(party, "senders", place.name);
        const enough = next + 300 + 101 * life;
        const sending = sendThere(party, next, next + 1e9);
        while (next < enough) take(await receiver.receive({ timeout: 20_000 }));
        await party.kill();
        assertEquals(await sending.catch((error) => error.name), PartyEnded.name);
        if (kind.senders === "one") (await openAfter(() => kind.openSender(place.name))).close();
        drain(receiver, take);
      }
      assert(kind.whenFull === "overwrites" || lost === 0);
    });
  }
}
