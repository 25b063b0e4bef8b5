/**
 * Every barrier in the sources is needed: a search of weak memory finds what goes wrong without it.
 * `deno task explore:orders` does the same for every release and acquire.
 */

import { assert, assertEquals } from "@std/assert";
import { type Barrier, BARRIERS, firstFinding, prepare, sitesIn, tableOf } from "./barriers.ts";
import { ORDERS, ordersIn, sources } from "./orders.ts";

/**
 * The leaves that implement barriers; the command, which asks whether the kernel has one; the look at
 * the messages that wait in a ring, which has no scenario; and the call that is given up, whose
 * barrier only x86 needs.
 */
const LEFT_OUT = /^(memory\/word|os\/futex|cli\/.*|inspect\/waiting|calls\/link)\.ts$/;

Deno.test("every barrier in src has a row in barriers.ts", async () => {
  const found: string[] = [];
  const listed: string[] = [];
  for await (const [file, source] of sources()) {
    if (LEFT_OUT.test(file)) continue;
    const rows = BARRIERS.filter((barrier) => barrier.file === file);
    for (const line of sitesIn(source)) {
      const row = rows.find(({ code }) => line.includes(code));
      assert(row, `src/${file}: "${line}" is a barrier; add a row to test/explore/barriers.ts`);
      found.push(`${file}: ${row.code}`);
    }
    listed.push(...rows.map(({ code }) => `${file}: ${code}`));
  }
  assertEquals(found.sort(), listed.sort());
  assertEquals(listed.length, BARRIERS.length);
});

Deno.test("every release and acquire of a word in src has a row in orders.ts", async () => {
  const there: string[] = [];
  for await (const [file, source] of sources()) {
    there.push(...ordersIn(file, source).map(({ key }) => `${file} ${key}`));
  }
  const listed = Object.entries(ORDERS).flatMap(([file, rows]) =>
    Object.keys(rows).map((key) => `${file} ${key}`)
  );
  assertEquals(there.sort(), listed.sort(), "test/explore/orders.ts says what each is good for");
});

Deno.test("the README lists the barriers", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", import.meta.url));
  const cells = (text: string) => text.replaceAll(/ *\| */g, "|");
  assert(cells(readme).includes(cells(tableOf(BARRIERS))), tableOf(BARRIERS));
});

/** Searches the scenario of a barrier without it, and returns what is found. */
async function search(barrier: Barrier): Promise<string | undefined> {
  const { scenario, options = ["--preemptions", "1"] } = barrier;
  const folder = await Deno.makeTempDir();
  try {
    return (await firstFinding(await prepare(folder, barrier), [...options, scenario]))?.kind;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("each barrier is missed", async (t) => {
  const searches = [...BARRIERS];
  const found = new Map<Barrier, string | undefined>();
  const work = async () => {
    for (let next; (next = searches.pop()) !== undefined;) found.set(next, await search(next));
  };
  await Promise.all([work(), work()]);
  for (const barrier of BARRIERS) {
    await t.step(`${barrier.file}: ${barrier.code}`, () => {
      assert(found.get(barrier), `${barrier.scenario} goes well without it`);
    });
  }
});
