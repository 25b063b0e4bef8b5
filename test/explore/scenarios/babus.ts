/**
 * Slots: several writers, readers that are lapped at every step, listeners that fall asleep, and the
 * death of a writer at every step.
 *
 * A message's bytes say its number: a writer can tell it only once it has the right to write, so two
 * writers at a time would show.
 *
 * @module
 */

import { domain } from "../../../src/babus/definition.ts";
import { SlotDefinition } from "../../../src/babus/geometry.ts";
import type { SlotMessage } from "../../../src/babus/history.ts";
import { Listener } from "../../../src/babus/listener.ts";
import type { SlotReader } from "../../../src/babus/reader.ts";
import type { Slot } from "../../../src/babus/slot.ts";
import { SLOT_CONTROL } from "../../../src/babus/slot_words.ts";
import { bytes, raw } from "../../../src/codec.ts";
import { struct } from "../../../src/struct.ts";
import type { Type } from "../../../src/message.ts";
import { Word32 } from "../../../src/memory/word.ts";
import {
  type Actors,
  type ActorSpec,
  arranged,
  heir,
  immortal,
  last,
  messageOf,
  pattern,
  type Row,
  type Scenario,
  scenarios,
  unarranged,
} from "../scenario.ts";

const LENGTH = 16;
const HIGHEST = 15;
const SIZES = { depth: 2, size: LENGTH };
const ASLEEP = { spin: 0 };

/** Messages as one field, which those that know the type read and write in place. */
const STRUCT = struct("pattern", { bytes: bytes(LENGTH) });
const RAW = raw(STRUCT.type);

const DOMAIN = domain("domain", {}, { persist: true });

function open(name = "a"): Slot {
  return DOMAIN.open().slot(name, { ...SIZES, type: RAW }) as Slot;
}

function openTyped() {
  return DOMAIN.open().slot("a", { ...SIZES, type: STRUCT });
}

/** Writes in place, so that what it says of its number is what it had when it began. */
function writeInPlace(slot: Slot): number {
  const claim = slot.claimSync(LENGTH, ASLEEP);
  const sequence = slot.sequence + 1;
  claim.bytes.set(pattern(LENGTH, sequence));
  return claim.publish();
}

/** The slots of these names, open; one by default. */
function opened(names: readonly string[]): () => Slot[] {
  return () => (names.length === 0 ? ["a"] : names).map((name) => open(name));
}

interface Wrote {
  readonly wrote: number[];
}

/** Writes so many messages, and closes. */
function writer(count: number, ...names: string[]): ActorSpec {
  return arranged(opened(names), (slots): Wrote => {
    const wrote = slots.flatMap((slot) => Array.from({ length: count }, () => writeInPlace(slot)));
    for (const slot of slots) slot.close();
    return { wrote };
  });
}

/** Writes by copy: what it says of its number may be wrong, as others may come first. */
function copier(count: number): ActorSpec {
  return arranged(open, (slot): Wrote => {
    const wrote: number[] = [];
    for (let i = 0; i < count; i++) {
      wrote.push(slot.writeSync(pattern(LENGTH, slot.sequence + 1), ASLEEP));
    }
    slot.close();
    return { wrote };
  });
}

/** Encodes messages in place. */
function encoder(count: number): ActorSpec {
  return arranged(openTyped, (slot): Wrote => {
    const wrote: number[] = [];
    for (let i = 0; i < count; i++) {
      wrote.push(slot.writeSync({ bytes: pattern(LENGTH, slot.sequence + 1) }, ASLEEP));
    }
    slot.close();
    return { wrote };
  });
}

/** Decodes the newest message, and the one before it, in place. */
function decoder(times: number): ActorSpec {
  return arranged(openTyped, (slot): Seen => {
    const seen: Seen["seen"] = [];
    for (let i = 0; i < times; i++) {
      const message = lookBack(slot, 1 - i % 2);
      if (message !== undefined) seen.push([message.sequence, numberOf(message.value.bytes)]);
    }
    slot.close();
    return { seen, lost: 0 };
  });
}

