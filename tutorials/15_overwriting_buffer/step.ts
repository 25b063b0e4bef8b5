/**
 * The overwriting buffer. Run it with
 * `deno run --allow-ffi tutorials/15_overwriting_buffer/step.ts`; the prose is in README.md beside
 * it.
 *
 * @module
 */

import {
  circular,
  type CircularBufferReader,
  type CircularBufferWriter,
  type CircularDefinition,
  type Message,
  regions,
} from "../../mod.ts";
import { bufferAt } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { filesOf } from "../kernel_view.ts";
import { hexdump, table } from "../picture.ts";
import { fail, look, picture, predict, run, say, step, tell, tidyUp } from "../narrator.ts";
import { LENGTH, message, price, text } from "./messages.ts";
import { drawRing, headTable, RingWindow } from "./ring_window.ts";

const page = pageSize();

/** A ring, both its ends, and a look into it. */
interface Scene {
  readonly ring: CircularDefinition;
  readonly writer: CircularBufferWriter;
  readonly reader: CircularBufferReader;
  readonly window: RingWindow;
}

function main(name: string): void {
  const scene = neverWait(name);
  seePositions(scene);
  comeRound(scene);
  countTheLoss(scene);
  readInPlace(scene);
  lookTwice(scene);
  comeAndGo(scene);
  say(
    `That is a ring for values that soon go stale: prices, camera frames, the state of a machine. To
    see it at work between programs, run \`examples/prices/writer.ts\` and some
    \`examples/prices/reader.ts\`. To see why the second look matters:`,
  );
}

function neverWait(name: string): Scene {
  step("A writer that never waits");
  say(`The mirror ring of tutorial 5 refuses writes when it is full. That is right if every byte
    counts. But if only the newest values count, a slow reader must hold up neither the writer nor
    the other readers. This ring overwrites its oldest messages. It has one writer and any number of
    readers, and each reader gets every message, or learns exactly how many it has lost.`);
  const ring = run("ring", () => circular(name, { capacity: page }));
  const writer = tidyUp(run("writer", () => ring.writer()));
  const reader = tidyUp(run("reader", () => ring.reader()));
  const window = tidyUp(new RingWindow(name));
  say("Our messages all have the same length, so that they can be drawn: one letter for each.");
  look(() => {
    for (let i = 0; i < 3; i++) {
      writer.trySend(message(i));
    }
  });
  picture(drawRing(window));
  const received = run("received", () => reader.tryReceive());
  look(() => textOf(received));
  say(
    `The reader has a copy now, and the message is still in the ring. Readers store nothing there,
    so the writer need not know how many there are, or whether one of them has died.`,
  );
  return { ring, writer, reader, window };
}

/** The text of a message that was received. */
function textOf(message: Message | undefined): string | undefined {
  return message && text(message.value);
}

function seePositions({ window }: Scene): void {
  step("Positions");
  say(`The writer keeps two positions in shared memory. They only grow, in units of 8 bytes. One lap
    is ${window.lap} units, and the remainder by that is the place in the ring. Each message follows
    a head of 32 bytes:`);
  picture(headTable(window));
  say(
    `\`sequence\` is the number of messages before this one, and \`payload\` is how many bytes those
    had. The last row is the head of a message that is not written yet: the writer stores it
    together with the message before it. So at every position from \`oldest\` to \`published\`, a
    reader that is new, or was away, can read how much came before.`,
  );
}

function comeRound({ writer, reader, window }: Scene): void {
  step("The writer laps the reader");
  say("The reader has read A, and is then away for a while. The writer continues:");
  look(() => {
    for (let i = 3; i < 31; i++) {
      writer.trySend(message(i));
    }
  });
  picture(drawRing(window, [{ position: positionOf(reader, window), label: "the reader" }]));
  predict("The ring is full: the last cell holds a head. Where does the next message go?");
  look(() => {
    writer.trySend(message(31));
  });
  picture(drawRing(window, [{ position: positionOf(reader, window), label: "the reader" }]));
  say(
    `The writer has moved \`oldest\` past A, and only then overwritten A's place: for the moment,
    with the head of the next message. A few more, so that it laps the reader:`,
  );
  look(() => {
    for (let i = 32; i < 40; i++) {
      writer.trySend(message(i));
    }
  });
  picture(drawRing(window, [{ position: positionOf(reader, window), label: "the reader" }]));
  predict("The reader wants B next. What will it get?");
  const received = run("received", () => reader.tryReceive());
  look(() => textOf(received));
  look(() => received?.lost);
  say(
    `It was lapped. It continues at the oldest message, and \`lost\` is the number of messages that
    it has missed before that. No process has kept count for it. After 1 message it found a head
    with the sequence ${1 + received!.lost}; the difference is the number lost. It counts lost bytes
    in the same way.`,
  );
}

