/**
 * Topics, one for each policy. Publishers contend for them, and six processes subscribe to all;
 * whoever publishes, takes, holds, joins or leaves is killed, stopped and replaced within it. Each
 * sample is whole for as long as it is held, who lives misses none that it is not told of, none at
 * all where publishers wait, and what the dead had is there for the next.
 *
 * @module
 */

import { RoleTakenError } from "../../../src/errors.ts";
import { sleep } from "../../../src/os/clock.ts";
import { Publisher } from "../../../src/vdds/publisher.ts";
import { defineKind, type Kind, type Stage } from "../kind.ts";
import { PUBLISHING_STEPS, publishTo } from "../vdds_publishing.ts";
import { countsOf, makeTopics, settle } from "../vdds_settling.ts";
import { HANDS, type Hands, RECEIVING_STEPS, subscribe } from "../vdds_subscription.ts";
import { type CellName, cellsFor, PublishingNotes, TOPICS, traffics } from "../vdds_traffic.ts";

const SUBSCRIBERS = 6;

/** One subscriber more than there are, and one whose row a stopped publisher is clearing. */
const MAX_SUBSCRIBERS = SUBSCRIBERS + 2;

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

/** The kind, with the hands of its subscribers. */
export function vddsKind(hands: Hands): Kind<CellName> {
  return defineKind({
    about: "whoever publishes, holds, joins or leaves dies within it; who lives misses nothing",
    cells: cellsFor(TOPICS.length),
    wanted: { resources: TOPICS.map(({ name }) => name), withinMs: 20_000 },
    parts: {
      publisher: {
        seats: 4,
        harm: {
          steps: PUBLISHING_STEPS,
          lifeMs: [20, 4000],
          stopMs: [2, 500],
        },
        run: publish,
      },
      subscriber: {
        seats: SUBSCRIBERS,
        harm: {
          steps: RECEIVING_STEPS,
          lifeMs: [20, 4000],
          stopMs: [2, 500],
        },
        run: (stage) => subscribe(stage, hands),
      },
    },
    begin(scene) {
      const all = traffics(scene);
      const stack = makeTopics(all, MAX_SUBSCRIBERS);
      return {
        counts: () => countsOf(scene, all),
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

export default vddsKind(HANDS);