/** Has two writes of one handle under way. */
async function abreast(): Promise<Wrote> {
  const slot = open();
  const write = () => slot.write(pattern(LENGTH, slot.sequence + 1), ASLEEP);
  const wrote = await Promise.all([write(), write()]);
  slot.close();
  return { wrote };
}

interface Seen {
  /** The number of each message that was read, and which one its bytes are. */
  readonly seen: [sequence: number, bytes: number][];
  readonly lost: number;
  readonly news?: string[];
}

const numberOf = (bytes: Uint8Array) => messageOf(bytes, HIGHEST) ?? 0;

/** The newest message, or the one before it: that may be overwritten as soon as its number is known. */
function lookBack<K extends Type>(slot: SlotReader<K>, age: number): SlotMessage<K> | undefined {
  return age === 0 ? slot.latest() : slot.at(slot.sequence - age);
}

/** Looks at the newest, the one before, and in place. */
function reader(times: number): ActorSpec {
  return arranged(open, (slot): Seen => {
    const seen: Seen["seen"] = [];
    for (let i = 0; i < times; i++) {
      const message = lookBack(slot, 1 - i % 2);
      if (message !== undefined) seen.push([message.sequence, numberOf(message.value)]);
    }
    slot.close();
    return { seen, lost: 0 };
  });
}

/** Observes the newest, the one before, and what is new. */
const observer = arranged(
  () => DOMAIN.observer().slot("a", { ...SIZES, type: RAW }),
  (observer): Seen => {
    const seen: Seen["seen"] = [];
    for (const age of [0, 1]) {
      const message = lookBack(observer, age);
      if (message !== undefined) seen.push([message.sequence, numberOf(message.value)]);
    }
    const target = new Uint8Array(LENGTH);
    if (observer.readInto(target) !== LENGTH || numberOf(target) === 0) seen.push([0, 0]);
    const messages = observer.since(1);
    for (const { sequence, value } of messages) seen.push([sequence, numberOf(value)]);
    observer.close();
    return { seen, lost: lostIn(messages) };
  },
);

const peeker = arranged(open, (slot): Seen => {
  const seen: Seen["seen"] = [];
  const peek = slot.peek(slot.sequence - 1);
  if (peek !== undefined) {
    const bytes = numberOf(peek.bytes);
    if (peek.valid) seen.push([peek.sequence, bytes]);
  }
  slot.close();
  return { seen, lost: 0 };
});

/** The number of messages that were missed between others, and before them. */
function lostIn(messages: readonly SlotMessage<Type>[]): number {
  return messages.reduce((sum, { lost }) => sum + lost, 0);
}

/** Looks at all that is new, again and again. */
function follower(times: number): ActorSpec {
  return arranged(open, (slot): Seen => {
    const seen: Seen["seen"] = [];
    let lost = 0;
    let at = 0;
    for (let i = 0; i < times; i++) {
      const messages = slot.since(at);
      for (const { sequence, value } of messages) seen.push([sequence, numberOf(value)]);
      lost += lostIn(messages);
      at = messages.at(-1)?.sequence ?? at;
    }
    slot.close();
    return { seen, lost };
  });
}

/** Waits until the listener has reported message `last` in every slot. */
function listener(last: number, how: "sync" | "async", ...names: string[]): ActorSpec {
  const begin = () => ({ slots: opened(names)(), quiet: open("quiet") });
  return arranged(begin, async ({ slots, quiet }): Promise<Seen> => {
    const listener = new Listener();
    for (const slot of slots) listener.add(slot);
    const news: string[] = [];
    const seen: Seen["seen"] = [];
    while (slots.some((slot) => slot.sequence < last)) {
      const found = how === "sync" ? listener.waitSync(ASLEEP) : await listener.wait(ASLEEP);
      for (const slot of found) {
        news.push(slot.name);
        const { sequence, value } = (slot as Slot).latest()!;
        seen.push([sequence, numberOf(value)]);
      }
    }
    for (const slot of [...slots, quiet]) slot.close();
    return { seen, lost: 0, news };
  });
}

