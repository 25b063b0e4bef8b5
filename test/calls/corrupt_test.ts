/**
 * Calls whose words and messages a broken peer has changed. They are made in another process, by a
 * deadline, as they might run for ever or end it.
 */

import { assert, assertEquals, assertGreater } from "@std/assert";
import { processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { NUMBERS } from "../circular/assault.ts";
import { type Change, EVERY, MEANT } from "./assault.ts";
import type { Tools } from "./calls_child.ts";
import { CAPACITY, Inside } from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./calls_child.ts", import.meta.url),
  "calls in corrupt memory",
);

/** Values that positions, states and numbers are fooled by. */
const WORDS = [0, 1, 2, 3, 8, 120, 128, 4096, 4104, 2 ** 31 - 8, 2 ** 31, 2 ** 32 - 8, 2 ** 32 - 1];

/** Assaults in another process, in parts that have a deadline each. */
async function assaultAll(cases: readonly (readonly Change[])[]): Promise<Record<string, number>> {
  using place = new Name();
  await using party = startProcess();
  const total: Record<string, number> = {};
  const part = 25;
  for (let from = 0; from < cases.length; from += part) {
    const some = cases.slice(from, from + part);
    const { complaints, seen } = await party.run(
      ({ assault }, { name, some }) => assault(name, some),
      { name: `${place.name}.${from}`, some },
    ).catch((error) => {
      throw new Error(`Cases ${from} and on, such as ${JSON.stringify(some[0])}: ${error}`);
    });
    assertEquals(complaints.slice(0, 3), []);
    for (const [what, count] of Object.entries(seen)) total[what] = (total[what] ?? 0) + count;
  }
  assertEquals(place.files(), []);
  return total;
}

test("every word of the control block and of a seat can hold anything", async () => {
  const cases = MEANT.flatMap((word) => WORDS.map((value): Change[] => [{ word, value }]));
  const seen = await assaultAll(cases);
  assertGreater(seen.answer!, cases.length);
  assertGreater(seen.CorruptRegionError!, 30);
  assert(seen.PeerLostError! > 0 && seen.TimeoutError! > 0, JSON.stringify(seen));
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
  let seed = 1;
  const random = (below: number) => {
    seed = Math.imul(seed, 0x5bd1e995) + 12345 >>> 0;
    return Math.floor(seed / 2 ** 32 * below);
  };
  const some = (): Change => {
    if (random(3) === 0) {
      const lane = random(2) === 0 ? "requests" : "responses";
      return { lane, number: random(3), value: NUMBERS[random(NUMBERS.length)]! };
    }
    return { word: MEANT[random(MEANT.length)]!, value: random(2) * random(2 ** 32) + random(200) };
  };
  const cases = Array.from({ length: 100 }, () => Array.from({ length: 2 + random(4) }, some));
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
  const seen: Record<string, number> = {};
  for (const toll of await tolls) {
    assertEquals(toll.complaints, []);
    for (const [what, count] of Object.entries(toll.seen)) seen[what] = (seen[what] ?? 0) + count;
  }
  assert(seen.answer! > 0 && seen.CorruptRegionError! > 0, JSON.stringify(seen));
});
