/** Loops over what arrives: every product, and every form of loop that its receiver has. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { PeerLostError } from "../../src/errors.ts";
import { payload } from "../circular/scene.ts";
import { Name } from "../shared/scene.ts";
import {
  type LoopName,
  type Receiver,
  type Sender,
  SENDING,
  type Sending,
} from "./products/sending.ts";

/** The number of the message that is received next once a loop was left with the first. */
const LEFT = { values: 2, samples: 2, messages: 1, batches: 1 };

const turn = () => new Promise((resolve) => setTimeout(resolve));

for (const [name, product] of Object.entries(SENDING)) {
  for (const loop of product.loops) testLoop(`${name}, ${loop}()`, product, loop);
}

function testLoop(
  title: string,
  product: Sending,
  loop: LoopName,
): void {
  const { isState, refuses, noun } = product;
  const test = (what: string, fn: (sender: Sender, receiver: Receiver) => Promise<void>) =>
    Deno.test(`${title}: ${what}`, async () => {
      using place = new Name();
      const ends = product.open(place.name, undefined, isState ? {} : { onPeerGone: "end" });
      using _ends = { [Symbol.dispose]: () => ends.forEach((end) => end.close()) };
      await fn(...ends);
    });
  /** Loops to the end, and returns the values. */
  const valuesOf = async (receiver: Receiver, options?: { signal: AbortSignal }) => {
    const values: unknown[] = [];
    for await (const one of receiver[loop]!(options)) {
      if (loop === "values") values.push(one);
      else values.push(...(loop === "batches" ? [...one] : [one]).map(({ value }) => value));
    }
    return values;
  };

  for (const end of ["until", "until, at once", "close"] as const) {
    for (const later of [queueMicrotask, setTimeout] as const) {
      test(`it ends quietly on ${end}, by ${later.name}`, async (sender, receiver) => {
        const stop = new AbortController();
        if (end === "until, at once") stop.abort("unseen");
        sender.trySend(payload(1, 8));
        let turns = 0;
        for await (const _ of receiver[loop]!({ until: stop.signal })) {
          turns++;
          later(() => end === "until" ? stop.abort("unseen") : receiver.close());
        }
        assertEquals(turns, end === "until, at once" ? 0 : 1);
        if (end === "close" || isState) return;
        sender.trySend(payload(2, 8));
        assertEquals(receiver.tryReceive()?.value, payload(end === "until" ? 2 : 1, 8).slice());
      });
    }
  }

  test("it rejects with the reason of a signal", async (sender, receiver) => {
    const stop = new AbortController();
    const waiting = valuesOf(receiver, { signal: stop.signal });
    await turn();
    stop.abort("enough");
    assertEquals(await waiting.catch((reason) => reason), "enough");
    sender.trySend(payload(1, 8));
    assertEquals(receiver.tryReceive()?.value, payload(1, 8).slice()); // nothing is lost
  });

  if (isState) return;

  test("it yields every message until the end", async (sender, receiver) => {
    const total = refuses || noun === "loan" ? 200 : 20; // an overwriting ring holds only some
    const looping = valuesOf(receiver);
    for (let i = 0; i < total; i++) {
      while (!sender.trySend(payload(i, i))) await turn();
    }
    sender.close();
    assertEquals(await looping, Array.from({ length: total }, (_, i) => payload(i, i).slice()));
    assert(receiver.ended);
  });

  test("once it is left, it takes nothing more", async (sender, receiver) => {
    for (let i = 1; i <= 3; i++) sender.trySend(payload(i, 8));
    for await (const _ of receiver[loop]!(loop === "batches" ? { limit: 1 } : {})) break;
    const [first, second] = [receiver.tryReceive(), receiver.tryReceive()];
    const next = LEFT[loop];
    assertEquals(
      [first?.value, second?.value],
      [payload(next, 8), payload(next + 1, 8)].map((b) => b.slice()),
    );
  });

  if (!refuses) return;

  test("it rejects with the loss of its sender, once all has arrived", async (sender, receiver) => {
    sender.trySend(payload(1, 8));
    sender.abort!();
    await assertRejects(() => valuesOf(receiver), PeerLostError, "without end()");
    assertEquals(receiver.ended, false);
  });
}
