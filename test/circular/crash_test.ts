/**
 * Circular buffers whose writers and readers are killed: at every step of what they do, and at
 * random under load.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PeerLostError, RoleTakenError } from "../../src/errors.ts";
import { CircularBufferReader } from "../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
import { waitAnySync } from "../../src/wait/any.ts";
import { until } from "../os/until.ts";
import { type Party, PartyEnded } from "../shared/party.ts";
import { openSoon, processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { type Account, follow } from "./account.ts";
import type { Tools } from "./circular_child.ts";
import { bytesBetween, Inside, lengthOf, payload } from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./circular_child.ts", import.meta.url),
  "circular buffers of the dead",
);

// ---- a writer is killed at a step ----

const CAPACITY = 4096;
const LONGEST = 600;

/** How many messages are written before the one at which the writer dies. */
const BEFORE = 20;

/** The last message of the one that dies, which no other message is like. */
const LAST = { sequence: 77_777, length: 3500 };

/** What a message must be. */
function expected(sequence: number, died: number): Uint8Array {
  if (sequence === died) return payload(LAST.sequence, LAST.length);
  return payload(sequence, lengthOf(sequence, LONGEST));
}

/** Reads all there is: whole messages, in order, and an exact account of what was lost. */
function drain(reader: CircularBufferReader, died: number): number {
  let read = 0;
  for (;;) {
    const { sequence } = reader;
    const outcome = reader.tryRead();
    if (outcome.state === "empty" || outcome.state === "closed") return read;
    if (outcome.state === "lost") {
      let bytes = 0;
      for (let i = sequence; i < reader.sequence; i++) bytes += expected(i, died).length;
      assertEquals(outcome, { state: "lost", messages: reader.sequence - sequence, bytes });
      continue;
    }
    const whole = expected(sequence, died);
    assert(outcome.message.every((byte, i) => byte === whole[i]), `message ${sequence} is torn`);
    assertEquals(outcome.message.length, whole.length);
    read++;
  }
}

/** Where a writer can be killed: in doing what, before which step; whether that was published. */
type Death = [act: "open" | "write" | "claim" | "close", step: string, published: boolean];

const DEATHS: Death[] = [
  ["open", "state store", false],
  ["open", "bell load", false],
  ["write", "oldest store", false],
  ["write", "copy in", false],
  ["write", "copy in the second half", false],
  ["write", "length in", false],
  ["write", "number 0 in", false],
  ["write", "number 2 in", false],
  ["write", "published store", false],
  ["write", "bell load", true],
  ["write", "wake", true],
  ["claim", "oldest store", false],
  ["claim", "half filled", false],
  ["claim", "published store", false],
  ["claim", "published", true],
  ["close", "state store", true],
  ["close", "bell load", true],
  ["close", "close lock file", true],
];

/** Lets another process become the writer and die at a step of what it does then. */
async function dieIn(act: string, step: string, place: Name): Promise<void> {
  await using dying = startProcess({ trapped: true });
  const told = await dying.run(({ CircularBufferWriter, writers, dieBefore }, task) => {
    if (task.act === "open") dieBefore(task.step);
    writers.push(CircularBufferWriter.open(task.name));
  }, { name: place.name, act, step }).catch((error) => error.name);
  if (act !== "open") {
    using inside = new Inside(place.name);
    inside.ring.bell.raise(); // as somebody who waits does: the writer that came has rung it
    const death = dying.run(({ writers: [writer], dieBefore, spring, payload }, task) => {
      const bytes = payload(task.last.sequence, task.last.length);
      if (task.act !== "close") dieBefore(task.step);
      if (task.act === "write") return writer!.write(bytes);
      const view = writer!.claim(bytes.length);
      view.set(bytes.subarray(0, bytes.length / 2));
      spring("half filled");
      view.set(bytes);
      writer!.publish();
      spring("published");
      dieBefore(task.step);
      writer!.close();
    }, { act, step, last: LAST });
    assertEquals(await death.then(() => "survived", (error) => error.name), PartyEnded.name);
  } else assertEquals(told, PartyEnded.name);
  assertEquals(await dying.ended(), "SIGKILL");
}

for (const [act, step, published] of DEATHS) {
  test(`a writer that is killed in ${act}() before "${step}" leaves whole messages`, async () => {
    using place = new Name();
    using slow = CircularBufferReader.open(place.name, { capacity: CAPACITY });
    using quick = CircularBufferReader.open(place.name);
    {
      using writer = CircularBufferWriter.open(place.name);
      for (let i = 0; i < BEFORE; i++) writer.write(payload(i, lengthOf(i, LONGEST)));
    }
    drain(quick, -1);
    await dieIn(act, step, place);

    const died = published ? BEFORE : -1;
    const seen = drain(quick, died);
    using writer = await openSoon(() => CircularBufferWriter.open(place.name));
    assertEquals([writer.sequence, seen], published ? [BEFORE + 1, 1] : [BEFORE, 0]);
    using newcomer = CircularBufferReader.open(place.name);
    using newest = CircularBufferReader.open(place.name, { start: "newest" });
    for (let i = writer.sequence; i < 2 * BEFORE; i++) {
      writer.write(payload(i, lengthOf(i, LONGEST)));
      assertEquals(drain(quick, died), 1);
    }
    for (const reader of [slow, newcomer, newest]) {
      drain(reader, died);
      assertEquals(reader.sequence, 2 * BEFORE);
    }
  });
}

