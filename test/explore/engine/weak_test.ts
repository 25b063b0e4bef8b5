/**
 * Weak memory, held against the litmus tests that define it: the outcomes that Arm's architecture
 * allows are reached, and those that it forbids are not.
 */

import { assertEquals } from "@std/assert";
import { generator } from "../fixture.ts";
import { allowedOutcomes, outcomes, type Program, type Step } from "../litmus.ts";

/** A litmus test: its name in the literature, the outcome that it asks for, and the verdict. */
interface Litmus {
  readonly name: string;
  readonly threads: Program;
  readonly asks: RegExp;
  readonly allowed: boolean;
}

/** Combines two shapes of threads: for each pair of kinds whether the outcome is allowed. */
function family(
  name: string,
  asks: RegExp,
  verdicts: readonly (readonly [left: string, right: string, allowed: boolean])[],
  shape: (left: string[], right: string[]) => Program,
): Litmus[] {
  return verdicts.map(([left, right, allowed]) => ({
    name: `${name}: ${left} | ${right}`,
    asks,
    allowed,
    threads: shape(left.split(" "), right.split(" ")).map((steps) =>
      steps.flatMap((step) => step[0] === undefined ? [] : [step])
    ),
  }));
}

/** Makes the steps of a thread; a barrier has no variable. */
function steps(kinds: string[], ...places: readonly (readonly [string, number?])[]): Step[] {
  let next = 0;
  return kinds.map((kind) =>
    (kind === "dmb" || kind === "all" ? [kind] : [kind, ...places[next++]!]) as unknown as Step
  );
}

