/**
 * Topics in which a peer stored what no correct peer stores, positions about to begin again, and
 * hints that are all wrong: what is believed costs an error at most, and what is not costs nothing.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { CorruptRegionError } from "../../src/errors.ts";
import { storeDouble } from "../../src/memory/word.ts";
import { topic } from "../../src/vdds/definition.ts";
import { Kept } from "../../src/vdds/vring.ts";
import {
  entryOf,
  stampOfSequence,
  State,
  TOPIC_CONTROL,
  wordOf,
} from "../../src/vdds/vring_layout.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { Name } from "../shared/scene.ts";
import { Random } from "../random.ts";
import { Inside, plain, present, Scene, valueOf } from "./scene.ts";

const DEPTH = 4;

Deno.test("open() refuses a topic whose shape is not that of its memory", () => {
  const { fields, size } = TOPIC_CONTROL;
  for (const field of ["depth", "readers", "sample_bytes"] as const) {
    for (const value of [0, 3, 5, 1024, 1025, 2 ** 31, NaN, Infinity, -1, 0.5]) {
      using scene = new Scene({ depth: DEPTH });
      using inside = new Inside(scene.definition);
      const { mapping, controlOffset } = inside.ring.region;
      const control = mapping.bytes.subarray(controlOffset, controlOffset + size);
      const view = new DataView(control.buffer, control.byteOffset);
      const { offset } = fields[field];
      if (field === "sample_bytes") view.setFloat64(offset, value, true);
      else view.setUint32(offset, value, true);
      assertThrows(
        () => scene.definition.subscriber(),
        CorruptRegionError,
        "sizes that do not fit",
      );
    }
  }
});

Deno.test("tryTakeLatest() that meets a corrupt sample gives the one before it again", () => {
  using scene = new Scene({ depth: 2 });
  const subscriber = scene.subscribe();
  using inside = new Inside(scene.definition);
  for (const seed of [1, 2]) scene.publisher.trySend(payload(seed, 20));
  const second = [0, 1].find((d) => inside.ring.descriptors.load(d, "sequence") === 2)!;
  inside.ring.descriptors.store(second, "length", 257);
  assertThrows(() => subscriber.tryTakeLatest(), CorruptRegionError);
  assertEquals(valueOf(subscriber.tryReceive()), payload(1, 20));
  assertEquals([subscriber.tryReceive(), inside.ring.countInFlight()], [undefined, 0]);
});

Deno.test("a corrupt descriptor costs its sample, and nothing more", () => {
  const wrong: ["length" | "sequence" | "time", number][] = [
    ["length", 2 ** 32], // and no origin
    ["time", NaN],
    ["time", -1],
    ["time", 1e16],
    ["length", 257],
    ["length", -1],
    ["length", 0.5],
    ["length", NaN],
    ["length", 2 ** 40],
    ["sequence", 0],
    ["sequence", 2],
    ["sequence", NaN],
    ["sequence", 2 ** 60],
    ["sequence", -1],
  ];
  for (const [field, value] of wrong) {
    using scene = new Scene({ depth: 1 });
    const subscriber = scene.subscribe();
    using inside = new Inside(scene.definition);
    scene.publisher.trySend(payload(1, 20));
    inside.ring.descriptors.store(0, field, value);
    if (field === "sequence" && value > 1) {
      assertEquals(subscriber.tryTake(), undefined); // newer than there can be
      continue;
    }
    assertThrows(() => subscriber.tryTake(), CorruptRegionError, "descriptor 0 has sample");
    assert(scene.publisher.trySend(payload(2, 20)), "it was not given back");
    assertEquals(valueOf(subscriber.tryReceive()), payload(2, 20));
  }
});

Deno.test("a sample is not read beyond the memory that it was given", () => {
  using name = new Name();
  const size = 2 ** 20;
  const large = topic(name.name, { depth: 1, size, reserve: false });
  using publisher = large.publisher();
  using subscriber = large.subscriber();
  using inside = new Inside(large);
  publisher.trySend(payload(1, 20));
  inside.ring.descriptors.store(0, "length", size / 2);
  assertThrows(() => subscriber.tryTake(), CorruptRegionError);
  assert(Deno.statSync(name.path("topic")).blocks! * 512 < size / 2, "a hole was read");
});

Deno.test("a publisher refuses a state that no publisher can have left", () => {
  const stops: [journal: number, sequence: number][] = [
    [entryOf(stampOfSequence(8), DEPTH), 7],
    [entryOf(stampOfSequence(8), -1), 7],
    [entryOf(stampOfSequence(8), 0), 7], // which names another sample
    [0, 2 ** 53],
    [0, -1],
  ];
  for (const [journal, sequence] of stops) {
    using scene = new Scene({ depth: DEPTH });
    const { definition } = scene;
    using inside = new Inside(definition);
    scene.publisher.close();
    inside.ring.keep(Kept.journal, journal);
    inside.ring.keep(Kept.sequence, sequence);
    assertThrows(() => definition.publisher(), CorruptRegionError);
    assertThrows(() => definition.publisher(), CorruptRegionError); // the role was given back
  }
});

/** Spoils every hint there is. */
function spoil(inside: Inside, value: (i: number) => number): void {
  const { ring } = inside;
  const { mapping, dataOffset } = ring.region;
  const { availableAt, samplesAt } = ring.plan;
  for (let at = availableAt; at < samplesAt; at += 8) {
    storeDouble(mapping, dataOffset + at, value(at / 8));
  }
  for (const word of ring.descriptors.references) word.store(value(1));
}

