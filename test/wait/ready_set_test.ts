import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { Listener } from "../../src/babus/listener.ts";
import { domain } from "../../src/babus/definition.ts";
import { ClosedError, CorruptRegionError, PeerLostError, VringError } from "../../src/errors.ts";
import { Word32 } from "../../src/memory/word.ts";
import { now, sleepSync } from "../../src/os/clock.ts";
import { hallPathOf, ownId } from "../../src/os/fifo.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { topic } from "../../src/vdds/definition.ts";
import { type Waitable, waitAny, waitAnySync } from "../../src/wait/any.ts";
import type { Condition } from "../../src/wait/condition.ts";
import { hall } from "../../src/wait/hall.ts";
import { ReadySet } from "../../src/wait/ready_set.ts";
import { untilSync } from "../../src/wait/until.ts";
import { ScratchFile } from "../os/scratch.ts";
import { Name } from "../shared/scene.ts";
import { Scene } from "./scene.ts";

const MESSAGE = new Uint8Array(8);
const COUNT = 40;

/** Many rings with both ends, and the list to wait for. */
function rings(stack: DisposableStack) {
  const all = Array.from({ length: COUNT }, () => spsc(stack.use(new Name()).name));
  const list = all.map((ring) => stack.use(ring.consumer()));
  const producers = all.map((ring) => stack.use(ring.producer()));
  return { all, list, producers };
}

/** Waits twice, so that the list is kept. */
function keep(list: Waitable[]): void {
  for (let i = 0; i < 2; i++) {
    assertThrows(() => waitAnySync(list, { timeout: 1, spin: 0 }), DOMException, "40 handles");
  }
}

Deno.test("a list of many that is waited for again hears of each, in its order", async () => {
  using stack = new DisposableStack();
  const { list, producers } = rings(stack);
  keep(list);
  for (let i = 0; i < 3 * COUNT; i++) {
    const at = 7 * i % COUNT;
    const isAsleep = i % 2 === 0;
    const found = isAsleep ? waitAny(list, { spin: 0 }) : undefined;
    producers[at]!.trySend(MESSAGE);
    const first = await found ?? waitAnySync(list);
    assertStrictEquals(first, list[at]);
    assertStrictEquals(waitAnySync(list), first); // until it was received
    assertEquals(first.tryReceiveInto(MESSAGE), 8);
  }
  for (const at of [39, 3, 17]) producers[at]!.trySend(MESSAGE);
  for (const at of [3, 17, 39]) {
    assertStrictEquals(waitAnySync(list), list[at]);
    list[at]!.tryReceive();
  }
  assertThrows(() => waitAnySync(list, { timeout: 1 }), DOMException);
});

Deno.test("a kept list may change, and a frozen one is kept too", () => {
  using stack = new DisposableStack();
  const { list, producers } = rings(stack);
  keep(list);
  producers[5]!.trySend(MESSAGE);
  producers[9]!.trySend(MESSAGE);
  const [fifth] = list.splice(5, 1);
  for (let i = 0; i < 3; i++) assertStrictEquals(waitAnySync(list), list[8]);
  list.unshift(fifth!);
  for (let i = 0; i < 3; i++) assertStrictEquals(waitAnySync(list), fifth);
  const frozen = Object.freeze(list.slice(1));
  for (let i = 0; i < 3; i++) assertStrictEquals(waitAnySync(frozen), frozen[8]);
});

Deno.test("a kept list reports closed handles, those in use, and lost peers", async () => {
  using stack = new DisposableStack();
  const { list, producers } = rings(stack);
  keep(list);
  producers[7]!.trySend(MESSAGE);
  const message = waitAnySync(list).tryTake()!;
  producers[7]!.trySend(MESSAGE);
  assertThrows(() => waitAnySync(list), VringError, "still in use");
  message.ack();
  list[7]!.tryReceive();
  producers[8]!.abort();
  assertStrictEquals(waitAnySync(list, { spin: 0 }), list[8]);
  assertThrows(() => list[8]!.tryReceive(), PeerLostError);
  const alive = list.toSpliced(8, 1);
  keepQuietly(alive);
  const closing = waitAny(alive, { spin: 0 });
  queueMicrotask(() => list[30]!.close());
  await assertRejects(() => closing, ClosedError, "ring");
  assertThrows(() => waitAnySync(alive), ClosedError, "ring");
  const open = alive.filter((ring) => !ring.closed);
  keepQuietly(open);
  producers[2]!.trySend(MESSAGE);
  structuredClone(0, { transfer: [open[2]!.tryTake()!.bytes.buffer] });
  assertThrows(() => waitAnySync(open), TypeError, "transferred away");
  assertThrows(() => open[2]!.close(), TypeError, "transferred away");
});

