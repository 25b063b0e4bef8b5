/**
 * One publisher, many subscribers. Run it with `deno run --allow-ffi tutorials/19_vdds/step.ts`;
 * the prose is in README.md beside it.
 *
 * @module
 */

import { type Publisher, type Subscriber, topic, type TopicDefinition, topics } from "../../mod.ts";
import { bufferAt } from "../../src/os/files.ts";
import { filesOf, mapsLine } from "../kernel_view.ts";
import { table } from "../picture.ts";
import { fail, look, picture, predict, run, say, step, tell, tidyUp } from "../narrator.ts";
import { bytesOf, SHAPE, textOf } from "./frames.ts";
import { publisherProcess, subscriberProcess } from "./two_processes.ts";

/** The topic, and its two ends. */
interface Ends {
  readonly frames: TopicDefinition;
  readonly publisher: Publisher;
  readonly subscriber: Subscriber;
}

function main(name: string): void {
  const ends = meet(name);
  lookInPlace(ends);
  keepOne(ends);
  replace(name, ends);
  loseSome(`${name}-live`);
  say(
    `All of this was one program. Now take two, each in its own terminal: run the first line here
    and the second there, and kill the publisher in the middle of a frame.`,
  );
}

function meet(name: string): Ends {
  step("A topic");
  say(
    `A topic is a vring with a name. All programs share its definition, which is a plain value and
    opens nothing. A topic needs no daemon, and programs may start in any order: the first handle
    creates it. Here that is the subscriber.`,
  );
  const frames = run("frames", () => topic(name, { ...SHAPE, history: 1 }));
  const subscriber = tidyUp(run("subscriber", () => frames.subscriber()));
  look(() => subscriber.peers);
  const publisher = tidyUp(run("publisher", () => frames.publisher()));
  look(() => subscriber.peers);
  look(() => publisher.peers);
  picture(filesOf(name));
  say(
    "Each handle locks a byte of the file, and so they count each other. Any process may look:",
  );
  look(() => topics().find((info) => info.name === name)?.publishers);
  return { frames, publisher, subscriber };
}

function lookInPlace({ publisher, subscriber }: Ends): void {
  step("Nothing is copied");
  say("The publisher does not copy bytes that it has. It borrows a sample, and fills it.");
  const loan = run("loan", () => publisher.tryLoan({ length: 7 })!);
  look(() => {
    loan.bytes.set(bytesOf("frame 1"));
  });
  look(() => subscriber.tryTake());
  const written = loan.bytes;
  look(() => loan.publish());
  const sample = run("sample", () => subscriber.tryTake()!);
  look(() => textOf(sample.bytes));
  predict(
    "At which address did the publisher write that, and at which does the subscriber read it?",
  );
  picture(`${mapsLine(addressOf(written))}\n${mapsLine(addressOf(sample.bytes))}`);
  say(
    `Two addresses, and one inode: each handle has mapped the file, as two processes would, and the
    pages are the same. To send a frame of 6 MB would take as long as these 7 bytes.`,
  );
  look(() => written.buffer === sample.bytes.buffer);
  sample[Symbol.dispose]();
}

function addressOf(bytes: Uint8Array<ArrayBuffer>): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}

function keepOne({ publisher, subscriber }: Ends): void {
  step("Hold a sample as long as you like");
  say("The subscriber takes the next frame, and keeps it. The publisher continues.");
  look(() => publisher.trySend(bytesOf("frame 2")));
  const sample = run("sample", () => subscriber.tryTake()!);
  look(() => publisher.trySend(bytesOf("frame 3")));
  look(() => publisher.trySend(bytesOf("frame 4")));
  predict(
    "There is room for three. One is held, and two are not taken. Can the publisher send a fourth?",
  );
  look(() => publisher.trySend(bytesOf("frame 5")));
  fail(() => publisher.sendSync(bytesOf("frame 5"), { timeout: 100 }));
  say(
    `The policy is \`block\`, unless you choose another: the publisher waits, and so nothing is
    lost. The held sample does not change meanwhile:`,
  );
  look(() => textOf(sample.bytes));
  look(() => {
    sample[Symbol.dispose]();
  });
  look(() => publisher.trySend(bytesOf("frame 5")));
  look(() => publisher.counters);
}

function replace(name: string, { frames, publisher, subscriber }: Ends): void {
  step("Another publisher, and a late subscriber");
  say("A topic has one publisher at a time, which holds a role.");
  fail(() => frames.publisher());
  look(() => {
    publisher.close();
  });
  const second = tidyUp(run("second", () => frames.publisher()));
  look(() => second.sequence);
  say(
    `It continues the numbers. The subscriber makes room for the next frame. The topic keeps that
    one for subscribers that join later, because its definition says \`history: 1\`:`,
  );
  look(() => subscriber.poll(() => {}));
  look(() => second.trySend(bytesOf("frame 6")));
  const late = tidyUp(run("late", () => frames.subscriber()));
  predict("The late one joined after everything was sent. What does it get?");
  look(() => textOf(late.tryReceive()));
  say("Now all close their handles.");
  for (const end of [late, second, subscriber]) end.close();
  picture(filesOf(name));
}

