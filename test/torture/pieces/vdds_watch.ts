/**
 * Checks what `topics()` and `peers` report about topics, for the workload about sources.
 *
 * @module
 */

import { topics } from "../../../src/vdds/topics.ts";
import type { Actor, Scene } from "../workload.ts";
import { endsInTime } from "./patience.ts";
import { type CellName, START, type Traffic } from "./vdds_traffic.ts";

/** A publisher, or a subscriber. */
export interface Followed {
  readonly peers: number;
  waitForPeers(count: number, options: { timeout: number }): Promise<void>;
}

/**
 * How long a wait may take to see peers that are there: it looks now and then, and the machine may be
 * busy.
 */
const PATIENCE = { timeout: 5000 };

/** Checks that a wait for the peers of this moment ends, unless they have left; returns whether it did. */
export async function awaitPeers(actor: Actor, followed: Followed): Promise<boolean> {
  const { peers } = followed;
  const ended = await endsInTime(() => followed.waitForPeers(peers, PATIENCE));
  if (!ended && followed.peers >= peers) {
    actor.complain(`it has ${peers} peers, and a wait for them does not end`);
  }
  return ended;
}

/** Returns what `topics()` reports about the topics of the run. */
export function topicsOf(scene: Scene<CellName>): ReturnType<typeof topics> {
  return topics().filter(({ name }) => name.startsWith(`${scene.run}-`));
}

/** Checks that the report of `topics()` is possible; returns the number of topics. */
export function lookAtTopics(actor: Actor<CellName>, all: readonly Traffic[]): number {
  const found = topicsOf(actor);
  for (const info of found) {
    const { name, publishers, subscribers, counters } = info;
    const complain = (text: string) => actor.complain(`topics() lists ${name}: ${text}`);
    const traffic = all.find(({ definition }) => definition.name === name);
    if (traffic === undefined) {
      complain("it does not exist");
      continue;
    }
    const { depth, size, passing, subscribers: most } = traffic.plan;
    const isPossible = publishers <= 1 && subscribers <= most &&
      counters.inFlight <= depth && info.depth === depth && info.size === size;
    if (!isPossible) complain(JSON.stringify(info));
    const begun = passing ? Infinity : traffic.begun.load() - START;
    if (counters.published > begun) complain(`${counters.published} published of ${begun}`);
  }
  return found.length;
}
