/**
 * A peer that writes any of a few values into any word, once or twice, at any moment.
 *
 * The parties send and receive with a time limit. Whatever was written, each operation ends, and
 * throws no error but a documented one: the search reports every other error, an access outside of
 * the memory, and a run without an end. If only bells and claims of event loops were hit, every
 * message arrives, once and in order: a bell only decides when a party looks.
 *
 * @module
 */

import { domain } from "../../../src/babus/definition.ts";
import { calls } from "../../../src/calls/definition.ts";
import { circular } from "../../../src/circular/definition.ts";
import { bytes } from "../../../src/codec.ts";
import {
  ClosedError,
  CorruptRegionError,
  LayoutMismatchError,
  LostError,
  PeerLostError,
  RemoteError,
  RoleTakenError,
} from "../../../src/errors.ts";
import { isCount } from "../../../src/layout/sizes.ts";
import { copyIn, copyOut, type Memory, Word32 } from "../../../src/memory/word.ts";
import { mpsc } from "../../../src/mpsc/definition.ts";
import { REGION_HEADER } from "../../../src/region/header.ts";
import { type RwLock, rwLock } from "../../../src/shared/rw_lock.ts";
import { spsc } from "../../../src/spsc/definition.ts";
import { topic } from "../../../src/vdds/definition.ts";
import { CREDULOUS } from "../broken/seats.ts";
import { currentActor, nameOf, type World } from "../engine/mod.ts";
import {
  type ActorSpec,
  arranged,
  type End,
  immortal,
  makeMemory,
  mapMemory,
  messageOf,
  pair,
  pattern,
  type Row,
  type Scenario,
  scenarios,
  unarranged,
} from "../scenario.ts";

const LENGTH = 40;
const MESSAGES = 2;

/** No multiple of a slice, which only a death could end. */
const WAIT = { spin: 0, timeout: 110 };

const DOCUMENTED = [
  ClosedError,
  CorruptRegionError,
  LayoutMismatchError,
  LostError,
  PeerLostError,
  RemoteError,
  RoleTakenError,
  DOMException, // a time-out
];

/** How often an act is tried that a lowered bell may delay beyond the time limit. */
const TRIES = 3;

/** Runs an act until it ends in time, and returns the name of the last documented error. */
function inTime(tries: number, act: () => unknown): string {
  let outcome = "TimeoutError";
  for (let left = tries; left > 0 && outcome === "TimeoutError"; left--) outcome = guarded(act);
  return outcome;
}

/** Runs an act, and returns the name of a documented error. */
function guarded(act: () => unknown): string {
  try {
    act();
    return "ok";
  } catch (error) {
    if (DOCUMENTED.some((kind) => error instanceof kind)) return (error as Error).name;
    throw error;
  }
}

/** The values that are written into a word, by the value before. */
const VALUES: readonly ((before: number) => number)[] = [
  () => 0,
  () => 1,
  () => 0xffffffff,
  () => 0x80000000,
  (before) => before + 8,
  (before) => before - 8,
];

/**
 * Finds the words of a region that its handles have named, and the first numbers of its data; returns
 * their indices, which are the same in every run.
 */
function targetsIn(path: string, isTarget: (name: string) => boolean): number[] {
  const inode = currentActor().world.names.get(path)!;
  const { data_offset } = REGION_HEADER.read(inode.bytes);
  const data = Number(data_offset) >> 2;
  const indices = new Set([...inode.names.keys(), data, data + 1]);
  return [...indices].sort((a, b) => a - b).filter((index) => isTarget(nameOf(inode, index)));
}

/** Writes so many times; each time any value into any target. */
function scribbler(path: string, targets: () => readonly number[], times: number): ActorSpec {
  const write = (world: World, choice: number) => {
    const inode = world.names.get(path)!;
    const index = targets()[Math.floor(choice / VALUES.length)]!;
    const before = inode.words[index]!;
    const value = VALUES[choice % VALUES.length]!(before) >>> 0;
    if (value !== before) world.setWord(inode, index, value);
    return `${nameOf(inode, index)} = ${value}`;
  };
  return immortal(() => {
    for (let i = 0; i < times; i++) {
      currentActor().operate({
        label: () => "scribbles",
        perform: (world, _thread, choice) => write(world, choice),
        choices: () => targets().length * VALUES.length,
      });
    }
  });
}

/** A product under attack. */
interface Play {
  readonly path: string;
  /** Opens the end that sends, and returns how it sends a message. */
  send(): ((message: Uint8Array) => unknown) & Partial<Disposable>;
  /** Opens the end that receives, and returns how it receives one; undefined if there is none. */
  receive(): (() => Uint8Array | undefined) & Partial<Disposable>;
}

