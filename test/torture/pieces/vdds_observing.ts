/**
 * How the observers of the workload about topics observe.
 *
 * @module
 */

import { nextTurn, sleep } from "../../../src/os/clock.ts";
import type { TopicObserver } from "../../../src/vdds/topic_observer.ts";
import type { Actor } from "../workload.ts";
import { inTime, WAIT } from "./patience.ts";
import { type Bytes, type CellName, type Traffic, traffics } from "./vdds_traffic.ts";

/** The steps at which the death of an observer is most interesting. */
export const OBSERVING_STEPS: readonly string[] = ["copy out", "sequence", "latest", "map"];

/** A topic under observation, and the number of its last sample that was seen. */
interface Watched {
  readonly traffic: Traffic;
  readonly observer: TopicObserver;
  last: number;
}

/** Observes all topics, and checks each sample and the number of the lost ones before it. */
export async function observe(actor: Actor<CellName>): Promise<void> {
  const { random } = actor;
  using stack = new DisposableStack();
  const all = traffics(actor).map((traffic): Watched => {
    const { definition, plan } = traffic;
    const observer = definition.observer({ history: random.below(plan.history + 1) });
    return { traffic, observer: stack.use(observer), last: 0 };
  });
  while (!actor.over) {
    const watched = random.pick(all);
    const { observer } = watched;
    const get = random.chance(0.9) ? () => observer.tryReceive() : () => observer.receiveSync(WAIT);
    for (let left = random.small(60); left > 0; left--) {
      const message = await inTime(get);
      if (message === undefined) break;
      if (!note(watched, message)) return;
    }
    if (random.chance(0.1)) await sleep(random.skewed(1, 30));
    else await nextTurn();
  }
}

/** Returns false if something was wrong, so that further notes mean nothing. */
function note(
  watched: Watched,
  { value, sequence, lost }: { value: Bytes; sequence: number; lost: number },
): boolean {
  const { traffic, last } = watched;
  watched.last = sequence;
  if (!traffic.isSample(value, sequence)) {
    traffic.find("corrupt", `an observer got sample ${sequence}, which is not what was sent`);
    return false;
  }
  if (last > 0 && sequence !== last + lost + 1) {
    const text =
      `an observer got sample ${sequence} after ${last}, and ${lost} are said to be lost`;
    traffic.find(sequence <= last ? "duplicated" : "lost", text);
    return false;
  }
  traffic.count("observed");
  return true;
}
