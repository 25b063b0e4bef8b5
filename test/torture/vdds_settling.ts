/**
 * What the harness does with the topics of the kinds about vdds: it makes them, looks at them while
 * nobody uses them, and takes the account.
 *
 * @module
 */

import { CorruptRegionError, RoleTakenError } from "../../src/errors.ts";
import { codec } from "../../src/codec.ts";
import { now, sleepSync } from "../../src/os/clock.ts";
import { Publisher } from "../../src/vdds/publisher.ts";
import { Subscriber } from "../../src/vdds/subscriber.ts";
import { createTopic } from "../../src/vdds/topic.ts";
import { Kept } from "../../src/vdds/vring.ts";
import type { Counts, Scene } from "./kind.ts";
import {
  type CellName,
  PublishingNotes,
  ReceivingNotes,
  START,
  type Traffic,
} from "./vdds_traffic.ts";

/** How far the indexes of AVAIL and USED are when it begins: they wrap soon. */
const NEARLY_ALL = 2 ** 32 - 1000;

/** Makes topics, as if much had gone through already. They are there until that is disposed. */
export function makeTopics(all: readonly Traffic[], maxSubscribers: number): DisposableStack {
  using stack = new DisposableStack();
  for (const { topic, plan, begun, numbered, sent } of all) {
    const { depth, size, reserve } = plan;
    const ring = createTopic(topic, { depth, size, reserve, maxSubscribers }, codec.bytes.type);
    stack.use(ring.region);
    ring.keep(Kept.sequence, START);
    ring.available.store(NEARLY_ALL);
    for (let k = 0; k < maxSubscribers; k++) ring.reader(k).used.store(NEARLY_ALL);
    for (const cell of [begun, numbered, sent]) cell.store(START);
  }
  return stack.move();
}

/** How long the kernel may take to drop the locks of those who were killed. */
const DROPPED_WITHIN_NS = 10e9;

/** What it gives once that is not undefined; undefined if the locks of the dead are long dropped. */
export function onceDropped<T>(look: () => T | undefined): T | undefined {
  const deadline = now() + DROPPED_WITHIN_NS;
  for (;;) {
    const found = look();
    if (found !== undefined || now() > deadline) return found;
    sleepSync(1);
  }
}

/** Becomes a publisher where there can be none but the dead. */
export function openPublisherSoon(open: () => Publisher): Publisher {
  const publisher = onceDropped(() => {
    try {
      return open();
    } catch (error) {
      if (error instanceof RoleTakenError) return undefined;
      throw error;
    }
  });
  return publisher ?? open();
}

/** Looks at a topic that nobody uses: all of it can be held at once, and nothing more. */
export function settle(traffic: Traffic): void {
  try {
    fill(traffic);
  } catch (error) {
    if (!(error instanceof CorruptRegionError)) throw error;
    traffic.complain(error.message);
  }
}

function fill(traffic: Traffic): void {
  using publisher = openPublisherSoon(() => Publisher.open(traffic.topic));
  using subscriber = Subscriber.open(traffic.topic);
  const sending = new PublishingNotes(traffic, publisher);
  const receiving = new ReceivingNotes(traffic);
  for (let i = 0; i < publisher.depth; i++) {
    const sent = publisher.trySend(sending.begin());
    sending.end(sent);
    if (!sent) {
      return traffic.find("leaked", `there is room for ${i} samples of ${publisher.depth}`);
    }
    const outcome = subscriber.tryTake();
    if (outcome.state !== "ok") return receiving.nothing(publisher.sequence);
    const { bytes, sequence, lost } = outcome.sample;
    receiving.sample(bytes, { sequence, lost });
  }
  if (publisher.tryLoan() !== undefined) {
    traffic.complain("all samples are held, and there is one more to write into");
  }
}

/** The account of the topics. */
export function countsOf(scene: Scene<CellName>, all: readonly Traffic[]): Counts {
  const cell = (name: CellName) =>
    scene.cells[name].reduce((total, cell) => total + cell.load(), 0);
  return {
    sent: cell("published"),
    received: cell("received"),
    lost: cell("lost"),
    duplicated: cell("duplicated"),
    corrupt: cell("corrupt"),
    leaked: cell("leaked"),
    facts: {
      ...factsOf(all),
      "passed over for the latest": cell("passedOver"),
      "publishers": cell("publishers"),
      "subscriptions": cell("subscribers"),
      "told that the publisher died": cell("bereaved"),
    },
  };
}

/** What went through each topic. */
function factsOf(all: readonly Traffic[]): Record<string, string> {
  return Object.fromEntries(all.map(({ plan, published, received, told }) => {
    const figures = [`${published.load()} sent`, `${received.load()} received`];
    return [`topic ${plan.name}`, [...figures, `${told.load()} told of as lost`].join(", ")];
  }));
}
