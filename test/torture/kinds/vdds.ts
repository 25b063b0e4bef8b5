/**
 * Topics, one for each policy. Publishers contend for them, and six processes subscribe to all;
 * whoever publishes, takes, holds, joins or leaves is killed, stopped and replaced within it. Each
 * sample is whole for as long as it is held, who lives misses none that it is not told of, none at
 * all where publishers wait, and what the dead had is there for the next.
 *
 * @module
 */

import { CorruptRegionError, RoleTakenError } from "../../../src/errors.ts";
import { codec } from "../../../src/layout/codec.ts";
import { nextTurn, now, sleep, sleepSync } from "../../../src/os/clock.ts";
import { Publisher } from "../../../src/vdds/publisher.ts";
import { Subscriber } from "../../../src/vdds/subscriber.ts";
import { createTopic } from "../../../src/vdds/topic.ts";
import { Kept } from "../../../src/vdds/vring.ts";
import { spring } from "../../trap/trap.ts";
import { defineKind, type Kind, type Scene, type Stage } from "../kind.ts";
import type { Cell } from "../ledger.ts";
import { HANDS, type Hands, subscribe } from "../vdds_subscription.ts";
import {
  type Bytes,
  type CellName,
  CELLS,
  inTime,
  PublishingNotes,
  ReceivingNotes,
  START,
  tenure,
  TOPICS,
  type Traffic,
  traffics,
  WAIT,
} from "../vdds_traffic.ts";

/** How far the indexes of AVAIL and USED are when it begins: they wrap soon. */
const NEARLY_ALL = 2 ** 32 - 1000;

const SUBSCRIBERS = 6;

/** One subscriber more than there are, and one whose row a stopped publisher is clearing. */
const MAX_SUBSCRIBERS = SUBSCRIBERS + 2;

// ---- publishers ----

/** Has one topic after the other, whenever it is free. */
async function publish(stage: Stage<CellName>): Promise<void> {
  const { random } = stage;
  const all = traffics(stage);
  const token = 1 + stage.seat + 100 * (stage.life + 1);
  for (let i = random.below(all.length); !stage.over; i = (i + 1) % all.length) {
    const traffic = all[i]!;
    const { policy } = traffic.plan;
    try {
      using publisher = Publisher.open(traffic.topic, { policy, history: random.below(3) });
      stage.claim(traffic.plan.name, token);
      traffic.count("publishers");
      await publishTo(stage, publisher, new PublishingNotes(traffic, publisher));
      stage.release(traffic.plan.name, token);
    } catch (error) {
      if (!(error instanceof RoleTakenError)) throw error;
    }
    await sleep(random.between(1, 20));
  }
}

async function publishTo(
  stage: Stage<CellName>,
  publisher: Publisher,
  notes: PublishingNotes,
): Promise<void> {
  const { random } = stage;
  for (const isOver = tenure(stage, 1500); !isOver();) {
    const way = random.below(6);
    if (way === 0) await burst(stage, () => publisher.trySend(notes.begin()), notes);
    else if (way === 1) await burst(stage, () => tryPublish(stage, publisher, notes), notes);
    else if (way < 4) {
      const bytes = notes.begin();
      const inSync = way === 2;
      const sent = await inTime(() =>
        inSync ? publisher.sendSync(bytes, WAIT) : publisher.send(bytes, WAIT)
      );
      notes.end(sent === true);
    } else {
      const { length } = notes.begin();
      const inSync = way === 4;
      const loan = await inTime(() =>
        inSync ? publisher.loanSync(length, WAIT) : publisher.loan(length, WAIT)
      );
      notes.end(loan !== undefined && publishLoan(stage, publisher, loan, notes));
    }
    if (random.chance(0.1)) await sleep(random.skewed(1, 30));
  }
}

/** Sends until there is no room, or for a while. */
async function burst(
  { random }: Stage<CellName>,
  send: () => boolean,
  notes: PublishingNotes,
): Promise<void> {
  let sent = true;
  for (let left = random.small(60); left > 0 && sent; left--) notes.end(sent = send());
  await nextTurn();
}

