/**
 * Topics, one for each policy. Publishers contend for them, and six processes subscribe to all; they
 * are killed, stopped and replaced as they publish, take, hold, join and leave. Each sample is whole
 * while it is held. A living subscriber misses none without counting it, and none at all where
 * publishers wait. An observer sees whole samples, and counts all others. The samples of the dead become free for their successors.
 *
 * @module
 */

import { type Actor, defineWorkload, type Workload } from "../workload.ts";
import { attend } from "../pieces/patience.ts";
import { observe, OBSERVING_STEPS } from "../pieces/vdds_observing.ts";
import { PUBLISHING_STEPS, publishTo } from "../pieces/vdds_publishing.ts";
import { countsOf, FACTS, makeTopics, settleTopic } from "../pieces/vdds_settling.ts";
import { HANDS, type Hands, RECEIVING_STEPS, subscribe } from "../pieces/vdds_subscription.ts";
import {
  type CellName,
  cellsFor,
  PublishingNotes,
  SUBSCRIBERS,
  TOPICS,
  traffics,
} from "../pieces/vdds_traffic.ts";

/** Publishes to one topic after another, whenever it is free. */
function publish(actor: Actor<CellName>): Promise<void> {
  const { random } = actor;
  const all = traffics(actor);
  let i = random.below(all.length);
  return attend(actor, () => {
    const traffic = all[i = (i + 1) % all.length]!;
    return {
      open: () => traffic.definition.publisher(),
      resource: () => traffic.plan.name,
      work(publisher) {
        traffic.count("publishers");
        return publishTo(actor, publisher, new PublishingNotes(traffic, publisher));
      },
    };
  });
}

/** The workload, with the hands of its subscribers. */
export function vddsWorkload(hands: Hands): Workload<CellName> {
  return defineWorkload({
    about: "publishers and subscribers die in all they do; the living miss nothing",
    cells: cellsFor(TOPICS.length),
    facts: FACTS,
    wanted: { resources: TOPICS.map(({ name }) => name), withinMs: 20_000 },
    parts: {
      publisher: {
        seats: 4,
        harm: {
          steps: PUBLISHING_STEPS,
          lifeMs: [20, 4000],
        },
        run: publish,
      },
      subscriber: {
        seats: SUBSCRIBERS,
        harm: {
          steps: RECEIVING_STEPS,
          lifeMs: [20, 4000],
        },
        run: (actor) => subscribe(actor, hands),
      },
      observer: {
        seats: 1,
        harm: {
          steps: OBSERVING_STEPS,
          lifeMs: [20, 4000],
        },
        run: observe,
      },
    },
    begin(scene) {
      const all = traffics(scene);
      const stack = makeTopics(all);
      return {
        counts: () => countsOf(scene, all),
        alone: () => all.forEach(settleTopic),
        [Symbol.dispose]: () => stack.dispose(),
      };
    },
  });
}

export default vddsWorkload(HANDS);
