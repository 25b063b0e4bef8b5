/** Observing topics without any right to write. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { text } from "../../src/codec.ts";
import { ClosedError, CorruptRegionError, LayoutMismatchError } from "../../src/errors.ts";
import { storeDouble } from "../../src/memory/word.ts";
import { topic } from "../../src/vdds/definition.ts";
import type { Publisher } from "../../src/vdds/publisher.ts";
import type { PolledSample } from "../../src/vdds/sample.ts";
import type { TopicObserver } from "../../src/vdds/topic_observer.ts";
import type { TopicObserverOptions } from "../../src/vdds/topic_options.ts";
import { Kept } from "../../src/vdds/vring.ts";
import { waitAny } from "../../src/wait/any.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { within } from "../os/until.ts";
import { Name } from "../shared/scene.ts";
import { Inside, present, Scene, SHAPE } from "./scene.ts";

const LENGTH = 60;
const WAIT = { timeout: 30_000 };

function observe({ definition }: Scene, options?: TopicObserverOptions): TopicObserver {
  return definition.observer(options);
}

function publish(publisher: Publisher, count: number): void {
  for (let i = 0; i < count; i++) {
    assert(publisher.trySend(payload(publisher.sequence + 1, LENGTH)));
  }
}

type Account = [sequence: number, lost: number][];

/** The samples that are there, each of which must be whole. */
function readAll(observer: TopicObserver): Account {
  const account: Account = [];
  for (;;) {
    const message = observer.tryReceive();
    if (message === undefined) return account;
    assert(isPayload(message.value, message.sequence));
    account.push([message.sequence, message.lost]);
  }
}

/** Reads until the observer has looked at the name again and found something. */
function readSoon(observer: TopicObserver): Account {
  const { value, sequence, lost } = present(observer.receiveSync(WAIT));
  assert(isPayload(value, sequence));
  return [[sequence, lost], ...readAll(observer)];
}

Deno.test("an observer receives every sample that it reads in time, and counts the others", () => {
  using scene = new Scene({ depth: 4, policy: "dropOldest" });
  using observer = observe(scene);
  const { publisher } = scene;
  assertEquals([readAll(observer), observer.peers, publisher.peers], [[], 1, 0]);
  publish(publisher, 3);
  assertEquals(readAll(observer), [[1, 0], [2, 0], [3, 0]]);
  publish(publisher, 10);
  assertEquals(readAll(observer), [[11, 7], [12, 0], [13, 0]]); // one is taken for the next sample
  assertEquals(observer.lost, 7);
  publish(publisher, 1);
  const { origin, source, time } = present(observer.receiveSync(WAIT));
  assertEquals([origin, source], [undefined, undefined]);
  assert(time > 1e12 && time <= Date.now() + 1);
});

Deno.test("an observer begins with the history that it asks for, unless it is overwritten", () => {
  using scene = new Scene({ depth: 4, history: 2, policy: "dropOldest" });
  publish(scene.publisher, 10);
  const firsts = [[0, 11], [1, 10], [3, 8], [4, 8], [100, 8], [undefined, 9]] as const;
  for (const [history, first] of firsts) {
    using observer = observe(scene, { history });
    assertEquals(readAll(observer).map(([sequence]) => sequence)[0] ?? 11, first);
    using again = observe(scene, { history });
    assertEquals(readAll(again)[0]?.[1] ?? 0, 0);
  }
});

Deno.test("an observer that got a sample of the history counts all that it missed after that", () => {
  using scene = new Scene({ depth: 4, policy: "dropOldest" });
  publish(scene.publisher, 10);
  using observer = observe(scene, { history: 3 });
  const first = present(observer.tryReceive());
  assertEquals([first.sequence, first.lost], [8, 0]);
  publish(scene.publisher, 6);
  assertEquals(readAll(observer), [[14, 5], [15, 0], [16, 0]]);
});

