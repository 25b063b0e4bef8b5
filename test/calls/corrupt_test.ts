/**
 * Calls whose words and messages a broken peer has changed. They are made in another process, by a
 * deadline, as they might run for ever or end it.
 */

import { assert, assertEquals, assertGreater } from "@std/assert";
import { inParts, totalOf } from "../shared/in_parts.ts";
import { processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { NUMBERS } from "../corruption.ts";
import { Random } from "../random.ts";
import { type Change, EVERY, MEANT } from "./assault.ts";
import type { Tools } from "./calls_child.ts";
import { CAPACITY, Inside } from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./calls_child.ts", import.meta.url),
  "calls in corrupt memory",
);

/** Values that positions, states and numbers are fooled by. */
const WORDS = [0, 1, 2, 3, 8, 120, 128, 4096, 4104, 2 ** 31 - 8, 2 ** 31, 2 ** 32 - 8, 2 ** 32 - 1];

/** Assaults in another process. */
const assaultAll = inParts<Tools, readonly Change[]>(
  startProcess,
  25,
  ({ assault }, { name, some }) => assault({ name, servers: 1 }, some),
);

/** Assaults calls that have two servers, in another process. */
const assaultBoth = inParts<Tools, readonly Change[]>(
  startProcess,
  25,
  ({ assault }, { name, some }) => assault({ name, servers: 2 }, some),
);

test("every word of the control block and of a seat can hold anything", async () => {
  const cases = MEANT.flatMap((word) => WORDS.map((value): Change[] => [{ word, value }]));
  const seen = await assaultAll(cases);
  assertGreater(seen.answer!, cases.length);
  assertGreater(seen.CorruptRegionError!, 30);
  assert(seen.PeerLostError! > 0 && seen.TimeoutError! > 0, JSON.stringify(seen));
});

test("every word can hold anything while two servers share the calls", async () => {
  const values = [0, 1, 2, 128, 2 ** 31, 2 ** 32 - 1];
  const cases = MEANT.flatMap((word) => values.map((value): Change[] => [{ word, value }]));
  const seen = await assaultBoth(cases);
  assertGreater(seen.answer!, 2 * cases.length);
  assertGreater(seen.CorruptRegionError!, 10);
});

test("words that mean nothing mean nothing", async () => {
  const cases = EVERY.filter((word) => !MEANT.includes(word))
    .map((word): Change => ({ word, value: 2 ** 32 - 1 }));
  const seen = await assaultAll([cases]);
  assertEquals(
    [seen.CorruptRegionError, seen.PeerLostError, seen.nonsense],
    Array(3).fill(undefined),
  );
});

for (const lane of ["requests", "responses"] as const) {
  test(`the length and the envelope of ${lane} can be anything`, async () => {
    const cases = [0, 1, 2].flatMap((number) =>
      NUMBERS.map((value): Change[] => [{ lane, number, value }])
    );
    const seen = await assaultAll(cases);
    assertGreater(seen.answer!, cases.length);
    assertGreater(seen.CorruptRegionError!, 20);
  });
}

test("several words and messages at once can be anything", async () => {
  const random = new Random("calls");
  const some = (): Change => {
    if (random.below(3) === 0) {
      const lane = random.pick(["requests", "responses"] as const);
      return { lane, number: random.below(3), value: random.pick(NUMBERS) };
    }
    const value = random.below(2) * random.below(2 ** 32) + random.below(200);
    return { word: random.pick(MEANT), value };
  };
  const cases = Array.from({ length: 100 }, () => {
    return Array.from({ length: 2 + random.below(4) }, some);
  });
  const seen = await assaultAll(cases);
  assertGreater(seen.CorruptRegionError!, 20);
});

test("the memory can be changed at any moment while calls are made", async () => {
  using place = new Name();
  using inside = new Inside(place.name, { clients: 2, capacity: CAPACITY });
  await using server = startProcess();
  await using first = startProcess();
  await using second = startProcess();
  const roles = [[server, "server"], [first, "client"], [second, "client"]] as const;
  let over = false;
  const tolls = Promise.all(
    roles.map(([party, role]) =>
      party.run(({ endure }, { name, role }) => endure(name, role), { name: place.name, role })
    ),
  ).finally(() => over = true);
  tolls.catch(() => {}); // it is looked at below
  for (let i = 0; !over; i++) {
    inside.word(MEANT[i % MEANT.length]!).store(WORDS[i % WORDS.length]!);
    await new Promise((resolve) => setTimeout(resolve, i % 4));
    if (i % 4 !== 3) continue;
    for (let word = 0; word < inside.size; word++) { // as in the beginning
      inside.word(word).store(word === 0 ? 1 : 0);
    }
    await new Promise((resolve) => setTimeout(resolve, i % 20));
  }
  const seen = totalOf(await tolls);
  assert(seen.answer! > 0 && seen.CorruptRegionError! > 0, JSON.stringify(seen));
});
