/**
 * Topics with several publishers at once, each a source by its name, and processes that subscribe to
 * all of them. Some sources last; others exist only while somebody uses them, and are made again.
 * Every sample has the right source and its order, and the living miss none. Besides, the ends of a
 * quiet topic wait for peers that come, leave and die, and all look at `topics()`.
 *
 * @module
 */

import { sleep } from "../../../src/os/clock.ts";
import type { Publisher } from "../../../src/vdds/publisher.ts";
import type { Subscriber } from "../../../src/vdds/subscriber.ts";
import { type Actor, defineWorkload, type Scene, type Workload } from "../workload.ts";
import { attend, openSoon, soon, tenure } from "../pieces/patience.ts";
import { settle } from "../pieces/settling.ts";
import {
  appear,
  HOST,
  listen,
  MERGED_HANDS,
  type MergedHands,
  type MergedTopic,
  mergedTopics,
  PLANS,
  QUIET,
  quietTopic,
} from "../pieces/vdds_merged.ts";
import { PUBLISHING_STEPS, publishTo } from "../pieces/vdds_publishing.ts";
import { countsOf, FACTS, makeTopics, settleTopic } from "../pieces/vdds_settling.ts";
import { RECEIVING_STEPS } from "../pieces/vdds_subscription.ts";
import {
  type CellName,
  cellsFor,
  PublishingNotes,
  type Traffic,
  traffics,
} from "../pieces/vdds_traffic.ts";
import { awaitPeers, type Followed, lookAtTopics, topicsOf } from "../pieces/vdds_watch.ts";

type SourcesCell = CellName | "waits" | "looks";

// ---- sources ----

/** Publishes as one source after another, whichever is free. */
function publish(actor: Actor<CellName>): Promise<void> {
  const { random } = actor;
  const all = mergedTopics(actor).flatMap(({ definition, sources }) =>
    [...sources].map(([source, traffic]) => ({ definition, source, traffic }))
  );
  let i = random.below(all.length);
  return attend(actor, () => {
    const { definition, source, traffic } = all[i = (i + 1) % all.length]!;
    return {
      open() {
        using stack = new DisposableStack();
        const witness = random.chance(0.3) ? stack.use(definition.subscriber()) : undefined;
        const publisher = stack.use(definition.publisher({ source }));
        const held = stack.move();
        return { publisher, witness, [Symbol.dispose]: () => held.dispose() };
      },
      resource: () => traffic.plan.name,
      async work({ publisher, witness }) {
        using _presence = appear(traffic);
        traffic.count("publishers");
        const notes = new PublishingNotes(traffic, publisher);
        if (witness !== undefined) greet(publisher, notes, { source, traffic, witness });
        witness?.close();
        await publishTo(actor, publisher, notes);
      },
    };
  });
}

/** An earlier subscriber learns of a new source before its first sample, and gets that sample. */
function greet(
  publisher: Publisher,
  notes: PublishingNotes,
  { source, traffic, witness }: { source: string; traffic: Traffic; witness: Subscriber },
): void {
  if (!witness.sources.includes(source)) traffic.complain("nobody hears of this source");
  const sent = publisher.trySend(notes.begin());
  notes.end(sent);
  while (sent) {
    const message = witness.tryReceive();
    if (message === undefined) return traffic.find("lost", "a witness does not get a sample");
    if (message.source === source && message.sequence === publisher.sequence) return;
  }
}

// ---- peers of a quiet topic ----

/** Stays for a while, and waits for the peers that it has. */
async function follow(actor: Actor<SourcesCell>, end: Followed, act: () => void): Promise<void> {
  const { random } = actor;
  const all = traffics(actor, PLANS);
  for (const isOver = tenure(actor, 10_000); !isOver();) {
    act();
    if (await awaitPeers(actor, end)) actor.count("waits");
    if (random.chance(0.2)) actor.count("looks", lookAtTopics(actor, all));
    await sleep(random.skewed(1, 50));
  }
}

/** Publishes to the quiet topic, and follows its subscribers. */
function host(actor: Actor<SourcesCell>): Promise<void> {
  const { random } = actor;
  const { definition, sources } = quietTopic(actor);
  const traffic = sources.get(HOST)!;
  return attend(actor, () => ({
    open: () => definition.publisher({ source: HOST }),
    resource: () => QUIET.name,
    async work(publisher) {
      traffic.count("publishers");
      const notes = new PublishingNotes(traffic, publisher);
      await follow(actor, publisher, () => {
        if (random.chance(0.1)) notes.end(publisher.trySend(notes.begin()));
      });
    },
    async leave(publisher) {
      publisher.close();
      await sleep(random.skewed(1, 500));
    },
  }));
}