const LITMUS: readonly Litmus[] = [
  // Message passing: the flag is seen, and not the message.
  ...family("MP", /^ 1,0/, [
    ["plain plain", "look look", true],
    ["plain release", "look look", true],
    ["plain plain", "acquire look", true],
    ["plain release", "acquire look", false],
    ["plain dmb plain", "look dmb look", false],
    ["plain dmb plain", "look look", true],
    ["plain plain", "look dmb look", true],
    ["release plain", "acquire acquire", true], // a plain store passes the release before it
    ["first plain", "acquire acquire", false],
    ["release plain", "look acquire", true], // a seqlock's reservation, and its check
    ["release plain", "look last", true],
    ["first plain", "look acquire", true],
    ["first plain", "look last", false],
    ["release release", "look acquire", true],
    ["release release", "acquire acquire", false],
    ["plain all plain", "look look", false], // also between the two loads
    ["plain plain", "look all look", false],
  ], (left, right) => [steps(left, ["x"], ["y"]), steps(right, ["y"], ["x"])]),
  ...family("MP with a third", /^ 1,\d,0/, [
    ["plain release", "look acquire look", true],
    ["plain release", "look last look", false],
    ["plain release", "acquire look look", false],
  ], (left, right) => [steps(left, ["x"], ["y"]), steps(right, ["y"], ["z"], ["x"])]),
  {
    name: "MP: plain release | look release look acquire",
    asks: /^ 1,0,0/,
    allowed: false,
    threads: [
      [["plain", "x"], ["release", "y"]],
      [["look", "y"], ["release", "z", 0], ["look", "z"], ["acquire", "x"]],
    ],
  },
  {
    name: "MP: plain release | look release look acquire look",
    asks: /^ 1,0,0,0/,
    allowed: false,
    threads: [
      [["plain", "x"], ["release", "y"]],
      [["look", "y"], ["release", "z", 0], ["look", "z"], ["acquire", "w"], ["look", "x"]],
    ],
  },
  // Store buffering: neither sees the other's store.
  ...family("SB", /^0 0/, [
    ["plain look", "plain look", true],
    ["plain dmb look", "plain dmb look", false],
    ["plain dmb look", "plain look", true],
    ["release acquire", "release acquire", false],
    ["release look", "release look", true],
    ["release last", "release last", false],
    ["plain acquire", "plain acquire", true],
    ["plain last", "plain last", true],
    ["release acquire", "release look", true],
    ["first look", "first look", false],
    ["first look", "release acquire", false],
    ["release look", "release all look", false], // a bell, and who sleeps on it
    ["release look", "release dmb look", true], // a bell without the barrier for all
    ["plain look", "plain all look", false],
    ["plain look", "all plain look", true],
  ], (left, right) => [steps(left, ["x"], ["y"]), steps(right, ["y"], ["x"])]),
  // Two variables are written in opposite orders, and each keeps what was stored first.
  ...family("2+2W", /x=1 y=1/, [
    ["plain plain", "plain plain", true],
    ["plain dmb plain", "plain dmb plain", false],
    ["plain dmb plain", "plain plain", true],
    ["plain release", "plain release", false],
    ["plain release", "plain plain", true],
    ["release plain", "release plain", true],
    ["first plain", "first plain", false],
  ], (left, right) => [steps(left, ["x", 1], ["y", 2]), steps(right, ["y", 1], ["x", 2])]),
  // R: a store is overwritten by one that was made before it was seen.
  ...family("R", /0 x=1 y=2/, [
    ["plain plain", "plain look", true],
    ["plain dmb plain", "plain dmb look", false],
    ["plain release", "release acquire", false],
    ["plain release", "release look", true],
    ["plain release", "plain acquire", true],
  ], (left, right) => [steps(left, ["x"], ["y", 1]), steps(right, ["y", 2], ["x"])]),
  // S: a store that comes after a message was seen is overwritten by one from before the message.
  ...family("S", /1 x=2/, [
    ["plain plain", "acquire plain", true],
    ["plain release", "acquire plain", false],
    ["plain dmb plain", "look dmb plain", false],
    ["release plain", "acquire release", true],
  ], (left, right) => [steps(left, ["x", 2], ["y"]), steps(right, ["y"], ["x", 1])]),
  // Coherence.
  ...family("CoRR", /^ (1,0|2,0|2,1) /, [
    ["plain plain", "look look", false],
    ["plain release", "look acquire", false],
    ["release plain", "acquire look", false],
  ], (left, right) => [steps(left, ["x", 1], ["x", 2]), steps(right, ["x"], ["x"])]),
  ...family("CoWW", /x=1/, [
    ["plain plain", "look", false],
    ["plain release", "look", false],
    ["release plain", "look", false],
  ], (left, right) => [steps(left, ["x", 1], ["x", 2]), steps(right, ["x"])]),
  ...family("CoWR", /^(0 |2 .*x=1)/, [
    ["plain look", "plain", false],
    ["plain acquire", "plain", false],
    ["release look", "release", false],
  ], (left, right) => [steps(left, ["x", 1], ["x"]), steps(right, ["x", 2])]),
  {
    name: "CoWR: plain look acquire | first",
    asks: /^0,0/,
    allowed: false,
    threads: [[["plain", "y", 1], ["look", "x"], ["acquire", "y"]], [["first", "y", 2]]],
  },
  ...family("CoRW", /^(1|2.*x=2)/, [
    ["look plain", "plain", false],
    ["acquire release", "plain", false],
  ], (left, right) => [steps(left, ["x"], ["x", 1]), steps(right, ["x", 2])]),
  // Two writers, two readers: the readers see the stores in opposite orders.
  ...family("IRIW", /1,0 1,0/, [
    ["look look", "look look", true],
    ["acquire look", "acquire look", false],
    ["acquire acquire", "acquire look", false],
    ["look dmb look", "look look", true],
  ], (left, right) => [
    [["plain", "x"]],
    [["plain", "y"]],
    steps(left, ["x"], ["y"]),
    steps(right, ["y"], ["x"]),
  ]),
  // A message is passed on.
  ...family("WRC", /1 1,0/, [
    ["acquire release", "acquire look", false],
    ["acquire plain", "acquire look", false],
    ["acquire plain", "look look", true],
  ], (left, right) => [
    [["plain", "x"]],
    steps(left, ["x"], ["y"]),
    steps(right, ["y"], ["x"]),
  ]),
];

Deno.test("litmus tests end as Arm's architecture says", async (t) => {
  for (const { name, threads, asks, allowed } of LITMUS) {
    await t.step(`${name} is ${allowed ? "allowed" : "forbidden"}`, async () => {
      const found = await outcomes(threads);
      assertEquals(found.some((outcome) => asks.test(outcome)), allowed, found.join("; "));
    });
  }
});

const KINDS = ["plain", "release", "first", "look", "acquire", "last", "dmb"] as const;

/** Makes two or three threads with a few steps each; each store has a value of its own. */
function randomProgram(random: (limit: number) => number): Program {
  let value = 0;
  const count = 2 + random(2);
  return Array.from(
    { length: count },
    () =>
      Array.from({ length: 2 + random(count === 2 ? 4 : 2) }, (): Step => {
        let what: Step[0] = KINDS[random(random(4) === 0 ? KINDS.length : KINDS.length - 1)]!;
        if (what === "dmb" && count === 2 && random(2) === 0) what = "all";
        return [what, (["x", "y", "z"] as const)[random(3)]!, ++value];
      }),
  );
}

Deno.test("random programs end in every way that the axioms allow, and in no other", async () => {
  const random = generator(99);
  for (let i = 0; i < 60; i++) {
    const program = randomProgram(random);
    const text = JSON.stringify(program);
    assertEquals(await outcomes(program, 8), allowedOutcomes(program), text);
  }
});
