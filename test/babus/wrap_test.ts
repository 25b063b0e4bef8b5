/** Counters about to begin again: bells at 2^32, and the low halves of numbers that waits watch. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Listener } from "../../src/babus/listener.ts";
import { CorruptRegionError } from "../../src/errors.ts";
import { until } from "../os/until.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { Inside, namesOf, Scene } from "./scene.ts";

const PATIENT = { timeout: 60_000, spin: 0 };

/** The last values of a bell before 0: with nobody asleep, and with one that was killed. */
const LAST_BELLS = [2 ** 32 - 2, 2 ** 32 - 1];

Deno.test("a listener is woken once by a bell that begins again at 0", async () => {
  for (const last of LAST_BELLS) {
    using scene = new Scene();
    const slot = scene.slot();
    using inside = new Inside(scene);
    const bell = inside.word("bell");
    bell.store(last);
    using listener = new Listener().add(slot);
    for (let i = 1; i <= 3; i++) {
      const waiting = listener.wait(PATIENT);
      const raised = i === 1 ? 2 ** 32 - 1 : 2 * i - 3;
      await until("it sleeps", () => bell.load() === raised);
      slot.writeSync(payload(i, 10));
      assertEquals(bell.load(), 2 * i - 2); // after 2^32 - 1 comes 0
      assertEquals(namesOf(await waiting), ["slot"]);
      assertEquals(bell.load(), 2 * i - 2);
    }
  }
});

Deno.test("a waiting writer is woken once by a bell that begins again at 0", async () => {
  for (const last of LAST_BELLS) {
    using scene = new Scene();
    const slot = scene.slot();
    using other = scene.other();
    using inside = new Inside(scene);
    const bell = inside.word("owner_bell");
    const claim = slot.claimSync(10);
    bell.store(last);
    const late = () => other.writeSync(payload(1, 10), { timeout: 3, spin: 0 });
    assertThrows(late, DOMException, "3 ms have passed"); // asleep on the last value
    assertEquals(bell.load(), 2 ** 32 - 1);
    const writing = other.write(payload(1, 10), PATIENT);
    await until("it sleeps", () => bell.load() === 2 ** 32 - 1);
    claim[Symbol.dispose]();
    assertEquals([bell.load(), await writing, inside.word("owner").load()], [0, 1, 0]);
  }
});

/** Numbers after which the low half, or all, comes to an end, or would if it had a sign. */
const STARTS = [2 ** 31 - 3, 2 ** 32 - 3, 2 ** 33 - 3, Number.MAX_SAFE_INTEGER - 6];

for (const depth of [1, 3, 4, 7]) {
  Deno.test(`the last ${depth} are found whole around the end of the low half of a number`, () => {
    for (const start of STARTS) {
      using scene = new Scene();
      const slot = scene.slot("slot", { depth });
      using reader = scene.other("slot", { depth });
      using inside = new Inside(scene, "slot", { depth });
      using listener = new Listener().add(reader);
      inside.words.published.store(start);
      listener.look();
      for (let i = start + 1; i <= start + 6; i++) {
        assertEquals(slot.writeSync(payload(i, 20)), i);
        assertEquals([namesOf(listener.look()), listener.look()], [["slot"], []]);
        const known = Math.min(depth, i - start);
        for (let age = 0; age < known; age++) {
          const { sequence, value } = reader.at(i - age)!;
          assertEquals([sequence, isPayload(value, i - age)], [i - age, true]);
          const peek = reader.peek(i - age)!;
          assertEquals([peek.sequence, peek.valid], [i - age, true]);
          assert(isPayload(peek.bytes, i - age));
        }
        const messages = reader.since(start);
        assertEquals(messages[0]!.lost, i - start - known);
        const expected = Array.from({ length: known }, (_, age) => i - known + 1 + age);
        assertEquals(messages.map(({ sequence }) => sequence), expected);
      }
    }
  });
}

for (const how of ["wait", "waitSync"] as const) {
  Deno.test(`${how}() hears of messages around the end of the low half of a number`, async () => {
    for (const start of STARTS) {
      using scene = new Scene();
      const slot = scene.slot();
      using inside = new Inside(scene);
      inside.words.published.store(start);
      using listener = new Listener().add(slot);
      listener.look();
      for (let i = start + 1; i <= start + 6; i++) {
        if (how === "waitSync") slot.writeSync(payload(1, 10));
        const waiting = listener[how]({ ...PATIENT, spin: 50 });
        if (how === "wait") slot.writeSync(payload(1, 10));
        assertEquals(namesOf(await waiting), ["slot"]);
        assertEquals(slot.sequence, i);
      }
      const late = async () => await listener[how]({ timeout: 0 });
      await assertRejects(late, DOMException, "0 ms have passed");
    }
  });
}

Deno.test("no number comes after the last, by any way to write, and every writer may try", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  using other = scene.other();
  using inside = new Inside(scene);
  inside.words.published.store(Number.MAX_SAFE_INTEGER - 1);
  const claim = slot.claimSync(10);
  claim.bytes.set(payload(9, 10));
  assertEquals(claim.publish(), Number.MAX_SAFE_INTEGER);
  for (const each of [slot, other]) {
    for (
      const act of [
        () => each.tryWrite(payload(1, 1)),
        () => each.writeSync(payload(1, 1), PATIENT),
        () => each.tryClaim(1),
        () => each.claimSync(1, PATIENT),
      ]
    ) assertThrows(act, CorruptRegionError, "its numbers are used up");
    for (const act of [() => each.write(payload(1, 1)), () => each.claim(1)]) {
      await assertRejects(act, CorruptRegionError, "its numbers are used up");
    }
  }
  assertEquals(other.latest()!.value, payload(9, 10));
  assertEquals(other.since(Number.MAX_SAFE_INTEGER), []);
});
