/**
 * Shared memory between processes, of which some are killed or stopped, and one is in C.
 */

import { assertEquals, assertRejects } from "@std/assert";
import { lock as defineLock } from "../../src/shared/semaphore_lock.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { Child } from "../os/child.ts";
import { until } from "../os/until.ts";
import { Party, PartyEnded } from "./party.ts";
import { NO_PROCESS, processTests } from "./processes.ts";
import { CProgram, Name, whyNoCompiler } from "./scene.ts";
import type { Tools } from "./shared_child.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./shared_child.ts", import.meta.url),
  "shared memory",
);

const NO_C = NO_PROCESS ?? whyNoCompiler();

const SIZE = 3000;

/** Opens the memory over there and keeps it. */
function enter(party: Party<Tools>, place: Name, options: { persist?: boolean } = {}) {
  return party.run(({ sharedMemory, memories }, { name, size, options }) => {
    memories.push(sharedMemory(name, { size, ...options }).open());
  }, { name: place.name, size: SIZE, options });
}

test("references count threads as they count processes, terminated ones no more", async () => {
  using place = new Name();
  using memory = sharedMemory(place.name, { size: SIZE }).open();
  const program = new URL("./shared_child.ts", import.meta.url);
  await using thread = Party.start<Tools>(program, "thread");
  await enter(thread, place);
  await enter(thread, place);
  assertEquals(memory.references, 3);
  await thread.kill();
  await until("the dead thread does not count", () => memory.references === 1);
});

test("processes share every byte", async () => {
  using place = new Name();
  using memory = sharedMemory(place.name, { size: SIZE }).open();
  await using party = startProcess();
  await enter(party, place);
  memory.bytes.set(bytesFrom(17, SIZE));
  const seen = await party.run(({ memories: [memory], byteAt, bytesFrom }, size) => {
    const whole = memory!.bytes.every((byte, i) => byte === byteAt(17 + i));
    memory!.bytes.set(bytesFrom(4711, size));
    return whole;
  }, SIZE);
  assertEquals([seen, memory.bytes], [true, bytesFrom(4711, SIZE)]);
});

test("an observer that writes ends its process, and no other", async () => {
  using place = new Name();
  using memory = sharedMemory(place.name, { size: SIZE }).open();
  memory.bytes.set(bytesFrom(1, SIZE));
  await using party = startProcess();
  const writing = party.run(({ sharedMemory }, { name, size }) => {
    sharedMemory(name, { size }).observer().bytes[0] = 1;
  }, { name: place.name, size: SIZE });
  await assertRejects(() => writing, PartyEnded);
  assertEquals(await party.ended(), "SIGSEGV");
  assertEquals(memory.bytes, bytesFrom(1, SIZE));
  await until("the dead does not count", () => memory.references === 1);
});

test("forgotten handles are closed, but none that is held or in use", async () => {
  using place = new Name();
  await using child = new Child(new URL("./child_forget.ts", import.meta.url), {
    args: [place.name],
    flags: ["--allow-ffi", "--v8-flags=--expose-gc"],
  });
  const { code, lines, stderr } = await child.ending();
  assertEquals([code, stderr], [0, ""]);
  assertEquals(JSON.parse(lines[0]!), {
    before: 3,
    memoryIsLeft: true,
    held: true,
    roleIsFree: true,
    received: 1,
    inUse: { references: 2, byte: 9 },
    inPlace: { subscribers: 1, sample: [1], claim: 16, producerIsHeld: true },
    lockIsFree: false,
  });
  using lock = defineLock(place.name).open();
  using permit = lock.lockSync({ timeout: 20_000 });
  assertEquals(permit.recovered, true); // from a process that has ended
});

test("a program in C maps the same file at the memory's offset", async () => {
  using place = new Name();
  using memory = sharedMemory(place.name, { size: 800 }).open();
  const numbers = memory.as(Float64Array);
  numbers.forEach((_, i) => numbers[i] = i * i + 0.25);
  await using program = await CProgram.start(new URL("./memory_peer.c", import.meta.url), [
    place.path("shm"),
    `${memory.offset}`,
  ]);
  assertEquals(await program.line(), `${memory.offset + 800}`);
  const seen = [];
  for (const index of [0, 1, 57, 99]) seen.push(Number(await program.ask(`get ${index}`)));
  assertEquals(seen, [0.25, 1.25, 57 * 57 + 0.25, 99 * 99 + 0.25]);
  assertEquals(await program.ask("set 98 -0.5"), "-0.5");
  assertEquals([numbers[97], numbers[98], numbers[99]], [97 * 97 + 0.25, -0.5, 99 * 99 + 0.25]);
}, NO_C);
