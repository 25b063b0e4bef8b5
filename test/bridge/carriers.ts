/**
 * The suite that every carrier passes: the rules C1 to C4 of src/bridge/carrier.ts, and the rest of
 * the interface. loopback_test.ts and nats.ts run it.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Carrier, CarrierEvent, Incoming } from "../../src/bridge/carrier.ts";
import { until as patiently } from "../os/until.ts";

/** A network under test. */
export interface NetworkUnderTest extends AsyncDisposable {
  connect(): Promise<Carrier>;
  /** Breaks the connections, and lets them connect again. */
  interrupt(carrier: Carrier): Promise<void>;
}

/** Defines the suite for a carrier. */
export function carrierTests(
  name: string,
  start: () => Promise<NetworkUnderTest>,
  define: (name: string, run: () => Promise<void>) => void,
): void {
  const test = (
    what: string,
    run: (a: Carrier, b: Carrier, network: NetworkUnderTest) => Promise<void>,
  ) =>
    define(`${name}: ${what}`, async () => {
      await using network = await start();
      await using a = await network.connect();
      await using b = await network.connect();
      await run(a, b, network);
    });

  test("messages arrive whole and in order, with their headers", async (a, b) => {
    const inbox = new Inbox(b, "x.>");
    await b.flush();
    for (let i = 0; i < 300; i++) {
      a.publish({ subject: `x.y`, headers: new Map([["N", `${i}`]]), payload: bytes(i) });
    }
    await a.flush();
    const all = await inbox.take(300);
    for (const [i, { subject, headers, payload }] of all.entries()) {
      assertEquals([subject, headers.get("N"), payload], ["x.y", `${i}`, bytes(i)]);
    }
  });

  test("the largest message arrives", async (a, b) => {
    const inbox = new Inbox(b, "big");
    await b.flush();
    const payload = bytes(a.maxMessage - 1000);
    a.publish({ subject: "big", headers: new Map(), payload });
    const [only] = await inbox.take(1);
    assertEquals(only!.payload.length, payload.length);
    assert(only!.payload.every((byte, i) => byte === payload[i]));
  });

  test("a payload may change once publish has returned", async (a, b) => {
    const inbox = new Inbox(b, "x");
    await b.flush();
    for (const size of [10, 40_000, 65_536, 65_537, 300_000]) {
      for (let i = 0; i < 3; i++) {
        const payload = bytes(size);
        a.publish({ subject: "x", headers: new Map(), payload });
        payload.fill(0xee);
      }
    }
    for (const { payload } of await inbox.take(15)) {
      assert(payload.every((byte, i) => byte === bytesAt(payload.length, i)), `${payload.length}`);
    }
  });

  test("a carrier does not receive what it publishes", async (a, b) => {
    const own = new Inbox(a, "x");
    const other = new Inbox(b, "x");
    await a.flush();
    await b.flush();
    a.publish({ subject: "x", headers: new Map(), payload: bytes(1) });
    await other.take(1);
    await a.flush();
    assertEquals(own.count, 0);
  });

  test("wildcards cover what they should, and a disposed subscription ends", async (a, b) => {
    const star = new Inbox(b, "t.*.c");
    const rest = new Inbox(b, "t.>");
    await b.flush();
    for (const subject of ["t.b.c", "t.b.d", "t.b.c.d", "u.b.c"]) {
      a.publish({ subject, headers: new Map(), payload: bytes(1) });
    }
    assertEquals((await rest.take(3)).map(({ subject }) => subject), ["t.b.c", "t.b.d", "t.b.c.d"]);
    assertEquals((await star.take(1)).map(({ subject }) => subject), ["t.b.c"]);
    star[Symbol.dispose]();
    await b.flush();
    a.publish({ subject: "t.e.c", headers: new Map(), payload: bytes(1) });
    await rest.take(1);
    assertEquals(star.count, 0);
  });

  test("one member of a queue gets each message", async (a, b, network) => {
    await using c = await network.connect();
    const boxes = [new Inbox(b, "work", "q"), new Inbox(c, "work", "q")];
    await Promise.all([b.flush(), c.flush()]);
    for (let i = 0; i < 60; i++) {
      a.publish({ subject: "work", headers: new Map(), payload: bytes(1) });
    }
    await until(() => boxes.reduce((sum, { count }) => sum + count, 0) >= 60);
    assertEquals(boxes.reduce((sum, { count }) => sum + count, 0), 60);
    assert(boxes.every(({ count }) => count > 0));
  });

  test("a member of a queue never gets what it publishes; another one does", async (a, b) => {
    const boxes = [new Inbox(a, "work", "q"), new Inbox(b, "work", "q")] as const;
    await Promise.all([a.flush(), b.flush()]);
    for (let i = 0; i < 30; i++) {
      a.publish({ subject: "work", headers: new Map(), payload: bytes(1) });
    }
    await boxes[1].take(30);
    assertEquals(boxes[0].count, 0);
  });

  test("a request gets an answer, or fails after its time", async (a, b) => {
    using _server = b.subscribe("ask", ({ payload, reply }) => {
      b.publish({ subject: reply!, headers: new Map([["A", "b"]]), payload: payload.slice(1) });
    });
    await b.flush();
    const question = { subject: "ask", headers: new Map(), payload: bytes(9) };
    const answer = await a.request(question, 5000);
    assertEquals([answer.payload, answer.headers.get("A")], [bytes(9).slice(1), "b"]);
    assertEquals((await a.requestAll(question, 100)).length, 1);
    assertEquals((await a.requestAll({ ...question, subject: "nobody" }, 20)).length, 0);
    await assertRejects(() => a.request({ ...question, subject: "nobody" }, 20));
  });

  const KEEP = { realm: "lab", maxBytes: 2 ** 24, slotHistory: 3, againMs: 300 };

  test(
    "kept messages wait for their consumer, come in order, and once for each id",
    async (a, b) => {
      const keeper = await a.keep!(KEEP);
      const subject = "vring.v1-kept.lab.a.t";
      const found: number[] = [];
      const take = (message: Incoming, done: () => void) => {
        found.push(message.payload.length);
        done();
        return Promise.resolve(true);
      };
      const kept = await b.keep!(KEEP);
      await (await kept.consume("b", subject, take))[Symbol.asyncDispose](); // so that it is known
      for (let i = 1; i <= 20; i++) {
        await keeper.publish({ subject, headers: new Map(), payload: bytes(i) }, `id ${i}`);
        await keeper.publish({ subject, headers: new Map(), payload: bytes(i) }, `id ${i}`);
      }
      await using _reading = await kept.consume("b", subject, take);
      await until(() => found.length >= 20);
      assertEquals(found, Array.from({ length: 20 }, (_, i) => i + 1));
    },
  );

  test("a kept message that is not done comes again, before newer ones", async (a, b) => {
    const keeper = await a.keep!(KEEP);
    const kept = await b.keep!(KEEP);
    const subject = "vring.v1-kept.lab.a.t";
    const found: number[] = [];
    let refusals = 1;
    const take = ({ payload: { length } }: Incoming, done: () => void) => {
      if (length === 3 && refusals-- > 0) return Promise.resolve(false);
      found.push(length);
      done();
      return Promise.resolve(true);
    };
    await using _reading = await kept.consume("b", subject, take);
    for (let i = 1; i <= 6; i++) {
      await keeper.publish({ subject, headers: new Map(), payload: bytes(i) }, `id ${i}`);
    }
    await until(() => found.length >= 6);
    assertEquals(found, [1, 2, 3, 4, 5, 6]);
  });

  test("each kept message that is not done comes again, and no other one", async (a, b) => {
    const keeper = await a.keep!(KEEP);
    const kept = await b.keep!(KEEP);
    const subject = "vring.v1-kept.lab.a.t";
    const found: number[] = [];
    const later: (() => void)[] = [];
    let isFirst = true;
    const take = ({ payload: { length } }: Incoming, done: () => void) => {
      found.push(length);
      if (length === 3 && isFirst) {
        isFirst = false;
        return Promise.resolve(false);
      }
      if (length !== 2) done();
      else later.push(done);
      if (length === 4) { for (const each of later.splice(0)) each(); }
      return Promise.resolve(true);
    };
    const reading = await kept.consume("b", subject, take);
    for (let i = 1; i <= 4; i++) {
      await keeper.publish({ subject, headers: new Map(), payload: bytes(i) }, `id ${i}`);
    }
    await until(() => found.length >= 6);
    assertEquals(found, [1, 2, 3, 2, 3, 4]);
    await b.flush();
    await reading[Symbol.asyncDispose]();
    await keeper.publish({ subject, headers: new Map(), payload: bytes(5) }, "id 5");
    await using _again = await kept.consume("b", subject, take);
    await until(() => found.length >= 7);
    assertEquals(found[6], 5);
  });

  test("the last values of slots are kept", async (a, b) => {
    const keeper = await b.keep!(KEEP);
    const subject = "vring.v1-slot.lab.a.robot.speed";
    for (let i = 1; i <= 5; i++) a.publish({ subject, headers: new Map(), payload: bytes(i) });
    await a.flush();
    const last = await keeper.last("vring.v1-slot.lab.*.robot.>");
    assertEquals(last.map(({ payload }) => payload), [bytes(3), bytes(4), bytes(5)]);
    assertEquals(await keeper.last("vring.v1-slot.lab.*.other.>"), []);
  });

  test("a broken connection is told, and subscriptions survive it", async (a, b, network) => {
    const inbox = new Inbox(b, "x");
    await b.flush();
    const events: CarrierEvent["type"][] = [];
    using _told = b.onEvent(({ type }) => events.push(type));
    await network.interrupt(b);
    await until(() => events.includes("connected") && a.isConnected && b.isConnected);
    assertEquals(events, ["disconnected", "connected"]);
    await b.flush();
    a.publish({ subject: "x", headers: new Map(), payload: bytes(5) });
    assertEquals((await inbox.take(1))[0]!.payload, bytes(5));
  });
}

/** The messages of a subject that have arrived. */
class Inbox implements Disposable {
  readonly #messages: Incoming[] = [];
  readonly #subscription: Disposable;

  constructor(carrier: Carrier, subject: string, queue?: string) {
    const keep = (message: Incoming) => {
      this.#messages.push({ ...message, payload: message.payload.slice() });
    };
    this.#subscription = carrier.subscribe(subject, keep, { queue });
  }

  get count(): number {
    return this.#messages.length;
  }

  async take(count: number): Promise<Incoming[]> {
    await until(() => this.#messages.length >= count);
    return this.#messages.splice(0, count);
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }
}

/** Resolves once a condition holds. */
export function until(holds: () => boolean): Promise<void> {
  return patiently(`${holds}`, holds);
}

function bytesAt(length: number, i: number): number {
  return (length * 7 + i * 31 + (i >> 8)) & 0xff;
}

/** Bytes that differ by position and length. */
export function bytes(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => bytesAt(length, i));
}
