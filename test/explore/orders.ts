/**
 * Every release and every acquire of a word in the sources: each is weakened to a plain store or a
 * plain load, one at a time. Either a search of weak memory then finds a defect, or the table says
 * why the order is redundant: which pair or barrier covers it. (barriers.ts has the operations that
 * are barriers.)
 *
 * @module
 */

import { anywhere, SRC } from "./barriers.ts";

/** A defect that is found, or what prevents it. */
export type Order = Found | Covered;

/** The scenario that goes wrong without the order. */
export interface Found {
  readonly scenario: string;
  /** More than one preemption or reordering, if it needs them. */
  readonly options: readonly string[];
}

/** What orders the access as much as is needed. */
export interface Covered {
  readonly covered: string;
}

function found(scenario: string, ...options: string[]): Found {
  return { scenario, options: options.length === 0 ? ["--preemptions", "1"] : options };
}

function covered(by: string): Covered {
  return { covered: by };
}

const CHANGE = covered("a change of this word follows, which is a barrier and decides");
const ROLE = covered("its role: the kernel's lock on the byte is a barrier before and after");
const ALONE = covered("the value alone decides: nothing that is loaded later belongs to it");
const AGAIN = covered(
  "a guess: the condition is loaded again by an acquire before anything is done",
);
const PEOPLE = covered("for people: nothing depends on it");
const TOUCH = covered(
  "it touches the page: only a fault counts, or that it is the first page still",
);
const FIXED = covered("it is written before the file has a name, and never changes");
const HINT = covered("a hint: the change of the descriptor's word (P1, P2) decides, a barrier");
const KERNEL = covered("a call of the kernel before or after it, which is a barrier");
const READS = covered(
  'P2: it orders the reads before it, which the model keeps before every later store; see "Load ' +
    'buffering" in README.md',
);
const EMPTIED = covered("the role: only a new holder empties a lane, before it stores open");
const SUCCESSION = covered(
  "P1: the release of the generation, or of the seat's state, comes later",
);
const NARROW = covered(
  "P4 of calls needs it, but only three preemptions show that: more than a search can try",
);

