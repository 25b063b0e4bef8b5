import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { assertType, type IsExact } from "@std/testing/types";
import { domain } from "../../src/babus/definition.ts";
import { Listener } from "../../src/babus/listener.ts";
import { text } from "../../src/codec.ts";
import { ClosedError } from "../../src/errors.ts";
import { until } from "../os/until.ts";
import { payload } from "../circular/scene.ts";
import { Inside, namesOf, Scene } from "./scene.ts";

const PATIENT = { timeout: 60_000, spin: 0 };

Deno.test("look() reports each piece of news once", () => {
  using scene = new Scene();
  const [a, b, c] = [scene.slot("a"), scene.slot("b"), scene.slot("c")];
  a.writeSync(payload(1, 8));
  using listener = new Listener().add(a).add(b).add(c, { wake: false });
  assertEquals(namesOf(listener.look()), ["a"]); // it was there before, and not looked at
  assertEquals(listener.look(), []);
  c.writeSync(payload(1, 8));
  b.writeSync(payload(1, 8));
  b.writeSync(payload(2, 8));
  assertEquals(listener.look(), [b, c] as never);
  assertEquals(listener.look(), []);
  assertEquals([listener.remove(b), listener.remove(b)], [true, false]);
  b.writeSync(payload(3, 8));
  assertEquals(listener.look(), []);
});

for (const how of ["wait", "waitSync"] as const) {
  Deno.test(`${how}() gives the slots with news, and waits for those that wake`, async () => {
    using scene = new Scene();
    const [a, b, quiet] = [scene.slot("a"), scene.slot("b"), scene.slot("quiet")];
    using listener = new Listener().add(a).add(b, { wake: false }).add(quiet);
    b.writeSync(payload(1, 8));
    const error = await assertRejects(
      async () => await listener[how]({ timeout: 5 }),
      DOMException,
    );
    assertEquals(error.name, "TimeoutError");
    a.writeSync(payload(1, 8));
    assertEquals(namesOf(await listener[how](PATIENT)), ["a", "b"]);
    for (const timeout of [0, 7]) {
      const late = async () => await listener[how]({ timeout });
      await assertRejects(late, DOMException, `news in a slot: ${timeout} ms have passed`);
    }
    await assertRejects(async () => await listener[how]({ timeout: -1 }), RangeError);
    listener.remove(a);
    listener.remove(quiet);
    await assertRejects(async () => await listener[how](), RangeError, "no slot that wakes it");
    listener.close();
    await assertRejects(async () => await listener[how](), ClosedError);
    assertThrows(() => listener.look(), ClosedError);
  });
}

Deno.test("wait() is called off by its signal, by close(), and by the close of a slot", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  using inside = new Inside(scene);
  const asleep = () => until("it sleeps", () => inside.word("bell").load() % 2 === 1);
  const controller = new AbortController();
  const listener = new Listener().add(slot);
  const waiting = assertRejects(
    () => listener.wait({ signal: controller.signal }),
    Error,
    "enough",
  );
  await asleep();
  controller.abort(new Error("enough"));
  await waiting;
  const closed = assertRejects(() => listener.wait(), ClosedError, "the listener was closed");
  listener.close();
  await closed;
  const other = new Listener().add(slot);
  const orphaned = assertRejects(() => other.wait({ spin: 0 }), ClosedError);
  slot.close();
  await orphaned;
});

Deno.test("wait() hears of a slot that is added meanwhile, and no longer of one that is removed", async () => {
  using scene = new Scene();
  const [a, b, c] = [scene.slot("a"), scene.slot("b"), scene.slot("c")];
  using inside = new Inside(scene, "a");
  const asleep = () => until("it sleeps", () => inside.word("bell").load() % 2 === 1);
  using listener = new Listener().add(a);
  c.writeSync(payload(1, 8));
  const first = listener.wait(PATIENT);
  await asleep();
  listener.add(c); // with news
  assertEquals(namesOf(await first), ["c"]);
  let told = false;
  const second = listener.wait(PATIENT).finally(() => told = true);
  await asleep();
  listener.add(b);
  assertEquals([listener.remove(a), listener.remove(c)], [true, true]);
  a.writeSync(payload(1, 8));
  await until("the writer has found the bell down or woken", () => a.sequence === 1);
  assertEquals(told, false);
  b.writeSync(payload(1, 8));
  assertEquals(namesOf(await second), ["b"]);
  const third = assertRejects(() => listener.wait(PATIENT), RangeError, "no slot that wakes it");
  listener.add(b, { wake: false }); // and it does not report its news of b again
  await third;
  assertEquals(listener.look(), []);
});

Deno.test("a slot that does not wake is added, and wakes once it is added again", async () => {
  using scene = new Scene();
  const [a, b] = [scene.slot("a"), scene.slot("b")];
  using listener = new Listener().add(a).add(b, { wake: false });
  b.writeSync(payload(1, 8));
  const waiting = listener.wait(PATIENT);
  listener.add(b);
  assertEquals(namesOf(await waiting), ["b"]);
});