test("a message whose bytes a dead writer has overwritten is lost, not torn", async () => {
  for (const step of ["copy in the second half", "length in", "published store"]) {
    using place = new Name();
    using reader = CircularBufferReader.open(place.name, { capacity: CAPACITY });
    using poller = CircularBufferReader.open(place.name);
    {
      using writer = CircularBufferWriter.open(place.name);
      for (let i = 0; i < 6; i++) writer.write(payload(i, 600));
    }
    await dieIn("write", step, place);
    assertEquals(reader.tryRead(), { state: "lost", messages: 6, bytes: 3600 });
    using _successor = await openSoon(() => CircularBufferWriter.open(place.name)); // which does not bring them back
    assertEquals(poller.poll(() => {}), { handled: 0, state: "lost" });
    assertEquals([poller.lostMessages, poller.lostBytes, poller.sequence], [6, 3600, 6]);
  }
});

for (const step of ["bell load", "wake"]) {
  test(`a reader that waits gets the message of a writer killed before "${step}"`, async () => {
    using place = new Name();
    using reader = CircularBufferReader.open(place.name, { capacity: CAPACITY });
    await using other = startProcess();
    const there = other.run(({ CircularBufferReader }, { name, longest }) => {
      using reader = CircularBufferReader.open(name);
      const outcome = reader.readSync({ timeout: 20_000, spin: 0 });
      return outcome.state === "ok" ? outcome.message.length : longest;
    }, { name: place.name, longest: -1 });
    const here = reader.read({ timeout: 20_000 });
    await dieIn("write", step, place);
    assertEquals(await here, { state: "ok", message: payload(LAST.sequence, LAST.length) });
    assertEquals(await there, LAST.length);
  });
}

test("a waiting reader gets a PeerLostError when the writer is killed, unless it keeps open", async () => {
  using place = new Name();
  using reader = CircularBufferReader.open(place.name, { capacity: CAPACITY, keepOpen: true });
  using told = CircularBufferReader.open(place.name);
  await using dying = startProcess();
  await dying.run(({ CircularBufferWriter, writers }, name) => {
    writers.push(CircularBufferWriter.open(name));
  }, place.name);
  const reading = reader.read({ timeout: 20_000 });
  await dying.run(({ writers: [writer], payload }) => writer!.write(payload(1, 11)), null);
  assertEquals(await reading, { state: "ok", message: payload(1, 11) });
  const next = reader.read({ timeout: 20_000 });
  await dying.kill();
  assertEquals(told.tryRead(), { state: "ok", message: payload(1, 11) });
  assertEquals(told.tryRead(), { state: "empty" }); // as every other receiver's
  await assertRejects(() => told.read(), PeerLostError, "its writer died");
  assertThrows(() => told.readSync(), PeerLostError, "keepOpen");
  assertEquals(waitAnySync([told, reader]) === told, true);
  using writer = await openSoon(() => CircularBufferWriter.open(place.name));
  writer.write(payload(5, 55));
  assertEquals(await next, { state: "ok", message: payload(5, 55) });
  assertEquals(told.readSync(), { state: "ok", message: payload(5, 55) });
});

test("a stopped writer keeps its role", async () => {
  using place = new Name();
  await using owner = startProcess();
  await owner.run(({ CircularBufferWriter, writers, payload }, name) => {
    writers.push(CircularBufferWriter.open(name));
    writers[0]!.write(payload(1, 100));
  }, place.name);
  owner.signal("SIGSTOP");
  await until("it is stopped", () => owner.state === "T");
  for (let i = 0; i < 50; i++) {
    assertThrows(() => CircularBufferWriter.open(place.name), RoleTakenError, "which is alive");
  }
  using reader = CircularBufferReader.open(place.name);
  assertEquals(reader.tryRead(), { state: "ok", message: payload(1, 100) });
  owner.signal("SIGCONT");
  await owner.run(({ writers: [writer], payload }) => writer!.write(payload(2, 200)), null);
  assertEquals(reader.tryRead(), { state: "ok", message: payload(2, 200) });
});

// ---- readers are killed ----

for (const step of ["oldest load", "sleep", "bell or"]) {
  test(`a reader that is killed before "${step}" leaves no trace`, async () => {
    using place = new Name();
    using writer = CircularBufferWriter.open(place.name, { capacity: CAPACITY });
    using reader = CircularBufferReader.open(place.name);
    using inside = new Inside(place.name);
    await using dying = startProcess({ trapped: true });
    const death = dying.run(({ CircularBufferReader, dieBefore }, { name, step }) => {
      const reader = CircularBufferReader.open(name);
      dieBefore(step);
      for (;;) reader.readSync({ spin: 0 });
    }, { name: place.name, step });
    writer.write(payload(0, 100));
    assertEquals(await death.catch((error) => error.name), PartyEnded.name);
    await until("it is no member", () => inside.ring.region.countMembers() === 3);
    for (let i = 1; i < 50; i++) writer.write(payload(i, 100));
    const { state } = reader.tryRead();
    assertEquals([state, reader.tryRead().state], ["lost", "ok"]);
  });
}

