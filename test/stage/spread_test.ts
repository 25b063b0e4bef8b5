/** Verdicts about times: given only where the spreads of enough rounds do not touch. */

import { assertEquals, assertMatch } from "@std/assert";
import { fasterOf, guesses, type Spread, spreadOf, verdictOf } from "../../tutorials/spread.ts";

const times = (from: number, count = 20) => Array.from({ length: count }, (_, i) => from + i);
const [slow, fast] = [spreadOf("slow", times(100)), spreadOf("fast", times(50))];

Deno.test("a spread leaves out the fastest tenth and the slowest tenth", () => {
  assertEquals(spreadOf("a", [...times(100, 18), 1, 9999]), {
    name: "a",
    least: 101,
    median: 109,
    most: 116,
    rounds: 20,
  });
});

Deno.test("one of two is faster only if the spreads do not touch, in enough rounds", () => {
  assertEquals([fasterOf(slow, fast), fasterOf(fast, slow)], [fast, fast]);
  assertEquals(fasterOf(slow, spreadOf("near", times(90))), undefined);
  assertEquals(fasterOf(spreadOf("slow", times(100, 7)), fast), undefined);
  assertMatch(verdictOf(slow, fast), /Slower: slow, by a factor of 1\.8\.$/);
  assertMatch(verdictOf(slow, slow), /touch, so this run shows no difference/);
  assertMatch(verdictOf(slow, spreadOf("none", [])), /^Too few rounds/);
});

Deno.test("of three guesses just one is right, whatever was measured", () => {
  const rightOf = (spreads: readonly Spread[]) => {
    const guess = (text: string) => ({ text, right: "yes", wrong: "no" });
    const options = guesses(() => spreads, [guess("first"), guess("neither"), guess("second")]);
    assertEquals(options.filter(({ right }) => right).length, 1);
    assertEquals(options.filter(({ because }) => because === "yes").length, 1);
    return options.find(({ right }) => right)!.text;
  };
  assertEquals([[], [fast, slow], [slow, fast], [slow, slow]].map(rightOf), [
    "neither",
    "first",
    "second",
    "neither",
  ]);
});
