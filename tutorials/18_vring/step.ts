/**
 * The vring on paper. Run it with `deno run --allow-ffi tutorials/18_vring/step.ts`; the prose
 * is in README.md beside it.
 *
 * @module
 */

import { topic } from "../../mod.ts";
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
  say(`That is \`src/vdds/vring.ts\`. To see why it needs all of that:`);
}

function lookAtIt(): void {
  step("Give away an index");
  say(
    `A camera makes frames of 6 MB, and three processes want each of them. A ring would copy each
    frame in and out. Here nothing is copied: the samples are in shared memory, all may read them,
    and only an index goes through the rings.`,
  );
  const cast = newCast();
  draw(cast);
  say(
    `Three samples, each with a descriptor: its number, and a word for each reader. AVAIL is a ring
    with the indexes of the free samples, for the writer. Each reader has a ring USED with the
    indexes of its samples. Who may use the memory of a sample? The words alone decide that:`,
  );
  picture(table([
    ["none", "not for this reader", "the writer may fill it if all words say none"],
    ["ready", "published, not taken yet", "the reader may take it, the writer may take it back"],
    ["held", "being read", "the reader has it until it releases it"],
  ]));
  say("All of this is real memory. Below, `r1` means `ready 1`, and so on.");
}

function goRound(): void {
  step("A sample goes round");
  predict("Two readers release a sample. Which process puts it into AVAIL?");
  const cast = newCast();
  const [first, second] = cast.readers;
  film(
    cast,
    ["writer", cast.writer.publish("21.5 C")],
    ["reader 0", first!.receive()],
    ["reader 1", second!.receive()],
  );
  say(
    `The last one to release it. The count shows which one that is: it began at 3, because the
    writer counts too until it has published to all. The order is: sample, description, journal,
    word. So a reader that sees the word sees every store before it. No process waited, and nothing
    was copied.`,
  );
  draw(cast);
  say("`none 1` still shows that sample 1 was here. We will need that.");
}

function dropOne(): void {
  step("A slow reader");
  const cast = newCast();
  const [first, second] = cast.readers;
  say("Reader 0 is quick. Reader 1 takes the first sample, and keeps reading it.");
  quietly(cast.writer.publish("21.5 C"));
  quietly(first!.receive());
  quietly(second!.take());
  for (const text of ["21.6 C", "21.7 C"]) {
    quietly(cast.writer.publish(text));
    quietly(first!.receive());
  }
  draw(cast);
  predict("The writer wants to send a fourth sample. What can it do?");
  film(cast, ["writer", cast.writer.publish("21.8 C")]);
  say(
    `No sample is free. The writer can wait (\`block\`), or drop the new sample (\`dropNewest\`), or
    take back the oldest one that is not held (\`dropOldest\`). That is a compare-and-exchange from
    \`ready\` to \`none\`: if reader 1 takes the sample at the same moment, one of the two comes too
    late, and knows it. The writer never takes back a held sample.`,
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
    `Reader 1 follows the entry for sample 2, and finds that descriptor 1 has another sample by now.
    It has lost one, and the next number shows that. Reader 0 has lost nothing.`,
  );
}

function killReaders(): void {
  step("A reader is killed");
  const cast = newCast();
  const [first, second] = cast.readers;
  say(
    "Reader 1 is killed during a release: its word is `none`, but it has not lowered the count.",
  );
  quietly(cast.writer.publish("21.5 C"));
  quietly(first!.receive());
  film(cast, ["reader 1", second!.receive(), 4]);
  predict("No process will ever put descriptor 0 into AVAIL. Is it lost?");
  for (const text of ["21.6 C", "21.7 C"]) {
    quietly(cast.writer.publish(text));
    quietly(first!.receive());
  }
  film(cast, ["writer", cast.writer.publish("21.8 C")]);
  say(
    `No. AVAIL, USED and the counts are hints: they save a search. When they show nothing, the
    writer looks at the words, and sees that 0 is free. But the dead reader's other words are
    \`ready\` now, and would stay so for ever. How does the writer know that it is dead? Each reader
    holds a lock on a byte, its role, and the kernel releases that lock when the process ends, for
    any reason. So the writer can take the role. While it holds it, it may change the words:`,
  );
  film(cast, ["writer", cast.writer.clear(1)]);
  draw(cast);
  say(
    `The writer needs no time-out, and none would be right: a reader that is merely stopped keeps
    its lock and its samples. If the writer is killed while it clears, the next one clears again.`,
  );
}

function killTheWriter(): void {
  step("The writer is killed");
  const cast = newCast();
  const [first, second] = cast.readers;
  say(
    `The writer is killed after it has published a sample to reader 0, and before reader 1. Reader 0
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
  predict("Another writer takes over. Which words show it the rest of the work?");
  cast.writer = new Writer(cast.ring);
  film(
    cast,
    ["heir", cast.writer.finish()],
    ["reader 1", second!.receive()],
  );
  look(() => [first!.seen, second!.seen]);
  say(
    `The journal is one ahead of \`sequence\`: its sample was begun and not finished. The sample and
    its description are complete, or the journal would not name it. Reader 0's word is \`none 1\`:
    it has had sample 1, and does not get it again. So every reader gets it once. If the heir is
    killed too, the next one repeats the work, and still no reader gets a sample twice.`,
  );
}

function theShippedOne(name: string): void {
  step("The vring in the library");
  const scans = run("scans", () => topic(name, { depth: 3, size: 64, subscribers: 2 }));
  const publisher = tidyUp(run("publisher", () => scans.publisher()));
  const first = tidyUp(run("first", () => scans.subscriber()));
  const second = tidyUp(run("second", () => scans.subscriber()));
  const ring = scans.openRing();
  tidyUp(ring.region);
  const encoder = new TextEncoder();
  look(() => publisher.trySend(encoder.encode("21.5 C")));
  const sample = run("sample", () => first.tryTake()!);
  look(() => publisher.trySend(encoder.encode("21.6 C")));
  drawTopic(ring);
  say("The first subscriber holds sample 1; the second has taken none. Now both finish:");
  look(() => {
    sample[Symbol.dispose]();
  });
  look(() => first.poll(() => {}));
  look(() => second.poll(() => {}));
  drawTopic(ring);
  look(() => publisher.counters);
  say(
    `The words are the same. In addition, the library has bells, as in tutorial 13, for readers that
    wait for samples and for a writer that waits for room. Each count also has bits of the sample's
    number, so that a late release does not count for the next sample. The writer has a row of its
    own, for the last samples that it keeps for readers that join later. And each process checks
    every word that another process stored before it uses it.`,
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
    `Would a bit be enough: published, or not? Here reader 0 stores a plain \`none\` when it
    releases a sample, without the number. The writer is killed at the same place as before.`,
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
    `It sends the sample again. "Has had it" and "never had it" look the same. If the heir published
    to neither, reader 1 would lose the sample.`,
  );

  step("Trusted hints");
  say(
    "This writer looks only at AVAIL. Reader 1 is killed three times in the middle of a release.",
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
    `It waits for ever, with three free samples. By the counts a reader still has them, but that
    reader is dead. By the words all three are free.`,
  );
}

tell({
  folder: "18_vring",
  title: "Tutorial 18: the vring on paper",
  name: "tutorial-18",
  main: { steps: 6, tell: main },
  break: { steps: 2, tell: breakIt },
});