test("a buffer whose members were all killed is gone, and the next one is new", async () => {
  using place = new Name();
  await using writer = startProcess();
  await using reader = startProcess();
  await writer.run(({ CircularBufferWriter, writers, payload }, name) => {
    writers.push(CircularBufferWriter.open(name, { capacity: 4096 }));
    writers[0]!.write(payload(1, 100));
  }, place.name);
  await reader.run(({ CircularBufferReader, readers }, name) => {
    readers.push(CircularBufferReader.open(name));
  }, place.name);
  await Promise.all([writer.kill(), reader.kill()]);
  assertEquals(place.files().length, 1);
  await until("the dead are gone", () => {
    using reader = CircularBufferReader.open(place.name);
    return reader.capacity === 2 ** 20 && reader.tryRead().state === "empty";
  });
  assertEquals(place.files(), []);
});

// ---- at random, under load ----

/** Writes without end, or up to a number and closes. */
function writeOn(party: Party<Tools>, place: Name, end: number): Promise<number> {
  return party.run(async ({ CircularBufferWriter, lengthOf, payload }, { name, end, longest }) => {
    let writer: Tools["writers"][number] | undefined;
    while (writer === undefined) {
      try {
        writer = CircularBufferWriter.open(name);
      } catch (error) {
        if ((error as Error).name !== "RoleTakenError") throw error;
        await new Promise((resolve) => setTimeout(resolve)); // the kernel is at it
      }
    }
    let waste = 0;
    while (writer.sequence < end) {
      const { sequence } = writer;
      const length = lengthOf(sequence, longest);
      if (sequence % 2 === 0) writer.write(payload(sequence, length));
      else {
        writer.claim(longest).set(payload(sequence, length));
        writer.publish(length);
      }
      for (let i = 0; i < 300; i++) waste += i % 7;
    }
    writer.close();
    return writer.sequence + 0 * waste;
  }, { name: place.name, end, longest: LONGEST });
}

function checkAccount(
  { first, next, read, lost, bytesRead, bytesLost, problems }: Account,
  end: number,
) {
  assertEquals(problems, []);
  assertEquals([next, read + lost], [end, end - first]);
  assertEquals(bytesRead + bytesLost, bytesBetween(first, end, LONGEST));
}

test("readers account for every message while writers are killed at random", async () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  using mine = CircularBufferReader.open(place.name);
  await using reader = startProcess();
  await reader.run(({ CircularBufferReader, readers }, name) => {
    readers.push(CircularBufferReader.open(name));
  }, place.name);
  const there = reader.run(
    ({ follow, readers: [reader] }, longest) => follow(reader!, { longest, way: "into" }),
    LONGEST,
  );
  const here = follow(mine, { longest: LONGEST, way: "async" });
  const { published } = inside.ring;
  let deaths = 0;
  for (; deaths < 12; deaths++) {
    await using writer = startProcess();
    const before = published.load();
    const writing = writeOn(writer, place, Number.MAX_SAFE_INTEGER);
    const enough = before + 1000 + 317 * deaths;
    await until("it has written", () => published.load() > enough);
    await writer.kill();
    assertEquals(await writing.catch((error) => error.name), PartyEnded.name);
  }
  await using last = startProcess();
  const end = inside.head(published.load())[0]! + 1000;
  assertEquals(await writeOn(last, place, end), end);
  for (const account of await Promise.all([here, there])) checkAccount(account, end);
});

test("a reader accounts for every message while others are killed at random", async () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  using mine = CircularBufferReader.open(place.name);
  await using writer = startProcess();
  const writing = writeOn(writer, place, Number.MAX_SAFE_INTEGER);
  const here = follow(mine, { longest: LONGEST, way: "async" });
  let killed = 0;
  const seat = async () => {
    for (let life = 0; life < 4; life++) {
      await using reader = startProcess();
      const first = await reader.run(({ CircularBufferReader, readers }, name) => {
        readers.push(CircularBufferReader.open(name));
        return readers[0]!.readSync().state;
      }, place.name);
      assert(first === "ok" || first === "lost");
      const reading = reader.run(
        ({ follow, readers: [reader] }, longest) => follow(reader!, { longest }),
        LONGEST,
      ).catch((error) => error.name);
      await reader.kill();
      assertEquals(await reading, PartyEnded.name);
      killed++;
    }
  };
  await Promise.all([seat(), seat()]);
  await writer.kill();
  assertEquals([await writing.catch((error) => error.name), killed], [PartyEnded.name, 8]);
  await using last = startProcess();
  const end = inside.head(inside.ring.published.load())[0]! + 1000;
  assertEquals(await writeOn(last, place, end), end);
  checkAccount(await here, end);
});