Deno.test("no hint is believed: with all of them wrong every sample arrives, and none leaks", () => {
  const values: ((i: number) => number)[] = [
    () => NaN,
    () => -1,
    () => 2 ** 60,
    () => 0,
    (i) => i % DEPTH,
    (i) => entryOf(1 + i % 9, i % DEPTH),
  ];
  for (const value of values) {
    using scene = new Scene({ depth: DEPTH });
    const { publisher } = scene;
    const [a, b] = [scene.subscribe(), scene.subscribe()];
    using inside = new Inside(scene.definition);
    let sent = 0;
    for (let round = 0; round < 6; round++) {
      spoil(inside, value);
      inside.ring.available.add(round * 1_000_003);
      const first = sent;
      while (publisher.trySend(payload(sent + 1, 30))) sent++;
      assertEquals(sent - first, DEPTH);
      spoil(inside, value);
      if (round > 2) inside.ring.reader(0).used.add(round * 7);
      for (const subscriber of [a, b]) {
        for (let i = first + 1; i <= sent; i++) {
          assertEquals(plain(subscriber.tryReceive()), {
            value: payload(i, 30),
            sequence: i,
            lost: 0,
          });
        }
        assertEquals(subscriber.tryReceive(), undefined);
      }
    }
  }
});

Deno.test("a hint with the right stamp and the wrong descriptor hides no sample", () => {
  using scene = new Scene({ depth: DEPTH });
  const subscriber = scene.subscribe();
  using inside = new Inside(scene.definition);
  const reader = inside.ring.reader(0);
  for (let i = 1; i <= 10; i++) {
    scene.publisher.trySend(payload(i, 30));
    inside.ring.storeUsed(reader, i - 1, entryOf(stampOfSequence(i), (i + 1) % DEPTH));
    assertEquals(valueOf(subscriber.tryReceive()), payload(i, 30));
  }
});

Deno.test("words of the dead are cleared, whatever they say", () => {
  for (const state of Object.values(State)) {
    using scene = new Scene({ depth: DEPTH, subscribers: 3 });
    const { publisher } = scene;
    const subscriber = scene.subscribe();
    using inside = new Inside(scene.definition);
    for (const k of [1, 2]) {
      const { online, row } = inside.ring.reader(k);
      online.store(k);
      row.forEach((word, d) => word.store(wordOf(77 * d + k, state)));
    }
    inside.ring.rows.store(1000);
    inside.ring.members.add(1);
    for (let i = 1; i <= 3 * DEPTH; i++) {
      assert(publisher.trySend(payload(i, 30)), `no room for ${i}`);
      assertEquals(valueOf(subscriber.tryReceive()), payload(i, 30));
    }
    for (let i = 1; i <= DEPTH; i++) assert(publisher.trySend(payload(i, 30)));
    assertEquals(publisher.tryLoan(), undefined);
  }
});

Deno.test("a subscriber whose own words are corrupt gets an error, and the others do not", () => {
  using scene = new Scene({ depth: 2 });
  const { publisher } = scene;
  const [a, b] = [scene.subscribe(), scene.subscribe()];
  using inside = new Inside(scene.definition);
  publisher.trySend(payload(1, 30));
  const sample = present(a.tryTake());
  inside.ring.reader(0).row.forEach((word) => word.store(0));
  assertThrows(
    () => sample[Symbol.dispose](),
    CorruptRegionError,
    "was taken from this reader while it held it",
  );
  for (let i = 2; i <= 9; i++) {
    assertEquals(valueOf(b.tryReceive()), payload(i - 1, 30));
    assert(publisher.trySend(payload(i, 30)));
    assertEquals(a.poll(() => {}), 1);
  }
});

const STAMPS = 2 ** 30 - 1;