/** Where the message begins that the reader reads next; all are of one length. */
function positionOf(reader: CircularBufferReader, window: RingWindow): number {
  return reader.sequence * window.lap / 32;
}

function countTheLoss({ writer, reader }: Scene): void {
  step("Exact, however late");
  look(() => {
    for (let i = 40; i < 10_000; i++) {
      writer.trySend(message(i));
    }
  });
  predict(
    "The reader has read 2 messages and lost 8. The ring holds 31. How many has it lost by now?",
  );
  let read = 2;
  look(() => {
    while (reader.tryReceive() !== undefined) {
      read++;
    }
  });
  picture(table([
    ["read", read],
    ["lost", reader.lost],
    ["together", read + reader.lost],
    ["written", writer.sequence],
  ]));
  say(
    `Three hundred laps, or three hundred million: positions only grow, so a reader never mistakes a
    new message for an old one in the same place. With \`afterLoss: "newest"\`, a lapped reader
    continues at the newest message, and not at the oldest.`,
  );
}

function readInPlace({ writer, reader }: Scene): void {
  step("Read in place");
  say(
    `\`tryReceive\` copies a message. \`poll\` does not: it shows messages to a handler in place.
    That saves the copy, but the writer does not wait for the handler. Here are some prices:`,
  );
  look(() => {
    for (let i = 0; i < 31; i++) {
      writer.trySend(price("SALT", 20));
    }
  });
  say(
    `The handler reads the symbol, then the price. In between, the writer goes round once: here
    within the handler, in real life on another processor.`,
  );
  predict("What does the handler see? And what does poll return?");
  let seen = "";
  look(() =>
    reader.poll(({ bytes }) => {
      seen = text(bytes.subarray(0, 8));
      for (let i = 0; i < 32; i++) {
        writer.trySend(price("PEPPER", 80));
      }
      seen += ` at ${text(bytes.subarray(8))}`;
    }, 1)
  );
  look(() => seen);
  say(
    `Salt has never cost 80. The two halves are of two messages: the read is torn. Every length is
    right, and every byte was once written. But \`poll\` looked again after the handler, and found
    that the writer had passed this message. So it returned 0: forget what you have seen. A handler
    notes what it sees, and the program acts on it only if \`poll\` has counted the message. (The
    message's \`value\` is a copy, which is checked before the handler gets it.)`,
  );
}

function lookTwice({ writer, reader, window }: Scene): void {
  step("The second look");
  say("The writer and the reader take two steps each. The order of those steps matters:");
  picture(`
the writer                           the reader
1  moves \`oldest\` past the old one
                                     2  copies the message or reads it
3  writes over the old one
                                     4  looks at \`oldest\`: is it past that?`.trim());
  say(
    `Suppose the reader has seen a byte of the new message. Then 3 had begun before 2 was over. The
    writer does 1 before 3, and the reader does 4 after 2, so 4 comes after 1 and sees it. However
    slow either of them is, the reader accepts nothing torn. A single look, beforehand, would be
    worth nothing: \`--break\` does that.`,
  );
  predict("And the opposite mistake: can the reader discard a message that was whole?");
  const position = window.oldest;
  const before = run("before", () => reader.lost);
  const claim = run("claim", () => writer.tryClaim(LENGTH)); // space, which is not written yet
  look(() => textOf(reader.tryReceive()));
  look(() => reader.lost - before);
  picture(hexdump(window.payload(position, 16), { address: 0 }));
  say(
    `It can: one more is lost. Every byte of that message is still there. But the writer has
    announced that it may write here at any moment, so the reader may no longer accept it.`,
  );
  look(() => {
    claim[Symbol.dispose](); // `using` would do that
  });
}

function comeAndGo({ ring, writer, reader, window }: Scene): void {
  step("Writers come and go");
  const { name } = writer;
  say("A ring has one writer. The kernel knows that it is alive, so a second one is refused.");
  fail(() => ring.writer());
  look(() => {
    writer.close();
  });
  let read = 0;
  look(() => {
    while (reader.tryReceive() !== undefined) {
      read++;
    }
  });
  look(() => read);
  look(() => reader.ended);
  say(`The reader still gets every message, and then \`ended\` is true, until another writer opens
    the ring:`);
  const next = tidyUp(run("next", () => ring.writer()));
  look(() => next.sequence);
  look(() => {
    next.trySend(message(7));
  });
  look(() => textOf(reader.tryReceive()));
  say(
    `The next writer continues where the last one ended, in the same ring, and the readers follow. A
    reader that was opened with \`onPeerGone: "wait"\` would not even notice. After a \`kill -9\`
    the next writer continues in the same way, but a waiting reader gets a PeerLostError. See
    \`--crash\`.`,
  );
  window[Symbol.dispose]();
  look(() => {
    next.close();
    reader.close();
  });
  picture(filesOf(name));
}

