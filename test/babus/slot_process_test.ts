/**
 * Slots between processes: under load, asleep, and when a writer is stopped or killed.
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Domain } from "../../src/babus/domain.ts";
import { Listener } from "../../src/babus/listener.ts";
import { SharedMemory } from "../../src/shared/shared_memory.ts";
import { until } from "../os/until.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { processTests } from "../shared/processes.ts";
import type { Tools } from "./babus_child.ts";
import { Inside, messageOf, namesOf, Scene } from "./scene.ts";

const { test, mountTest, startProcess } = processTests<Tools>(
  new URL("./babus_child.ts", import.meta.url),
  "slots",
);

const PATIENT = { timeout: 60_000, spin: 0 };

test("four processes write 400,000 messages: each number is given once, to each in order", async () => {
  using scene = new Scene();
  const slot = scene.slot("count", { depth: 2 });
  const [writers, rounds] = [4, 100_000];
  const total = writers * rounds;
  using memory = SharedMemory.open(scene.name, { size: writers * (total + 1) });
  await using stack = new AsyncDisposableStack();
  const parties = Array.from({ length: writers }, () => stack.use(startProcess()));
  const ordered = await Promise.all(
    parties.map((party, index) =>
      party.run(({ Domain, SharedMemory }, { name, index, rounds, total }) => {
        using memory = SharedMemory.connect(name);
        const given = memory.bytes.subarray(index * (total + 1), (index + 1) * (total + 1));
        using domain = Domain.open(name);
        const slot = domain.slot("count");
        const next = new Float64Array(1);
        const bytes = new Uint8Array(next.buffer);
        let ordered = true;
        let last = 0;
        for (let i = 0; i < rounds; i++) {
          const room = slot.claimSync(8);
          bytes.set(slot.view()?.bytes ?? [0, 0, 0, 0, 0, 0, 0, 0]); // nobody else can write
          next[0]!++;
          room.set(bytes);
          const number = slot.publish();
          given[number]!++;
          ordered &&= number > last && number === next[0];
          last = number;
        }
        return ordered;
      }, { name: scene.name, index, rounds, total })
    ),
  );
  assertEquals(ordered, [true, true, true, true]);
  const { sequence, value } = messageOf(slot.latest());
  assertEquals([sequence, new Float64Array(value.buffer)[0]], [total, total]);
  const sum = (number: number) => {
    let sum = 0;
    for (let index = 0; index < writers; index++) {
      sum += memory.bytes[index * (total + 1) + number]!;
    }
    return sum;
  };
  let once = 0;
  for (let number = 1; number <= total; number++) if (sum(number) === 1) once++;
  assertEquals([once, sum(0)], [total, 0]);
});

test("two processes that have several writes under way each are given every number once", async () => {
  using scene = new Scene();
  const slot = scene.slot("count");
  const [rounds, abreast] = [800, 4];
  await using stack = new AsyncDisposableStack();
  const parties = [0, 1].map(() => stack.use(startProcess()));
  const given = await Promise.all(
    parties.map((party) =>
      party.run(async ({ Domain, payload }, { name, rounds, abreast }) => {
        using domain = Domain.open(name);
        const slot = domain.slot("count");
        const given: number[] = [];
        const writeOn = async () => {
          for (let i = 0; i < rounds; i++) {
            given.push(await slot.write(payload(i, 200), { spin: 0 }));
          }
        };
        await Promise.all(Array.from({ length: abreast }, writeOn));
        return given;
      }, { name: scene.name, rounds, abreast })
    ),
  );
  const expected = Array.from({ length: 2 * abreast * rounds }, (_, i) => i + 1);
  assertEquals(given.flat().sort((a, b) => a - b), expected);
  assertEquals(slot.sequence, expected.length);
});

test("two writers and three readers in processes: every message is whole and in its place", async () => {
  using scene = new Scene();
  const slot = scene.slot("load", { depth: 4, maxSize: 5000 });
  await using stack = new AsyncDisposableStack();
  const readers = Array.from({ length: 3 }, () => stack.use(startProcess()));
  const writers = Array.from({ length: 2 }, () => stack.use(startProcess()));
  const total = 20_000;
  const reading = readers.map((party, how) =>
    party.run(({ Domain, isPayload, lengthOf }, { name, total, how }) => {
      using domain = Domain.open(name);
      const slot = domain.slot("load");
      const right = (sequence: number, bytes: Uint8Array) =>
        bytes.length === lengthOf(sequence, 5000) && isPayload(bytes, sequence);
      let at = 0;
      let wrong = 0;
      let seen = 0;
      let lost = 0;
      while (at < total) {
        if (how === 0) {
          const news = slot.since(at);
          for (const { sequence, value } of news.messages) {
            if (sequence <= at || !right(sequence, value)) wrong++;
            at = sequence;
            seen++;
          }
          lost += news.lost;
          if (at !== seen + lost) wrong++;
        } else if (how === 1) {
          const outcome = slot.at(seen++ % 4);
          if (outcome.state !== "ok") continue;
          const { sequence, value } = outcome.message;
          if (!right(sequence, value)) wrong++;
          at = Math.max(at, slot.sequence);
        } else {
          const view = slot.view(seen++ % 4);
          if (view === undefined) continue;
          const fits = right(view.sequence, view.bytes);
          if (view.valid && !fits) wrong++;
          at = slot.sequence;
        }
      }
      return wrong;
    }, { name: scene.name, total, how })
  );
  const writing = writers.map((party, index) =>
    party.run(({ Domain, payload, lengthOf }, { name, total, index }) => {
      using domain = Domain.open(name);
      const slot = domain.slot("load");
      for (let i = 0; i < total / 2; i++) {
        const room = slot.claimSync();
        const sequence = slot.sequence + 1;
        const bytes = payload(sequence, lengthOf(sequence, 5000));
        if (index === 0) {
          room.set(bytes);
          slot.publish(bytes.length);
        } else slot.writeSync(bytes); // which gives the claim up, but not the right to write
      }
    }, { name: scene.name, total, index })
  );
  await Promise.all(writing);
  assertEquals(await Promise.all(reading), [0, 0, 0]);
  assertEquals(slot.sequence, total);
});

test("a listener in another process wakes for each message, whoever wrote it", async () => {
  using scene = new Scene();
  const [ping, pong] = [scene.slot("ping"), scene.slot("pong")];
  await using other = startProcess();
  const rounds = 30;
  const answering = other.run(({ Domain, Listener, isPayload }, { name, rounds }) => {
    using domain = Domain.open(name);
    const [ping, pong, quiet] = ["ping", "pong", "quiet"].map((name) => domain.slot(name));
    using listener = new Listener().add(ping!).add(quiet!);
    for (let i = 1; i <= rounds; i++) {
      const news = listener.waitSync({ spin: 0 });
      const outcome = ping!.latest();
      const right = news.length === 1 && news[0] === ping && outcome.state === "ok" &&
        outcome.message.sequence === i && isPayload(outcome.message.value, i);
      if (!right) return `wrong at ${i}`;
      pong!.writeSync(outcome.message.value);
    }
    return "right";
  }, { name: scene.name, rounds });
  using listener = new Listener().add(pong);
  await until("it listens", () => scene.domain.slots().length === 3);
  for (let i = 1; i <= rounds; i++) {
    await until("it sleeps", () => other.state === "S");
    ping.writeSync(payload(i, 100));
    assertEquals(namesOf(await listener.wait(PATIENT)), ["pong"]);
    assert(isPayload(messageOf(pong.latest()).value, i));
  }
  assertEquals(await answering, "right");
});

test("who waits to write follows a writer that is killed with a claim, and waits for a stopped one", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  await using writer = startProcess();
  await writer.run(({ Domain, domains, slots }, name) => {
    domains.push(Domain.open(name));
    slots.push(domains[0]!.slot("slot"));
    slots[0]!.claimSync(10);
  }, scene.name);
  writer.signal("SIGSTOP");
  await until("it is stopped", () => writer.state === "T");
  const error = await assertRejects(
    () => slot.write(payload(1, 10), { timeout: 600 }),
    DOMException,
  );
  assertEquals(error.name, "TimeoutError");
  assertEquals(slot.tryWrite(payload(1, 10)), undefined);
  const writing = slot.write(payload(1, 10), PATIENT);
  writer.signal("SIGKILL");
  assertEquals(await writing, 1);
  assertEquals(messageOf(slot.latest()).value, payload(1, 10));
});

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

test("nothing is left of a domain whose members were killed", async () => {
  using scene = new Scene();
  await using party = startProcess();
  await party.run(({ Domain, domains, slots, payload }, name) => {
    domains.push(Domain.open(name));
    slots.push(domains[0]!.slot("slot"));
    slots[0]!.writeSync(payload(1, 10));
  }, scene.name);
  assertEquals(namesOf(scene.domain.slots()), ["slot"]);
  await party.kill();
  await until("it is gone", () => scene.domain.slots().length === 0);
  const slot = Domain.open(scene.name).slot("slot");
  assertEquals(slot.sequence, 0);
  slot.close();
  assertEquals(scene.files(), []);
});

test("images of 6.2 MB are whole for as long as they say so, in place and by copy", async () => {
  using scene = new Scene();
  const size = 6_220_800;
  const [depth, frames] = [4, 30];
  const slot = scene.slot("image", { depth, maxSize: size });
  await using stack = new AsyncDisposableStack();
  const parties = Array.from({ length: 3 }, () => stack.use(startProcess()));
  const watching = parties.map((party, index) =>
    party.run(({ Domain, Listener }, { name, depth, frames, index }) => {
      using domain = Domain.open(name);
      const slot = domain.slot("image");
      using listener = new Listener().add(slot);
      // Bytes at places all over the frame say its number.
      const whole = (bytes: Uint8Array, sequence: number) => {
        for (let i = 0; i < bytes.length; i += 4093) {
          if (bytes[i] !== (sequence * 37 + i * 11) % 251) return false;
        }
        return bytes.length > 0;
      };
      let wrong = 0;
      let copies = 0;
      let overwritten = 0;
      let held: NonNullable<ReturnType<typeof slot.view>>[] = [];
      while (slot.sequence < frames) {
        listener.waitSync({ spin: 0 });
        for (let age = 0; age < depth; age++) {
          const view = slot.view(age);
          if (view !== undefined) held.push(view);
        }
        const outcome = slot.at(index); // one of each age: the newest is asked for by the first
        if (outcome.state === "ok") {
          copies++;
          if (!whole(outcome.message.value, outcome.message.sequence)) wrong++;
        }
        const kept: typeof held = [];
        for (const view of held) {
          const right = whole(view.bytes, view.sequence);
          if (view.valid) {
            kept.push(view);
            if (!right) wrong++;
          } else {
            overwritten++;
            if (view.sequence + depth > slot.sequence) wrong++; // one that can be looked back at
          }
        }
        held = kept;
      }
      // The last frames stay: nobody writes any more.
      held = Array.from({ length: depth }, (_, age) => slot.view(age)!);
      wrong += held.filter(({ bytes, sequence, valid }) =>
        !valid || !whole(bytes, sequence)
      ).length;
      return { wrong, copied: copies > 0, overwritten: overwritten > 0 };
    }, { name: scene.name, depth, frames, index })
  );
  const frame = new Uint8Array(size);
  await until("all have the slot open", () => {
    using inside = new Inside(scene, "image");
    return inside.words.region.countMembers() === 5;
  });
  for (let sequence = 1; sequence <= frames; sequence++) {
    for (let i = 0; i < size; i += 4093) frame[i] = (sequence * 37 + i * 11) % 251;
    assertEquals(await slot.write(frame), sequence);
    await new Promise((resolve) => setTimeout(resolve, 1000 / 30)); // the rate of the camera
  }
  const right = { wrong: 0, copied: true, overwritten: true };
  assertEquals(await Promise.all(watching), [right, right, right]);
});
