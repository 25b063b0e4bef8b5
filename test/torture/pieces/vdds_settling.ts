/**
 * The harness's side of the workloads about vdds: it makes the topics, examines them while nobody
 * uses them, and takes the account.
 *
 * @module
 */

import { Kept } from "../../../src/vdds/vring.ts";
import type { Counts, Scene } from "../workload.ts";
import { openSoon } from "./patience.ts";
import { settle } from "./settling.ts";
import {
  type CellName,
  PublishingNotes,
  ReceivingNotes,
  START,
  type Traffic,
} from "./vdds_traffic.ts";

/** Where the indexes of AVAIL and USED begin: they wrap soon. */
const NEARLY_ALL = 2 ** 32 - 1000;

/** Makes topics, as if much had gone through already. They exist until the stack is disposed. */
export function makeTopics(all: readonly Traffic[]): DisposableStack {
  using stack = new DisposableStack();
  for (const { definition, plan, begun, numbered, sent } of all) {
    const ring = definition.openRing("create");
    stack.use(ring.region);
    ring.keep(Kept.sequence, START);
    ring.available.store(NEARLY_ALL);
    for (let k = 0; k < plan.subscribers; k++) ring.reader(k).used.store(NEARLY_ALL);
    for (const cell of [begun, numbered, sent]) cell.store(START);
  }
  return stack.move();
}

/** Examines a topic that nobody uses: all samples can be held at once, and no more. */
export function settleTopic(traffic: Traffic): void {
  settle(traffic, () => fill(traffic));
}

function fill(traffic: Traffic): void {
  using publisher = openSoon(() => traffic.definition.publisher());
  using subscriber = traffic.definition.subscriber({ history: 0 });
  const sending = new PublishingNotes(traffic, publisher);
  const receiving = new ReceivingNotes(traffic);
  for (let i = 0; i < publisher.depth; i++) {
    const sent = publisher.trySend(sending.begin());
    sending.end(sent);
    if (!sent) {
      return traffic.find("leaked", `there is room for ${i} samples of ${publisher.depth}`);
    }
    const sample = subscriber.tryTake();
    if (sample === undefined) return receiving.nothing(publisher.sequence);
    const { bytes, sequence, lost } = sample;
    receiving.sample(bytes, { sequence, lost });
  }
  sending.begin(); // under a policy that drops, it counts as lost
  const loan = publisher.tryLoan();
  sending.end(false);
  if (loan !== undefined) {
    traffic.complain("all samples are held, and there is one more to write into");
  }
}

/** The rows of the account about all topics. */
export const FACTS: Record<string, CellName> = {
  "passed over for the latest": "passedOver",
  "observed": "observed",
  "publishers": "publishers",
  "subscriptions": "subscribers",
  "told that the publisher died": "bereaved",
};

/** Returns the account of the topics. */
export function countsOf(scene: Scene<CellName>, all: readonly Traffic[]): Partial<Counts> {
  const rows = all.map(({ plan, published, received, told }) => [
    `topic ${plan.name}`,
    `${published.load()} sent, ${received.load()} received, ${told.load()} reported as lost`,
  ]);
  return {
    sent: scene.total("published"),
    facts: Object.fromEntries(rows),
  };
}