/** The last writer: it can write at once, and the newest messages are whole. */
const finale = last(() => {
  const slot = open();
  const before = slot.sequence;
  const wrote = slot.tryWrite(pattern(LENGTH, before + 1));
  const seen = [0, 1].flatMap((age): Seen["seen"] => {
    const message = lookBack(slot, age);
    return message === undefined ? [] : [[message.sequence, numberOf(message.value)]];
  });
  slot.close();
  return { before, wrote, seen };
});

interface Last {
  readonly before: number;
  readonly wrote: number | undefined;
  readonly seen: Seen["seen"];
}

/** Finds a fault in the messages that an actor saw. */
function fault({ seen, lost, news = [] }: Seen, exact: boolean): string | undefined {
  const wrong = seen.find(([number, bytes]) => bytes === 0 || exact && bytes !== number);
  if (wrong !== undefined) return `read ${wrong[1]} as message ${wrong[0]}`;
  if (lost < 0) return `lost ${lost}`;
  return news.includes("quiet") ? "reported a slot that it did not listen to" : undefined;
}

/** Every message is what its number says, numbers are given once, and nothing published is lost. */
function soundness(first: number, exact = true): Scenario["check"] {
  return ({ results, dead }) => {
    const { last: end, ...others } = results as Record<string, Seen | Wrote | undefined> & {
      last?: Last;
    };
    const wrote: number[] = [];
    for (const [name, result] of Object.entries(others)) {
      if (result === undefined) continue;
      if ("wrote" in result) wrote.push(...result.wrote);
      const wrong = "seen" in result ? fault(result, exact) : undefined;
      if (wrong !== undefined) return `${name} ${wrong}`;
    }
    if (new Set(wrote).size < wrote.length) return `the numbers ${wrote} were given`;
    if (end === undefined) return undefined;
    const wrong = fault({ seen: end.seen, lost: 0 }, exact);
    if (wrong !== undefined) return `in the end one ${wrong}`;
    const most = Math.max(first, ...wrote);
    if (end.before < most || dead.size === 0 && end.before > most) {
      return `in the end there were ${end.before} messages, of ${first} and ${wrote}`;
    }
    if (end.wrote !== end.before + 1) return `in the end ${end.wrote} was written`;
    return end.seen.length === 2 ? undefined : `in the end ${end.seen.length} could be read`;
  };
}

/** Nothing is missing or twice between what a follower saw and what it knows it lost. */
const followed: Scenario["check"] = (end) => {
  const { seen, lost } = end.results.reader as Seen;
  const numbers = seen.map(([number]) => number);
  const ordered = numbers.every((number, i) => i === 0 || number > numbers[i - 1]!);
  const newest = Math.max(0, ...numbers);
  if (!ordered || newest !== numbers.length + lost) return `reader saw ${numbers} and lost ${lost}`;
  return soundness(2)(end);
};

/** Slots in which so many messages were written. */
function prepared(messages: number, ...names: string[]): () => void {
  return () => {
    for (const name of ["a", "quiet", ...names]) {
      const slot = open(name);
      for (let i = 1; i <= messages; i++) slot.writeSync(pattern(LENGTH, i), ASLEEP);
      slot.close();
    }
  };
}

/** As if the writer in seat 1 had died while it wrote, and nobody had noticed. */
function abandoned(): void {
  prepared(2)();
  const place = { domain: "domain", name: "a", persist: true };
  const { region } = new SlotDefinition(place, { ...SIZES, type: RAW }).open();
  new Word32(region.mapping, SLOT_CONTROL.fields.owner, region.controlOffset).store(2);
  region.close();
}