for (
  const [what, begin] of Object.entries({
    "numbers begin": 1,
    "stamps begin again": STAMPS,
    "stamps begin again once more": 2 * STAMPS,
    "32 bits are full": 2 ** 32,
    "2^45 samples": 2 ** 45,
  })
) {
  Deno.test(`samples stay in order where ${what}`, () => {
    using name = new Name();
    const numbered = topic(name.name, { depth: 3, size: 100, history: 1 });
    using subscriber = numbered.subscriber();
    using inside = new Inside(numbered);
    inside.startAt(Math.max(0, begin - 5));
    inside.ring.available.store(2 ** 32 - 4);
    const { used } = inside.ring.reader(0);
    used.store(2 ** 32 - 4);
    using publisher = numbered.publisher();
    assertEquals(subscriber.tryReceive(), undefined);
    for (let i = 0; i < 12; i++) {
      const sequence = Math.max(0, begin - 5) + 1 + i;
      assertEquals(publisher.trySend(payload(i, 50)), true, `sample ${sequence}`);
      const value = payload(i, 50);
      assertEquals(plain(subscriber.tryReceive()), { value, sequence, lost: 0 });
      using late = numbered.subscriber({ history: 1 });
      assertEquals(valueOf(late.tryReceive()), payload(i, 50));
    }
  });
}

Deno.test("a word that has the stamp of the next sample from long ago is not taken for given", () => {
  using scene = new Scene({ depth: 1 });
  const subscriber = scene.subscribe();
  using inside = new Inside(scene.definition);
  scene.publisher.trySend(payload(1, 30)); // and so the publisher knows the subscriber
  assertEquals(valueOf(subscriber.tryReceive()), payload(1, 30));
  for (let i = 2; i <= 4; i++) {
    inside.ring.reader(0).row[0]!.store(wordOf(stampOfSequence(i), State.none));
    assert(scene.publisher.trySend(payload(i, 30)));
    assertEquals(valueOf(subscriber.tryReceive()), payload(i, 30));
  }
});

Deno.test("words changed at random cost a CorruptRegionError, and never a crash or an endless loop", () => {
  const chance = new Random("vdds");
  const random = (below: number) => chance.below(below);
  let received = 0;
  let refused = 0;
  const attempt = (act: () => void) => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof CorruptRegionError)) throw error;
      refused++;
    }
  };
  for (let round = 0; round < 80; round++) {
    using scene = new Scene({ depth: 3, subscribers: 3, history: 1, policy: "dropOldest" });
    const subscribers = [scene.subscribe(), scene.subscribe()];
    using inside = new Inside(scene.definition);
    const { mapping, controlOffset, dataOffset } = inside.ring.region;
    const words = new Uint32Array(mapping.bytes.buffer);
    const { plan } = inside.ring;
    const bells = [
      ...subscribers.map((_, k) => inside.ring.reader(k).bell.word.address),
      inside.ring.spaceBell.word.address,
    ].map((address) => (address - mapping.address) / 4);
    const targets: [from: number, length: number][] = [
      [controlOffset, TOPIC_CONTROL.size],
      [dataOffset, plan.samplesAt],
      [dataOffset + plan.descriptorsAt, plan.detailsAt - plan.descriptorsAt],
      [dataOffset + plan.descriptorsAt, plan.detailsAt - plan.descriptorsAt],
      [dataOffset + plan.detailsAt, plan.availableAt - plan.detailsAt],
    ];
    for (let step = 0; step < 60; step++) {
      const [from, length] = targets[random(targets.length)]!;
      const at = (from + random(length)) >> 2;
      const value = random(3) === 0 ? random(2 ** 32) : random(20);
      const origin = { host: "far", incarnation: step, sequence: step, hops: 1 };
      const options = random(2) === 0 ? { origin } : {};
      attempt(() => void scene.publisher.trySend(payload(step, random(256)), options));
      if (!bells.includes(at)) words[at] = value; // while a sample is under way
      for (const subscriber of subscribers) {
        attempt(() => {
          const sample = random(2) === 0 ? subscriber.tryTake() : subscriber.tryTakeLatest();
          if (sample === undefined) return;
          received++;
          if (random(4) > 0) sample[Symbol.dispose]();
        });
      }
    }
  }
  assert(received > 300 && refused > 30, `${received} received, ${refused} refused`);
});

Deno.test("the journal names the descriptor and the stamp of the last sample", () => {
  using scene = new Scene({ depth: DEPTH });
  using inside = new Inside(scene.definition);
  const subscriber = scene.subscribe();
  for (let i = 1; i <= 10; i++) {
    scene.publisher.trySend(payload(i, 64));
    using sample = present(subscriber.tryTake());
    assert(isPayload(sample.bytes, i));
    assertEquals(inside.ring.kept(Kept.journal), entryOf(stampOfSequence(i), (i - 1) % DEPTH));
  }
});