function keepQuietly(list: Waitable[]): void {
  for (let i = 0; i < 2; i++) {
    assertThrows(() => waitAnySync(list, { timeout: 1, spin: 0 }), DOMException);
  }
}

Deno.test("a kept list may hold all kinds of receivers, and lists may share them", () => {
  using stack = new DisposableStack();
  const { list, producers } = rings(stack);
  const name = stack.use(new Name()).name;
  const subscriber = stack.use(topic(name).subscriber());
  const publisher = stack.use(topic(name).publisher());
  const slot = stack.use(domain(name).open()).slot("imu");
  const mixed: Waitable[] = [...list, subscriber, slot];
  keepQuietly(mixed);
  keepQuietly(list);
  publisher.trySend(MESSAGE);
  assertStrictEquals(waitAnySync(mixed), subscriber);
  subscriber.tryReceive();
  slot.writeSync(MESSAGE);
  assertStrictEquals(waitAnySync(mixed), slot);
  slot.latest();
  producers[20]!.trySend(MESSAGE);
  assertStrictEquals(waitAnySync(mixed), list[20]);
  assertStrictEquals(waitAnySync(list), list[20]);
});

Deno.test("a listener to many slots hears of each, also of those that do not wake it", async () => {
  using stack = new DisposableStack();
  const robot = stack.use(domain(stack.use(new Name()).name).open());
  const slots = Array.from({ length: COUNT }, (_, i) => robot.slot(`slot-${i}`));
  const quiet = robot.slot("quiet");
  using listener = new Listener();
  for (const slot of slots) listener.add(slot);
  listener.add(quiet, { wake: false });
  for (let i = 0; i < 3; i++) assertEquals(listener.look(), []);
  for (let i = 0; i < 2 * COUNT; i++) {
    const slot = slots[7 * i % COUNT]!;
    const found = i % 2 === 0 ? listener.wait({ spin: 0 }) : undefined;
    if (i % 5 === 0) quiet.writeSync(MESSAGE);
    slot.writeSync(MESSAGE);
    const news: unknown[] = await found ?? listener.waitSync();
    assertEquals(news, i % 5 === 0 ? [slot, quiet] : [slot]);
  }
  const added = robot.slot("added");
  listener.add(added).remove(slots[0]!);
  slots[0]!.writeSync(MESSAGE);
  added.writeSync(MESSAGE);
  for (const expected of [[added], [], []]) assertEquals(listener.look(), expected as never);
  slots[1]!.close();
  assertThrows(() => listener.look(), ClosedError, "slot-1");
});

Deno.test("a listener in a list of many may change", () => {
  using stack = new DisposableStack();
  const robot = stack.use(domain(stack.use(new Name()).name).open());
  const [first, added] = [robot.slot("first"), robot.slot("added")];
  using listener = new Listener().add(first);
  const list: Waitable[] = [listener];
  for (let i = 0; i < COUNT; i++) list.push(stack.use(spsc(stack.use(new Name()).name).consumer()));
  for (const slot of [first, first, first, added]) {
    if (slot === added) listener.add(added);
    slot.writeSync(MESSAGE);
    assertStrictEquals(waitAnySync(list, { timeout: 60_000 }), listener);
    assertEquals(listener.look(), [slot] as never);
  }
});

/** A set of one thing, whose waker may die half way. */
function lonely(stack: DisposableStack) {
  const file = stack.use(new ScratchFile(Scene.sizeOf(1)));
  const scene = stack.use(Scene.at(file.path));
  const { bell, count } = scene.place;
  let seen = 0;
  const condition: Condition = {
    bell,
    watch: count,
    isSteady: true,
    ready: () => count.load() > seen,
  };
  const set = stack.use(ReadySet.of([{ owner: "it", condition }])!);
  const wait = () => {
    const waiter = { action: "hear", conditions: () => [set.condition] };
    const { owner } = untilSync(() => set.take(), waiter, { timeout: 60_000, spin: 0 });
    seen = count.load();
    return owner;
  };
  const isQuiet = () => !set.condition.ready();
  return { bell, count, set, wait, isQuiet };
}