function scenario(
  name: string,
  about: string,
  actors: Actors,
  rest: Pick<Row, "bounds"> & Partial<Row>,
): Row {
  const common = { setup: prepared(2), check: soundness(2) };
  return { name, about, actors: { ...actors, last: finale }, ...common, ...rest };
}

/** All scenarios of slots. */
export const BABUS: readonly Scenario[] = scenarios([
  scenario("babus-lap", "a writer laps a reader at every step of its copy", {
    writer: writer(3),
    reader: reader(3),
  }, { bounds: "4/0/0" }),
  scenario("babus-copy", "the same for a writer that copies", {
    writer: copier(3),
    reader: reader(3),
  }, { bounds: "4/0/0" }),
  scenario("babus-struct", "the same in place, field by field", {
    writer: encoder(3),
    reader: decoder(3),
  }, { bounds: "4/0/0" }),
  scenario("babus-view", "a writer laps a reader that looks in place", {
    writer: writer(3),
    reader: peeker,
  }, { bounds: "4/0/0" }),
  scenario("babus-since", "a reader follows a writer, and knows what it lost", {
    writer: writer(4),
    reader: follower(2),
  }, { bounds: "4/0/0", check: followed }),
  scenario("babus-observer", "an observer looks at every step of a writer and a reader", {
    writer: writer(3),
    reader: reader(1),
    observer,
  }, { bounds: "2/1/0", short: 1 }),
  scenario("babus-writers", "two writers in place, one at a time, and a reader", {
    first: writer(2),
    second: writer(1),
    reader: reader(1),
  }, { bounds: "3/0/1", short: { preemptions: 1, noise: 0 } }),
  scenario("babus-abreast", "one has two writes under way, while another writes", {
    first: abreast,
    second: copier(2),
  }, { bounds: "3/0/0", short: 1, check: soundness(2, false) }),
  scenario("babus-news", "two writers, and a listener that sleeps between look and look", {
    first: writer(1),
    second: copier(1),
    listener: listener(4, "sync"),
  }, { bounds: "3/0/0", short: 1, check: soundness(2, false) }),
  scenario("babus-listener", "a listener of two slots falls asleep at every step of a writer", {
    writer: writer(1, "a", "b"),
    listener: listener(3, "sync", "a", "b"),
  }, {
    setup: prepared(2, "b"),
    bounds: "3/0/1",
    short: 1,
    check: (end) => soundness(2)({ ...end, results: { listener: end.results.listener } }),
  }),
  scenario("babus-async", "the same on an event loop", {
    writer: writer(1, "a", "b"),
    listener: listener(3, "async", "a", "b"),
  }, {
    setup: prepared(2, "b"),
    bounds: "3/0/1",
    short: 1,
    check: (end) => soundness(2)({ ...end, results: { listener: end.results.listener } }),
  }),
  scenario("babus-writer-dies", "a writer dies anywhere; another follows, and a reader looks", {
    first: unarranged(writer(2)),
    second: immortal(unarranged(writer(1))),
    reader: immortal(reader(2)),
  }, { bounds: "2/1/0", short: 0 }),
  scenario("babus-heirs", "the one that follows a dead writer dies too, and a newcomer sits down", {
    first: unarranged(writer(1)),
    second: unarranged(writer(1)),
    third: heir("first", writer(1)),
  }, { bounds: "1/2/0", short: 0 }),
  scenario("babus-seat", "one follows a dead writer while a newcomer sits down in its seat", {
    first: unarranged(writer(1)),
    second: unarranged(writer(1)),
  }, { setup: abandoned, bounds: "4/0/0", short: 2 }),
  scenario("babus-orphan", "a listener sleeps, a writer dies, another one writes on", {
    listener: immortal(listener(3, "sync")),
    first: writer(1),
    second: immortal(writer(1), { after: "first" }),
  }, { bounds: "2/1/0", short: 0 }),
]);