/** A reader that looks only once, beforehand. */
function breakIt(name: string): void {
  step("Look, then copy");
  const writer = tidyUp(circular(name, { capacity: page }).writer());
  const window = tidyUp(new RingWindow(name));
  say(`A reader made by hand. It maps the ring, and knows where the oldest message is. It looks
    whether that message is intact, and then copies it.`);
  look(() => {
    for (let i = 0; i < 31; i++) {
      writer.trySend(price("SALT", 20));
    }
  });
  const position = run("position", () => window.oldest);
  look(() => window.oldest <= position);
  let copy = "";
  look(() => {
    copy = text(window.payload(position, 8));
  });
  say("Here the reader is interrupted, in the middle of the copy. The writer is not.");
  look(() => {
    for (let i = 0; i < 32; i++) {
      writer.trySend(price("PEPPER", 80));
    }
  });
  say("Now it copies the rest.");
  look(() => {
    copy += ` at ${text(window.payload(position, LENGTH).subarray(8))}`;
  });
  predict("Which price has been copied? And how can the reader tell that it is wrong?");
  look(() => copy);
  say(
    `It cannot. It looked, the message was intact, and it copied the message. A program would buy
    and sell at this price. In tests it works for months: the interruption must hit the middle of a
    copy, and last for a whole lap.`,
  );

  step("Copy, then look");
  predict(
    "We ask the same question after we have copied the last byte. Is the message intact now?",
  );
  look(() => window.oldest <= position);
  say(
    `One comparison, in the right place. (On ARM it needs a barrier before it, or the processor may
    load \`oldest\` before the last bytes; \`window.oldest\` has that barrier.) The exercise is
    about the other things that a reader must get right.`,
  );
}

/** Dies in the middle of a message; run again, it finds the ring. */
function crash(name: string): void {
  const left = regions().find((region) => region.kind === "circular" && region.name === name);
  const ring = circular(name, { capacity: page, persist: true });
  const writer = ring.writer();
  if (left === undefined) die(writer);
  else takeOver(ring, writer);
}

function die(writer: CircularBufferWriter): void {
  step("Die in the middle of a message");
  say(
    `This program is a writer. It writes three messages, and begins a fourth: it claims the space
    and fills it in place. (The definition says \`persist\`, so the ring stays.)`,
  );
  look(() => {
    for (let i = 0; i < 3; i++) {
      writer.trySend(message(i));
    }
  });
  const claim = run("claim", () => writer.tryClaim(LENGTH));
  look(() => {
    claim.bytes.set(message(3).subarray(0, 4));
  });
  say(
    `Then it hits a bug in native code: it reads address 16, where nothing is ever mapped. The
    kernel will end this program with SIGSEGV before the message is complete. Run the same command
    again afterwards.`,
  );
  predict("What will the next reader find: three messages, four, or a broken ring?");
  look(() => new Uint8Array(bufferAt(16, 1))[0]);
}

function takeOver(ring: CircularDefinition, writer: CircularBufferWriter): void {
  const { name } = writer;
  step("Find what the dead process left");
  const reader = tidyUp(ring.reader());
  const window = tidyUp(new RingWindow(name));
  tidyUp(writer);
  say(`This time the ring exists already. The kernel killed its writer in the middle of a message;
    now this program is the writer.`);
  look(() => writer.sequence);
  picture(drawRing(window));
  picture(hexdump(window.payload(window.published, 16), { address: 0 }));
  say(
    `The beginning of the fourth message is there. But \`published\` never moved past it, so it is
    not a message. Nothing needs repair: it is free space, and the head before it is intact.`,
  );
  look(() => Array.from({ length: 4 }, () => textOf(reader.tryReceive())));
  look(() => {
    writer.trySend(message(3));
  });
  look(() => textOf(reader.tryReceive()));
  look(() => ring.unlink());
  say("All is well, and nothing is left. Run it once more, and it will die again.");
}

tell({
  folder: "15_overwriting_buffer",
  title: "Tutorial 15: the overwriting buffer",
  name: "tutorial-15",
  main: { steps: 7, tell: main },
  break: { steps: 2, tell: (name) => breakIt(`${name}-break`) },
  crash: { steps: 1, tell: (name) => crash(`${name}-crash`) },
});
