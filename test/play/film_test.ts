/**
 * Films of runs, and what the page says about how they ended.
 */

import { assert, assertEquals } from "@std/assert";
import type { End, Scenario } from "../explore/engine/mod.ts";
import { CONVENTIONS, increment, memory, scenario, word } from "../explore/fixture.ts";
import { wait, wake } from "../explore/leaves/futex.ts";
import { copyIn, copyOut } from "../explore/leaves/word.ts";
import { pattern } from "../explore/scenario.ts";
import { explain } from "../../tutorials/stage/play/explain.ts";
import { type Film, film } from "../../tutorials/stage/play/film.ts";
import type { Locate } from "../../tutorials/stage/play/places.ts";

const HERE = import.meta.url;

/** The lines of this file are the parties' own. */
const locate: Locate = (url, line) => url === HERE ? { source: "here.ts", line } : undefined;

function filmOf(actors: Scenario["actors"], token: string, parts: Partial<Scenario> = {}) {
  return film(scenario(actors, parts), token, { conventions: CONVENTIONS, locate });
}

/** What the page says at the end of a film. */
function told(film: Film): { title: string; text: string } {
  const { title, lines } = explain(film, film.moments.at(-1)!)!;
  return { title, text: lines.join(" ") };
}

const LOSING = {
  sleeper: () => {
    if (word(0).load() === 0) wait(word(0).address, 0, Infinity);
  },
  waker: () => {
    wake(word(0).address, 1);
    word(0).store(1);
  },
};

Deno.test("a film has a moment for each step, with memory, parties and the next steps", async () => {
  const { moments, parties, regions, refused } = await filmOf(LOSING, "A.B*2.A");
  assertEquals(refused, undefined);
  assertEquals(parties.map(({ name, letter }) => `${letter} ${name}`), ["A sleeper", "B waker"]);
  assertEquals(moments.map(({ step }) => step?.code), [undefined, "A", "B", "B", "A"]);
  assertEquals(moments.map(({ memory }) => memory[0]![0]), [0, 0, 0, 1, 1]);
  const [first, second] = moments;
  assertEquals(first!.choices.map(({ code }) => code), ["A", "B"]);
  assertEquals(first!.parties.map(({ operation }) => operation), [
    "word[0] load",
    "word[0] wake 1",
  ]);
  assertEquals(first!.parties[0]!.target, { region: 0, index: 0 });
  assertEquals(second!.events, [{ actor: "sleeper", what: "word[0] load -> 0" }]);
  assertEquals(regions.map(({ label, cells }) => [label, cells[0]!.name]), [["shared", "word[0]"]]);
  assertEquals(moments.at(-1)!.parties.map(({ status }) => status), ["finished", "finished"]);
});

Deno.test("each party is at the line of its next operation", async () => {
  const { stack } = new Error();
  const start = Number(/film_test\.ts:(\d+)/.exec(stack!)![1]);
  const { moments } = await filmOf({
    storer: () => {
      word(0).store(1);
      store();
    },
  }, "A*2");
  function store() {
    word(0).store(2);
  }
  const lines = moments.map(({ parties }) => parties[0]!.places.map(({ line }) => line - start));
  assertEquals(lines, [[4], [9, 5], [9, 5]]);
});

Deno.test("a film ends before a step that is not possible", async () => {
  const { moments, refused } = await filmOf(LOSING, "A.C.B");
  assertEquals([moments.length, refused], [2, "C"]);
});

Deno.test("a lost wake-up is explained by the last look of the others", async () => {
  const { title, text } = told(await filmOf(LOSING, "A.B.A.B"));
  assertEquals(title, "A wake-up is lost");
  assertEquals(
    text,
    "sleeper fell asleep in step 3. It sleeps while word[0] is 0. " +
      'waker did "store 1 in word[0]" in step 4. waker has ended. Nobody is left to wake it.',
  );
});

const ONE_DEATH = { preemptions: 0, deaths: 1, noise: 0 };

Deno.test("a death that leaves a sleeper behind is explained", async () => {
  const { title, text } = told(await filmOf(LOSING, "A*2.kB", { bounds: ONE_DEATH }));
  // After a death time may pass, but this sleep has no deadline.
  assertEquals(title, "A party waits for ever");
  assert(text.startsWith("waker was killed in step 3, before its first operation."), text);
});

Deno.test("a lost update is explained by the store that rests on an old value", async () => {
  const check = ({ bytes }: End) =>
    bytes("shared")[0] === 2 ? undefined : `the count is ${bytes("shared")[0]}`;
  const { title, text } = told(
    await filmOf({ left: increment, right: increment }, "A.B*2.A", { check }),
  );
  assertEquals(title, "The promise is broken");
  assertEquals(
    text,
    "The count is 1. left read word[0] in step 1 and stored it in step 4. In between, in step 3, " +
      "right changed it, and left did not notice.",
  );
});

Deno.test("half a message is explained, whichever side was interrupted", async () => {
  const check = () => "half";
  const actors = {
    writer: () => copyIn(memory(), 128, pattern(8, 1)),
    reader: () => copyOut(memory(), 128, new Uint8Array(8)),
  };
  const reader = told(await filmOf(actors, "B.A*2.B", { check })).text;
  assert(reader.includes("reader copied the first half in step 1 and the second half in step 4"));
  const writer = told(await filmOf(actors, "A.B*2.A", { check })).text;
  assert(writer.includes("writer copied the first half of a message in step 1"));
  const neither = told(await filmOf(actors, "A*2.B*2", { check })).text;
  assertEquals(neither, "Half.");
});

Deno.test("an end without a defect is well, and shows no reason", async () => {
  assertEquals(told(await filmOf(LOSING, "B*2.A")).title, "Everything ended well");
});

Deno.test("the explanation of code that is not deterministic says how to mend it", async () => {
  let calls = 0;
  const fickle = () => {
    calls++;
    for (const value of [1, 2]) word(0).store(10 * value + calls);
  };
  const { title, text } = told(
    await filmOf({ fickle, other: () => word(0).load() }, "A.B.A"),
  );
  assertEquals(title, "A party failed");
  assert(text.startsWith('fickle is not deterministic: it did "word[0] store 12"'), text);
  assert(text.includes("Keep all state inside of the party"));
});

Deno.test("as many parties die as the scenario allows, and no more", async () => {
  const codesOf = ({ moments }: Film) => moments.at(-1)!.choices.map(({ code }) => code);
  assertEquals(codesOf(await filmOf(LOSING, "", { bounds: ONE_DEATH })), ["A", "B", "kA", "kB"]);
  assertEquals(codesOf(await filmOf(LOSING, "kA", { bounds: ONE_DEATH })), ["B"]);
});
