/**
 * The vring on paper. Run it with `deno run --allow-ffi tutorials/10_vring/step.ts`; the prose is in
 * README.md beside it.
 *
 * @module
 */

import { codec, Publisher, Subscriber } from "../../mod.ts";
import { openTopic } from "../../src/vdds/topic.ts";
import type { VRing } from "../../src/vdds/vring.ts";
import { countOf, stateOf } from "../../src/vdds/vring_layout.ts";
import { table } from "../picture.ts";
import { look, picture, predict, run, say, step, tell, tidyUp } from "../narrator.ts";
import { BelievingWriter, ForgetfulReader } from "./broken.ts";
import { type Cast, draw, film } from "./film.ts";
import { type Operations, Reader, SmallRing, Writer } from "./small_ring.ts";

/** A new ring with its parties. */
function newCast(): Cast {
  const ring = new SmallRing();
  return { ring, writer: new Writer(ring, 0), readers: [new Reader(ring, 0), new Reader(ring, 1)] };
}

/** Does all of it, unseen. */
function quietly(does: Operations<unknown>): void {
  while (!does.next().done);
}

function main(name: string): void {
  lookAtIt();
  goRound();
  dropOne();
  killReaders();
  killTheWriter();
  theShippedOne(name);
  say(`That is \`src/vdds/vring.ts\`. What goes wrong with less than that:`);
}

function lookAtIt(): void {
  step("Give away an index");
  say(
    `A camera makes frames of 6 MB, and three processes want each of them. In a ring each frame would
    be copied in and out. Here nothing is copied: the samples lie in shared memory, all may read them,
    and what goes through the rings is only an index.`,
  );
  const cast = newCast();
  draw(cast);
  say(
    `Three samples, each with a descriptor: its number, and a word for each reader that says what the
    sample is to that reader. AVAIL is a ring with the indexes of the free ones, for the writer. Each
    reader has a ring USED with what it was given. Whose turn is it to use the memory of a sample?
    The words alone say that:`,
  );
  picture(table([
    ["none", "not this reader's", "the writer's, once all words are none"],
    ["ready", "given, not taken yet", "the reader's to take, the writer's to take back"],
    ["held", "being read", "the reader's until it gives it back"],
  ]));
  say("All of this is real memory. Below, a word is `r1` for `ready 1`, and so on.");
}

function goRound(): void {
  step("A sample goes round");
  predict("Two readers give a sample back. Who puts it into AVAIL?");
  const cast = newCast();
  const [first, second] = cast.readers;
  film(
    cast,
    ["writer", cast.writer.publish("21.5 C")],
    ["reader 0", first!.receive()],
    ["reader 1", second!.receive()],
  );
  say(
    `The last one, as the count tells: it began with 3, the writer being one of them until it had
    given it to all. First the sample, then the description, then the journal, then a word: whoever
    sees the word sees all that came before it. Nobody has waited, and nothing was copied.`,
  );
  draw(cast);
  say("`none 1` still tells that sample 1 was here. Somebody will need that.");
}

function dropOne(): void {
  step("A slow reader");
  const cast = newCast();
  const [first, second] = cast.readers;
  say("Reader 0 is quick. Reader 1 takes the first sample, and reads it, and reads it.");
  quietly(cast.writer.publish("21.5 C"));
  quietly(first!.receive());
  quietly(second!.take());
  for (const text of ["21.6 C", "21.7 C"]) {
    quietly(cast.writer.publish(text));
    quietly(first!.receive());
  }
  draw(cast);
  predict("The writer wants to send a fourth one. What can it do?");
  film(cast, ["writer", cast.writer.publish("21.8 C")]);
  say(
    `Nothing is free. It can wait (\`block\`), or not send (\`dropNewest\`), or make room: take back the
    oldest that is not held (\`dropOldest\`). A compare-and-exchange from \`ready\` to \`none\`: if reader 1
    takes it at the same moment, then one of the two is too late, and knows it. What is held is never
    taken away.`,
  );
  film(
    cast,
    ["writer", cast.writer.drop(1)],
    ["writer", cast.writer.publish("21.8 C")],
    ["reader 1", second!.release(0)],
    ["reader 1", second!.receive()],
  );
  quietly(second!.receive());
  look(() => second!.seen);
  say(
    `Reader 1 follows the entry for sample 2, and finds that descriptor 1 has another one by now. It has
    lost a sample, and the next number tells it so. Reader 0 has not noticed anything.`,
  );
}

function killReaders(): void {
  step("A reader is killed");
  const cast = newCast();
  const [first, second] = cast.readers;
  say(
    "Reader 1 is killed while it gives a sample back: its word is `none`, the count is not yet down.",
  );
  quietly(cast.writer.publish("21.5 C"));
  quietly(first!.receive());
  film(cast, ["reader 1", second!.receive(), 4]);
  predict("Nobody will ever put descriptor 0 into AVAIL. Is it lost?");
  for (const text of ["21.6 C", "21.7 C"]) {
    quietly(cast.writer.publish(text));
    quietly(first!.receive());
  }
  film(cast, ["writer", cast.writer.publish("21.8 C")]);
  say(
    `No. AVAIL, USED and the counts are hints: they save a search. When they give nothing, the writer
    looks at the words, and finds that 0 is nobody's. But three of the dead one's words are \`ready\`
    now, and will be for ever. Does it still live? Each reader holds a lock on a byte,
    its role, and the kernel drops it when the process ends, however it ends. The writer takes the
    role. While it has it, the words are its to change:`,
  );
  film(cast, ["writer", cast.writer.clear(1)]);
  draw(cast);
  say(
    `No time-out was needed, and none would be right: a reader that is merely stopped keeps its lock,
    and what it holds. And if the writer is killed while it clears? Then the next one clears again.`,
  );
}

