/**
 * Words and a message on simulated memory, and parties whose operations are tried in every order,
 * as a processor may reorder them too: the library's explorer, in the vocabulary of chapter 11.
 *
 * A party may be run again from its start, with the results of its earlier operations. So its code
 * must depend on nothing else.
 *
 * @module
 */

import {
  currentActor,
  decode,
  exploreSync,
  type Inode,
  process,
  Run,
  type Scenario,
} from "../../test/explore/engine/mod.ts";
import { copyIn, copyOut, type Memory, Word64 } from "../../test/explore/leaves/word.ts";

/** A word as a party sees it. Each call is one operation. */
export interface OrderedWord {
  /** Stores, after every earlier store of this party: a release. */
  store(value: number): void;
  /** Stores, in no order with other stores. */
  storePlainly(value: number): void;
  /** Stores; nothing that follows comes before it. It costs a barrier. */
  storeFirst(value: number): void;
  /** Loads, before every later load of this party: an acquire. */
  load(): number;
  /** Loads, in no order with other loads. */
  glance(): number;
  /** Loads; nothing that precedes comes after it. It costs a barrier. */
  loadLast(): number;
  /** Stores and returns what was there, in order with everything. */
  exchange(value: number): number;
}

/** What parties share. The bytes of the message are copied in two halves, in no order. */
export interface OrderedMemory {
  readonly x: OrderedWord;
  readonly y: OrderedWord;
  /** Counts messages, or changes of one. */
  readonly count: OrderedWord;
  /** Writes the message. */
  write(message: string): void;
  /** Reads the message. */
  read(): string;
}

/** The code of parties, by name. What they return is judged at the end of a run. */
export type Parties = Readonly<Record<string, (memory: OrderedMemory) => unknown>>;

/** An operation of a run: its party, its text, and what others can see after it. */
export interface OrderedEvent {
  readonly party: string;
  readonly text: string;
  readonly values: Readonly<Record<string, number | string>>;
}

/** What trying every order found. */
export class Found {
  /** The number of different states. */
  readonly states: number;
  /** What is wrong with a run; undefined if every run ends right. */
  readonly wrong: string | undefined;
  /** The operations of that run. */
  readonly events: readonly OrderedEvent[];

  constructor(states: number, wrong?: string, events: readonly OrderedEvent[] = []) {
    this.states = states;
    this.wrong = wrong;
    this.events = events;
  }
}

/** How parties are tried. */
export interface Trial {
  readonly parties: Parties;
  /** Says what is wrong with what the parties returned. */
  readonly check: (results: Readonly<Record<string, unknown>>) => string | undefined;
  /** How many operations may come late or early in a run; with 0, each party's order is kept. */
  readonly reorderings: number;
  /** The words to show; all by default. */
  readonly shown?: readonly string[];
}

/** The length of a message. */
export const MESSAGE_BYTES = 8;
/** The message that is there at first. */
export const FIRST_MESSAGE = "SALT2.00";

const PLACES = { x: 0, y: 64, count: 128 };
const MESSAGE = 192;
const SIZE = 256;
const FILE = "/dev/shm/shared";
const MOST_STATES = 200_000;

const encoder = new TextEncoder();
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Maps the memory of the run into the party whose code runs. */
function mapped(inode: Inode): OrderedMemory {
  const own = process();
  const address = own.addresses(SIZE);
  own.ranges.push({ start: address, end: address + SIZE, inode, offset: 0 });
  const bytes = new Uint8Array(SIZE);
  const memory = { address, bytes, buffer: bytes.buffer } as Memory;
  const word = (path: keyof typeof PLACES) => new Word64(memory, { path, offset: PLACES[path] });
  return {
    x: word("x"),
    y: word("y"),
    count: word("count"),
    write: (message) => copyIn(memory, MESSAGE, encoder.encode(message)),
    read: () => {
      const message = new Uint8Array(MESSAGE_BYTES);
      copyOut(memory, MESSAGE, message);
      return textOf(message);
    },
  };
}

function scenarioOf({ parties, check, reorderings }: Trial): Scenario {
  return {
    name: "order",
    about: "",
    setup: () => {
      const inode = process().makeInode("shared", SIZE);
      currentActor().local((world) => {
        world.setBytes(inode, MESSAGE, encoder.encode(FIRST_MESSAGE));
        world.share(inode);
        world.setName(FILE, inode);
      });
    },
    actors: Object.fromEntries(
      Object.entries(parties).map(([name, code]) => [
        name,
        () => code(mapped(currentActor().world.names.get(FILE)!)),
      ]),
    ),
    bounds: { preemptions: 9, deaths: 0, noise: 0, reorderings },
    check: ({ results }) => check(results),
  };
}

/** Tries every order. */
export function tryOrders(trial: Trial): Found {
  const scenario = scenarioOf(trial);
  const { finding, states, exhausted } = exploreSync(scenario, {
    shortest: true,
    states: MOST_STATES,
  });
  if (finding === undefined) {
    if (exhausted) return new Found(states);
    throw new Error(`Cannot try every order: there are more than ${MOST_STATES} states`);
  }
  if (finding.kind !== "invariant") {
    throw new Error(`Cannot try every order: ${finding.message.split("\n")[0]}`);
  }
  const why = finding.message.split("\n")[0]!;
  return new Found(states, why, replayed(scenario, finding.token, trial.shown));
}

/** The operations of a run, with what is visible after each. */
function replayed(
  scenario: Scenario,
  token: string,
  shown: readonly string[] = [...Object.keys(PLACES), "message"],
): OrderedEvent[] {
  const events: OrderedEvent[] = [];
  const { codes } = decode(token);
  const bounds = { preemptions: Infinity, deaths: 0, noise: 0, reorderings: Infinity };
  const run = new Run(scenario, bounds, {
    observe: ({ actor = "", what }) => {
      const [inode] = run.world.inodes;
      const all: Record<string, number | string> = {};
      for (const name of shown) {
        all[name] = name === "message"
          ? textOf(inode!.bytes.subarray(MESSAGE, MESSAGE + MESSAGE_BYTES))
          : inode!.words[PLACES[name as keyof typeof PLACES] / 4]!;
      }
      events.push({ party: actor, text: inWords(what), values: all });
    },
  });
  void run.begin(); // no party is asynchronous
  for (const code of codes) {
    void run.follow(run.choices().find((each) => each.code === code), { next: () => undefined });
  }
  return events;
}

/** An operation of the explorer in the words of this chapter. */
function inWords(what: string): string {
  const hex = (digits: string) => `"${textOf(Uint8Array.fromHex(digits))}"`;
  return what
    .replace(/copy in (\w+) at \d+/, (_, digits) => `writes ${hex(digits)}`)
    .replace(/copy out at \d+ -> (\w+)/, (_, digits) => `reads ${hex(digits)}`)
    .replace(/(\w+) (?:plain )?store (\d+)/, "$1 = $2")
    .replace(/(\w+) store first (\d+)/, "$1 = $2, then a barrier")
    .replace(/(\w+) load -> (\d+)/, "looks: $1 is $2")
    .replace(/(\w+) load last -> (\d+)/, "barrier; looks: $1 is $2")
    .replace(/(\w+) exchange (\d+) -> (\d+)/, "exchanges $1: $3, now $2")
    .replace(/\(its store becomes visible\) (.*)/, "$1: now visible")
    .replace(" (not visible yet)", ": not visible yet")
    .replace(" (served early)", ": served early");
}
