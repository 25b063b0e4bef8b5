/**
 * A process that writes, reads and listens is killed at each of its steps, or finds no memory left.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Listener } from "../../src/babus/listener.ts";
import { isPayload, payload } from "../circular/scene.ts";
import {
  type Death,
  deathsAt,
  diedIn,
  inPairs,
  NO_DEATH,
  processTests,
} from "../shared/processes.ts";
import type { Tools } from "./babus_child.ts";
import { Inside, messageOf, namesOf, Scene } from "./scene.ts";

const PROGRAM = new URL("./babus_child.ts", import.meta.url);
const { test, mountTest, startProcess } = processTests<Tools>(PROGRAM, "slots");

const PATIENT = { timeout: 60_000, spin: 0 };

mountTest("a message for which there is no memory is an error, and the slot goes on", async () => {
  await using party = startProcess({ shmBytes: 2 ** 20 });
  const [refused, message, ...numbers] = await party.run(({ Domain, isPayload, payload }) => {
    using domain = Domain.open("full");
    const [slot, other] = [
      domain.slot("slot", { depth: 2, maxSize: 2 ** 19 }),
      domain.slot("slot"),
    ];
    const write = (length: number) => slot.writeSync(payload(slot.sequence + 1, length));
    for (let i = 0; i < 4; i++) write(100); // has given every entry a page
    Deno.writeFileSync("/dev/shm/filler", new Uint8Array(2 ** 20 - 2 ** 17));
    const errors = [() => write(2 ** 19), () => slot.claimSync(2 ** 19)].map((act) => {
      try {
        return `wrote ${act()}`;
      } catch (error) {
        return `${error}`;
      }
    });
    const numbers = [slot.sequence, write(4000), other.writeSync(payload(6, 100)) as number];
    const whole = slot.since(4).messages.every(({ sequence, value }) => isPayload(value, sequence));
    Deno.removeSync("/dev/shm/filler");
    return [errors[0] === errors[1], errors[0], ...numbers, write(2 ** 19), whole];
  }, null);
  assertEquals([refused, ...numbers], [true, 4, 5, 6, 7, true], `${message}`);
  assertStringIncludes(`${message}`, 'OsError: Cannot give slot "full/slot" more memory');
  assertStringIncludes(`${message}`, "ENOSPC");
});

/** So many messages are there before. */
const BEFORE = 6;

/** How long messages are: most, one that needs more memory, one that was claimed. */
const LENGTHS = [100, 5000, 200];

/** Does everything once that leaves traces in a slot, and much that must not; gives its steps. */
function live(
  { Domain, Listener, payload, dieBefore, spring, stepsOf }: Tools,
  { name, step, time }: { name: string } & Death,
): string[] {
  using domain = Domain.open(name);
  const slot = domain.slot("slot");
  using listener = new Listener().add(slot);
  dieBefore(step, time);
  return stepsOf(() => {
    slot.writeSync(payload(7, 100)); // takes a seat, and wakes who sleeps
    slot.writeSync(payload(8, 5000)); // gets memory
    const room = slot.claimSync(200);
    room.set(payload(9, 200).subarray(0, 100));
    spring("half filled");
    room.set(payload(9, 200));
    spring("filled");
    slot.publish();
    slot.at(2);
    void slot.view(1)!.valid;
    listener.look();
    try {
      listener.waitSync({ timeout: 50, spin: 0 });
    } catch (error) {
      if ((error as Error).name !== "TimeoutError") throw error;
    }
    slot.tryClaim(100);
    slot.close(); // which gives it up
  });
}

/** Lets a process live as far as that, and looks at what it leaves. Gives its steps if it survived. */
async function survive(death: Death, published: number): Promise<string[]> {
  using scene = new Scene();
  const slot = scene.slot("slot", { depth: 3, maxSize: 10_000 });
  const [reader, heir] = [scene.other(), scene.other()];
  for (let i = 1; i <= BEFORE; i++) slot.writeSync(payload(i, 100));
  using listener = new Listener().add(reader);
  listener.look();
  using inside = new Inside(scene);
  const [bell, owner] = [inside.word("bell"), inside.word("owner")];
  bell.or(1); // as who falls asleep does
  await using party = startProcess({ trapped: true });
  const living = party.run(live, { name: scene.name, ...death });
  const died = await diedIn(party, living);
  const at = `before ${death.step}, ${death.time}`;

  const last = BEFORE + published;
  assertEquals(reader.sequence, last, at);
  const check = (newest: number) => {
    for (let age = 0; age < 3; age++) {
      const { sequence, value } = messageOf(reader.at(age));
      assertEquals(sequence, newest - age, at);
      assert(isPayload(value, sequence) && LENGTHS.includes(value.length), `torn ${at}`);
    }
    const { messages, lost } = reader.since(newest - 2);
    assertEquals([messages.length, lost], [2, 0], at);
  };
  check(last);
  if (published > 0) assertEquals(namesOf(await listener.wait(PATIENT)), ["slot"]);
  bell.and(~1); // who slept is awake now
  for (let next = last + 1; next <= last + 5; next++) { // into every entry
    const writer = next % 2 === 0 ? heir : slot;
    assertEquals(await writer.write(payload(next, 100), PATIENT), next, at);
    check(next);
  }
  assertEquals([namesOf(listener.look()), owner.load(), bell.load() % 2], [["slot"], 0, 0], at);
  for (const handle of [reader, heir]) handle.close();
  return died ? [] : await living;
}

test("a slot goes on when a process is killed before any step of what it does with it", async () => {
  const steps = await survive(NO_DEATH, 3);
  assert(
    steps.includes("wake") && steps.includes("allocate") && steps.includes("sleep"),
    `${steps}`,
  );
  // Before a step that nobody else can notice nothing has changed since the one before it.
  const unnoticed = / load$| out|view$|map$|^bufferAt|^space|^open$|^close$/;
  const deaths = [...deathsAt(steps).entries()].filter(([, { step }]) => !unnoticed.test(step));
  await inPairs(deaths, async ([at, death]) => {
    const published = steps.slice(0, at).filter((step) => step === "published store").length;
    assertEquals(await survive(death, published), [], `${death.step} did not come`);
  });
});