function killTheWriter(): void {
  step("The writer is killed");
  const cast = newCast();
  const [first, second] = cast.readers;
  say(
    `The writer is killed when it has given a sample to reader 0, and not yet to reader 1. And reader 0
    is quick.`,
  );
  film(
    cast,
    ["writer", cast.writer.publish("21.5 C"), 7],
    ["reader 0", first!.receive()],
  );
  draw(cast);
  look(() => cast.ring.sequence.load());
  look(() => cast.ring.journal.load() >>> 2);
  predict("Another writer comes. From which words does it know what is left to do?");
  cast.writer = new Writer(cast.ring);
  film(
    cast,
    ["heir", cast.writer.finish()],
    ["reader 1", second!.receive()],
  );
  look(() => [first!.seen, second!.seen]);
  say(
    `The journal names a sample that comes after \`sequence\`: it was begun and not finished. The sample
    and its description are complete, or the journal would not name them. Reader 0's word is
    \`none 1\`: it had sample 1, and gives it back for nothing. So everybody gets it once. What if the
    heir is killed too? The next one does it all again, and again nobody gets anything twice.`,
  );
}

function theShippedOne(name: string): void {
  step("The one in the library");
  const options = { depth: 3, size: 64, maxSubscribers: 2 };
  const publisher = tidyUp(run("publisher", () => Publisher.open(name, options)));
  const first = tidyUp(run("first", () => Subscriber.open(name)));
  const second = tidyUp(run("second", () => Subscriber.open(name)));
  const ring = openTopic(name, {}, codec.bytes.type);
  tidyUp(ring.region);
  const encoder = new TextEncoder();
  look(() => publisher.trySend(encoder.encode("21.5 C")));
  const outcome = run("outcome", () => first.tryTake());
  look(() => publisher.trySend(encoder.encode("21.6 C")));
  drawTopic(ring);
  say("The first subscriber holds sample 1; the second has not looked yet. Now both are done:");
  look(() => {
    if (outcome.state === "ok") outcome.sample[Symbol.dispose]();
  });
  look(() => first.poll(() => {}));
  look(() => second.poll(() => {}));
  drawTopic(ring);
  look(() => publisher.counters);
  say(
    `The words are the same. In addition there are bells, as in tutorial 8, for readers that wait for
    samples and for a writer that waits for room; bits of the number beside each count, so that
    whoever is late is not counted for the next sample; a row of the writer's own, for the last samples that
    it keeps for those who come later; and a check of everything that is read, for it was stored by
    somebody else.`,
  );
  for (const end of [first, second, publisher, ring.region]) end.close();
}

/** The words of a topic. */
function drawTopic(ring: VRing): void {
  const rows = Array.from({ length: ring.plan.depth }, (_, d) => [
    `${d}`,
    `${ring.descriptors.load(d, "sequence")}`,
    ...[0, 1].map((k) => ["none", "ready", "held"][stateOf(ring.reader(k).row[d]!.load())]!),
    `${countOf(ring.descriptors.references[d]!.load())}`,
  ]);
  picture(table([["DESC", "number", "row 0", "row 1", "count"], ...rows]));
}

/** Bits in place of numbers, and trusted hints: both lose something. */
function breakIt(): void {
  step("Words without numbers");
  say(
    `Is a bit not enough: given, or not? Reader 0 now stores a plain \`none\` when it gives back, without
    the number. The writer is killed at the same place as before.`,
  );
  const forgetful = newCast();
  const reader = new ForgetfulReader(forgetful.ring, 0);
  const cast = { ...forgetful, readers: [reader, forgetful.readers[1]!] };
  film(
    cast,
    ["writer", cast.writer.publish("21.5 C"), 7],
    ["reader 0", reader.receive()],
  );
  predict("What does the heir do with reader 0?");
  cast.writer = new Writer(cast.ring);
  film(cast, ["heir", cast.writer.finish()], ["reader 0", reader.receive()]);
  look(() => reader.seen);
  say(
    `Twice. "Has had it" and "was never given it" look the same. The other way round, with an heir that
    gives it to nobody, reader 1 would have lost it.`,
  );

  step("Hints that are believed");
  say(
    "This writer looks at AVAIL only. Reader 1 is killed three times in the middle of giving back.",
  );
  const ring = new SmallRing();
  const believing = newCast();
  Object.assign(believing, { ring, writer: new BelievingWriter(ring, 0) });
  const readers = [new Reader(ring, 0), new Reader(ring, 1)];
  const believers = { ...believing, readers };
  for (const text of ["21.5 C", "21.6 C", "21.7 C"]) {
    quietly(believers.writer.publish(text));
    quietly(readers[0]!.receive());
    const dying = readers[1]!.receive();
    for (let i = 0; i < 4; i++) dying.next();
  }
  draw(believers);
  predict("What does the writer do now?");
  film(believers, ["writer", believers.writer.publish("21.8 C")]);
  say(
    `It waits for ever, with three samples that are nobody's. The counts say that one has not given
    them back, and he is dead. Whoever asks the words finds all three free.`,
  );
}

tell({
  folder: "10_vring",
  title: "Tutorial 10: the vring on paper",
  name: "tutorial-10",
  main: { steps: 6, tell: main },
  break: { steps: 2, tell: breakIt },
});
