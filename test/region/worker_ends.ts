/**
 * A Worker that opens handles, reports its state and ends in it.
 *
 * @module
 */

import { sharedMemory, spsc, topic, type TopicDefinition, type TopicOptions } from "../../mod.ts";
import { nextTurn } from "../../src/os/clock.ts";

/** In which state to end, and how: by itself, or by being terminated. */
export interface Ending {
  readonly name: string;
  /** The options of the topic of that name. */
  readonly samples: TopicOptions;
  readonly serial: number;
  readonly state: "idle" | "sync" | "async" | "holding" | "opening";
  readonly end: "terminate" | "close" | "throw";
}

const port = self as unknown as {
  onmessage: (event: MessageEvent<Ending>) => void;
  postMessage(message: unknown): void;
  close(): void;
};

const open: unknown[] = []; // reachable to the end

port.onmessage = ({ data: { name, samples, serial, state, end } }) => {
  const own = `${name}.${serial}`;
  const memory = sharedMemory(name, { size: 2 ** 20 }).open();
  const consumer = spsc(own).consumer({ onPeerGone: "wait" });
  const subscriber = topic(name, samples).subscriber();
  const publisher = topic(own).publisher();
  open.push(memory, consumer, subscriber, publisher);
  if (state === "holding") {
    open.push(publisher.tryLoan()!.bytes, subscriber.tryTake(), memory.as(Uint8Array));
  }
  if (state === "async") open.push(consumer.receive().catch(() => {}));
  port.postMessage(state);
  if (end === "close") port.close();
  if (end === "throw") {
    setTimeout(() => {
      throw new Error("on purpose");
    });
  }
  const ends = performance.now() + 50;
  while (state === "sync" && performance.now() < ends) {
    try {
      consumer.receiveSync({ timeout: 10 });
    } catch {
      // timed out
    }
  }
  if (state === "opening") goOnOpening(topic(name, samples), own);
};

/** Deno ends a Worker only when it returns to its event loop: so it does between any two opens. */
async function goOnOpening(shared: TopicDefinition, own: string): Promise<void> {
  const asked = topic(`${own}/never`).ready(); // is looked for until the end
  for (;;) {
    sharedMemory(own, { size: 2 ** 18 }).open().close();
    await Promise.race([asked, nextTurn()]);
    using _subscriber = shared.subscriber();
    await Promise.race([asked, nextTurn()]);
  }
}

port.postMessage("loaded");
