/**
 * Topics with several publishers at once, each a source by its name, and processes that subscribe to
 * all of them. Some sources last; others are there only while somebody uses them, and come anew.
 * Every sample comes from the source that it is said to be of, of each in order, and none is missed
 * by who lives. Besides, peers of a quiet topic follow by `matches()` who comes, leaves and dies, and
 * all look at `topics()`.
 *
 * @module
 */

import { CorruptRegionError, RoleTakenError } from "../../../src/errors.ts";
import { sleep } from "../../../src/os/clock.ts";
import { MergedSubscriber } from "../../../src/vdds/merged_subscriber.ts";
import { Publisher } from "../../../src/vdds/publisher.ts";
import { Subscriber } from "../../../src/vdds/subscriber.ts";
import { defineKind, type Kind, type Scene, type Stage } from "../kind.ts";
import { tenure } from "../patience.ts";
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
} from "../vdds_merged.ts";
import { PUBLISHING_STEPS, publishTo } from "../vdds_publishing.ts";
import { countsOf, makeTopics, onceDropped, openPublisherSoon, settle } from "../vdds_settling.ts";
import { RECEIVING_STEPS } from "../vdds_subscription.ts";
import {
  type CellName,
  cellsFor,
  PublishingNotes,
  type Traffic,
  traffics,
} from "../vdds_traffic.ts";
import { type Followed, lookAtTopics, topicsOf, Watch } from "../vdds_watch.ts";

type SourcesCell = CellName | "words" | "looks";

/** All who listen, witnesses of publishers, and the dead whose rows nobody has cleared yet. */
const MAX_SUBSCRIBERS = 16;

/** Becomes a source. */
function openSource(topic: string, source: string, { plan }: Traffic, history = 0): Publisher {
  const { policy, depth, size, reserve } = plan;
  const shape = { depth, size, reserve, maxSubscribers: MAX_SUBSCRIBERS };
  return Publisher.open(topic, { source, policy, history, ...shape });
}

// ---- sources ----

/** Is one source after the other, whichever is free. */
async function publish(stage: Stage<CellName>): Promise<void> {
  const { random } = stage;
  const all = mergedTopics(stage).flatMap(({ topic, sources }) =>
    [...sources].map(([source, traffic]) => ({ topic, source, traffic }))
  );
  const token = 1 + stage.seat + 100 * (stage.life + 1);
  for (let i = random.below(all.length); !stage.over; i = (i + 1) % all.length) {
    const { topic, source, traffic } = all[i]!;
    try {
      using stack = new DisposableStack();
      const witness = random.chance(0.3) ? stack.use(MergedSubscriber.open(topic)) : undefined;
      using publisher = openSource(topic, source, traffic, random.below(3));
      stage.claim(traffic.plan.name, token);
      using _presence = appear(traffic);
      traffic.count("publishers");
      const notes = new PublishingNotes(traffic, publisher);
      if (witness !== undefined) greet(publisher, notes, { source, traffic, witness });
      stack.dispose();
      await publishTo(stage, publisher, notes);
      stage.release(traffic.plan.name, token);
    } catch (error) {
      if (!(error instanceof RoleTakenError)) throw error;
    }
    await sleep(random.between(1, 20));
  }
}

/** Whoever subscribed before hears of a new source before its first sample, and gets that. */
function greet(
  publisher: Publisher,
  notes: PublishingNotes,
  { source, traffic, witness }: { source: string; traffic: Traffic; witness: MergedSubscriber },
): void {
  if (!witness.sources.includes(source)) traffic.complain("nobody hears of this source");
  const sent = publisher.trySend(notes.begin());
  notes.end(sent);
  while (sent) {
    const outcome = witness.tryReceive();
    if (outcome.state === "empty") return traffic.find("lost", "a witness does not get a sample");
    if (outcome.source === source && outcome.sequence === publisher.sequence) return;
  }
}

// ---- peers of a quiet topic ----

/** Stays for a while, and judges what it is told. */
async function attend(stage: Stage<SourcesCell>, peer: Followed, act: () => void): Promise<Watch> {
  const { random, cells } = stage;
  const watch = new Watch(stage, peer);
  const all = traffics(stage, PLANS);
  for (const isOver = tenure(stage, 10_000); !isOver();) {
    act();
    watch.look();
    if (random.chance(0.2)) cells.looks[0]!.add(lookAtTopics(stage, all));
    await sleep(random.skewed(1, 50));
  }
  if (stage.over) await watch.settle();
  cells.words[0]!.add(watch.words);
  return watch;
}

/** Publishes to the quiet topic, and follows its subscribers. */
async function host(stage: Stage<SourcesCell>): Promise<void> {
  const { random } = stage;
  const { topic, sources } = quietTopic(stage);
  const traffic = sources.get(HOST)!;
  const token = 1 + stage.life;
  while (!stage.over) {
    try {
      using publisher = openSource(topic, HOST, traffic);
      stage.claim(QUIET.name, token);
      traffic.count("publishers");
      const notes = new PublishingNotes(traffic, publisher);
      const { ended } = await attend(stage, publisher, () => {
        if (random.chance(0.1)) notes.end(publisher.trySend(notes.begin()));
      });
      stage.release(QUIET.name, token);
      publisher.close();
      await ended;
    } catch (error) {
      if (!(error instanceof RoleTakenError)) throw error;
    }
    await sleep(random.skewed(1, 500));
  }
}

