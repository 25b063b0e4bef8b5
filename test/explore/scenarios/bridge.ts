/**
 * Bridges that pass samples on to each other, over a simulated network: each takes a sample at most
 * once, in order, and none of its own, whatever way it took.
 *
 * The decisions are the shipped ones (src/bridge/numbers.ts). The network between them is simulated:
 * a link for each sender and receiver delivers in order and may drop, and links have no order among
 * each other. A bridge takes from its links in any order.
 *
 * ```
 *        .--> b --.
 *     a  |   ^ |  +--> d        b and c also send back to a
 *        '--> c --'
 * ```
 *
 * @module
 */

import { mayEnter, Numbers } from "../../../src/bridge/numbers.ts";
import { Word32 } from "../../../src/memory/word.ts";
import { currentActor } from "../engine/mod.ts";
import { type Actor, makeMemory, mapMemory, type Scenario, scenarios } from "../scenario.ts";

const HOSTS = ["a", "b", "c", "d"] as const;
type Host = typeof HOSTS[number];

const SAMPLES = 2;
const HOPS_MAX = 3;
const LINK_MAX = 7; // the most messages on a link
const LINK_BYTES = 64 * (1 + LINK_MAX);

/** The links by sender: to which hosts it sends. */
const LINKS: Readonly<Record<Host, readonly Host[]>> = {
  a: ["b", "c"],
  b: ["c", "d", "a"],
  c: ["b", "d", "a"],
  d: [],
};

/** A sample as it crosses a link. */
interface Message {
  readonly host: Host;
  readonly sequence: number;
  readonly hops: number;
}

/** What a bridge has published, and counted as missing. */
interface Published {
  readonly samples: readonly Message[];
  readonly missing: number;
}

/** Decides something that the network decides: all ways are searched. */
function chance(label: string, choices: number): number {
  const perform = (_world: unknown, _thread: number, choice: number) => choice;
  return currentActor().operate({ label: () => label, perform, choices: () => choices });
}

/** A link between two hosts: a count, and the messages, each a word. */
class Link {
  readonly #words: readonly Word32[];
  #count = 0; // sent, or taken

  constructor(from: Host, to: Host) {
    const memory = mapMemory("links");
    const start = LINK_BYTES * (4 * HOSTS.indexOf(from) + HOSTS.indexOf(to));
    this.#words = Array.from(
      { length: 1 + LINK_MAX },
      (_, i) => new Word32(memory, { path: `${from} to ${to} ${i}`, offset: start + 64 * i }),
    );
  }

  send({ host, sequence, hops }: Message): void {
    this.#count++;
    this.#words[this.#count]!.store(sequence * 64 + hops * 8 + HOSTS.indexOf(host));
    this.#words[0]!.store(this.#count);
  }

  take(): Message | undefined {
    if (this.#words[0]!.load() === this.#count) return undefined;
    const word = this.#words[++this.#count]!.load();
    return { host: HOSTS[word & 7]!, sequence: word >> 6, hops: word >> 3 & 7 };
  }
}

/** Decides whether to publish a sample: the shipped way, or one that is broken. */
type Decide = (message: Message, own: Host, numbers: Numbers) => number | undefined;

const shipped: Decide = ({ host, sequence, hops }, own, numbers) => {
  if (!mayEnter({ host, hops, incarnation: 1 }, own, HOPS_MAX)) return undefined;
  if (numbers.enter(1) === "ended") return undefined;
  return numbers.accept(sequence);
};

/** Broken: knows its own samples and the limit, and publishes everything else. */
const withoutNumbers: Decide = ({ host, hops }, own) =>
  mayEnter({ host, hops, incarnation: 1 }, own, HOPS_MAX) ? 0 : undefined;

/** Broken: drops what is not new, and takes its own. */
const withoutHome: Decide = ({ sequence }, _own, numbers) => {
  numbers.enter(1);
  return numbers.accept(sequence);
};

/** A bridge that takes what comes on its links, in any order, and passes it on. */
function bridge(own: Host, decide: Decide, turns: number): Actor {
  return (): Published => {
    const sources = HOSTS.filter((host) => LINKS[host].includes(own));
    const inputs = sources.map((host) => new Link(host, own));
    const outputs = LINKS[own].map((host) => new Link(own, host));
    const numbers = new Numbers();
    const samples: Message[] = [];
    let missing = 0;
    if (own === "a") {
      for (let sequence = 1; sequence <= SAMPLES; sequence++) {
        for (const output of outputs) {
          if (chance("the network drops or delivers", 2) === 0) {
            output.send({ host: own, sequence, hops: 1 });
          }
        }
      }
    }
    for (let turn = 0; turn < turns; turn++) {
      const link = inputs[chance(`${own} takes from a link`, inputs.length)]!;
      const message = link.take();
      if (message === undefined) continue;
      const gap = decide(message, own, numbers);
      if (gap === undefined) continue;
      missing += gap;
      samples.push(message);
      const onward = { ...message, hops: message.hops + 1 };
      for (const output of outputs) output.send(onward);
    }
    return { samples, missing };
  };
}

/** Each bridge has published what grows, nothing of its own, and counted what is missing. */
const check: Scenario["check"] = ({ results }) => {
  for (const [name, published] of Object.entries(results as Record<Host, Published | undefined>)) {
    if (published === undefined) continue;
    const { samples, missing } = published;
    if (samples.some(({ host }) => host === name)) return `${name} published its own sample`;
    if (samples.some(({ hops }) => hops > HOPS_MAX)) {
      return `${name} took a sample of too many hops`;
    }
    const numbers = samples.map(({ sequence }) => sequence);
    const isGrowing = numbers.every((number, i) => i === 0 || number > numbers[i - 1]!);
    if (!isGrowing) return `${name} published ${numbers.join(", ")}`;
    const range = numbers.length === 0 ? 0 : numbers.at(-1)! - numbers[0]! + 1;
    if (numbers.length + missing !== range) return `${name} counted ${missing} missing of ${range}`;
  }
  return undefined;
};

const setup = () => makeMemory("links", LINK_BYTES * 16);

function actors(
  decide: Decide,
  turns: Readonly<Record<Host, number>>,
  hosts: readonly Host[] = HOSTS,
) {
  return Object.fromEntries(hosts.map((host) => [host, bridge(host, decide, turns[host])]));
}

const FEW = { a: 1, b: 2, c: 2, d: 2 };

/** All scenarios of bridges. */
export const BRIDGES: readonly Scenario[] = scenarios([
  {
    name: "bridge-transit",
    about: "four bridges pass samples on, by several ways; each takes a sample once, in order",
    setup,
    actors: actors(shipped, FEW),
    bounds: "2/0/0",
    short: 0,
    check,
  },
  {
    name: "bridge-triangle",
    about: "three bridges in a ring; no sample comes home, or comes twice",
    setup,
    actors: actors(shipped, { ...FEW, a: 2, b: 3 }, ["a", "b", "c"]),
    bounds: "2/0/0",
    short: 0,
    check,
  },
  {
    name: "broken-bridge-duplicates",
    about: "without the removal of duplicates a sample is published twice",
    expect: "invariant",
    setup,
    actors: actors(withoutNumbers, FEW),
    bounds: "2/0/0",
    short: 0,
    check,
  },
  {
    name: "broken-bridge-home",
    about: "without a look at the origin a sample comes home",
    expect: "invariant",
    setup,
    actors: actors(withoutHome, FEW),
    bounds: "2/0/0",
    short: 1,
    check,
  },
]);
