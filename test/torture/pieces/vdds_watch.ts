/**
 * Checks what `matches()` and `topics()` report about topics, for the workload about sources.
 *
 * @module
 */

import { now, sleep } from "../../../src/os/clock.ts";
import { type TopicInfo, topics } from "../../../src/vdds/topics.ts";
import type { Actor, Scene } from "../workload.ts";
import { type CellName, START, type Traffic } from "./vdds_traffic.ts";

/** A publisher, or a subscriber. */
export interface Followed {
  readonly matched: number;
  matches(): AsyncGenerator<number, void, void>;
}

/**
 * How long `matches()` may be behind: it notices a death within a slice, and the machine may be
 * busy. An actor that could not run itself meanwhile, as the looks show, does not complain.
 */
const BEHIND_NS = 2e9;
const LOOKS = 40;

/** How long settling may take at the end. */
const SETTLED_WITHIN_NS = 10e9;

/** Compares the last number of `matches()` with `matched`. */
export class Watch {
  /** Resolves once `matches()` has ended. */
  readonly ended: Promise<void>;
  /** The number of values of `matches()`. */
  words = 0;
  readonly #actor: Actor;
  readonly #followed: Followed;
  #last: number | undefined;
  #seen = { matched: -1, words: -1, since: 0, looks: 0 };

  constructor(actor: Actor, followed: Followed) {
    this.#actor = actor;
    this.#followed = followed;
    this.ended = this.#listen();
  }

  async #listen(): Promise<void> {
    for await (const count of this.#followed.matches()) {
      if (count === this.#last) this.#actor.complain(`matches() yields ${count} again`);
      this.#last = count;
      this.words++;
    }
  }

  /** Complains if the last number is wrong for too long while nothing changes; true if it is right. */
  look(): boolean {
    const { matched } = this.#followed;
    const seen = this.#seen;
    if (matched === this.#last || matched !== seen.matched || this.words !== seen.words) {
      this.#seen = { matched, words: this.words, since: now(), looks: 0 };
      return matched === this.#last;
    }
    const behindNs = now() - Math.max(seen.since, this.#actor.continuedAt);
    if (++seen.looks <= LOOKS || behindNs < BEHIND_NS) return false;
    const behind = `for ${(behindNs / 1e6).toFixed(0)} ms`;
    this.#actor.complain(
      `matches() last yielded ${this.#last}, and ${behind} it has been ${matched}`,
    );
    this.#seen = { ...seen, since: now(), looks: 0 };
    return false;
  }

  /** Looks until the last number is right. */
  async settle(): Promise<void> {
    const deadline = now() + SETTLED_WITHIN_NS;
    while (!this.look() && now() < deadline) await sleep(10);
  }
}

/** Returns what `topics()` reports about the topics of the run. */
export function topicsOf(scene: Scene<CellName>): TopicInfo[] {
  return topics().filter(({ topic }) => topic.startsWith(`${scene.run}-`));
}

/** Checks that the report of `topics()` is possible; returns the number of topics. */
export function lookAtTopics(actor: Actor<CellName>, all: readonly Traffic[]): number {
  const found = topicsOf(actor);
  for (const info of found) {
    const { topic, publishers, subscribers, counters } = info;
    const complain = (text: string) => actor.complain(`topics() lists ${topic}: ${text}`);
    const traffic = all.find((traffic) => traffic.topic === topic);
    if (traffic === undefined) {
      complain("it does not exist");
      continue;
    }
    const { depth, size, passing } = traffic.plan;
    const isPossible = publishers <= 1 && subscribers <= info.maxSubscribers &&
      counters.inFlight <= depth && info.depth === depth && info.size === size;
    if (!isPossible) complain(JSON.stringify(info));
    const most = passing ? Infinity : traffic.begun.load() - START;
    if (counters.published > most) complain(`${counters.published} published of ${most}`);
  }
  return found.length;
}
