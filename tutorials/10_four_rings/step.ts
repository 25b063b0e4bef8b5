/**
 * A ring in four stages. Run it with `deno run --allow-ffi tutorials/10_four_rings/step.ts`; the
 * prose is in README.md beside it.
 *
 * @module
 */

import { Word32 } from "../../src/memory/word.ts";
import { bufferAt, close, map, MapFlag, memfd, Protection, truncate } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { hexdump, table } from "../picture.ts";
import { fail, look, picture, predict, run, say, step, tell } from "../narrator.ts";
import { SlotRing } from "./ring1_slots.ts";
import { PositionRing } from "./ring2_positions.ts";
import { CachedRing } from "./ring3_cached.ts";
import { MirroredRing } from "./ring4_mirrored.ts";
import { HEAD, makeMemory, type Ring, TAIL } from "./ring_memory.ts";
import { isMessage, MESSAGE_BYTES, messageOf, ringOf, STAGES } from "./rings.ts";

const page = pageSize();
const target = new Uint8Array(page);
const encoder = new TextEncoder();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replace(/\0+$/, "");
const textOf = (length: number | undefined) => length && text(target.subarray(0, length));

function main(): void {
  slots();
  positions();
  cachedPositions();
  mirrored();
  count();
  const files = ["ring1_slots.ts", "ring2_positions.ts", "ring3_cached.ts", "ring4_mirrored.ts"];
  const diffs = files.slice(1).map((file, i) => `diff ${files[i]} ${file}`);
  picture(["cd tutorials/10_four_rings", ...diffs, "cd ../.."].join("\n"));
  say(
    `The fourth stage is the base of every message ring in this library: see \`src/lane/lane.ts\`.
    It adds two things that you have not needed yet: bells to sleep on, and checks of the other
    side's stores. Now break it, and solve the exercise:`,
  );
}

function slots(): void {
  step("Stage 1: slots");
  say(
    `A ring between one writer and one reader, in shared memory. Here both are in this program, so
    that you can watch; \`measure.ts\` runs two threads. The first idea: slots of one size, each
    with a flag in front that says whose turn it is. 0: the writer may fill the slot. Anything else:
    the reader may read it.`,
  );
  const memory = makeMemory();
  const ring = new SlotRing(memory);
  look(() => ring.write(encoder.encode("hello")));
  look(() => ring.write(encoder.encode("ring")));
  picture(slotsOf(memory.bytes.subarray(memory.data)));
  look(() => textOf(ring.read(target)));
  picture(slotsOf(memory.bytes.subarray(memory.data)));
  say(
    `The bytes of hello are still there. But the flag is 0, so the reader ignores them. The writer
    stores the flag last, when the message is complete. The reader stores it again when it is
    done.`,
  );
  predict(
    "A slot has 64 bytes. How long may a message be? And how many short ones fit into the ring?",
  );
  fail(() => ring.write(new Uint8Array(61)));
  run("fitting", () => 1 + fill(ring));
  say(`A message of 4 bytes takes a slot like one of 60 bytes, and 61 bytes fit into none.`);
}

/** The first slots: the flag and the message of each. */
function slotsOf(data: Uint8Array): string {
  const rows = [0, 1, 2].map((slot) => {
    const flag = data[slot * 64]!;
    return [`slot ${slot}`, `flag ${flag}`, text(data.subarray(slot * 64 + 4, slot * 64 + 64))];
  });
  return table(rows);
}

/** Writes short messages until none fits; returns their number. */
function fill(ring: Ring): number {
  let count = 0;
  while (ring.write(encoder.encode("ring"))) count++;
  return count;
}