/** Gives a function the close of a handle. */
function closing<F>(act: F, handle: Disposable): F & Disposable {
  return Object.assign(act as F & object, { [Symbol.dispose]: () => handle[Symbol.dispose]() }) as
    & F
    & Disposable;
}

const RING = { capacity: 512, persist: true };

const PLAYS: Readonly<Record<string, Play>> = {
  spsc: {
    path: "/dev/shm/vring.spsc.ring",
    send() {
      const producer = spsc("ring", RING).producer({ onPeerGone: "wait" });
      return closing((message) => producer.sendSync(message, WAIT), producer);
    },
    receive() {
      const consumer = spsc("ring", RING).consumer({ onPeerGone: "wait" });
      return closing(() => consumer.receiveSync(WAIT)?.value, consumer);
    },
  },
  mpsc: {
    path: "/dev/shm/vring.mpsc.ring",
    send() {
      const producer = mpsc("ring", { ...RING, producers: 2 }).producer({ onPeerGone: "wait" });
      return closing((message) => producer.sendSync(message, WAIT), producer);
    },
    receive() {
      const consumer = mpsc("ring", { ...RING, producers: 2 }).consumer({ onPeerGone: "wait" });
      return closing(() => consumer.receiveSync(WAIT)?.value, consumer);
    },
  },
  circular: {
    path: "/dev/shm/vring.circular.ring",
    send() {
      const writer = circular("ring", RING).writer();
      return closing((message) => writer.trySend(message), writer);
    },
    receive() {
      const reader = circular("ring", RING).reader();
      return closing(() => reader.receiveSync(WAIT)?.value, reader);
    },
  },
  vdds: {
    path: "/dev/shm/vring.topic.topic",
    send() {
      const publisher = topic("topic", TOPIC).publisher();
      return closing((message) => publisher.sendSync(message, WAIT), publisher);
    },
    receive() {
      const subscriber = topic("topic", TOPIC).subscriber();
      return closing(() => subscriber.receiveSync(WAIT)?.value, subscriber);
    },
  },
  babus: {
    path: "/dev/shm/vring.slot.domain~a",
    send() {
      const slot = DOMAIN.open().slots.a;
      return closing((message) => slot.writeSync(message, WAIT), slot);
    },
    receive() {
      const slot = DOMAIN.open().slots.a;
      return closing(() => slot.nextSync(WAIT).value, slot);
    },
  },
};

const TOPIC = { depth: 2, size: LENGTH, subscribers: 1, persist: true };
const DOMAIN = domain("domain", { a: { type: bytes(LENGTH), depth: 2 } }, { persist: true });

interface Ended {
  readonly outcomes: readonly string[];
  readonly received: readonly number[];
}

function sender(play: Play): ActorSpec {
  return arranged(() => play.send(), (send): Ended => {
    const outcomes: string[] = [];
    for (let message = 1; message <= MESSAGES; message++) {
      outcomes.push(guarded(() => send(pattern(LENGTH, message))));
    }
    outcomes.push(guarded(() => send[Symbol.dispose]?.()));
    return { outcomes, received: [] };
  });
}

/** Receives until it has all, and tries a few times more than there are messages. */
function receiver(play: Play): ActorSpec {
  return arranged(() => play.receive(), (receive): Ended => {
    const outcomes: string[] = [];
    const received: number[] = [];
    for (let left = 2 * MESSAGES; left > 0 && received.length < MESSAGES; left--) {
      outcomes.push(guarded(() => {
        const message = receive();
        if (message !== undefined) received.push(messageOf(message, MESSAGES) ?? 0);
      }));
    }
    return { outcomes, received };
  });
}

/** An actor that may find corrupt memory already as it opens. */
function opening({ arrange, body }: ActorSpec): ActorSpec {
  return unarranged(immortal(() => {
    let opened: unknown;
    const outcome = guarded(() => opened = arrange!());
    return outcome === "ok" ? body(opened as never) : { outcomes: [outcome], received: [] };
  }));
}

/** A product, as the scenarios of all products use it. */
interface Attack {
  /** The file that is attacked. */
  readonly path: string;
  /** Opens all ends, which names the words. */
  ends(): readonly Partial<Disposable>[];
  readonly parties: Readonly<Record<string, ActorSpec>>;
  /** How often bells are hit in a run; twice by default. */
  readonly bells?: number;
  /** Other parties while only bells are hit. */
  readonly whileBells?: Readonly<Record<string, ActorSpec>>;
  /** Whether two preemptions can be searched. */
  readonly isSmall?: boolean;
  /** The most steps of a run, as in a scenario. */
  readonly longest?: number;
  /** Makes other memory in the setup. */
  prepare?(): void;
  /** Returns what must not be, whatever was written. */
  check?(end: End): string | undefined;
  /** Returns what must not be while only bells are hit. */
  checkWithBells(end: End): string | undefined;
}

