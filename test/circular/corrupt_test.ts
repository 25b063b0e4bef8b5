/**
 * Circular buffers whose every word, head and header field a broken peer has changed. What could
 * run for ever or end the process runs in another one, by a deadline.
 */

import { circular } from "../../src/circular/definition.ts";
import {
  assert,
  assertEquals,
  assertGreater,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { CorruptRegionError, LayoutMismatchError } from "../../src/errors.ts";
import { REGION_HEADER } from "../../src/region/header.ts";
import { LAST_POSITION } from "../../src/circular/circular_buffer.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { inParts } from "../shared/in_parts.ts";
import { processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { NUMBERS, WORDS } from "../corruption.ts";
import { Random } from "../random.ts";
import { type Change, ENDURING, randomChanges } from "./assault.ts";
import type { Tools } from "./circular_child.ts";
import { Inside, payload } from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./circular_child.ts", import.meta.url),
  "corrupt circular buffers",
);

const CAPACITY = 4096;

/** A buffer with messages of 100 bytes, with a member that keeps it. */
function prepare(place: Name, messages = 5): Inside {
  const inside = new Inside(place.name, CAPACITY);
  using writer = circular(place.name, { capacity: CAPACITY }).writer();
  for (let i = 0; i < messages; i++) writer.trySend(payload(i, 100));
  return inside;
}

/** The units of a record of 100 bytes. */
const RECORD = 17;

// ---- what is refused, and in which words ----

const POSITIONS: [oldest: number, published: number][] = [
  [1, 0],
  [0, LAST_POSITION + 1],
  [2 ** 53, 2 ** 53],
  [18, 17],
  [-1, 17],
  [17, -1],
];

for (const [oldest, published] of POSITIONS) {
  Deno.test(`open() refuses the positions ${oldest} and ${published}`, () => {
    using place = new Name();
    using inside = prepare(place);
    inside.ring.oldest.store(oldest);
    inside.ring.published.store(published);
    for (const end of ["writer", "reader"] as const) {
      const open = () => circular(place.name, { capacity: CAPACITY })[end]();
      const error = assertThrows(open, CorruptRegionError);
      assertStringIncludes(error.message, `circular buffer "${place.name}": its positions are`);
      assertStringIncludes(error.message, "unlink it and make a new one");
    }
    assertEquals(inside.ring.region.countMembers(), 1); // nobody stays after that
  });
}

Deno.test("writer() refuses positions that are a ring apart", () => {
  using place = new Name();
  using inside = prepare(place);
  inside.ring.oldest.store(1);
  for (const published of [510, 513, 10_000, 2 ** 32 + 17]) {
    inside.ring.published.store(published);
    inside.setHead(published, { sequence: 5, payload: 500, previous: 1, length: 0 });
    assertThrows(
      () => circular(place.name, { capacity: CAPACITY }).writer(),
      CorruptRegionError,
      "its positions are",
    );
  }
  inside.ring.published.store(509);
  inside.setHead(509, { sequence: 5, payload: 500, previous: 1, length: 0 });
  circular(place.name, { capacity: CAPACITY }).writer().close();
});

for (const field of ["sequence", "payload"] as const) {
  Deno.test(`open() refuses a head with an invalid ${field}`, () => {
    using place = new Name();
    using inside = prepare(place);
    for (const value of [NaN, Infinity, -Infinity, -1, 0.5, 2 ** 53, 1e300]) {
      inside.setHead(inside.ring.published.load(), { [field]: value });
      for (const end of ["writer", "reader"] as const) {
        const open = () =>
          circular(place.name, { capacity: CAPACITY })[end]({ start: "now" } as object);
        const error = assertThrows(open, CorruptRegionError);
        assertStringIncludes(error.message, `the head at ${5 * RECORD} has the sequence`);
      }
    }
  });
}

for (const length of [-1, 0.5, NaN, Infinity, CAPACITY - 63, 2 ** 32, 2 ** 53]) {
  Deno.test(`tryReceive() and poll() refuse a message of ${length} bytes`, () => {
    using place = new Name();
    using inside = prepare(place);
    inside.setHead(RECORD, { length });
    using reader = circular(place.name, { capacity: CAPACITY }).reader();
    assert(reader.tryReceive() !== undefined);
    for (let again = 0; again < 2; again++) {
      const error = assertThrows(() => reader.tryReceive(), CorruptRegionError);
      assertStringIncludes(error.message, `message 1 has a length of ${length}`);
      assertThrows(() => reader.poll(() => {}), CorruptRegionError);
    }
  });
}

test("trySend() refuses to make room over a message of an invalid length, and changes nothing", async () => {
  using place = new Name();
  using inside = prepare(place);
  await using party = startProcess(); // as a writer that believes it may never come to an end
  const lengths = [-1, 0.5, -32, CAPACITY - 63, 2 ** 32, 2 ** 53, "NaN", "Infinity", "-Infinity"];
  const told = await party.run(({ circular, Inside }, { name, at, lengths }) => {
    using inside = new Inside(name);
    using writer = circular(name, { capacity: 4096 }).writer();
    return lengths.map((length) => {
      inside.setHead(at, { length: Number(length) });
      const attempt = () => {
        try {
          return `wrote ${writer.trySend(new Uint8Array(4000))}`;
        } catch (error) {
          return `${error}`;
        }
      };
      return [attempt(), attempt(), writer.sequence, inside.ring.oldest.load()];
    });
  }, { name: place.name, at: RECORD, lengths });
  lengths.forEach((length, i) => {
    const [first, second, ...after] = told[i]!;
    assertStringIncludes(`${first}`, "CorruptRegionError: ");
    assertStringIncludes(`${first}`, `the record at ${RECORD} has a length of ${length}`);
    assertEquals([second, ...after], [first, 5, 0]);
  });
  assertEquals(inside.ring.published.load(), 5 * RECORD);
});

Deno.test("tryReceive() refuses a message that ends beyond what is published", () => {
  using place = new Name();
  using inside = prepare(place);
  inside.setHead(4 * RECORD, { length: 105 }); // the last one: its record would have a unit more
  using reader = circular(place.name, { capacity: CAPACITY }).reader({ start: "newest" });
  assertThrows(() => reader.tryReceive(), CorruptRegionError, "message 4 has a length of 105");
});

Deno.test("trySend() refuses to make room by a message that ends beyond what is published", () => {
  using place = new Name();
  using inside = prepare(place);
  using writer = circular(place.name, { capacity: CAPACITY }).writer();
  inside.setHead(4 * RECORD, { length: 105 });
  const error = assertThrows(
    () => writer.trySend(payload(0, writer.maxMessage)),
    CorruptRegionError,
  );
  assertStringIncludes(error.message, `the record at ${4 * RECORD} has a length of 105`);
});

Deno.test("tryReceive() refuses a message of another number than comes next", () => {
  using place = new Name();
  using inside = prepare(place);
  using reader = circular(place.name, { capacity: CAPACITY }).reader();
  for (const sequence of [0, 2, 2 ** 32 + 1, NaN]) {
    inside.setHead(RECORD, { sequence: 1 });
    using other = circular(place.name, { capacity: CAPACITY }).reader();
    other.tryReceive();
    inside.setHead(RECORD, { sequence });
    assertThrows(() => other.tryReceive(), CorruptRegionError);
  }
  assert(reader.tryReceive() !== undefined);
});

Deno.test("a lapped reader refuses a head with a lower number than its own", () => {
  using place = new Name();
  using inside = prepare(place);
  using reader = circular(place.name, { capacity: CAPACITY }).reader({ start: "now" });
  inside.startAt(6 * RECORD, { sequence: 4, payload: 500 });
  for (const read of [() => reader.tryReceive(), () => reader.poll(() => {})]) {
    const error = assertThrows(read, CorruptRegionError);
    assertStringIncludes(error.message, `the head at ${6 * RECORD} has the sequence 4`);
  }
  assertEquals([reader.sequence, reader.lost], [5, 0]);
});

Deno.test("tryReceive() takes a length of -0 for 0, which it equals", () => {
  using place = new Name();
  using inside = prepare(place, 0);
  using writer = circular(place.name, { capacity: CAPACITY }).writer();
  using reader = circular(place.name, { capacity: CAPACITY }).reader();
  writer.tryClaim(-0).publish(-0);
  inside.setHead(0, { length: -0 });
  assertEquals(reader.tryReceive(), { value: new Uint8Array(0), sequence: 1, lost: 0 });
});

Deno.test("a reader continues in a corrupt buffer once it is repaired", () => {
  using place = new Name();
  using inside = prepare(place);
  using reader = circular(place.name, { capacity: CAPACITY }).reader();
  inside.setHead(0, { length: -5 });
  assertThrows(() => reader.tryReceive(), CorruptRegionError);
  inside.setHead(0, { length: 100 });
  assertEquals(reader.tryReceive()?.value, payload(0, 100));
});

// ---- everything, with anything in it ----

/** Assaults in another process. */
const assaultAll = inParts<Tools, readonly Change[]>(
  startProcess,
  200,
  ({ assaults }, { name, some }) => assaults(name, some),
);

test("every word of the control block can hold anything", async () => {
  const words = ["oldest", "published", "bell", "state"] as const;
  const cases = words.flatMap((word) => WORDS.map((value): Change[] => [{ word, value }]));
  const seen = await assaultAll(cases);
  assert(seen.CorruptRegionError! > 0 && seen.ok! > 0 && seen.lost! > 0 && seen.closed! > 0);
});

test("every pair of positions can be anything", async () => {
  const cases = WORDS.flatMap((oldest) =>
    WORDS.map((published): Change[] => [
      { word: "oldest", value: oldest },
      { word: "published", value: published },
    ])
  );
  const seen = await assaultAll(cases);
  assertGreater(seen.CorruptRegionError!, 100);
});

test("every number of every head can be anything", async () => {
  // The first, one in the middle, the last message, and the head that comes after it.
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  {
    using writer = circular(place.name, { capacity: CAPACITY }).writer();
    for (let i = 0; i < 30; i++) writer.trySend(payload(i, 100 + i));
    writer.trySend(payload(30, 77));
  }
  const { oldest, published, units } = inside.ring;
  const positions: number[] = [];
  for (let at = oldest.load(); at <= published.load();) {
    positions.push(at);
    at += Math.ceil((32 + inside.head(at)[3]!) / 8);
  }
  const chosen = [positions[0]!, positions[positions.length >> 1]!, ...positions.slice(-2)];
  const cases = chosen.flatMap((position) =>
    [0, 1, 2, 3].flatMap((number) =>
      NUMBERS.map((value): Change[] => [{ unit: position % units, number, value }])
    )
  );
  const seen = await assaultAll(cases);
  assertGreater(seen.CorruptRegionError!, 100);
});

test("several words and heads at once can be anything", async () => {
  const cases = Array.from({ length: 1000 }, (_, seed) => randomChanges(new Random(seed)));
  const seen = await assaultAll(cases);
  assertGreater(seen.CorruptRegionError!, 100);
});

test("a buffer can be changed at any moment while it is used", async () => {
  using place = new Name();
  using _inside = new Inside(place.name, CAPACITY);
  using memory = sharedMemory(place.name, { size: 4 * 7 }).open();
  const words = memory.as(Uint32Array);
  await using reader = startProcess();
  await using observer = startProcess();
  await using writer = startProcess();
  await using vandal = startProcess();
  const enduring = ([[reader, "reader"], [observer, "observer"], [writer, "writer"]] as const).map((
    [party, role],
  ) =>
    party.run(({ endure, sharedMemory }, { name, role }) => {
      using memory = sharedMemory(name, { size: 4 * 7 }).open({ open: "join" });
      return endure(name, role, memory.as(Uint32Array));
    }, { name: place.name, role })
  );
  let seed = 0;
  const isEnough = () => words.subarray(1).every((count) => count > 20);
  while (seed < 10 || !isEnough() && seed < 20_000) { // on a busy machine, others run seldom
    await vandal.run(({ vandalise }, { name, seed }) => vandalise(name, seed, 500), {
      name: place.name,
      seed: seed++,
    });
  }
  words[ENDURING.over] = 1;
  assertEquals(await Promise.all(enduring), [[], [], []]);
  assert(isEnough(), `${words}: nothing was tried`);
});

// ---- the header ----

/** Opens both ends of a buffer whose header was changed; the name of the error. */
function outcomeOf(name: string): string {
  const names = (["writer", "reader"] as const).map((end) => {
    try {
      using _opened = circular(name, { capacity: CAPACITY })[end]();
      return "opened";
    } catch (error) {
      const expected = error instanceof CorruptRegionError || error instanceof LayoutMismatchError;
      if (!expected) throw error;
      return error.name;
    }
  });
  assertEquals(names[0], names[1]);
  return names[0]!;
}

/** A buffer of a size that nobody makes, with a header that agrees. */
function forge(place: Name, dataBytes: number): void {
  const path = place.path("circular");
  {
    using writer = circular(place.name, { capacity: CAPACITY, persist: true }).writer();
    writer.trySend(payload(0, 100));
  }
  const bytes = Deno.readFileSync(path).subarray(0, CAPACITY);
  const header = REGION_HEADER.read(bytes);
  const byte_length = header.data_offset + BigInt(dataBytes);
  REGION_HEADER.write(bytes, { ...header, byte_length, part_bytes: BigInt(dataBytes) });
  Deno.truncateSync(path, Number(byte_length)); // without memory behind it
  using file = Deno.openSync(path, { write: true });
  file.writeSync(bytes);
}

for (const dataBytes of [0, 100, 4097, 3 * 4096, 2 ** 31]) {
  Deno.test(`open() refuses a buffer of ${dataBytes} bytes, which nobody makes`, () => {
    using place = new Name();
    forge(place, dataBytes);
    assertEquals(outcomeOf(place.name), "CorruptRegionError");
  });
}
