/**
 * A ring in four stages. Run it with `deno run --allow-ffi tutorials/07_four_rings/step.ts`; the
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
  picture(["cd tutorials/07_four_rings", ...diffs, "cd ../.."].join("\n"));
  say(
    `The fourth stage is the base of every ring in this library: see \`src/lane/lane.ts\`. It adds
    two things that you have not needed yet: bells to sleep on, and checks of the other side's
    stores. To break and to solve:`,
  );
}

function slots(): void {
  step("Stage 1: slots");
  say(
    `A ring between one writer and one reader, in shared memory. Here both are in this program, so
    that you can watch; \`measure.ts\` lets two threads run. The first idea: slots of one size, and
    in front of each a flag that says whose turn it is. 0: the writer may fill it. Anything else:
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
    `The bytes of hello are still there. But its flag is 0, so nobody looks at them. The flag is
    stored last, when the message is complete, and stored again when the reader is done with it.`,
  );
  predict("A slot has 64 bytes. How long may a message be? And how many short ones fit?");
  fail(() => ring.write(new Uint8Array(61)));
  run("fitting", () => 1 + fill(ring));
  say(`Every slot is taken by a message of 4 bytes as by one of 60, and 61 is too much for all.`);
}

/** The first slots: the flag, and what is behind it. */
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
    `The second idea: no flags, but two words. \`head\` is how many bytes were ever written,
    \`tail\` how many were ever read. Only the writer stores the one, only the reader the other.
    Each message has its length in front, and takes just what it needs.`,
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
    `4 and 23 bytes, and one that only fills up to a multiple of 4; then 4 and 4. The bytes between
    \`tail\` and \`head\` are unread. Now back to an empty ring, and as many as fit:`,
  );
  look(() => textOf(ring.read(target)));
  run("fitting", () => fill(ring));
  say(`Both words only grow. The place in the ring is the remainder by ${page}, and when 32 bits are
    full they begin again at 0: the difference is still right.`);
  comeTo(page - 16, ring, tail);
  predict(`Both positions are 16 bytes before the end. Where does a longer message go?`);
  look(() => ring.write(encoder.encode("cut in two by the end")));
  const { bytes, data } = memory;
  picture(hexdump(bytes.subarray(data, data + page), { address: 0, from: page - 16 }));
  picture(hexdump(bytes.subarray(data, data + page), { address: 0 }));
  look(() => textOf(ring.read(target)));
  say("In two pieces: two copies to write it, two to read it, and nobody can look at it in place.");
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
    processor's cache. Fetching it takes far longer than reading a word of your own. The third idea:
    remember what you saw. The other side can only have moved on since. So free space is still free,
    and you look again when it is used up.`,
  );
  const before = new PositionRing(makeMemory());
  const ring = new CachedRing(makeMemory());
  const both = [before, ring];
  predict("A hundred messages go into each of the two rings, and out. How many looks is that?");
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
    `The writer knew from the start that the ring was empty. The reader knew that too, looked once,
    and saw all the hundred at once. When one side is a little ahead of the other, this is how it
    goes.`,
  );
}

function mirrored(): void {
  step("Stage 4: mirrored");
  say(
    `The fourth idea is tutorial 4: map the data twice, one behind the other. The end is followed by
    the beginning, and the code that cuts messages in two is deleted.`,
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
  say("And because it is in one piece, it can be read in place. No copy at all:");
  let seen = "";
  look(() =>
    ring.readInPlace((message) => {
      seen = text(message);
    })
  );
  look(() => seen);
  predict("The reader stores \`tail\` after the handler. What if it did so before?");
  say(
    `Then the writer could write into the message while the handler reads it. So a ring that shows
    a message in place gives it back afterwards.`,
  );
}

function count(): void {
  step("What was gained");
  say(
    `Each ring is filled with messages of ${MESSAGE_BYTES} bytes and emptied, again and again, until 1000
    of them went through. Every byte is checked. The floor is the least possible: each side has
    to look once for each filling, and a message has to be copied in and out.`,
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
    `The copies can be halved again: \`readInPlace\` saves those on the way out. How much time each
    idea saves depends on your machine, so measure it:`,
  );
  picture("deno run --allow-ffi --allow-read tutorials/07_four_rings/measure.ts");
  say(
    `You may find that slots are fast: they have a flag in the very line where the message is, and
    little to compute. That is a good ring for small things of one size. And compare the files:`,
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
    `The order of two stores holds a ring together. First the right one, by hand, in the
    memory of a ring: the bytes, then \`head\`.`,
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
  say(`Some time later both positions have gone once round, and are at the same place again.`);
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
    `It got the salt a second time, and the pepper never. There is no error, every length is right,
    and a test with equal messages would not notice at all. A compiler or a processor may also
    change the order of plain stores, behind your back. That is why \`head\` is stored with
    \`Atomics\`: a reader that loads it sees every store that comes before it in the program.`,
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
  say("Interrupted anywhere, the worst that can happen is that the reader gets it a moment later.");
}

/** A mirror that was forgotten. */
function crash(): void {
  step("Without the second window");
  say(
    `The code of stage 4 relies on its memory: bytes that run past the end arrive at the beginning.
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
  say(`That went well, and it keeps going well until a message meets the end. In a test with one
    message, say. The kernel will end this program with SIGSEGV at the next line.`);
  predict("How many bytes of the message will be there?");
  look(() => {
    bytes.set(message, page - 10);
  });
}

tell({
  folder: "07_four_rings",
  title: "Tutorial 7: a ring in four stages",
  main: { steps: 5, tell: main },
  break: { steps: 2, tell: breakIt },
  crash: { steps: 1, tell: crash },
});
