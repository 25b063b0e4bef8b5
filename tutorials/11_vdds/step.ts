/**
 * One publisher, many subscribers. Run it with `deno run --allow-ffi tutorials/11_vdds/step.ts`; the
 * prose is in README.md beside it.
 *
 * @module
 */

import { Publisher, Subscriber, topics } from "../../mod.ts";
import { bufferAt } from "../../src/os/files.ts";
import { filesOf, mapsLine } from "../kernel_view.ts";
import { table } from "../picture.ts";
import { fail, look, picture, predict, run, say, step, tell, tidyUp } from "../narrator.ts";
import { bytesOf, SHAPE, textOf } from "./frames.ts";
import { publisherProcess, subscriberProcess } from "./two_processes.ts";

/** The two ends of the topic. */
interface Ends {
  readonly publisher: Publisher;
  readonly subscriber: Subscriber<Uint8Array<ArrayBuffer>>;
}

function main(name: string): void {
  const ends = meet(name);
  lookInPlace(ends);
  keepOne(ends);
  const second = replace(name, ends.publisher);
  loseSome(name, second, ends.subscriber);
  say(
    `All of this was one program. Now take two, each in a terminal of its own: run the first line
    here and the second there, and kill the publisher in the middle of a frame.`,
  );
}

function meet(name: string): Ends {
  step("A topic");
  say(
    `A topic is a vring with a name. It needs no daemon, and programs may start in any order: the
    first one makes it. Here that is the subscriber.`,
  );
  const subscriber = tidyUp(run("subscriber", () => Subscriber.open(name, SHAPE)));
  look(() => subscriber.matched);
  const publisher = tidyUp(run("publisher", () => Publisher.open(name)));
  look(() => subscriber.matched);
  look(() => publisher.matched);
  picture(filesOf(name));
  say(
    "They know of each other because each locks its byte of the file. Anybody may look at the locks:",
  );
  look(() => topics().find(({ topic }) => topic === name));
  return { publisher, subscriber };
}

function lookInPlace({ publisher, subscriber }: Ends): void {
  step("Nothing is copied");
  say("The publisher does not copy bytes that it has. It asks for a sample, and fills it.");
  const loan = run("loan", () => publisher.tryLoan(7)!);
  look(() => {
    loan.bytes.set(bytesOf("frame 1"));
  });
  look(() => subscriber.tryTake());
  const written = loan.bytes;
  look(() => loan.publish());
  const outcome = run("outcome", () => subscriber.tryTake());
  if (outcome.state !== "ok") throw new Error("There is no sample");
  const { sample } = outcome;
  look(() => textOf(sample.bytes));
  predict("At which address did the publisher write that, and where does the subscriber read it?");
  picture(`${mapsLine(addressOf(written))}\n${mapsLine(addressOf(sample.bytes))}`);
  say(
    `Two addresses, and one inode: each of the two handles has mapped the file, as two processes
    would, and the pages are the same. A frame of 6 MB would take as long as these 7 bytes.`,
  );
  look(() => written.buffer === sample.bytes.buffer);
  sample[Symbol.dispose]();
}

function addressOf(bytes: Uint8Array<ArrayBuffer>): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}

function keepOne({ publisher, subscriber }: Ends): void {
  step("As long as you like");
  say("The subscriber takes the next frame, and keeps it. The publisher continues.");
  look(() => publisher.trySend(bytesOf("frame 2")));
  const outcome = run("outcome", () => subscriber.tryTake());
  look(() => publisher.trySend(bytesOf("frame 3")));
  look(() => publisher.trySend(bytesOf("frame 4")));
  predict("There is room for three. One is held, two were not looked at. And a fourth?");
  look(() => publisher.trySend(bytesOf("frame 5")));
  fail(() => publisher.sendSync(bytesOf("frame 5"), { timeout: 100 }));
  say(
    `The policy is \`block\`, unless you choose another: nothing is lost, and so the publisher
    waits. The held sample does not change meanwhile:`,
  );
  if (outcome.state !== "ok") throw new Error("There is no sample");
  const { sample } = outcome;
  look(() => textOf(sample.bytes));
  look(() => {
    sample[Symbol.dispose]();
  });
  look(() => publisher.trySend(bytesOf("frame 5")));
  look(() => publisher.counters);
}

function replace(name: string, publisher: Publisher): Publisher {
  step("Another publisher, and a late subscriber");
  say("A topic has one publisher at a time. It holds a role, as in the tutorials before.");
  fail(() => Publisher.open(name));
  look(() => {
    publisher.close();
  });
  const options = { policy: "dropOldest", history: 1 } as const;
  const second = tidyUp(run("second", () => Publisher.open(name, options)));
  look(() => second.sequence);
  say("It continues the numbers. And it keeps one sample for subscribers that join later:");
  look(() => second.trySend(bytesOf("frame 6")));
  const late = tidyUp(run("late", () => Subscriber.open(name, { history: 1 })));
  predict("The late one was not there when anything was sent. What does it get?");
  look(() => textOf(late.tryReceive()));
  late.close();
  return second;
}