function tryPublish(
  stage: Stage<CellName>,
  publisher: Publisher,
  notes: PublishingNotes,
): boolean {
  const { length } = notes.begin();
  const loan = publisher.tryLoan(stage.random.chance(0.5) ? length : publisher.maxSample);
  return loan !== undefined && publishLoan(stage, publisher, loan, notes);
}

/** False if it is given back. */
function publishLoan(
  { random }: Stage<CellName>,
  publisher: Publisher,
  loan: Bytes,
  notes: PublishingNotes,
): boolean {
  const bytes = notes.begin();
  const middle = bytes.length >> 1;
  loan.set(bytes.subarray(0, middle));
  spring("loaned and half filled");
  if (random.chance(0.1)) {
    publisher.discard();
    return false;
  }
  loan.set(bytes.subarray(middle), middle);
  publisher.publish(bytes.length);
  return true;
}

// ---- the kind ----

/** How long the kernel may take to drop the locks of those who were killed. */
const DROPPED_WITHIN_NS = 30e9;

function openPublisherSoon(topic: string): Publisher {
  const deadline = now() + DROPPED_WITHIN_NS;
  for (;;) {
    try {
      return Publisher.open(topic);
    } catch (error) {
      if (!(error instanceof RoleTakenError) || now() > deadline) throw error;
      sleepSync(1);
    }
  }
}

/** Looks at a topic that nobody uses: all of it can be held at once, and nothing more. */
function settle(traffic: Traffic): void {
  try {
    fill(traffic);
  } catch (error) {
    if (!(error instanceof CorruptRegionError)) throw error;
    traffic.complain(error.message);
  }
}

function fill(traffic: Traffic): void {
  using publisher = openPublisherSoon(traffic.topic);
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

/** Makes the topics, as if much had gone through already. */
function beginTopics(scene: Scene<CellName>): DisposableStack {
  using stack = new DisposableStack();
  for (const { topic, plan, begun, numbered, sent } of traffics(scene)) {
    const { depth, size, reserve } = plan;
    const options = { depth, size, reserve, maxSubscribers: MAX_SUBSCRIBERS };
    const ring = createTopic(topic, options, codec.bytes.type);
    stack.use(ring.region);
    ring.keep(Kept.sequence, START);
    ring.available.store(NEARLY_ALL);
    for (let k = 0; k < MAX_SUBSCRIBERS; k++) ring.reader(k).used.store(NEARLY_ALL);
    for (const cell of [begun, numbered, sent]) cell.store(START);
  }
  return stack.move();
}

function sum(cells: readonly Cell[]): number {
  return cells.reduce((total, cell) => total + cell.load(), 0);
}

/** The kind, with the hands of its subscribers. */
export function vddsKind(hands: Hands): Kind<CellName> {
  return defineKind({
    about: "whoever publishes, holds, joins or leaves dies within it; who lives misses nothing",
    cells: CELLS,
    wanted: { resources: TOPICS.map(({ name }) => name), withinMs: 20_000 },
    parts: {
      publisher: {
        seats: 4,
        harm: {
          steps: ["journal", "pins", "row", "used", "sequence store", "loaned", "bell", "lock"],
          lifeMs: [20, 4000],
          stopMs: [2, 500],
        },
        run: publish,
      },
      subscriber: {
        seats: SUBSCRIBERS,
        harm: {
          steps: ["row", "references", "available", "online", "pins", "copy out", "bell", "lock"],
          lifeMs: [20, 4000],
          stopMs: [2, 500],
        },
        run: (stage) => subscribe(stage, hands),
      },
    },
    begin(scene) {
      const stack = beginTopics(scene);
      const all = traffics(scene);
      const cell = (name: CellName) => sum(scene.cells[name]);
      return {
        counts: () => ({
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
        }),
        alone() {
          if (!stack.disposed) all.forEach(settle);
        },
        [Symbol.dispose]() {
          using _topics = stack;
          all.forEach(settle);
        },
      };
    },
  });
}

/** What went through each topic. */
function factsOf(all: readonly Traffic[]): Record<string, string> {
  return Object.fromEntries(all.map(({ plan, published, received, told }) => {
    const figures = [`${published.load()} sent`, `${received.load()} received`];
    return [`topic ${plan.name}`, [...figures, `${told.load()} told of as lost`].join(", ")];
  }));
}

export default vddsKind(HANDS);