Deno.test("an observer counts what it lost in all, whatever reads it and from how many sources", () => {
  using name = new Name();
  const options = { ...SHAPE, publishers: "many", policy: "dropOldest" } as const;
  const definition = topic(name.name, options);
  using left = definition.publisher({ source: "left" });
  using right = definition.publisher({ source: "right" });
  using observer = definition.observer();
  publish(left, 10); // of which three are left
  publish(right, 8);
  while (observer.tryReceiveInto(new Uint8Array(LENGTH)) >= 0);
  assertEquals(observer.lost, 7 + 5);
  publish(left, 10);
  assertEquals(observer.poll(() => {}), 3);
  observer.close();
  assertEquals(observer.lost, 7 + 5 + 7);
});

Deno.test("samples that were never sent are lost to an observer too", () => {
  using scene = new Scene({ depth: 4, policy: "dropNewest" });
  using observer = observe(scene);
  const subscriber = scene.subscribe();
  for (let i = 1; i <= 6; i++) scene.publisher.trySend(payload(i, LENGTH));
  subscriber.poll(() => {});
  scene.publisher.trySend(payload(7, LENGTH));
  const found = readAll(observer);
  const [last, lost] = found.at(-1)!;
  assert(last === 7 && lost >= 2, `${found}`);
  assertEquals(found.reduce((sum, [_, lost]) => sum + lost + 1, 0), 7);
});

Deno.test("a loan hides the sample that it overwrites, from the moment it is taken", () => {
  using scene = new Scene({ depth: 2 });
  const { publisher } = scene;
  publish(publisher, 2); // the descriptor of the first is taken for the next
  using observer = observe(scene, { history: 2 });
  using loan = publisher.tryLoan()!;
  assertEquals(readAll(observer), [[2, 0]]);
  loan.bytes.fill(0);
  publisher.tryFill(({ bytes }) => {
    bytes.fill(0);
    using second = observe(scene, { history: 2 });
    assertEquals(readAll(second), []);
    return 0;
  });
});

Deno.test("observers wait without blocking the event loop, and iterate", async () => {
  using scene = new Scene();
  const [observer, other] = [observe(scene), observe(scene)];
  using _observer = observer;
  using _other = other;
  const receiving = observer.receive({ ...WAIT, spin: 0 });
  const any = waitAny([other], WAIT);
  publish(scene.publisher, 2);
  const { sequence, lost } = present(await within("a sample", receiving));
  assertEquals([sequence, lost], [1, 0]);
  await within("any", any);
  assertEquals(readAll(other), [[1, 0], [2, 0]]);
  for await (const value of observer) {
    assert(isPayload(value, 2));
    break;
  }
});

Deno.test("an observer with own: true gives each array a buffer of its own", () => {
  using scene = new Scene();
  using observer = observe(scene, { own: true });
  publish(scene.publisher, 2);
  const [first, second] = [present(observer.tryReceive()), present(observer.tryReceive())];
  assertEquals([first, second].map(({ value }) => value.buffer.byteLength), [LENGTH, LENGTH]);
  structuredClone(first.value, { transfer: [first.value.buffer] });
  assert(isPayload(second.value, 2));
});

Deno.test("poll() shows each copy in the observer's own array", () => {
  using scene = new Scene({ depth: 8 });
  using observer = observe(scene);
  for (let i = 1; i <= 6; i++) scene.publisher.trySend(payload(i, 10 * i));
  const seen: number[] = [];
  const note = ({ bytes, sequence, lost }: PolledSample) => {
    assert(isPayload(bytes, sequence) && lost === 0);
    seen.push(sequence, bytes.length);
  };
  assertEquals([observer.poll(note, 2), observer.poll(note), observer.poll(note)], [2, 4, 0]);
  assertEquals(seen, [1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60]);
});