/** Subscribes to the quiet topic, and follows its publishers. */
async function visit(actor: Actor<SourcesCell>): Promise<void> {
  const { random } = actor;
  const { definition } = quietTopic(actor).sources.get(HOST)!;
  while (!actor.over) {
    using subscriber = definition.subscriber();
    await follow(actor, subscriber, () => {});
    subscriber.close();
    await sleep(random.skewed(1, 2000));
  }
}

// ---- when nobody is there ----

/** Examines topics that nobody uses: each source can be taken, and kept apart from the others. */
function settleAll(scene: Scene<CellName>): void {
  const all = traffics(scene, PLANS);
  for (const topic of [...mergedTopics(scene), quietTopic(scene)]) {
    const complain = (text: string) => scene.complain(`topic ${topic.name}: ${text}`);
    settle({ complain }, () => useSources(scene, topic, complain));
  }
  for (const traffic of all) if (!traffic.plan.passing) settleTopic(traffic);
  const lasting = all.filter(({ plan }) => !plan.passing);
  isTold(scene, lasting.map(({ definition }) => `${definition.name}: 0, 0`));
}

function useSources(
  scene: Scene<CellName>,
  { definition, sources }: MergedTopic,
  complain: (text: string) => void,
): void {
  using stack = new DisposableStack();
  using subscriber = definition.subscriber({ history: 0 });
  const publishing = [...sources].map(([source, traffic]) => {
    const publisher = stack.use(openSoon(() => definition.publisher({ source })));
    return { publisher, notes: new PublishingNotes(traffic, publisher) };
  });
  const told = subscriber.sources.sort().join();
  if (told !== [...sources.keys()].join()) complain(`its sources are said to be ${told}`);
  const expected = [...sources.values()].map(({ definition }) => `${definition.name}: 1, 1`);
  if (!isTold(scene, expected, `${definition.name}/`)) return;
  const rounds = 2;
  for (let round = 0; round < rounds; round++) {
    for (const { publisher, notes } of publishing) notes.end(publisher.trySend(notes.begin()));
  }
  const order: string[] = [];
  for (let i = 0; i < rounds * sources.size; i++) {
    const message = subscriber.tryReceive();
    if (message === undefined) return complain(`nothing comes after ${order}`);
    const { source, value, sequence } = message;
    order.push(source!);
    if (sources.get(source!)!.isSample(value, sequence)) continue;
    complain(`sample ${sequence} of ${source} is not what was sent`);
  }
  const turns = new Set(order.slice(0, sources.size));
  if (turns.size < sources.size) complain(`its sources come not in turns but as ${order}`);
}

/** Checks that topics() lists these topics, with their publishers and subscribers. */
function isTold(scene: Scene<CellName>, expected: readonly string[], prefix = ""): boolean {
  const right = [...expected].sort().join("; ");
  let told = "";
  const isRight = soon(() => {
    const found = topicsOf(scene).filter(({ name }) => name.startsWith(prefix));
    const each = found.map((info) => `${info.name}: ${info.publishers}, ${info.subscribers}`);
    told = each.sort().join("; ");
    return told === right || undefined;
  });
  if (!isRight) scene.complain(`topics() lists ${told}, and not ${right}`);
  return isRight === true;
}

// ---- the workload ----

/** The workload, with the hands of its subscribers. */
export function vddsSourcesWorkload(hands: MergedHands): Workload<SourcesCell> {
  const harm = { lifeMs: [20, 4000] } as const;
  const peers = { steps: ["members", "bell", "lock", "list"], lifeMs: [200, 8000] } as const;
  return defineWorkload<SourcesCell>({
    about: "sources come, go and die; their samples stay apart, and every peer is listed",
    cells: {
      ...cellsFor(PLANS.length),
      waits: 1, // for peers, that ended
      looks: 1, // at topics, by topics()
    },
    facts: {
      ...FACTS,
      "topics made again": "renewed",
      "waits for peers that ended": "waits",
      "topics told by topics()": "looks",
    },
    wanted: {
      resources: PLANS.filter(({ passing }) => !passing).map(({ name }) => name),
      withinMs: 60_000, // each of the few who publish is one source after the other
    },
    parts: {
      source: {
        seats: 4,
        harm: { ...harm, steps: [...PUBLISHING_STEPS, "changes", "members", "link"] },
        run: publish,
      },
      listener: {
        seats: 3,
        harm: { ...harm, steps: [...RECEIVING_STEPS, "changes", "list"] },
        run: (actor) => listen(actor, hands),
      },
      host: { seats: 1, harm: { ...harm, ...peers }, run: host },
      guest: { seats: 2, harm: { ...harm, ...peers }, run: visit },
    },
    begin(scene) {
      const all = traffics(scene, PLANS);
      const stack = makeTopics(all.filter(({ plan }) => !plan.passing));
      return {
        counts: () => countsOf(scene, all),
        alone: () => settleAll(scene),
        gone: () => void isTold(scene, []),
        [Symbol.dispose]: () => stack.dispose(),
      };
    },
  });
}

export default vddsSourcesWorkload(MERGED_HANDS);
