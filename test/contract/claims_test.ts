/**
 * Claims and loans: memory that a sender writes a message into. One suite for every product that has
 * them.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClosedError, VringError } from "../../src/errors.ts";
import { payload } from "../circular/scene.ts";
import { Name } from "../shared/scene.ts";
import { type AnyClaim, type Sender, SENDING } from "./products/sending.ts";

interface Ends {
  readonly sender: Sender;
  claim(length: number): AnyClaim;
  fill: Sender["tryFill"];
  send: Sender["trySend"];
  next(): Uint8Array | undefined;
}

for (const [name, product] of Object.entries(SENDING)) {
  const test = (title: string, fn: (ends: Ends) => void) => {
    Deno.test(`${name}: ${title}`, () => {
      using place = new Name();
      const [sender, receiver] = product.open(place.name);
      using _ends = { [Symbol.dispose]: () => [sender, receiver].forEach((end) => end.close()) };
      fn({
        sender,
        claim: (length) => sender.tryClaim(length)!,
        fill: (handler, length) => sender.tryFill(handler, length),
        send: (message) => sender.trySend(message),
        next: () => receiver.tryReceive()?.value,
      });
    });
  };
  const { noun = "claim", mustTellLength, refuses } = product;
  const [surplus, ended] = [`are ${noun}ed`, `${noun} first`];

  test("publish() sends the first bytes of a claim, or all", ({ claim, next }) => {
    for (let round = 0; round < 600; round++) { // also where the claim runs past the end
      const length = round % 90;
      const one = claim(100);
      assertEquals([one.length, one.bytes.length, one.view], [100, 100, undefined]);
      one.bytes.set(payload(round, length));
      assertEquals(next(), undefined);
      one.publish(length);
      assertEquals(next(), payload(round, length));
    }
    const all = claim(5);
    all.bytes.set(payload(7, 5));
    all.publish();
    assertEquals(next(), payload(7, 5));
    claim(5).publish(-0);
    assertEquals(next(), new Uint8Array(0));
  });

  test("publish() refuses a wrong length and keeps the claim, and a second call", ({ claim, next }) => {
    const one = claim(10);
    one.bytes.set(payload(3, 10));
    for (const length of [11, -1, 1.5, NaN]) {
      assertThrows(() => one.publish(length), RangeError, `10 ${surplus}`);
    }
    if (mustTellLength) assertThrows(() => claim(2 ** 20), RangeError);
    assertEquals(next(), undefined);
    one.publish();
    assertEquals(next(), payload(3, 10));
    assertEquals([one.length, one.bytes.length], [0, 0]);
    assertThrows(() => one.publish(), VringError, `it has ended; ${ended}`);
    assertThrows(() => one.view, VringError, `it has ended; ${ended}`);
    one[Symbol.dispose](); // has nothing to discard
    assertEquals(next(), undefined);
  });

  test("a claim that leaves its block is discarded", ({ claim, send, next }) => {
    for (let round = 0; round < 20; round++) {
      const leave = () => {
        using one = claim(10);
        one.bytes.fill(1);
        throw new Error("no");
      };
      assertThrows(leave, Error, "no");
      assertEquals(next(), undefined);
    }
    send(payload(1, 10));
    assertEquals(next(), payload(1, 10));
  });

  if (noun === "claim") {
    test("the next claim, or a message, ends the claim", ({ claim, send, next }) => {
      claim(100).bytes.fill(1);
      {
        using second = claim(10);
        second.bytes.set(payload(2, 10));
        second.publish();
      }
      assertEquals([next(), next()], [payload(2, 10), undefined]);
      const one = claim(10);
      send(payload(3, 4));
      assertThrows(() => one.publish(), VringError, `it has ended; ${ended}`);
      assertEquals([next(), next()], [payload(3, 4), undefined]);
    });
  }

  test("tryFill() publishes what its handler fills, and nothing if that throws", (ends) => {
    const { claim, fill, send, next } = ends;
    const set = (bytes: Uint8Array) => bytes.set(payload(1, 20));
    for (let round = 0; round < 20; round++) {
      const boom = () => {
        throw new TypeError("boom");
      };
      assertThrows(() => fill(boom, 20), TypeError, "boom");
      for (const length of [21, -1, 0.5]) {
        assertThrows(
          () => fill(({ bytes }) => (set(bytes), length), 20),
          RangeError,
          `20 ${surplus}`,
        );
      }
    }
    assertEquals(next(), undefined);
    assert(fill(({ bytes }) => (set(bytes), 7), 20));
    assertEquals(next(), payload(1, 20).slice(0, 7));
    assert(fill(({ bytes }) => set(bytes), 20));
    assertEquals([next(), next()], [payload(1, 20), undefined]);
    if (mustTellLength) assertThrows(() => fill(() => {}), TypeError);
    if (noun === "loan") return;
    assertThrows(() => fill(() => void claim(1), 20), VringError, ended);
    assertEquals(next(), undefined);
    assertThrows(() => fill(() => void send(payload(2, 1)), 20), VringError, ended);
    assertEquals([next(), next()], [payload(2, 1), undefined]);
    if (!refuses) return;
    while (send(payload(3, 100)));
    let calls = 0;
    assertEquals([fill(() => calls++, 100), calls], [false, 0]);
  });

  test("a claim is empty once its handle has closed", ({ sender, claim, fill, next }) => {
    const one = claim(10);
    const { bytes } = one;
    sender.close();
    assertThrows(() => one.publish(), ClosedError);
    assertThrows(() => claim(1), ClosedError);
    assertThrows(() => fill(() => {}, 1), ClosedError);
    one[Symbol.dispose]();
    assertEquals([one.length, one.bytes.length, bytes.length, next()], [0, 0, 0, undefined]);
  });

  test("tryFill() publishes nothing if its handler closes the handle", (ends) => {
    assertThrows(() => ends.fill(() => ends.sender.close(), 20), ClosedError);
    assertEquals(ends.next(), undefined);
  });
}