function loseSome(name: string): void {
  step("Lose samples, and know it");
  say("Another topic. Its publisher does not wait for subscribers: the policy is `dropOldest`.");
  const frames = run("frames", () => topic(name, { ...SHAPE, policy: "dropOldest" }));
  const publisher = tidyUp(run("publisher", () => frames.publisher()));
  const subscriber = tidyUp(run("subscriber", () => frames.subscriber()));
  look(() => {
    for (let i = 1; i <= 100; i++) {
      publisher.trySend(bytesOf(`frame ${i}`));
    }
  });
  predict("What does the subscriber get, and how does it learn how many it lost?");
  const got: (string | number)[][] = [];
  look(() =>
    subscriber.poll(({ bytes, sequence, lost }) => got.push([textOf(bytes), sequence, lost]))
  );
  picture(table([["", "sequence", "lost"], ...got]));
  say("`lost` accounts for every gap in the numbers.");
}

/** What a subscriber can do wrong. */
function breakIt(name: string): void {
  step("Bytes after the release");
  const frames = topic(name, { ...SHAPE, depth: 1 });
  const publisher = tidyUp(frames.publisher());
  const subscriber = tidyUp(frames.subscriber());
  say("There is room for only one frame. The subscriber releases it, and keeps the array.");
  look(() => publisher.trySend(bytesOf("frame 1")));
  const sample = subscriber.tryTake()!;
  const bytes = run("bytes", () => sample.bytes);
  look(() => {
    sample[Symbol.dispose]();
  });
  look(() => publisher.trySend(bytesOf("FRAME 2")));
  predict("What does the array hold now?");
  look(() => textOf(bytes));
  say(
    `The publisher has used that memory again. To keep the bytes, copy them, or hold the sample:
    \`receive\` copies, and \`take\` with \`using\` holds the sample to the end of the block.`,
  );

  step("A subscriber that keeps everything");
  const held = run("held", () => subscriber.tryTake()!);
  look(() => held.sequence);
  fail(() => publisher.sendSync(bytesOf("frame 3"), { timeout: 100 }));
  say(
    `With \`block\`, one subscriber that releases nothing stops the topic. Under the other policies
    it stops no other, as long as the topic is deeper than the number of held samples. If it closes,
    or is killed, all of its samples are free at once:`,
  );
  predict("It closes while it still holds the sample. Can the publisher continue?");
  look(() => {
    subscriber.close();
  });
  look(() => publisher.trySend(bytesOf("frame 3")));
}

/** Dies while it holds every sample; run again, it finds the files. */
function crash(name: string): void {
  const frames = topic(name, { ...SHAPE, persist: true });
  if (frames.info() === undefined) die(frames);
  else takeOver(frames);
}

function die(frames: TopicDefinition): void {
  step("Die while holding everything");
  say(
    `This program is publisher and subscriber. (The definition says \`persist\`, so the topic
    stays.) The subscriber takes every sample, and releases none.`,
  );
  const publisher = frames.publisher();
  const subscriber = frames.subscriber();
  const held: unknown[] = [];
  look(() => {
    for (let i = 1; i <= 3; i++) {
      publisher.trySend(bytesOf(`frame ${i}`));
      held.push(subscriber.tryTake());
    }
  });
  look(() => publisher.trySend(bytesOf("frame 4")));
  say(
    `Then it hits a bug in native code: it reads address 16, where nothing is ever mapped. The
    kernel will end this program with SIGSEGV. Run the same command again afterwards.`,
  );
  predict("How many of the three samples will the next publisher be able to use?");
  look(() => new Uint8Array(bufferAt(16, 1))[0]);
}

function takeOver(frames: TopicDefinition): void {
  step("Find what the dead process left");
  say("The topic exists already. This program subscribes to it, and publishes.");
  const subscriber = tidyUp(run("subscriber", () => frames.subscriber()));
  const publisher = tidyUp(run("publisher", () => frames.publisher()));
  look(() => publisher.sequence);
  look(() => publisher.counters);
  look(() => Array.from({ length: 4 }, (_, i) => publisher.trySend(bytesOf(`frame ${i + 4}`))));
  say(
    `All three, the depth of the topic. The kernel has released the dead subscriber's lock, so that
    one holds nothing any more. The new subscriber clears its words first, without any time-out.`,
  );
  const got: string[] = [];
  look(() => subscriber.poll(({ bytes }) => got.push(textOf(bytes))));
  look(() => got);
  look(() => frames.unlink());
  say("Nothing is left. Run it once more, and it will die again.");
}

tell({
  folder: "19_vdds",
  title: "Tutorial 19: one publisher, many subscribers",
  name: "tutorial-19",
  main: { steps: 5, tell: main },
  break: { steps: 2, tell: (name) => breakIt(`${name}-break`) },
  crash: { steps: 1, tell: (name) => crash(`${name}-crash`) },
  parties: {
    publisher: { steps: 3, tell: publisherProcess },
    subscriber: { steps: 4, tell: subscriberProcess },
  },
});