Deno.test("a set finds within a slice what a dead waker has published, also when another isolate took the bell", () => {
  using stack = new DisposableStack();
  const { bell, count, set, wait, isQuiet } = lonely(stack);
  count.add(1);
  assertEquals(wait(), "it");
  set.condition.beforeSleep!(); // armed
  assertEquals(bell.loop!.load(), hall()!.id);
  count.add(1);
  bell.word.add(1); // and dies before the hint
  assert(isQuiet());
  assertEquals(wait(), "it");
  set.condition.beforeSleep!();
  bell.disclaim(hall()!.id);
  assert(bell.claim(98)); // an isolate that is asleep on it
  count.add(1);
  bell.ring();
  sleepSync(130);
  assertEquals(wait(), "it");
  assert(!set.isDeaf); // the ring found no such FIFO, and so freed the bell
});

Deno.test("a program that only looks finds within half a slice what a dead waker has published", () => {
  using stack = new DisposableStack();
  const { bell, count, set, wait } = lonely(stack);
  count.add(1);
  assertEquals(wait(), "it");
  set.condition.beforeSleep!(); // armed
  for (let i = 0; i < 2; i++) {
    count.add(1);
    if (i === 0) bell.word.add(1); // and dies before the hint: the bell is down for the next one
    else bell.ring();
    assertEquals(set.takeAll(), []);
  }
  sleepSync(130);
  assertEquals(set.takeAll().map(({ owner }) => owner), ["it"]);
});

Deno.test("a set that always has something ready finds what a dead waker has published, too", () => {
  using stack = new DisposableStack();
  const file = stack.use(new ScratchFile(Scene.sizeOf(2)));
  const { places } = stack.use(Scene.at(file.path, 2));
  const things = places.map(({ bell, count }) => ({
    owner: count,
    condition: { bell, watch: count, isSteady: true, ready: () => count.load() > 0 },
  }));
  const set = stack.use(ReadySet.of(things)!);
  set.condition.beforeSleep!(); // armed
  places[1]!.publish();
  places[0]!.count.add(1); // and its waker dies
  const end = now() + 5e9;
  while (set.take()!.owner !== places[0]!.count) assert(now() < end);
});

Deno.test("a set hears a bell again once the isolate that had claimed it has ended the claim", () => {
  using stack = new DisposableStack();
  const { bell, set } = lonely(stack);
  set.condition.beforeSleep!(); // armed
  bell.disclaim(hall()!.id);
  assert(bell.claim(ownId()!)); // for a FIFO that has a reader
  sleepSync(130);
  set.condition.beforeSleep!();
  assert(set.isDeaf);
  bell.disclaim(ownId()!);
  set.condition.beforeSleep!();
  assert(!set.isDeaf);
  assertEquals(bell.loop!.load(), hall()!.id);
});

Deno.test("a hall survives whatever peers store in it", () => {
  using stack = new DisposableStack();
  const { bell, count, wait } = lonely(stack);
  const { hints, groups } = hall()!;
  for (const hint of hints) hint.store(0xffffffff);
  groups.store(0xffffffff);
  new Word32(hall()!.mapping, {
    path: "bell",
    offset: hall()!.bell.word.address - hall()!.mapping.address,
  }).store(
    0xfffffffe,
  );
  count.add(1);
  bell.ring();
  assertEquals(wait(), "it");
  groups.store(1);
  count.add(1);
  bell.ring();
  assertEquals(wait(), "it");
});

Deno.test("waits do without a hall that a peer has truncated", () => { // the last test: it stays so
  using stack = new DisposableStack();
  const { list, producers } = rings(stack);
  keep(list);
  Deno.truncateSync(hallPathOf(hall()!.id - 1), 0);
  assertThrows(() => waitAnySync(list, { timeout: 60_000, spin: 0 }), CorruptRegionError, "hall");
  for (const at of [3, 30]) {
    producers[at]!.trySend(MESSAGE);
    assertStrictEquals(waitAnySync(list, { timeout: 60_000 }), list[at]);
    list[at]!.tryReceive();
  }
});