Deno.test("an observer of all sources finds each, and tells whose sample it is", () => {
  using place = new Name();
  const texts = topic(place.name, {
    publishers: "many",
    type: text(100),
    depth: 2,
  });
  using observer = texts.observer();
  const open = (source: string) => texts.publisher({ source });
  using left = open("left");
  left.trySend("a");
  const seen = [present(observer.receiveSync(WAIT))];
  {
    using right = open("right");
    right.trySend("b", { origin: { host: "far", incarnation: 1, sequence: 7, hops: 1 } });
    seen.push(present(observer.receiveSync(WAIT)));
    assertEquals([observer.peers, observer.topics], [2, 2]);
  }
  left.trySend("c");
  seen.push(present(observer.receiveSync(WAIT)));
  assertEquals(seen.map(({ source, value, origin }) => [source, value, origin?.host]), [
    ["left", "a", undefined],
    ["right", "b", "far"],
    ["left", "c", undefined],
  ]);
  while (observer.topics > 1) observer.tryReceive();
  assertEquals([observer.peers, place.files().length], [1, 2]);
});

Deno.test("a source of another type is refused once, and the others are observed", () => {
  using place = new Name();
  const texts = topic(place.name, { publishers: "many", type: text() });
  using right = texts.publisher({ source: "right" });
  using observer = texts.observer();
  using _left = topic(`${place.name}/left`).publisher();
  right.trySend("b");
  let refusals = 0;
  for (const values: string[] = []; values.length < 3;) {
    try {
      values.push(present(observer.receiveSync(WAIT)).value);
      while (values.length < 2 && refusals === 0) observer.tryReceive();
    } catch (error) {
      assert(error instanceof LayoutMismatchError);
      refusals++;
    }
    right.trySend("b");
  }
  assertEquals(refusals, 1);
});

Deno.test("a source of another type that is there already is refused by the first call", () => {
  using place = new Name();
  using _left = topic(`${place.name}/left`).publisher();
  const texts = topic(place.name, { publishers: "many", type: text() });
  using right = texts.publisher({ source: "right" });
  using observer = texts.observer();
  right.trySend("b");
  assertThrows(() => observer.receiveSync(WAIT), LayoutMismatchError);
  assertEquals(observer.receiveSync(WAIT)?.value, "b");
});

Deno.test("an observer refuses a topic with another number of publishers than defined", () => {
  using place = new Name();
  const [one, many] = [topic(place.name), topic(place.name, { publishers: "many" })];
  const told = (mine: string, theirs: string) =>
    `its publishers are "${theirs}", and this definition says "${mine}"; change the definition`;
  {
    using early = many.observer();
    using _publisher = one.publisher();
    assertThrows(() => many.observer(), LayoutMismatchError, told("many", "one"));
    assertThrows(() => early.receiveSync(WAIT), LayoutMismatchError, told("many", "one"));
  }
  using _publisher = many.publisher();
  assertThrows(() => one.observer(), LayoutMismatchError, told("one", "many"));
});

Deno.test("a closed observer throws ClosedError, and one of another type does not open", () => {
  using scene = new Scene();
  const texts = topic(scene.topic, { ...SHAPE, type: text() });
  assertThrows(() => texts.observer(), LayoutMismatchError);
  const observer = observe(scene);
  observer.close();
  for (const use of [() => observer.tryReceive(), () => observer.receiveSync()]) {
    assertThrows(use, ClosedError);
  }
});

Deno.test("a corrupt sample costs an observer an error, and the next one arrives", () => {
  const wrong: ["length" | "time", number][] = [
    ["length", 257],
    ["length", -1],
    ["length", 0.5],
    ["length", NaN],
    ["length", 2 ** 32],
    ["time", NaN],
    ["time", -1],
  ];
  for (const [field, value] of wrong) {
    using scene = new Scene({ depth: 4 });
    using observer = observe(scene);
    using inside = new Inside(scene.definition);
    publish(scene.publisher, 1);
    const { descriptors } = inside.ring;
    descriptors.store(placeOf(inside, 1), field, value);
    publish(scene.publisher, 1);
    assertThrows(() => observer.tryReceive(), CorruptRegionError, "has sample 1");
    assertEquals(readAll(observer), [[2, 1]]);
  }
});