/** All of them: for each file the words as they are written there, `@2` for the second such place. */
export const ORDERS: Readonly<Record<string, Readonly<Record<string, Order>>>> = {
  "babus/slot_words.ts": {
    "this.published.load": found("babus-lap"),
    "this.#stamps[sequence % this.plan.entries]!.store": covered(
      "P2: `published` is released after it, and a reader goes by that",
    ),
  },
  "babus/write_lock.ts": {
    "this.#owner.load": CHANGE,
    "this.#owner.store": found("babus-writers"),
  },
  "calls/board.ts": {
    "this.#word(call).load": NARROW,
    "state.load": ROLE,
    "server.generation.load": ROLE,
    "server.state.store": SUCCESSION,
    "tail.load": ROLE,
    "pair.broken.store": SUCCESSION,
    "tail.store": covered("P2: `returned` is released after it"),
    "head.load": covered("the requests up to it are not read: the next server gets them"),
    "pair.returned.store": SUCCESSION,
    "tail.load@2": ROLE,
    "returned.load": ROLE,
    "adopted.store": covered("P2: the tail, or `returned`, is released after it"),
    "returned.store": SUCCESSION,
  },
  "calls/calls.ts": {
    'wordOf("server_seats", place).store': FIXED,
    'wordOf("retry", place).store': FIXED,
    'wordOf("server_seats", region).load': FIXED,
    'wordOf("retry", region).load': FIXED,
  },
  "calls/client.ts": { "seat.generation.load": ROLE },
  "calls/in_hand.ts": {
    "load?.store": covered("C6: a load that is wrong costs only balance"),
    "this.#load?.store": covered("C6: a load that is wrong costs only balance"),
    "this.#load.store": covered("C6: a load that is wrong costs only balance"),
  },
  "calls/inbox.ts": {
    "pair.broken.load": ROLE,
    "pair.broken.store": SUCCESSION,
    "this.tail.load": ROLE,
    "client.generation.load": ALONE,
    "this.pair.broken.store": covered("the ring of the client's bell comes after it"),
    "client.pair.client.generation.load": ALONE,
    "client.pair.client.generation.load@2": ALONE,
    "pair.client.generation.load": ALONE,
  },
  "calls/link.ts": {
    "pair.server.generation.load": AGAIN,
    "this.pair.server.generation.load": AGAIN,
    "this.pair.server.state.load": ALONE,
    "this.pair.broken.load": ALONE,
    "this.pair.server.load.load": covered("C6: a load that is wrong costs only balance"),
    "this.#requests.tail.load": covered("C6: a load that is wrong costs only balance"),
    "this.#requests.tail.load@2": ALONE,
    "server.generation.load": covered(
      "P1: `returned` and `adopted` acquire after it, and are as new as the look that found another " +
        "generation",
    ),
    "returned.load": covered("P2: both are stored before the generation that was seen"),
    "adopted.load": covered("P2: both are stored before the generation that was seen"),
  },
  "calls/links.ts": { "server.state.load": ROLE },
  "calls/open.ts": {
    "board.pair(clients[index]!, server).broken.load": ROLE,
    "state.load": AGAIN,
  },
  "circular/cursor.ts": {
    "this.ring.published.load": found("circular-poll"),
    "ring.oldest.load": covered("P1: `loadLast` of it follows the head of the record"),
    "ring.published.load": found("circular-join"),
    "ring.published.load@2": ALONE,
  },
  "circular/reader.ts": {
    "this.#ring.writer.state.load": covered("the reader looks at `published` again after it"),
  },
  "circular/writer.ts": {
    "ring.published.load": ROLE,
    "ring.oldest.load": ROLE,
    "ring.writer.state.store": KERNEL,
    "this.#ring.writer.state.store": covered("`published` was released before it"),
  },
  "lane/endpoint.ts": {
    "this.#own.store": KERNEL,
    "peers[this.#watched]!.state.load": ALONE,
    "peers[index]!.state.load": covered("P1: the head acquires after it"),
    "this.#own.store@2": found("spsc-closes"),
  },
  "lane/fan_in.ts": {
    "this.#hint.load": covered("P1: the receiver's barrier before it sleeps (doorbell.ts, P1)"),
    "this.#hint.load@2": CHANGE,
  },
  "lane/lane.ts": {
    "this.head.load": ROLE,
    "this.tail.load": READS,
    "this.tail.load@2": ALONE,
    "this.tail.load@3": READS,
    "this.tail.load@4": ROLE,
    "this.head.load@2": found("spsc-poll-dies"),
    "this.taken.load": ROLE,
    "this.head.load@3": found("mpsc-flow"),
    "this.taken.store": ROLE,
    "this.taken.store@2": ROLE,
    "this.taken.store@3": ROLE,
    "head.store": EMPTIED,
    "tail.load": EMPTIED,
    "tail.store": EMPTIED,
    "head.load": EMPTIED,
    "taken.store": EMPTIED,
    "tail.load@2": EMPTIED,
  },
  "mpsc/consumer.ts": {
    "generation.load": AGAIN,
    "this.#generation.load": covered("P1: the head was acquired before it"),
  },
  "mpsc/mpsc.ts": {
    "head.load": AGAIN,
    "new Word32(mapping, LANE.fields.tail, control).load": AGAIN,
  },
  "region/region.ts": { "this.#state.load": ROLE, "magic.load": TOUCH },
  "region/seats.ts": {
    "state.load": covered("the question to the kernel whether the role is held, a barrier"),
    "state.load@2": covered("the question to the kernel whether the role is held, a barrier"),
    "word.load": ROLE,
    "word.store": ROLE,
    "this.#used.load": ALONE,
    "word.load@2": CHANGE,
  },
  "shared/rw_queue.ts": {
    "row.pid.store": PEOPLE,
    "this.#tickets.load": CHANGE,
    "seat.row.turn.store": covered("P1: the change of `tickets` follows, a barrier"),
    "this.#row(index).turn.load": covered(
      "P3, P4: `torn` acquires after it, before the caller enters",
    ),
    "this.#row(i).turn.load": PEOPLE,
    ".pid.load": PEOPLE,
    "turn.load": ROLE,
    "this.#torn.store": covered("P4: the turn is released after it"),
    "turn.store": found("rw-repair"),
    "seat.row.turn.store@2": covered("it tells only that data may be torn; the data comes later"),
    "this.#torn.load": covered("P4: the turns acquired before it"),
    "this.#torn.store@2": covered("P3: the turn is released after it"),
    "seat.row.turn.store@3": found("rw-exclusive"),
    "this.#row(index).turn.load@2": AGAIN,
  },
  "shared/shared_memory.ts": { "this.#references.store": PEOPLE },
  "spsc/spsc.ts": {
    "new Word32(mapping, LANE.fields[word], base).load": ROLE,
    "this.#at.store": ROLE,
    "this.#count.store": ROLE,
    "this.#count.load": ROLE,
    "this.#count.load@2": ROLE,
    "this.#at.load": ROLE,
    "this.#count.load@3": ALONE,
    "own.load": ROLE,
  },
  "vdds/audience.ts": {
    "ring.members.load": found("vdds-join"),
    "reader.online.load": covered("P4: `members` is changed after it, and was acquired before"),
    "reader.used.load": ROLE,
    "this.#ring.reader(k).row[d]!.load": CHANGE,
  },
  "vdds/cursor.ts": {
    "this.ring.latest.load": found("vdds-observer"),
    "ring.latest.load": PEOPLE,
  },
  "vdds/descriptors.ts": {
    "this.#number(d).load": covered("P6: `loadLast` of the same word follows the copy"),
    "references.load": HINT,
  },
  "vdds/feed.ts": { "this.ring.writer.state.load": found("vdds-history-flow") },
  "vdds/free_descriptors.ts": {
    "ring.available.load": HINT,
    "available.load": HINT,
    "word.load": READS,
    "word.load@2": CHANGE,
    "word.load@3": CHANGE,
  },
  "vdds/publisher.ts": {
    "ring.writer.state.store": KERNEL,
    "ring.writer.state.store@2": found("vdds-join"),
  },
  "vdds/quota.ts": {
    "reader.row[d]!.load": covered("only this publisher stores the stamps that it looks for"),
    "row[d]!.load": covered(
      "a release that it sees late counts against the reader, which is a miss",
    ),
  },
  "vdds/sources.ts": { "this.#changes.load": ALONE },
  "vdds/vring.ts": {
    "this.spaceBell.word.load": covered("a guess at when to ring: the ring loads the bell itself"),
    "word.load": CHANGE,
    "this.reader(k).online.load": ALONE,
    "this.reader(k).row[d]!.load": PEOPLE,
  },
  "vdds/vring_reader.ts": {
    "this.words.used.load": ROLE,
    "ring.reader(k).online.load": ALONE,
    "reader.words.first.store": covered("the change of `members` follows, a barrier"),
    "reader.words.online.store": covered("the change of `members` follows, a barrier"),
    "pins[d]!.load": CHANGE,
    "word.load": CHANGE,
    "pin.load": CHANGE,
    "pin.load@2": covered("P3: the change of the word before it, a barrier"),
    "this.words.used.load@2": HINT,
    "word.load@2": ALONE,
    "this.words.first.load": covered("P1: the change of the row's word before it, a barrier"),
    "this.words.used.load@3": found("vdds-hold", "--preemptions", "1", "--reorderings", "2"),
    "this.words.row[d]!.load": found("vdds-wait"),
  },
  "vdds/vring_writer.ts": {
    "ring.latest.store": covered("an observer that sees an older one takes no sample too many"),
    "this.#ring.descriptors.pins[d]!.load": ROLE,
    "reader.row[d]!.load": HINT,
    "reader.row[d]!.load@2": HINT,
    "this.#ring.descriptors.references[d]!.store": covered(
      "P1: the changes of the words follow, barriers",
    ),
    "this.#ring.descriptors.pins[d]!.store": found("vdds-history"),
    "word.load": CHANGE,
  },
  "wait/doorbell.ts": {
    "this.word.load": covered(
      "P1: the sleeper's barrier; before a FencedDoorbell is rung, a change or an acquire of " +
        "`members` comes between",
    ),
    "word.load": TOUCH,
    "loop?.load": covered("P2: the add of the kernel before it, a barrier"),
  },
  "wait/hall.ts": {
    "this.groups.load": covered("P3: the raise before it, a change; and the exchange after it"),
  },
  "wait/reactor.ts": { "this.#control.load": found("hearing-both") },
  "wait/ready_set.ts": { "bell.word.load": AGAIN, "condition.bell.loop!.load": AGAIN },
  "wait/sleep.ts": {
    "bell.word.load": found("doorbell-loop"),
    "word.load": AGAIN,
  },
  "wait/spin.ts": {
    "watch.load": AGAIN,
    "watch.spinWhile": AGAIN,
  },
  "wait/until.ts": { "watch.load": AGAIN, "bell.word.load": TOUCH },
};

