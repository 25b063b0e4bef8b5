/** The order of kept messages of which several are on their way at a time. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { KEPT_WINDOW, type KeptMessage, KeptOrder } from "../../src/bridge/kept_order.ts";
import type { Heading } from "../../src/bridge/message.ts";

/** A message with `count` samples after the number `follows`. */
function message(follows: number, count: number, done: () => void): KeptMessage {
  const order = { follows, upTo: follows + count };
  const heading = { sequence: follows + 1, count, order } as Heading;
  return { sender: "a", heading, payload: new Uint8Array(1), done };
}

/**
 * Returns the order in which a network keeps so many messages. `refusals` decides which of those that
 * are on their way is kept next; no further one is sent before the first of them is kept.
 */
function keptOrder(count: number, refusals: readonly number[]): number[] {
  const waiting = Array.from({ length: count }, (_, i) => i);
  const kept: number[] = [];
  for (let step = 0; waiting.length > 0; step++) {
    const sent = waiting.filter((i) => i < waiting[0]! + KEPT_WINDOW);
    const next = sent[(refusals[step % refusals.length] ?? 0) % sent.length]!;
    waiting.splice(waiting.indexOf(next), 1);
    kept.push(next);
  }
  return kept;
}

const COUNTS = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 60 });
const REFUSALS = fc.array(fc.integer({ min: 0, max: KEPT_WINDOW - 1 }), { minLength: 1 });
const RESTARTS = fc.array(fc.boolean(), { minLength: 1 });

Deno.test("messages pass once and in order, whatever the network refuses first", () => {
  fc.assert(fc.property(COUNTS, REFUSALS, RESTARTS, (counts, refusals, restarts) => {
    const follows = counts.map((_, i) => counts.slice(0, i).reduce((a, b) => a + b, 0));
    const kept = keptOrder(counts.length, refusals);
    const done = new Set<number>();
    const order = new KeptOrder();
    let last = 0; // the number that was published last, which a bridge that restarts finds
    order.begin(last);
    for (let at = 0, step = 0; at < kept.length;) {
      const i = kept[at++]!;
      if (done.has(i)) continue;
      const own = message(follows[i]!, counts[i]!, () => done.add(i));
      for (const { heading, done } of order.add(own)) {
        assertEquals(heading.order!.follows, last);
        last = heading.order!.upTo;
        done();
      }
      if (!restarts[step++ % restarts.length] || step > 200) continue;
      order.begin(last); // and all that is not done comes again
      at = 0;
    }
    assertEquals(last, counts.reduce((a, b) => a + b, 0));
  }));
});

Deno.test("what a killed bridge left behind passes before what the next one sends", () => {
  const order = new KeptOrder();
  const none = () => {};
  order.begin(10);
  assertEquals(order.add(message(15, 2, none)), []); // 11 to 15 was never kept
  const next = message(0, 25, none); // the next bridge numbers its messages from 0 on
  const first = { ...next, heading: { ...next.heading, sequence: 20 } };
  const found = order.add(first);
  assertEquals(found.map(({ heading }) => heading.order!.upTo), [17, 25]);
});

Deno.test("a message that never comes holds up no more than a window", () => {
  const order = new KeptOrder();
  order.begin(10);
  const passed: number[] = [];
  for (let i = 0; i < 2 * KEPT_WINDOW; i++) {
    for (const { heading } of order.add(message(12 + i, 1, () => {}))) {
      passed.push(heading.order!.follows);
    }
    if (i < KEPT_WINDOW - 1) assertEquals(passed, []);
  }
  assertEquals(passed, Array.from({ length: 2 * KEPT_WINDOW }, (_, i) => 12 + i));
});