/** An attack on the way of messages. */
function attackOn(name: string, play: Play): Attack {
  return {
    path: play.path,
    ends: () => [play.send(), play.receive()],
    parties: { receiver: receiver(play), sender: sender(play) },
    isSmall: name === "spsc" || name === "circular",
    checkWithBells({ results }) {
      const { received } = results.receiver as Ended;
      const all = name === "babus" ? received.slice(-1) : received; // a slot has the latest
      return `${all}` === (name === "babus" ? "2" : "1,2") ? undefined : `received ${received}`;
    },
  };
}

// ---- calls ----

const SUMS = () => calls("calls", { capacity: 512, clients: 1, persist: true });

/** The answer to a request. */
function answerTo(request: number): number {
  return request + MESSAGES;
}

/** The outcome of each request: the number of an answer, 0 for torn bytes, or an error. */
interface Asked {
  readonly answers: readonly (number | string)[];
}

/** Asks, each request so many times. */
const asking = (tries: number) =>
  arranged(() => SUMS().client({ onPeerGone: "wait" }), (client): Asked => {
    const answers: (number | string)[] = [];
    for (let request = 1; request <= MESSAGES; request++) {
      let answer: number | undefined;
      const outcome = inTime(tries, () => {
        const bytes = client.callSync(pattern(LENGTH, request), WAIT);
        answer = messageOf(bytes, 2 * MESSAGES) ?? 0;
      });
      answers.push(answer ?? outcome);
    }
    const outcome = guarded(() => client.close());
    return { answers: outcome === "ok" ? answers : [...answers, outcome] };
  });

/** Serves a client that asks each request so many times. */
const serving = (tries: number) =>
  arranged(() => SUMS().server(), (server): Ended => {
    const outcomes: string[] = [];
    const received: number[] = [];
    const handle = (bytes: Uint8Array) => {
      const request = messageOf(bytes, MESSAGES) ?? 0;
      received.push(request);
      return pattern(LENGTH, answerTo(request));
    };
    for (let left = (1 + tries) * MESSAGES; left > 0; left--) {
      outcomes.push(guarded(() => server.handleSync(handle, { ...WAIT, limit: 1 })));
      const isAskedAgain = tries > 1 && outcomes.at(-1) !== "TimeoutError";
      if (received.includes(MESSAGES) && !isAskedAgain) break;
    }
    outcomes.push(guarded(() => server.close()));
    return { outcomes, received };
  });

/** Each answer belongs to its request. */
function misanswered({ results }: End): string | undefined {
  const { answers = [] } = results.client as Partial<Asked>;
  const wrong = answers.findIndex((answer, i) =>
    typeof answer === "number" && answer !== answerTo(i + 1)
  );
  return wrong < 0 ? undefined : `request ${wrong + 1} was answered by ${answers[wrong]}`;
}

const CALLS_ATTACK: Attack = {
  path: "/dev/shm/vring.calls.calls",
  ends: () => [SUMS().server(), SUMS().client()],
  parties: { client: asking(1), server: serving(1) },
  bells: 1,
  whileBells: { client: asking(TRIES), server: serving(TRIES) },
  check: misanswered,
  checkWithBells({ results }) {
    const { answers } = results.client as Asked;
    return `${answers}` === "3,4" ? undefined : `answered ${answers}`;
  },
};

// ---- the reader/writer lock ----

const TABLE = () => rwLock("table", { persist: true });
const INSIDE = { path: "inside", offset: 0 };

/** Acquires the lock in several ways; notes how each ended, and whether a writer was met inside. */
function visiting(...acts: ((lock: RwLock) => Disposable)[]): ActorSpec {
  return arranged(() => ({ lock: TABLE().open(), memory: mapMemory("shared") }), (given) => {
    const { lock, memory } = given;
    const inside = new Word32(memory, INSIDE);
    let met = 0;
    const outcomes = acts.map((act) =>
      inTime(TRIES, () => {
        using _permit = act(lock);
        if (inside.add(1) !== 0) met++;
        inside.add(-1);
      })
    );
    outcomes.push(guarded(() => lock.close()));
    return { outcomes, met };
  });
}

const RW_ATTACK: Attack = {
  path: "/dev/shm/vring.rwlock.table",
  ends: () => {
    const locks = [TABLE().open(), TABLE().open()];
    for (const lock of locks) using(lock.tryWrite());
    return locks;
  },
  parties: {
    writer: visiting((lock) => lock.writeSync(WAIT), (lock) => lock.readSync(WAIT)),
    other: visiting((lock) => lock.writeSync(WAIT)),
  },
  longest: 4000, // a look at all 128 seats
  prepare: () => makeMemory("shared", 64),
  checkWithBells({ results }) {
    for (const [name, result] of Object.entries(results)) {
      const { outcomes, met } = (result ?? { outcomes: [], met: 0 }) as {
        outcomes: string[];
        met: number;
      };
      if (met > 0) return `${name} met another inside`;
      if (outcomes?.some((outcome) => outcome !== "ok")) return `${name} ended with ${outcomes}`;
    }
    return undefined;
  },
};

