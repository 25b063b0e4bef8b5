/**
 * Loans: several at a time, each published once or given back, and never all of the depth.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, VringError } from "../../src/errors.ts";
import type { Loan } from "../../src/vdds/publisher.ts";
import { topic } from "../../src/vdds/definition.ts";
import { payload } from "../circular/scene.ts";
import { until, within } from "../os/until.ts";
import { Name } from "../shared/scene.ts";
import { Inside, present, Scene, valueOf } from "./scene.ts";

const WAIT = { timeout: 30_000 };

function fill(loan: Loan, seed: number): Loan {
  loan.bytes.set(payload(seed, 20));
  return loan;
}

Deno.test("a loan has from 0 bytes to the size of the topic", () => {
  using scene = new Scene();
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  publisher.tryLoan({ length: 0 })!.publish();
  assertEquals(valueOf(subscriber.tryReceive()), new Uint8Array(0));
  assertEquals(publisher.tryLoan()!.length, 256);
  for (const length of [-1, 257, 0.5]) {
    assertThrows(() => publisher.tryLoan({ length }), RangeError, "a sample can have 256");
  }
  assertThrows(() => publisher.trySend(new Uint8Array(257)), RangeError, "a larger size");
});

Deno.test("loans are published in any order, among sent values, and numbered then", () => {
  using scene = new Scene({ depth: 8 });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  const loans = [1, 2, 3].map((seed) => fill(publisher.tryLoan({ length: 20 })!, seed));
  publisher.trySend(payload(4, 20));
  for (const i of [2, 0, 1]) loans[i]!.publish();
  for (const [sequence, seed] of [[1, 4], [2, 3], [3, 1], [4, 2]] as const) {
    using sample = present(subscriber.tryTake());
    assertEquals([sample.sequence, [...sample.bytes]], [sequence, [...payload(seed, 20)]]);
  }
});

Deno.test("a publisher has as many loans as the depth less the history less 1", () => {
  for (const [depth, history, most] of [[5, 0, 4], [5, 2, 2], [5, 4, 1], [2, 0, 1], [1, 0, 1]]) {
    using scene = new Scene({ depth: depth!, history: history! });
    const { publisher } = scene;
    const loans: Loan[] = [];
    for (let i = 0; i < most!; i++) loans.push(publisher.tryLoan()!);
    for (const way of [() => publisher.tryLoan(), () => publisher.loanSync()]) {
      assertThrows(
        way,
        VringError,
        `has ${most} loan${most === 1 ? "" : "s"}, and can have ${most} at a time (depth`,
      );
    }
    loans.pop()![Symbol.dispose]();
    loans.push(publisher.tryLoan()!);
    const canSend = depth! - history! > most!;
    if (canSend) assert(publisher.trySend(payload(1, 20)));
    else assertThrows(() => publisher.trySend(payload(1, 20)), VringError, "publish or dispose");
    loans.pop()!.publish();
    if (most! < depth!) loans.push(publisher.tryLoan()!);
  }
});

Deno.test("a sample whose memory was transferred away is given back without another error", () => {
  using place = new Name();
  const publisher = topic(place.name, { depth: 4, size: 256 }).publisher();
  const loan = publisher.tryLoan()!;
  const takeAway = ({ bytes }: Loan) => void bytes.buffer.transfer();
  assertThrows(() => publisher.tryFill(takeAway), TypeError, "was transferred away");
  loan[Symbol.dispose]();
  assertThrows(() => publisher.close(), TypeError, "was transferred away");
});

Deno.test("loan() beyond the limit rejects at once, and below it waits for subscribers", async () => {
  using scene = new Scene({ depth: 3 });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  publisher.trySend(payload(1, 20));
  using sample = present(subscriber.tryTake());
  using _first = publisher.tryLoan()!;
  publisher.trySend(payload(2, 20)); // now a loan would be within the limit, and none is free
  const waiting = publisher.loan({ ...WAIT, length: 20, spin: 0 });
  sample[Symbol.dispose]();
  using _second = await within("a loan", waiting);
  await assertRejects(() => publisher.loan({ ...WAIT, length: 20 }), VringError, "has 2 loans");
});

Deno.test("a loan that is given back wakes a send that waits", async () => {
  using scene = new Scene({ depth: 2 });
  using inside = new Inside(scene.definition);
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  const loan = publisher.tryLoan()!;
  assert(publisher.trySend(payload(1, 20)));
  const sending = publisher.send(payload(2, 20), { ...WAIT, spin: 0 });
  await until("it sleeps", () => inside.ring.isWriterAsleep());
  loan[Symbol.dispose]();
  assertEquals(inside.ring.isWriterAsleep(), false);
  await within("room", sending);
  for (const seed of [1, 2]) assertEquals(valueOf(subscriber.tryReceive()), payload(seed, 20));
});

Deno.test('under "dropOldest" a loan takes its place from the oldest, also if it is given back', () => {
  using scene = new Scene({ depth: 3, policy: "dropOldest" });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  for (let seed = 1; seed <= 3; seed++) publisher.trySend(payload(seed, 20));
  publisher.tryLoan()![Symbol.dispose]();
  using sample = present(subscriber.tryTake());
  assertEquals([sample.sequence, sample.lost], [2, 1]);
});

Deno.test("tryFill() publishes what the handler wrote, and nothing if it throws", () => {
  using scene = new Scene({ depth: 2 });
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  const bytes = payload(1, 20);
  assert(publisher.tryFill((loan) => (loan.bytes.set(bytes), 20)));
  assert(publisher.tryFill((loan) => void loan.bytes.set(bytes), 20));
  assertEquals(publisher.tryFill(() => 1), false);
  for (let i = 0; i < 2; i++) assertEquals(valueOf(subscriber.tryReceive()), bytes);
  const boom = () => {
    throw new TypeError("boom");
  };
  for (let i = 0; i < 5; i++) {
    assertThrows(() => publisher.tryFill(boom), TypeError, "boom");
    assertThrows(() => publisher.tryFill(() => 257), RangeError, "256 are loaned");
  }
  assertEquals(subscriber.tryReceive(), undefined);
  publisher.tryFill(() => {
    assert(publisher.trySend(bytes)); // a sample of its own
    assertThrows(() => publisher.tryLoan(), VringError, "has 1 loan, and");
    return 0;
  });
  assertEquals(valueOf(subscriber.tryReceive()), bytes);
  assertEquals(valueOf(subscriber.tryReceive()), new Uint8Array(0));
  for (let i = 0; i < 2; i++) assert(publisher.trySend(bytes), "a sample has leaked");
});

Deno.test("loans end with their publisher, and the next one has all samples", () => {
  using scene = new Scene({ depth: 4 });
  const { publisher, definition } = scene;
  const subscriber = scene.subscribe();
  const loans = [1, 2, 3].map(() => publisher.tryLoan()!);
  publisher.close();
  assertThrows(() => loans[0]!.publish(), ClosedError);
  loans[1]![Symbol.dispose]();
  assertEquals(loans[2]!.bytes.length, 0);
  assertThrows(() => loans[2]!.publish(), ClosedError);
  using next = definition.publisher();
  for (let seed = 1; seed <= 4; seed++) assert(next.trySend(payload(seed, 20)));
  assertEquals(next.tryLoan(), undefined);
  for (let seed = 1; seed <= 4; seed++) {
    assertEquals(valueOf(subscriber.tryReceive()), payload(seed, 20));
  }
});

Deno.test("a late hint about a loaned descriptor does not loan it again", () => {
  using scene = new Scene({ depth: 4 });
  using inside = new Inside(scene.definition);
  const { publisher } = scene;
  for (let d = 0; d < 4; d++) inside.ring.pushAvailable(d); // once more than right
  const loans = [1, 2, 3].map((seed) => fill(publisher.tryLoan({ length: 20 })!, seed));
  const places = new Set(loans.map(({ bytes }) => bytes.byteOffset));
  assertEquals(places.size, 3);
});

Deno.test("a stamp that repeats while a loan is out is not taken for delivered", () => {
  using scene = new Scene({ depth: 3 });
  using inside = new Inside(scene.definition);
  const { publisher } = scene;
  const subscriber = scene.subscribe();
  publisher.trySend(payload(1, 20));
  assertEquals(valueOf(subscriber.tryReceive()), payload(1, 20));
  const loans = [2, 3].map((seed) => fill(publisher.tryLoan({ length: 20 })!, seed));
  const { row } = inside.ring.reader(0);
  for (const word of row) word.store(3 << 2); // none, as if sample 2 had been given there long ago
  for (const loan of loans) loan.publish();
  for (const seed of [2, 3]) assertEquals(valueOf(subscriber.tryReceive()), payload(seed, 20));
});
