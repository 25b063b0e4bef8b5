/** The types of messages: every product carries values, encodes and shows them in place. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { json, text } from "../../src/codec.ts";
import { VringError } from "../../src/errors.ts";
import type { Type } from "../../src/message.ts";
import { array, struct } from "../../src/struct.ts";
import { payload } from "../circular/scene.ts";
import { Name } from "../shared/scene.ts";
import { type Receiver, type Sender, SENDING } from "./products/sending.ts";

const Point = struct("point", { x: "f64", y: "f32", tags: array("u8", 3) });

function point(i: number) {
  return { x: i + 0.25, y: -i, tags: Uint8Array.of(i, i + 1, i + 2) };
}

const VALUES: readonly [Type, unknown[]][] = [
  [Point, [point(1), point(2)]],
  ["f64", [0, -1.5, 2 ** 60, NaN, -0]],
  [array("f32", 2), [Float32Array.of(1, -2)]],
  [text(), ["", "größe", "🔒".repeat(50)]],
  [json(), [null, [1, { a: "b" }], "x".repeat(200)]],
];

for (const [name, product] of Object.entries(SENDING)) {
  /** Opens both ends, and closes them at the end. */
  const use = (
    type: Type | undefined,
    fn: (sender: Sender, receiver: Receiver) => void,
    own = false,
  ) => {
    using place = new Name();
    const ends = product.open(place.name, type, { own });
    using _ends = { [Symbol.dispose]: () => ends.forEach((end) => end.close()) };
    fn(...ends);
  };
  const test = (title: string, fn: () => void) => Deno.test(`${name}: ${title}`, fn);

  test("values of every type arrive unchanged", () => {
    for (const [type, values] of VALUES) {
      use(type, (sender, receiver) => {
        for (const value of values) assert(sender.trySend(value));
        for (const value of values) assertEquals(receiver.tryReceive()?.value, value);
      });
    }
  });

  test("a struct is written in place by claim and by fill, and shown in place", () => {
    use(Point, (sender, receiver) => {
      const see = () => {
        let seen: unknown;
        receiver.poll(({ view, value }) => {
          assertEquals([view.x, view.y, [...view.tags]], [value.x, value.y, [...value.tags]]);
          seen = value;
        });
        return seen;
      };
      const claim = sender.tryClaim()!; // of the size of the struct
      Object.assign(claim.view, point(1));
      claim.publish();
      assertEquals(see(), point(1));
      assert(sender.tryFill(({ view }) => void Object.assign(view, point(2))));
      assertEquals(see(), point(2));
      if (receiver.tryTake === undefined) return;
      sender.trySend(point(3));
      const taken = receiver.tryTake()!;
      assertEquals([taken.view.x, [...taken.view.tags], taken.value], [3.25, [3, 4, 5], point(3)]);
      if (taken.ack) taken.ack();
      else taken[Symbol.dispose]();
      assertThrows(() => taken.view, VringError, "it was released");
      assertEquals([taken.value, receiver.tryReceive()], [point(3), undefined]);
    });
  });

  test("a value that cannot be encoded leaves nothing, nor does one that sends meanwhile", () => {
    use(Point, (sender, receiver) => {
      const evil = (act: () => void) => ({
        ...point(1),
        get x() {
          return act(), 1;
        },
      });
      const refuse = () => {
        throw new Error("no");
      };
      for (let round = 0; round < 20; round++) {
        assertThrows(() => sender.trySend(evil(refuse)), Error, "no");
        const acts = [() => sender.trySend(point(2)), () => sender.tryClaim()];
        for (const act of product.noun === "loan" ? acts.slice(0, 1) : acts) {
          assertThrows(() => sender.trySend(evil(act)), VringError, "is being encoded");
        }
      }
      assertEquals(receiver.tryReceive(), undefined);
      assert(sender.trySend(point(3)));
      assertEquals(receiver.tryReceive()?.value, point(3));
    });
  });

  test("a message that its type cannot decode is gone after the error", () => {
    use(json(), (sender, receiver) => {
      assert(sender.tryFill(({ bytes }) => void bytes.fill("{".charCodeAt(0)), 3));
      assertThrows(() => receiver.tryReceive(), SyntaxError);
      assert(sender.trySend("good"));
      assertEquals(receiver.tryReceive()?.value, "good");
    });
  });

  for (const own of [false, true]) {
    const what = own ? "have buffers of their own with `own`" : "share a buffer";
    test(`small arrays that were received ${what}`, () => {
      use(undefined, (sender, receiver) => {
        const [first, second] = [1, 2].map((seed) => {
          assert(sender.trySend(payload(seed, 16)));
          return receiver.tryReceive()!.value as Uint8Array<ArrayBuffer>;
        });
        assertEquals(first!.buffer === second!.buffer, !own);
        if (own) structuredClone(first, { transfer: [first!.buffer] });
        else first!.fill(0xff); // it is the caller's, and no other array's
        assertEquals([second!.length, second], [16, payload(2, 16).slice()]);
      }, own);
    });
  }
}