Deno.test("a writer makes a system call only if one listens to its very slot and sleeps", async () => {
  using scene = new Scene();
  const busy = Array.from({ length: 31 }, (_, i) => scene.slot(`busy${i}`));
  const quiet = scene.slot("quiet");
  using stack = new DisposableStack();
  // A wake adds 2 to a bell with a sleeper: 1 that raised it, 1 that woke.
  const bellOf = (name: string) => stack.use(new Inside(scene, name)).word("bell");
  const bells = busy.map(({ name }) => bellOf(name));
  const quietBell = bellOf("quiet");
  using listener = new Listener().add(quiet);
  const waiting = listener.wait(PATIENT);
  await until("it sleeps", () => quietBell.load() === 1);
  for (let round = 1; round <= 200; round++) {
    for (const slot of busy) slot.writeSync(payload(round, 8));
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(bells.map((bell) => bell.load()), bells.map(() => 0)); // 6,200 writes, no wake
  assertEquals(quietBell.load(), 1);
  quiet.writeSync(payload(1, 8));
  assertEquals(namesOf(await waiting), ["quiet"]);
  assertEquals(quietBell.load(), 2); // one wake
  quiet.writeSync(payload(2, 8));
  assertEquals(quietBell.load(), 2); // nobody was asleep
  const again = listener.wait({ ...PATIENT }); // has news already
  assertEquals(namesOf(await again), ["quiet"]);
});

Deno.test("two listeners that sleep on one slot are woken together", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  using inside = new Inside(scene);
  using one = new Listener().add(slot);
  using other = new Listener().add(slot);
  const waits = [one.wait(PATIENT), other.wait(PATIENT)];
  await until("they sleep", () => inside.word("bell").load() === 1);
  slot.writeSync(payload(1, 8));
  assertEquals((await Promise.all(waits)).map(namesOf), [["slot"], ["slot"]]);
  assertEquals(inside.word("bell").load(), 2); // one system call for both
});

Deno.test("two waits of one listener both get news", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  using listener = new Listener().add(slot);
  const waits = [listener.wait(PATIENT), listener.wait(PATIENT)];
  slot.writeSync(payload(1, 8));
  await Promise.race(waits);
  slot.writeSync(payload(2, 8));
  assertEquals((await Promise.all(waits)).map(namesOf), [["slot"], ["slot"]]);
});

Deno.test("for await ends when the listener is closed in the turn of another change", async () => {
  using scene = new Scene();
  const [a, b] = [scene.slot("a"), scene.slot("b")];
  for (const change of ["add", "remove"] as const) {
    using listener = new Listener().add(a);
    const loop = (async () => {
      for await (const news of listener) throw new Error(`${namesOf(news)}`);
    })();
    await new Promise((resolve) => setTimeout(resolve, 0));
    listener[change](change === "add" ? b : a);
    listener.close();
    await loop;
  }
});

Deno.test("for await yields news until the listener is closed", async () => {
  using scene = new Scene();
  const [a, b] = [scene.slot("a"), scene.slot("b")];
  const listener = new Listener().add(a).add(b);
  const heard: string[][] = [];
  const listening = (async () => {
    for await (const news of listener) {
      heard.push(namesOf(news));
      if (heard.length === 3) listener.close();
    }
  })();
  for (const slot of [a, b, a]) {
    const before = heard.length;
    slot.writeSync(payload(1, 8));
    await until("the listener reports it", () => heard.length === before + 1);
  }
  await listening;
  assertEquals(heard, [["a"], ["b"], ["a"]]);
});

Deno.test("a listener of 100 slots hears of each", async () => {
  using scene = new Scene();
  const slots = Array.from({ length: 100 }, (_, i) => scene.slot(`s${i}`, { depth: 1 }));
  const listener = new Listener();
  for (const slot of slots) listener.add(slot);
  for (const i of [0, 99, 31, 32, 63, 64]) {
    const waiting = listener.wait(PATIENT);
    slots[i]!.writeSync(payload(i, 8));
    assertEquals(namesOf(await waiting), [`s${i}`]);
    slots[i]!.writeSync(payload(i, 8));
    assertEquals(namesOf(listener.waitSync(PATIENT)), [`s${i}`]);
  }
  assertEquals(scene.definition.info().length, 100);
});

Deno.test("news are slots with unknown values, and the very slots that were added", () => {
  const robot = domain("listener-types", { imu: { type: "f64" }, log: { type: text(32) } });
  using scope = new DisposableStack();
  scope.defer(() => void robot.unlink());
  const body = scope.use(robot.open());
  const { imu, log } = body.slots;
  using listener = new Listener().add(imu).add(log);
  imu.writeSync(1.5);
  log.writeSync("started");
  const seen: (number | string)[] = [];
  for (const slot of listener.look()) {
    assertType<IsExact<NonNullable<ReturnType<typeof slot.latest>>["value"], unknown>>(true);
    if (slot === imu) seen.push(imu.latest()!.value);
    else if (slot === log) seen.push(log.latest()!.value);
  }
  assertEquals(seen, [1.5, "started"]);
});

Deno.test("a listener refuses an observer of a slot, and says what to use", () => {
  using scene = new Scene();
  const slot = scene.observer();
  using listener = new Listener();
  const told = "a SlotObserver is not woken; use its messages(), or waitAny()";
  assertThrows(() => listener.add(slot as never), TypeError, told);
  assertThrows(() => listener.add({} as never), TypeError, "it is not a slot");
});
