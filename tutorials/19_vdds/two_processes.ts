/**
 * Tutorial 19 with two real processes, one in each terminal: the publisher is killed in the middle
 * of a frame, and the subscriber takes its place.
 *
 * @module
 */

import { PeerLostError, type Subscriber, topic, type TopicDefinition } from "../../mod.ts";
import { sleepSync } from "../../src/os/clock.ts";
import { ask, look, picture, run, say, step, tidyUp } from "../narrator.ts";
import { bytesOf, SHAPE, textOf } from "./frames.ts";

/** Waits for the other one. */
function until(end: { readonly peers: number }, other: string): void {
  if (end.peers === 0) {
    say("Now the other terminal:");
    picture(`deno run --allow-ffi tutorials/19_vdds/step.ts ${other}`);
    console.log("\nWaiting for the other process ...");
  }
  while (end.peers === 0) sleepSync(1);
}

/** The process that is killed. */
export function publisherProcess(name: string): void {
  step("Meet");
  const publisher = tidyUp(run("publisher", () => topic(name, SHAPE).publisher()));
  until(publisher, "subscriber");
  look(() => publisher.peers);

  step("Publish");
  look(() => {
    for (let i = 1; i <= 3; i++) {
      publisher.sendSync(bytesOf(`frame ${i}`));
    }
  });
  say("A fourth one fits once the subscriber has released one of these.");

  step("Be killed");
  const loan = run("loan", () => publisher.loanSync({ length: 7 }));
  look(() => {
    loan.bytes.set(bytesOf("FRA"));
  });
  say(
    `Half a frame is in shared memory. Continue in the other terminal until it waits for this frame.
    Then kill this process from a third terminal, and watch the other:`,
  );
  picture(`kill -9 ${Deno.pid}`);
  ask("\n[or Enter here: complete the frame, publish it, and leave] ");
  look(() => {
    loan.bytes.set(bytesOf("FRAME 4"));
    loan.publish();
  });
  look(() => {
    publisher.close();
  });
}

/** The process that takes over. */
export function subscriberProcess(name: string): void {
  step("Meet");
  const frames = run("frames", () => topic(name, SHAPE));
  const subscriber = tidyUp(run("subscriber", () => frames.subscriber({ onPeerGone: "end" })));
  until(subscriber, "publisher");
  look(() => subscriber.peers);

  step("Take one, and keep it");
  const sample = run("sample", () => subscriber.takeSync());
  if (sample === undefined) {
    say("The publisher is gone. Start both again.");
    Deno.exit(1);
  }
  look(() => textOf(sample.bytes));
  look(() => textOf(subscriber.receiveSync()));
  look(() => textOf(subscriber.receiveSync()));

  step("Wait for the next");
  say("This process still holds the first frame. It has copied the others.");
  const next = waitForNext(subscriber);

  step("Continue");
  look(() => textOf(sample.bytes));
  look(() => {
    sample[Symbol.dispose]();
  });
  if (next === "lost") takeOver(frames, subscriber);
  else say("The publisher was not killed: it closed the topic. Nothing needs repair.");
}

/** Waits until there is a frame, or the publisher is dead; and until it has left. */
function waitForNext(subscriber: Subscriber): "lost" | "closed" {
  try {
    look(() => textOf(subscriber.receiveSync()));
    look(() => textOf(subscriber.receiveSync()));
    return "closed";
  } catch (error) {
    if (!(error instanceof PeerLostError)) throw error;
    say(`${error}`);
    return "lost";
  }
}

function takeOver(frames: TopicDefinition, subscriber: Subscriber): void {
  say(
    `The dead publisher never published that frame, so no subscriber sees half of it. The frame that
    this process holds has not changed. Any process may be the publisher now, so let it be this
    one.`,
  );
  const publisher = tidyUp(run("publisher", () => frames.publisher()));
  look(() => publisher.sequence);
  look(() => [1, 2, 3, 4].map((i) => publisher.trySend(bytesOf(`next ${i}`))));
  say("Three, which is all the room there is. The memory with half a frame in it is used again.");
  const got: unknown[] = [];
  look(() => subscriber.poll(({ bytes, sequence }) => got.push([sequence, textOf(bytes)])));
  look(() => got);
}