function loseSome(
  name: string,
  publisher: Publisher,
  subscriber: Subscriber<Uint8Array<ArrayBuffer>>,
): void {
  step("Lose, and know it");
  say(
    `The first subscriber has not looked for a while. This publisher does not wait: its policy is
    \`dropOldest\`.`,
  );
  look(() => {
    for (let i = 7; i <= 100; i++) {
      publisher.trySend(bytesOf(`frame ${i}`));
    }
  });
  predict("What does the subscriber get, and how does it learn of its loss?");
  const got: (string | number)[][] = [];
  look(() => subscriber.poll((bytes, number, lost) => got.push([textOf(bytes), number, lost])));
  picture(table([["", "sequence", "lost"], ...got]));
  say("`lost` accounts for every gap in the numbers. And now all leave.");
  for (const end of [publisher, subscriber]) end.close();
  picture(filesOf(name));
}

/** What a subscriber can do wrong. */
function breakIt(name: string): void {
  step("Bytes that were given back");
  const publisher = tidyUp(Publisher.open(name, { ...SHAPE, depth: 1 }));
  const subscriber = tidyUp(Subscriber.open(name));
  say("There is room for one frame only. The subscriber gives it back, and keeps the bytes.");
  look(() => publisher.trySend(bytesOf("frame 1")));
  const outcome = subscriber.tryTake();
  if (outcome.state !== "ok") throw new Error("There is no sample");
  const { sample } = outcome;
  const bytes = run("bytes", () => sample.bytes);
  look(() => {
    sample[Symbol.dispose]();
  });
  look(() => publisher.trySend(bytesOf("FRAME 2")));
  predict("What is in the bytes?");
  look(() => textOf(bytes));
  say(
    `It is shared memory, and it is used again. To keep the bytes, copy them or do not give them
    back: \`receive\` copies, and \`take\` holds a sample for the length of a block, with
    \`using\`.`,
  );

  step("A subscriber that keeps everything");
  const held = subscriber.tryTake();
  look(() => held.state);
  fail(() => publisher.sendSync(bytesOf("frame 3"), { timeout: 100 }));
  say(
    `With \`block\`, one subscriber that gives nothing back stops the topic. Under the other
    policies it stops no other, as long as the topic is deeper than the number of held samples. If
    it closes, or is killed, all of its samples are free at once:`,
  );
  predict("It closes while it still holds the sample. Can the publisher continue?");
  look(() => {
    subscriber.close();
  });
  look(() => publisher.trySend(bytesOf("frame 3")));
}

/** Dies while it holds every sample; run again, it finds the files. */
function crash(name: string): void {
  const left = Subscriber.tryConnect(name);
  if (left === undefined) die(name);
  else takeOver(name, tidyUp(left));
}

function die(name: string): void {
  step("Die while holding everything");
  say(
    `This program is publisher and subscriber. (The topic is opened with \`persist\`, so that it
    stays.) The subscriber takes every sample, and gives none back.`,
  );
  const publisher = Publisher.open(name, { ...SHAPE, persist: true });
  const subscriber = Subscriber.open(name);
  const held: unknown[] = [];
  look(() => {
    for (let i = 1; i <= 3; i++) {
      publisher.trySend(bytesOf(`frame ${i}`));
      held.push(subscriber.tryTake());
    }
  });
  look(() => publisher.trySend(bytesOf("frame 4")));
  say(
    `Then comes a bug, somewhere in native code: it reads address 16, where nothing is ever mapped.
    The kernel will end this program with SIGSEGV. Run the same command again afterwards.`,
  );
  predict("How many of the three samples will the next publisher be able to use?");
  look(() => new Uint8Array(bufferAt(16, 1))[0]);
}

function takeOver(name: string, subscriber: Subscriber<Uint8Array<ArrayBuffer>>): void {
  step("Find what the dead process left");
  say("The topic is there already, and this program has subscribed to it. Now it publishes.");
  const publisher = tidyUp(run("publisher", () => Publisher.open(name)));
  look(() => publisher.sequence);
  look(() => publisher.counters);
  look(() => Array.from({ length: 4 }, (_, i) => publisher.trySend(bytesOf(`frame ${i + 4}`))));
  say(
    `All three: the depth of the topic. The dead subscriber's lock was gone, so it no longer holds
    its samples. The subscriber that takes its place clears its words first, without any time-out.`,
  );
  const got: string[] = [];
  look(() => subscriber.poll((bytes) => got.push(textOf(bytes))));
  look(() => got);
  look(() => Publisher.unlink(name));
  say("Nothing is left. Run it once more, and it will die again.");
}

tell({
  folder: "11_vdds",
  title: "Tutorial 11: one publisher, many subscribers",
  name: "tutorial-11",
  main: { steps: 5, tell: main },
  break: { steps: 2, tell: (name) => breakIt(`${name}-break`) },
  crash: { steps: 1, tell: (name) => crash(`${name}-crash`) },
  parties: {
    publisher: { steps: 3, tell: publisherProcess },
    subscriber: { steps: 4, tell: subscriberProcess },
  },
});