/** The weaker form of each operation. */
const WEAKER: Readonly<Record<string, string>> = {
  store: "storePlainly",
  load: "glance",
  spinWhile: "spinPlainlyWhile",
};

/** A word, which may be an element or the result of a call, and its operation. */
const SITE =
  /((?:new )?(?:[\w.#!?]|\([^()]*\)|\[(?:[^[\]]|\[[^\]]*\])*\])+\.(store\(|load\(\)|spinWhile\())/g;

/** Accesses of plain values, and of fields by codecs. */
const PLAIN = /(descriptors|this|form)\.store\($/;

/** A place in a source that acquires or releases a word. */
export interface Site {
  readonly key: string;
  readonly operation: string;
  /** The index of the operation in the source. */
  readonly at: number;
}

/** Leaves, files without words, whose values are stored and loaded, and what only measures. */
const LEFT_OUT = /^(memory\/word|os\/|layout\/|encoder|decoder|codec|landing|struct|cli\/)/;

/** Returns all such places of a file in src. */
export function ordersIn(file: string, source: string): Site[] {
  if (LEFT_OUT.test(file)) return [];
  const counts = new Map<string, number>();
  const sites: Site[] = [];
  let start = 0;
  for (const line of source.split("\n")) {
    const code = /^\s*(\*|\/\/|\/\*)/.test(line) ? "" : line.split(" // ")[0]!;
    for (const { 1: all, 2: call, index } of code.matchAll(SITE)) {
      if (PLAIN.test(all!)) continue;
      const operation = call!.split("(")[0]!;
      const name = all!.slice(0, -call!.length).replace(/^!/, "") + operation;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      const at = start + index + all!.length - call!.length;
      sites.push({ key: count === 1 ? name : `${name}@${count}`, operation, at });
    }
    start += line.length + 1;
  }
  return sites;
}

/** Returns the source of a file with one access weakened, to be run from anywhere. */
export function weakened(file: string, source: string, key: string): string {
  const site = ordersIn(file, source).find((site) => site.key === key);
  if (site === undefined) throw new RangeError(`src/${file} has no ${key}`);
  const { at, operation } = site;
  const weaker = source.slice(0, at) + WEAKER[operation] + source.slice(at + operation.length);
  return anywhere(weaker, file);
}

/** The sources of src, by their names in there. */
export async function* sources(folder = SRC): AsyncGenerator<[file: string, source: string]> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sources(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) {
      const url = new URL(name, folder);
      yield [url.pathname.slice(SRC.pathname.length), await Deno.readTextFile(url)];
    }
  }
}