Deno.test("corrupt words for observers cost errors and losses, and never false samples", () => {
  const numbers = [NaN, -1, 0, 1.5, 2 ** 60, Infinity];
  for (const number of numbers) {
    using scene = new Scene({ depth: 4 });
    using observer = observe(scene);
    using inside = new Inside(scene.definition);
    publish(scene.publisher, 2);
    inside.ring.descriptors.store(placeOf(inside, 2), "sequence", number);
    const account = readAll(observer);
    publish(scene.publisher, 1);
    account.push(...readAll(observer));
    assertEquals(account.map(([sequence]) => sequence), [1, 3], `${number}`);
    assertEquals(account.reduce((sum, [_, lost]) => sum + lost, 0), 1);
  }
  for (const [latest, sequence] of [[3, 2], [2, NaN], [2, -1], [2, 2 ** 60], [2, 2.5]] as const) {
    using scene = new Scene({ depth: 4 });
    using observer = observe(scene);
    using inside = new Inside(scene.definition);
    publish(scene.publisher, 2);
    inside.ring.latest.store(latest);
    inside.ring.keep(Kept.sequence, sequence);
    assertThrows(() => observer.tryReceive(), CorruptRegionError, "its last sample");
  }
});

Deno.test("a corrupt topic costs one error, and neither its other sources nor its successor", () => {
  using place = new Name();
  const options = { depth: 4, size: LENGTH };
  const single = topic(`${place.name}/left`, options);
  const many = topic(place.name, { ...options, publishers: "many" });
  using sources = many.observer();
  using observer = single.observer();
  using right = many.publisher({ source: "right" });
  {
    using _left = many.publisher({ source: "left" });
    while (sources.topics < 2) sources.tryReceive();
    while (observer.topics < 1) observer.tryReceive();
    using inside = new Inside(single);
    inside.ring.keep(Kept.sequence, NaN);
    assertThrows(() => observer.receiveSync(WAIT), CorruptRegionError);
    assertEquals(observer.tryReceive(), undefined);
    assertThrows(() => sources.receiveSync(WAIT), CorruptRegionError);
    for (let sequence = 1; sequence <= 3; sequence++) {
      publish(right, 1);
      const { source, sequence: found } = present(sources.receiveSync(WAIT));
      assertEquals([source, found], ["right", sequence]);
    }
    inside.ring.keep(Kept.sequence, 0); // for the ends that close
  }
  using left = many.publisher({ source: "left" });
  publish(left, 1);
  assertEquals(readSoon(observer), [[1, 0]]);
  assertEquals(sources.receiveSync(WAIT)?.source, "left");
});

Deno.test("a sample whose publisher died before it was published is never observed", () => {
  for (let d = 1; d < 4; d++) {
    using place = new Name();
    const watched = topic(place.name, { depth: 4, size: LENGTH });
    using inside = new Inside(watched);
    using observer = watched.observer();
    const { descriptors, region } = inside.ring;
    descriptors.commit(d, LENGTH); // all that publish() does before the journal names the sample
    region.mapping.bytes.fill(0, descriptors.sampleAt(d), descriptors.sampleAt(d) + LENGTH);
    descriptors.store(d, "sequence", 1);
    descriptors.store(d, "time", Date.now());
    descriptors.store(d, "length", LENGTH);
    using successor = watched.publisher();
    publish(successor, 1);
    assertEquals(readAll(observer), [[1, 0]]);
  }
});

/** Returns the descriptor of a sample. */
function placeOf({ ring: { descriptors } }: Inside, sequence: number): number {
  return descriptors.byAge().find((d) => descriptors.load(d, "sequence") === sequence)!;
}

Deno.test("a sample that is being overwritten is never taken for a corrupt one", () => {
  using scene = new Scene({ depth: 4 });
  using observer = observe(scene);
  using inside = new Inside(scene.definition);
  const { descriptors, region: { mapping, dataOffset }, plan } = inside.ring;
  publish(scene.publisher, 1);
  const d = placeOf(inside, 1);
  descriptors.store(d, "sequence", 0);
  storeDouble(mapping, dataOffset + plan.descriptorsAt + d * plan.descriptorBytes + 16, NaN);
  assertEquals(observer.tryReceive(), undefined);
});
