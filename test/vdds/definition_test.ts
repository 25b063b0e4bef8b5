/**
 * Definitions of topics: what differs between two programs is named by both, whichever came first.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { bytes, json, text } from "../../src/codec.ts";
import { struct } from "../../src/struct.ts";
import { LayoutMismatchError } from "../../src/errors.ts";
import type { Type } from "../../src/message.ts";
import { topic } from "../../src/vdds/definition.ts";
import type { TopicOptions } from "../../src/vdds/topic_options.ts";
import { payload } from "../circular/scene.ts";
import { Name } from "../shared/scene.ts";

/** Pairs of definitions of one topic, and the words for their values. */
const DIFFERENT: Record<string, [TopicOptions<Type>, string, TopicOptions<Type>, string]> = {
  depth: [{ depth: 4 }, "4", {}, "8"],
  size: [{ size: 100 }, "100", {}, "65536"],
  subscribers: [{ subscribers: 3 }, "3", {}, "16"],
  policy: [{ policy: "dropOldest" }, '"dropOldest"', {}, '"block"'],
  history: [{ history: 2 }, "2", {}, "0"],
  quota: [{ quota: 3 }, "3", {}, "0"],
  reserve: [{ reserve: false }, "false", {}, "true"],
  "message type": [{ type: text() }, '"text"', { type: json() }, '"json"'],
};

/** States the type that the options leave out. */
function typed(options: TopicOptions<Type>): TopicOptions<Type> & { type: Type } {
  return { ...options, type: options.type ?? bytes() };
}

for (const [what, [one, hisWord, other, herWord]] of Object.entries(DIFFERENT)) {
  Deno.test(`definitions that differ in ${what} do not open one topic, and the error names both`, () => {
    for (
      const [first, there, second, here] of [[one, hisWord, other, herWord], [
        other,
        herWord,
        one,
        hisWord,
      ]] as const
    ) {
      using name = new Name();
      const late = topic(name.name, typed(second));
      using _publisher = topic(name.name, typed(first)).publisher();
      for (const open of [() => late.publisher(), () => late.subscriber(), () => late.observer()]) {
        const { message } = assertThrows(open, LayoutMismatchError);
        const [state] = message.split("; ");
        assert(state!.includes(`topic "${name.name}"`), message);
        assert(state!.includes(there) && state!.includes(here), message);
      }
    }
  });
}

Deno.test("topics with one and with many publishers do not share a name", () => {
  for (const [first, second] of [["one", "many"], ["many", "one"]] as const) {
    using name = new Name();
    using _publisher = topic(name.name, { publishers: first }).publisher();
    const late = topic(name.name, { publishers: second });
    for (const open of [() => late.publisher(), () => late.subscriber()]) {
      const { message } = assertThrows(open, LayoutMismatchError, name.name);
      assert(message.includes('"one"') && message.includes('"many"'), message);
    }
  }
});

Deno.test("definitions of many publishers that differ do not open one topic", () => {
  using name = new Name();
  using _publisher = topic(name.name, { publishers: "many" }).publisher({ source: "left" });
  for (const options of [{ type: text() }, { depth: 4 }, { policy: "dropOldest" }] as const) {
    const other = topic<Type>(name.name, { publishers: "many", ...typed(options) });
    assertThrows(() => other.publisher({ source: "right" }), LayoutMismatchError);
  }
});

Deno.test("topic() opens nothing, and refuses a size other than that of its type", () => {
  using name = new Name();
  const Point = struct("point", { x: "f64", y: "f64" });
  const points = topic(name.name, { type: Point, size: 16 });
  assertThrows(() => topic(name.name, { type: Point, size: 17 }), TypeError, "leave the size out");
  assertEquals([points.name, points.info(), name.files()], [name.name, undefined, []]);
  using publisher = points.publisher();
  assertEquals(publisher.maxSample, 16);
  assertEquals(points.info()?.details?.geometry?.size, 16);
});

Deno.test("unlink() removes a topic, and with many publishers all that belongs to it", () => {
  using name = new Name();
  const single = topic(name.name);
  assertEquals(single.unlink(), false);
  using _publisher = single.publisher();
  assertEquals([single.unlink(), single.unlink(), name.files()], [true, false, []]);
  const many = topic(name.name, { publishers: "many" });
  using left = many.publisher({ source: "left" });
  using subscriber = many.subscriber();
  assertEquals([many.unlink(), many.unlink(), name.files()], [true, false, []]);
  left.trySend(payload(1, 8));
  assertEquals(subscriber.tryReceive()?.value, payload(1, 8)); // existing handles keep working
});

Deno.test("publishers without a source of their own get different ones", () => {
  using name = new Name();
  const many = topic(name.name, { publishers: "many" });
  using one = many.publisher();
  using two = many.publisher();
  using subscriber = many.subscriber();
  assert(one.source !== undefined && one.source !== two.source, `${one.source} ${two.source}`);
  assertEquals(one.name, `${name.name}/${one.source}`);
  assertEquals([subscriber.peers, one.peers, two.peers], [2, 1, 1]);
  assertEquals(new Set(subscriber.sources), new Set([one.source, two.source!]));
});

Deno.test("a source needs a topic of many publishers, which has no end", () => {
  using name = new Name();
  assertThrows(() => topic(name.name).publisher({ source: "left" }), TypeError, '"many"');
  const many = topic(name.name, { publishers: "many" });
  assertThrows(() => many.subscriber({ onPeerGone: "end" }), TypeError, "until");
  assertEquals(name.files(), []);
});
