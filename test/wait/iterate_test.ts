import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClosedError } from "../../src/errors.ts";
import type { Condition } from "../../src/wait/condition.ts";
import { DONE, iterate, type Step } from "../../src/wait/iterate.ts";
import type { WaitOptions } from "../../src/wait/until.ts";
import { until } from "../os/until.ts";
import { type Place, Scene } from "./scene.ts";

/** Loops over the numbers up to the count of a place; the number `last` is the end. */
function numbers(place: Place, options: WaitOptions = {}, last = Infinity) {
  let taken = 0;
  const attempt = (): Step<number> | undefined => {
    if (place.count.load() <= taken) return undefined;
    return ++taken === last ? DONE : { done: false, value: taken };
  };
  const conditions = (): readonly Condition[] => [place.reaches(taken + 1)];
  const loop = iterate({ attempt, waiter: { action: "count", conditions } }, {
    spin: 0,
    ...options,
  });
  return { loop, taken: () => taken };
}

function asleep({ bell }: Place): Promise<void> {
  return until("it sleeps", () => bell.word.load() % 2 === 1);
}

Deno.test("a loop takes waiting values at once, and then waits", async () => {
  using scene = Scene.make();
  const { place } = scene;
  place.count.store(2);
  const { loop } = numbers(place, {}, 4);
  const seen: number[] = [];
  for await (const number of loop) {
    seen.push(number);
    if (number === 2) asleep(place).then(() => (place.publish(), place.publish()));
  }
  assertEquals(seen, [1, 2, 3]);
  assertEquals(await loop.next(), DONE);
});

Deno.test("a loop that is left takes nothing more", async () => {
  using scene = Scene.make();
  scene.place.count.store(5);
  const { loop, taken } = numbers(scene.place);
  for await (const number of loop) if (number === 2) break;
  assertEquals([taken(), await loop.next()], [2, DONE]);
});

Deno.test("return() ends a wait for the next value, and takes no later one", async () => {
  using scene = Scene.make();
  const { place } = scene;
  const { loop, taken } = numbers(place);
  const [first, second] = [loop.next(), loop.next()];
  await asleep(place);
  assertEquals(await loop.return(), DONE);
  assertEquals([await first, await second], [DONE, DONE]);
  place.publish();
  assertEquals([taken(), await loop.next()], [0, DONE]);
});

Deno.test("a value that came before return() reaches the next() that waits for it, or stays", async () => {
  using scene = Scene.make();
  const { place } = scene;
  const { loop, taken } = numbers(place);
  const next = loop.next();
  await asleep(place);
  place.publish();
  await loop.return();
  const step = await next;
  assertEquals(taken(), step.done ? 0 : 1);
});

Deno.test("calls of next() that overlap are answered in their order", async () => {
  using scene = Scene.make();
  const { place } = scene;
  const { loop } = numbers(place);
  const steps = Array.from({ length: 3 }, () => loop.next());
  await asleep(place);
  place.count.store(4);
  place.bell.ring();
  assertEquals((await Promise.all(steps)).map(({ value }) => value), [1, 2, 3]);
  assertEquals((await loop.next()).value, 4);
});

Deno.test("an error of a wait is thrown once, and ends the loop", async () => {
  using scene = Scene.make();
  const late = numbers(scene.place, { timeout: 1 }).loop;
  const error = await late.next().catch((error) => error);
  assertEquals([error.name, await late.next()], ["TimeoutError", DONE]);
  const stop = new AbortController();
  const stopped = numbers(scene.place, { signal: stop.signal }).loop;
  const next = stopped.next();
  await asleep(scene.place);
  stop.abort("enough");
  assertEquals(await next.catch((reason) => reason), "enough");
  assertEquals(await stopped.next(), DONE);
  const wrong = numbers(scene.place, { timeout: -1 }).loop;
  await assertRejects(() => wrong.next(), RangeError);
  const thrown = numbers(scene.place).loop;
  await assertRejects(() => thrown.throw(new ClosedError("mine")), ClosedError, "mine");
  assertEquals(await thrown.next(), DONE);
});

Deno.test("a loop over values that never end lets the event loop turn", async () => {
  using scene = Scene.make();
  scene.place.count.store(0xffff_ffff);
  let ticked = false;
  const timer = setTimeout(() => ticked = true, 0);
  for await (const number of numbers(scene.place).loop) if (ticked || number > 1e6) break;
  clearTimeout(timer);
  assert(ticked);
});
