/** With detachViews() a view that a program keeps too long is empty, in every product. */

import { assertEquals } from "@std/assert";
import { domain } from "../../src/babus/definition.ts";
import { circular } from "../../src/circular/definition.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { byteRing, spsc } from "../../src/spsc/definition.ts";
import { checkLeaks, detachViews } from "../../src/testing/mod.ts";
import { topic } from "../../src/vdds/definition.ts";
import { Name } from "../shared/scene.ts";

type View = Uint8Array<ArrayBuffer>;

/** The views of one place in memory, while they are in use and after that. */
class Kept {
  readonly #views: View[] = [];

  /** Keeps a view, which is not empty yet. */
  keep(view: View): void {
    assertEquals(view.length, 8);
    this.#views.push(view);
  }

  /** The lengths of all views. */
  get lengths(): number[] {
    return this.#views.map((view) => view.length);
  }
}

const MESSAGE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

/** Fills the place that a claim shows, and checks that its view ends with it. */
const PRODUCTS: Record<string, (name: string, kept: Kept) => void> = {
  "a ring": (name, kept) => {
    for (const make of [spsc, mpsc]) {
      const ring = make(`${name}-${make.name}`);
      using consumer = ring.consumer();
      using producer = ring.producer();
      for (const end of ["publish", "dispose", "send"] as const) {
        const claim = producer.tryClaim(8)!;
        claim.bytes.set(MESSAGE);
        kept.keep(claim.bytes);
        if (end === "publish") claim.publish();
        else if (end === "dispose") claim[Symbol.dispose]();
        else producer.trySend(MESSAGE);
      }
      producer.tryFill(({ bytes }) => kept.keep(bytes), 8);
      consumer.tryReceive();
      const taken = consumer.tryTake()!;
      kept.keep(taken.bytes);
      assertEquals(taken.bytes, MESSAGE);
      taken.ack();
      producer.trySend(MESSAGE);
      producer.trySend(MESSAGE);
      using batch = consumer.tryTakeBatch()!;
      for (const { bytes } of batch) kept.keep(bytes);
      batch.ack();
      batch[Symbol.dispose]();
      producer.trySend(MESSAGE);
      producer.trySend(MESSAGE);
      consumer.poll(({ bytes }) => kept.keep(bytes));
    }
  },
  "a ring of bytes": (name, kept) => {
    const ring = byteRing(name);
    using consumer = ring.consumer();
    using producer = ring.producer();
    const claim = producer.claimSync(8);
    kept.keep(claim.bytes);
    claim.publish();
    kept.keep(consumer.peek());
    consumer.release(8);
    producer.tryWrite(MESSAGE);
    kept.keep(consumer.peek());
    consumer.tryRead(new Uint8Array(8));
  },
  "a circular buffer": (name, kept) => {
    const buffer = circular(name);
    using writer = buffer.writer();
    using reader = buffer.reader();
    const claim = writer.tryClaim(8);
    claim.bytes.set(MESSAGE);
    kept.keep(claim.bytes);
    claim.publish();
    writer.tryFill(({ bytes }) => kept.keep(bytes), 8);
    reader.poll(({ bytes }) => kept.keep(bytes));
    using observer = buffer.observer();
    assertEquals(observer.poll(({ bytes }) => kept.keep(bytes)), 2);
  },
  "a topic": (name, kept) => {
    const numbers = topic(name, { history: 2 });
    using publisher = numbers.publisher();
    using subscriber = numbers.subscriber();
    using observer = numbers.observer();
    using dropped = publisher.tryLoan({ length: 8 })!;
    kept.keep(dropped.bytes);
    dropped[Symbol.dispose]();
    for (let i = 0; i < 20; i++) { // so that each sample in memory is used again
      const loan = publisher.tryLoan({ length: 8 })!;
      loan.bytes.set(MESSAGE);
      kept.keep(loan.bytes);
      loan.publish();
      using sample = subscriber.tryTake()!;
      assertEquals(sample.bytes, MESSAGE);
      kept.keep(sample.bytes);
      publisher.tryFill(({ bytes }) => kept.keep(bytes), 8);
      subscriber.poll(({ bytes }) => kept.keep(bytes));
      assertEquals(observer.poll(({ bytes }) => kept.keep(bytes)), 2);
    }
  },
  "a slot": (name, kept) => {
    using slots = domain(name, { one: { size: 8 } }).open();
    const { one } = slots.slots;
    for (let i = 0; i < 20; i++) {
      const claim = one.tryClaim()!;
      claim.bytes.set(MESSAGE);
      kept.keep(claim.bytes);
      claim.publish();
      one.tryFill(({ bytes }) => kept.keep(bytes));
      kept.keep(one.peek()!.bytes); // until the slot is closed
    }
  },
};

for (const [product, use] of Object.entries(PRODUCTS)) {
  Deno.test(
    `detachViews() empties the views of ${product} when their use ends`,
    checkLeaks(() => {
      using place = new Name();
      const kept = new Kept();
      detachViews();
      try {
        use(place.name, kept);
      } finally {
        detachViews(false);
      }
      assertEquals(kept.lengths.filter((length) => length > 0), []);
    }),
  );
}

Deno.test("detachViews() empties the views of a handle that is closed", () => {
  using place = new Name();
  const buffer = circular(place.name);
  using writer = buffer.writer();
  detachViews();
  const { bytes } = writer.tryClaim(8);
  detachViews(false);
  assertEquals(bytes.length, 8);
  writer.close();
  assertEquals(bytes.length, 0);
});

Deno.test("without detachViews() a view stays until its handle is closed", () => {
  using place = new Name();
  const buffer = circular(place.name);
  using writer = buffer.writer();
  const claim = writer.tryClaim(8);
  const { bytes } = claim;
  claim.publish();
  assertEquals(bytes.length, 8);
});