/** Disposes of something at once. */
function using(thing: Disposable | undefined): void {
  thing?.[Symbol.dispose]();
}

const isBell = (name: string) => /bell|loop/.test(name);

/** The scenarios of a product. */
function rowsOf(name: string, attack: Attack): Row[] {
  const { path, parties, isSmall = false, check = () => undefined, checkWithBells } = attack;
  let targets: number[] = [];
  const prepare = (isTarget: (name: string) => boolean) => () => {
    attack.prepare?.();
    const ends = attack.ends();
    targets = targetsIn(path, isTarget);
    for (const end of ends) end[Symbol.dispose]!();
  };
  const longest = attack.longest === undefined ? {} : { longest: attack.longest };
  const actors = (
    times: number,
    { change = immortal, all = parties }: {
      change?: (party: ActorSpec) => ActorSpec;
      all?: Attack["parties"];
    } = {},
  ) => ({
    ...Object.fromEntries(Object.entries(all).map(([key, party]) => [key, change(party)])),
    scribbler: scribbler(path, () => targets, times),
  });
  return [
    {
      name: `hostile-${name}-once`,
      about: "a peer writes a value into any word at any moment",
      setup: prepare(() => true),
      actors: actors(1),
      bounds: isSmall ? "2/0/0" : "1/0/0",
      short: 0,
      check, // every other error, and a run without an end, is a finding
      ...longest,
    },
    {
      name: `hostile-${name}-twice`,
      about: "a peer writes values into any two words",
      setup: prepare(() => true),
      actors: actors(2),
      bounds: "0/0/0",
      short: 0,
      check,
      ...longest,
    },
    {
      name: `hostile-${name}-open`,
      about: "a peer writes a value into any word while others open",
      setup: prepare(() => true),
      actors: actors(1, { change: opening }),
      bounds: "1/0/0",
      short: 0,
      check,
      ...longest,
    },
    {
      name: `hostile-${name}-bell`,
      about: "a peer writes values into bells, which delays messages and loses none",
      setup: prepare(isBell),
      actors: actors(attack.bells ?? 2, { all: attack.whileBells ?? parties }),
      bounds: "1/0/0",
      short: 0,
      check: checkWithBells,
      ...longest,
    },
  ];
}

/** Scenarios in which one party of a product trusts the memory. */
const TRUSTING: readonly Row[] = [
  {
    ...rowsOf("", { ...RW_ATTACK, parties: { [CREDULOUS]: RW_ATTACK.parties.writer! } })[0]!,
    name: "broken-hostile-seats",
    about: "a party that waits for a lock believes the number of seats",
    expect: "error",
  },
];

const LENGTH_WORD = { path: "length", offset: 0 };

/** A receiver of one message behind its length, which it believes or checks. */
class Message {
  constructor(readonly isBelieved: boolean) {}

  send(memory: Memory, message: Uint8Array): void {
    copyIn(memory, 8, message);
    new Word32(memory, LENGTH_WORD).store(message.length);
  }

  receive(memory: Memory): Uint8Array {
    const length = new Word32(memory, LENGTH_WORD).load();
    if (!this.isBelieved && !isCount(length, LENGTH)) {
      throw new CorruptRegionError(`${length} bytes`);
    }
    const room = new Uint8Array(LENGTH);
    copyOut(memory, 8, room, length);
    return room.subarray(0, length);
  }
}

class Believed extends Message {
  constructor() {
    super(true);
  }
}

class Checked extends Message {
  constructor() {
    super(false);
  }
}

const BROKEN = pair<Message>(
  {
    name: "hostile-length",
    about: "a receiver believes the length of a message, which a hostile peer has changed",
    expect: "error",
  },
  [Believed, Checked],
  (make) => ({
    actors: {
      sender: immortal(() => make().send(mapMemory("shared"), pattern(LENGTH, 1))),
      receiver: immortal(() => guarded(() => make().receive(mapMemory("shared")))),
      scribbler: scribbler("/dev/shm/shared", () => [0], 1),
    },
    bounds: "1/0/0",
    check: () => undefined,
  }),
);

/** All scenarios with a hostile peer. */
export const HOSTILE: readonly Scenario[] = scenarios([
  ...BROKEN,
  ...TRUSTING,
  ...Object.entries(PLAYS).flatMap(([name, play]) => rowsOf(name, attackOn(name, play))),
  ...rowsOf("calls", CALLS_ATTACK),
  ...rowsOf("rw", RW_ATTACK),
]);