/** Subscribes to the quiet topic, and follows its publishers. */
async function visit(stage: Stage<SourcesCell>): Promise<void> {
  const { random } = stage;
  const { topic } = quietTopic(stage).sources.get(HOST)!;
  while (!stage.over) {
    using subscriber = Subscriber.open(topic);
    const { ended } = await attend(stage, subscriber, () => {});
    subscriber.close();
    await ended;
    await sleep(random.skewed(1, 2000));
  }
}

// ---- when nobody is there ----

/** Looks at topics that nobody uses: each source can be had, and is told from the others. */
function settleAll(scene: Scene<CellName>): void {
  const all = traffics(scene, PLANS);
  for (const topic of [...mergedTopics(scene), quietTopic(scene)]) settleSources(scene, topic);
  for (const traffic of all) if (!traffic.plan.passing) settle(traffic);
  const lasting = all.filter(({ plan }) => !plan.passing);
  isTold(scene, lasting.map(({ topic }) => `${topic}: 0, 0`));
}

function settleSources(scene: Scene<CellName>, merged: MergedTopic): void {
  try {
    useSources(scene, merged);
  } catch (error) {
    if (!(error instanceof CorruptRegionError)) throw error;
    scene.complain(`topic ${merged.name}: ${error.message}`);
  }
}

function useSources(scene: Scene<CellName>, { name, topic, sources }: MergedTopic): void {
  using stack = new DisposableStack();
  using subscriber = MergedSubscriber.open(topic);
  const complain = (text: string) => scene.complain(`topic ${name}: ${text}`);
  const publishing = [...sources].map(([source, traffic]) => {
    const publisher = stack.use(openPublisherSoon(() => openSource(topic, source, traffic)));
    return { publisher, notes: new PublishingNotes(traffic, publisher) };
  });
  const told = subscriber.sources.sort().join();
  if (told !== [...sources.keys()].join()) complain(`its sources are said to be ${told}`);
  const expected = [...sources.values()].map(({ topic }) => `${topic}: 1, 1`);
  if (!isTold(scene, expected, `${topic}/`)) return;
  const rounds = 2;
  for (let round = 0; round < rounds; round++) {
    for (const { publisher, notes } of publishing) notes.end(publisher.trySend(notes.begin()));
  }
  const order: string[] = [];
  for (let i = 0; i < rounds * sources.size; i++) {
    const outcome = subscriber.tryReceive();
    if (outcome.state === "empty") return complain(`nothing comes after ${order}`);
    order.push(outcome.source);
    if (sources.get(outcome.source)!.isSample(outcome.value, outcome.sequence)) continue;
    complain(`sample ${outcome.sequence} of ${outcome.source} is not what was sent`);
  }
  const turns = new Set(order.slice(0, sources.size));
  if (turns.size < sources.size) complain(`its sources come not in turns but as ${order}`);
}

/** Whether topics() tells of these topics: how many publish and subscribe. */
function isTold(scene: Scene<CellName>, expected: readonly string[], prefix = ""): boolean {
  const right = [...expected].sort().join("; ");
  let told = "";
  const isRight = onceDropped(() => { // by the kernel: the locks of the dead
    const found = topicsOf(scene).filter(({ topic }) => topic.startsWith(prefix));
    const each = found.map((info) => `${info.topic}: ${info.publishers}, ${info.subscribers}`);
    told = each.sort().join("; ");
    return told === right || undefined;
  });
  if (!isRight) scene.complain(`topics() tells of ${told}, and not of ${right}`);
  return isRight === true;
}

// ---- the kind ----

/** The kind, with the hands of its subscribers. */
export function vddsSourcesKind(hands: MergedHands): Kind<SourcesCell> {
  const harm = { lifeMs: [20, 4000], stopMs: [2, 500] } as const;
  const peers = { steps: ["members", "bell", "lock", "list"], lifeMs: [200, 8000] } as const;
  return defineKind<SourcesCell>({
    about: "sources come, go and die; what they send is told apart, and who is there is told",
    cells: {
      ...cellsFor(PLANS.length),
      words: 1, // of matches()
      looks: 1, // at topics, by topics()
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
        run: (stage) => listen(stage, hands),
      },
      host: { seats: 1, harm: { ...harm, ...peers }, run: host },
      guest: { seats: 2, harm: { ...harm, ...peers }, run: visit },
    },
    begin(scene) {
      const all = traffics(scene, PLANS);
      const stack = makeTopics(all.filter(({ plan }) => !plan.passing), MAX_SUBSCRIBERS);
      return {
        counts: () => {
          const { facts, ...counts } = countsOf(scene, all);
          const of = (name: SourcesCell) => scene.cells[name][0]!.load();
          return {
            ...counts,
            facts: {
              ...facts,
              "topics that came anew": of("renewed"),
              "words of matches()": of("words"),
              "topics told by topics()": of("looks"),
            },
          };
        },
        alone() {
          if (stack.disposed) isTold(scene, []);
          else settleAll(scene);
        },
        [Symbol.dispose]() {
          using _topics = stack;
          settleAll(scene);
        },
      };
    },
  });
}

export default vddsSourcesKind(MERGED_HANDS);
