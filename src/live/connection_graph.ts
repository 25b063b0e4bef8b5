/**
 * The publishers and the subscribers of topics, as Foxglove's graph of topics shows it.
 *
 * @module
 */

import type { RegionFacts, RegionRow } from "./protocol.ts";

/** The processes by the names of topics. */
export interface ConnectionGraph {
  readonly published: ReadonlyMap<string, readonly string[]>;
  readonly subscribed: ReadonlyMap<string, readonly string[]>;
}

/** The difference of two graphs, as the protocol sends it. */
export interface GraphUpdate {
  readonly publishedTopics: readonly { name: string; publisherIds: readonly string[] }[];
  readonly subscribedTopics: readonly { name: string; subscriberIds: readonly string[] }[];
  readonly advertisedServices: readonly [];
  readonly removedTopics: readonly string[];
  readonly removedServices: readonly [];
}

/** Makes the graph of a scene. */
export function graphOf(
  facts: readonly RegionFacts[],
  rows: readonly RegionRow[],
): ConnectionGraph {
  const names = new Map(facts.map(({ id, name }) => [id, `/${name}`]));
  const of = (way: "in" | "out") =>
    new Map(rows.flatMap(({ id, links }): [string, string[]][] => {
      const ids = links.filter((link) => link.way === way && link.presence === "alive")
        .map(({ pid, role, seat }) => pid === 0 ? `${role} ${seat}` : `process ${pid}`);
      return ids.length === 0 ? [] : [[names.get(id)!, ids]];
    }));
  return { published: of("in"), subscribed: of("out") };
}

/** Returns what has changed; undefined if nothing has. */
export function graphUpdate(
  before: ConnectionGraph,
  after: ConnectionGraph,
): GraphUpdate | undefined {
  const publishedTopics = changed(before.published, after.published)
    .map(([name, publisherIds]) => ({ name, publisherIds }));
  const subscribedTopics = changed(before.subscribed, after.subscribed)
    .map(([name, subscriberIds]) => ({ name, subscriberIds }));
  const names = ({ published, subscribed }: ConnectionGraph) =>
    new Set([...published.keys(), ...subscribed.keys()]);
  const now = names(after);
  const removedTopics = [...names(before)].filter((name) => !now.has(name));
  const isEmpty = [publishedTopics, subscribedTopics, removedTopics].every(({ length }) => !length);
  if (isEmpty) return undefined;
  const none: readonly [] = [];
  return {
    publishedTopics,
    subscribedTopics,
    advertisedServices: none,
    removedTopics,
    removedServices: none,
  };
}

/** The entries that are new or differ; one that is gone while its topic is not has no processes. */
function changed(
  before: ReadonlyMap<string, readonly string[]>,
  after: ReadonlyMap<string, readonly string[]>,
): [string, readonly string[]][] {
  const news = [...after].filter(([name, ids]) => before.get(name)?.join() !== ids.join());
  const gone = [...before.keys()].filter((name) => !after.has(name));
  return [...news, ...gone.map((name): [string, string[]] => [name, []])];
}