function positions(): void {
  step("Stage 2: positions");
  say(
    `The second idea: two words in place of the flags. \`head\` counts all bytes ever written, and
    \`tail\` all bytes ever read. Only the writer stores \`head\`, and only the reader stores
    \`tail\`. Each message follows its length, and takes only the room that it needs.`,
  );
  const memory = makeMemory();
  const ring = new PositionRing(memory);
  const head = new Word32(memory, HEAD);
  const tail = new Word32(memory, TAIL);
  look(() => ring.write(encoder.encode("a message of any length")));
  look(() => ring.write(encoder.encode("ring")));
  look(() => textOf(ring.read(target)));
  look(() => head.load());
  look(() => tail.load());
  say(
    `A length of 4 bytes, a message of 23, and 1 byte of padding to a multiple of 4; then 4 and 4.
    The bytes between \`tail\` and \`head\` are unread. Now we empty the ring, and write as many
    messages as fit:`,
  );
  look(() => textOf(ring.read(target)));
  run("fitting", () => fill(ring));
  say(`Both words only grow. The place in the ring is the remainder by ${page}. After 32 bits they
    wrap to 0, and the difference is still right.`);
  comeTo(page - 16, ring, tail);
  predict(`Both positions are 16 bytes before the end. Where does a longer message go?`);
  look(() => ring.write(encoder.encode("cut in two by the end")));
  const { bytes, data } = memory;
  picture(hexdump(bytes.subarray(data, data + page), { address: 0, from: page - 16 }));
  picture(hexdump(bytes.subarray(data, data + page), { address: 0 }));
  look(() => textOf(ring.read(target)));
  say("In two pieces: two copies to write it, two to read it, and no reader can use it in place.");
}

/** Empties the ring, and moves on until the next message begins at this place. */
function comeTo(place: number, ring: Ring, tail: Word32): void {
  while (ring.read(target) !== undefined);
  while (tail.load() % page !== place) {
    ring.write(new Uint8Array(0)); // which takes 4 bytes, those of its length
    ring.read(target);
  }
}

function cachedPositions(): void {
  step("Stage 3: cached positions");
  say(
    `For each message the writer looks at \`tail\`, to see whether there is room, and the reader at
    \`head\`. Each time the other side has just stored there, so the word is in the other
    processor's cache. Fetching it takes far longer than loading a word of your own. The third idea:
    remember the value that you saw. The other side can only have moved forward since. So free space
    is still free, and you look again when it is used up.`,
  );
  const before = new PositionRing(makeMemory());
  const ring = new CachedRing(makeMemory());
  const both = [before, ring];
  predict(
    "We send a hundred messages through the old ring and the new one. How many looks is that?",
  );
  look(() => {
    for (const each of both) {
      for (let i = 0; i < 100; i++) {
        each.write(messageOf(i));
      }
      for (let i = 0; i < 100; i++) {
        each.read(target);
      }
    }
  });
  look(() => before.looks);
  look(() => ring.looks);
  say(
    `The writer knew from the start that the ring was empty. So did the reader: it looked once, and
    saw all hundred messages. The more one side is ahead of the other, the fewer looks both need.`,
  );
}

function mirrored(): void {
  step("Stage 4: mirrored");
  say(
    `The fourth idea is tutorial 5: map the data twice, one window behind the other. The beginning
    follows the end, and the code that cuts messages in two is gone.`,
  );
  const memory = makeMemory();
  const ring = new MirroredRing(memory);
  comeTo(page - 16, ring, new Word32(memory, TAIL));
  look(() => ring.write(encoder.encode("not cut by the end")));
  const { bytes, data } = memory;
  picture(hexdump(bytes.subarray(data), {
    address: 0,
    from: page - 16,
    length: 32,
    seam: { at: page, label: "the second window" },
  }));
  say("And because it is in one piece, a reader can use it in place, without any copy:");
  let seen = "";
  look(() =>
    ring.readInPlace((message) => {
      seen = text(message);
    })
  );
  look(() => seen);
  predict("The reader stores \`tail\` after the handler. What if it did so before?");
  say(
    `Then the writer could write into the message while the handler reads it. So a ring that shows a
    message in place releases it afterwards.`,
  );
}

function count(): void {
  step("The gain in numbers");
  say(
    `We fill each ring with messages of ${MESSAGE_BYTES} bytes and empty it, until 1000 have gone
    through, and check every byte. The floor is the least possible: each side looks once for each
    filling, and each message is copied in and out.`,
  );
  predict("Which stage improves which of the numbers?");
  const rows = STAGES.map((stage) => {
    const ring = ringOf(stage, makeMemory());
    return [stage, fillAndEmpty(ring), ring.looks, ring.copies];
  });
  const fitting = rows.at(-1)![1] as number;
  picture(table([
    ["", "messages in a full ring", "looks", "copies"],
    ...rows,
    ["floor", Math.floor(page / MESSAGE_BYTES), 2 * Math.ceil(1000 / fitting), 2000],
  ]));
  say(
    `\`readInPlace\` halves the copies again: it saves those on the way out. How much time each idea
    saves depends on your machine, so measure it:`,
  );
  picture("deno run --allow-ffi --allow-read tutorials/10_four_rings/measure.ts");
  say(
    `You may find that slots are fast: the flag is in the cache line of the message, and there is
    little to compute. Slots suit small messages of one size. Now compare the files:`,
  );
}

/** Fills and empties a ring until 1000 messages went through; returns how many it held at once. */
function fillAndEmpty(ring: Ring): number {
  let [written, read, most] = [0, 0, 0];
  while (read < 1000) {
    while (written < 1000 && ring.write(messageOf(written))) written++;
    most = Math.max(most, written - read);
    for (let length = ring.read(target); length !== undefined; length = ring.read(target)) {
      if (!isMessage(target, length, read)) {
        throw new Error(`Cannot continue: message ${read} is wrong`);
      }
      read++;
    }
  }
  return most;
}

/** A writer that publishes before it has written. */
function breakIt(): void {
  step("Publish, then write");
  say(
    `Every ring depends on the order of two stores. First the right order, by hand, in the memory of
    a ring: the bytes, then \`head\`.`,
  );
  const memory = makeMemory();
  const head = new Word32(memory, HEAD);
  const tail = new Word32(memory, TAIL);
  const { bytes, data, capacity } = memory;
  look(() => {
    bytes.set(encoder.encode("SALT    20.00"), data);
    head.store(13);
  });
  const read = () => {
    const place = data + tail.load() % capacity;
    const message = text(bytes.subarray(place, place + head.load() - tail.load()));
    tail.store(head.load());
    return message;
  };
  picture("read = () => everything from tail to head, and then tail = head");
  look(() => read());
  say(`Some time later both positions have gone round once, and are at the same place again.`);
  look(() => {
    head.store(capacity);
    tail.store(capacity);
  });
  say("Now the wrong order. The writer stores `head`, and is interrupted. The reader is not.");
  look(() => {
    head.store(capacity + 13);
  });
  predict("What does the reader get?");
  look(() => read());
  look(() => {
    bytes.set(encoder.encode("PEPPER  80.00"), data);
  });
  look(() => read());
  say(
    `It got the salt twice, and the pepper never. There is no error, every length is right, and a
    test with equal messages would not notice. A compiler or a processor may also reorder plain
    stores, behind your back. So the ring stores \`head\` with \`Atomics\`: a reader that loads it
    sees every store that comes before it in the program.`,
  );

  step("Write, then publish");
  look(() => {
    bytes.set(encoder.encode("SUGAR   10.00"), data + 13);
  });
  look(() => read());
  look(() => {
    head.store(capacity + 26);
  });
  look(() => read());
  say("Wherever the writer is interrupted, at worst the reader gets the message a moment later.");
}

/** A mirror that was forgotten. */
function crash(): void {
  step("Without the second window");
  say(
    `The code of stage 4 relies on its memory: bytes written past the end arrive at the beginning.
    In this memory, both windows are reserved, but only the first is mapped.`,
  );
  const fd = memfd("ring");
  truncate(fd, page);
  const flags = MapFlag.private | MapFlag.anonymous;
  const base = run("base", () => map({ length: 2 * page, protection: Protection.none, flags }));
  look(() =>
    map({
      address: base,
      length: page,
      protection: Protection.read | Protection.write,
      flags: MapFlag.shared | MapFlag.fixed,
      fd,
    }) === base
  );
  close(fd);
  const bytes = new Uint8Array(bufferAt(base, 2 * page));
  const message = encoder.encode("not cut by the end");
  look(() => {
    bytes.set(message, page - 100);
  });
  say(`That went well, and it will keep going well until a message crosses the end. A test with one
    message would pass. The kernel will end this program with SIGSEGV at the next line.`);
  predict("How many bytes of the message will be stored?");
  look(() => {
    bytes.set(message, page - 10);
  });
}

tell({
  folder: "10_four_rings",
  title: "Tutorial 10: a ring in four stages",
  main: { steps: 5, tell: main },
  break: { steps: 2, tell: breakIt },
  crash: { steps: 1, tell: crash },
});
