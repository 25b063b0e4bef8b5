/**
 * Slots of several depths and sizes. Writers contend for them; writers, readers and listeners are
 * killed, stopped and replaced, also with the right to write. Messages are whole, their numbers rise,
 * at most the message being written is lost, and listeners do not sleep through news.
 *
 * One slot has a writer that is never harmed, and never finds the slot taken, however readers fare.
 * It watches two listeners (sleeping.ts).
 *
 * @module
 */

import type { SlotClaim } from "../../../src/babus/slot.ts";
import { domain as domainNamed } from "../../../src/babus/definition.ts";
import type { Domain } from "../../../src/babus/domain.ts";
import { SlotDefinition } from "../../../src/babus/geometry.ts";
import type { SlotMessage } from "../../../src/babus/history.ts";
import { SLOT_CONTROL, type SlotWords } from "../../../src/babus/slot_words.ts";
import { Word32 } from "../../../src/memory/word.ts";
import { nextTurn, now, sleep, sleepSync } from "../../../src/os/clock.ts";
import { spring } from "../../trap/trap.ts";
import { listen, listenPatiently, listenWatched } from "../pieces/babus_listening.ts";
import {
  type CellName,
  CELLS,
  type SlotPlan,
  SLOTS,
  START,
  Station,
  stationsOf,
  type Traffic,
  traffics,
  type Viewing,
  WATCHED,
} from "../pieces/babus_traffic.ts";
import type { Harm } from "../fate.ts";
import { type Actor, defineWorkload, type Scene, type Workload } from "../workload.ts";
import { inTime, soon, tenure, WAIT } from "../pieces/patience.ts";
import { settle } from "../pieces/settling.ts";
import { awaitWatched, SLEEP_FACTS } from "../pieces/sleeping.ts";

type Party = Actor<CellName>;

/** Where bells begin: they wrap soon. */
const FIRST_BELL = 2 ** 32 - 200;

/** The number of actors that can be about to write to a slot. */
const SEATS = 64;

/** Longer than any wait for the right to write. */
const STUCK_MS = 15_000;

function domainOf(scene: Scene<CellName>): Domain {
  return domainNamed(scene.name("domain")).open();
}

function resourceOf({ plan }: { readonly plan: SlotPlan }): string {
  return `writing ${plan.name}`;
}

// ---- writers ----

/** Writes to the slots that many write to. */
async function write(actor: Party): Promise<void> {
  const { random } = actor;
  while (!actor.over) {
    using domain = domainOf(actor);
    const stations = stationsOf(actor, domain, ({ writers }) => writers === "many");
    for (const isOver = tenure(actor, 1500); !isOver();) {
      const station = random.pick(stations);
      await writeTo(actor, station, random.small(30));
      if (station.slot.closed) break;
      if (random.chance(0.3)) await sleep(random.skewed(1, 30));
      else await nextTurn();
    }
  }
}

/** Writes so seldom that a listener sleeps for a slice when its predecessor died before the wake. */
async function writeSeldom(actor: Party): Promise<void> {
  for (const isOver = tenure(actor, 2500); !isOver();) await sleep(10);
  while (!actor.over) {
    using domain = domainOf(actor);
    const [station] = stationsOf(actor, domain, ({ writers }) => writers === "seldom");
    for (const isOver = tenure(actor, 3000); !isOver() && !station!.slot.closed;) {
      await writeTo(actor, station!, 1);
      await sleep(actor.random.between(0, 200));
    }
    if (station!.slot.closed) continue;
    await writeTo(actor, station!, 1); // at the end, this wakes the listeners
  }
}

/** Writes so many messages, in one of the ways that there are, or until that does not work. */
async function writeTo(actor: Party, station: Station, most: number): Promise<void> {
  const { random } = actor;
  const { slot } = station;
  const nothing = new Uint8Array(0); // the codec knows better
  const patience = random.chance(0.3) ? { timeout: STUCK_MS } : WAIT;
  const start = now();
  const claimed = (claim: () => Claiming) => () => inPlace(actor, station, claim);
  const way = random.pick([
    () => slot.tryWrite(nothing),
    () => inTime(() => slot.writeSync(nothing, patience)),
    () => inTime(() => slot.write(nothing, patience)),
    () => inTime(() => slot.write(nothing, { signal: AbortSignal.timeout(random.skewed(1, 30)) })),
    claimed(() => slot.tryClaim()),
    claimed(() => slot.claimSync(slot.size, patience)),
    claimed(() => slot.claim(slot.size, patience)),
  ]);
  let written = true;
  for (let left = most; left > 0 && written; left--) {
    station.begin();
    written = station.end(await way());
  }
  if (!written && now() - start > STUCK_MS * 1e6) actor.complain(`cannot write for ${STUCK_MS} ms`);
}

/** A claim, in one of the ways to get one. */
type Claiming = SlotClaim | undefined | Promise<SlotClaim>;

/** Claims and publishes; returns the number of the message, or undefined without one. */
async function inPlace(
  actor: Party,
  station: Station,
  take: () => Claiming,
): Promise<number | undefined> {
  const { random } = actor;
  const { slot, traffic } = station;
  const claim = await inTime(take);
  if (claim === undefined) return undefined;
  const resource = resourceOf(traffic);
  actor.declare(resource, actor.token);
  const { message } = station;
  const middle = message.length >> 1;
  claim.bytes.set(message.subarray(0, middle));
  spring("claimed and half filled");
  if (random.chance(0.02)) await sleep(random.skewed(1, 20));
  if (random.chance(0.1)) { // claimed again, with the right to write
    slot.tryClaim(message.length); // which is the same claim
    claim.bytes.set(message.subarray(0, middle));
  }
  claim.bytes.set(message.subarray(middle), middle);
  const end = random.next();
  actor.withdraw(resource, actor.token);
  if (end < 0.8) return claim.publish(message.length);
  if (end < 0.9) return slot.tryWrite(message); // which gives up the claim
  if (end < 0.97) claim[Symbol.dispose]();
  else slot.close();
  return undefined;
}

// ---- the steady writer ----

/** Writes alone; looks whether those who listen were woken. */
function writeSteadily(actor: Party): void {
  const { random } = actor;
  using domain = domainOf(actor);
  const station = stationsOf(actor, domain, ({ writers }) => writers === "steady")[0]!;
  const { slot, traffic } = station;
  const nothing = new Uint8Array(0);
  station.begin();
  station.end(slot.writeSync(nothing)); // its predecessor may have died with the right to write
  while (!actor.over) {
    for (let burst = random.small(5); burst > 0; burst--) {
      station.begin();
      const sequence = random.chance(0.3) ? inPlaceSteadily(station) : slot.tryWrite(nothing);
      if (!station.end(sequence)) traffic.complain("cannot write, though nobody else does");
    }
    awaitWatched(actor, slot.sequence);
    actor.count("bursts");
    if (random.chance(0.5)) sleepSync(random.between(0, 5));
    else if (random.chance(0.02)) sleepSync(random.between(100, 600));
  }
}

function inPlaceSteadily(station: Station): number | undefined {
  const { slot } = station;
  return slot.tryFill(({ bytes }) => {
    const { message } = station;
    bytes.set(message);
    return message.length;
  });
}

// ---- readers ----

/** As views are meant to be looked at. */
const AT_ONCE: Viewing = { pause() {}, isValid: (peek) => peek.valid };

/** Looks as is meant, and now and then not at once. */
function atLeisure({ random }: Party): Viewing {
  const pause = () => {
    if (random.chance(0.1)) sleepSync(random.skewed(0.1, 5));
  };
  return { ...AT_ONCE, pause };
}

/** Looks at all slots, in all ways. */
async function read(actor: Party, viewing: Viewing): Promise<void> {
  const { random } = actor;
  let seen = SLOTS.map(() => 0);
  while (!actor.over) {
    using domain = domainOf(actor);
    const stations = stationsOf(actor, domain);
    stations.forEach((station, i) => station.seen = seen[i]!);
    for (const isOver = tenure(actor, 1000); !isOver();) {
      const station = random.pick(stations);
      for (let left = random.small(30); left > 0; left--) readOnce(actor, station, viewing);
      if (random.chance(0.2)) await sleep(random.skewed(1, 30));
      else await nextTurn();
    }
    seen = stations.map((station) => station.seen);
    const peek = random.pick(stations).slot.peek();
    domain.close();
    if (peek!.valid || peek!.bytes.length > 0) actor.complain("sees something in a closed slot");
  }
}

function readOnce({ random }: Party, station: Station, viewing: Viewing): void {
  const { slot, due } = station;
  const age = random.below(slot.depth);
  const way = random.below(5);
  if (way === 0) station.latest();
  else if (way === 1) station.copy(age);
  else if (way === 2) station.peek(random.chance(0.5) ? 0 : age, viewing);
  else if (way === 3) station.readInto(new Uint8Array(slot.size));
  else {
    const since = random.chance(0.05) ? START : due - (random.chance(0.5) ? 0 : random.small(300));
    station.news(since, slot.since(since), due);
  }
}

// ---- observers ----

/** Observes all slots: messages are whole, and at least as new as those that were known before. */
async function observe(actor: Party): Promise<void> {
  const { random } = actor;
  while (!actor.over) {
    using domain = domainNamed(actor.name("domain")).observer();
    const watched = traffics(actor).map((traffic) => {
      const { name, depth, size } = traffic.plan;
      return { traffic, observer: domain.slot(name, { depth, size }) };
    });
    for (const isOver = tenure(actor, 1000); !isOver();) {
      const { traffic, observer } = random.pick(watched);
      for (let left = random.small(30); left > 0; left--) {
        const due = traffic.noted.load();
        const newest = observer.latest();
        if (newest !== undefined) observed(traffic, newest, due);
        else traffic.find("lost", `an observer finds nothing, of ${due}`);
        const sequence = observer.sequence - random.below(observer.depth);
        const message = observer.at(sequence);
        if (message !== undefined) observed(traffic, message, sequence);
        else if (sequence > observer.sequence - observer.depth) {
          traffic.find("lost", `an observer does not find ${sequence}`);
        }
        for (const message of observer.since(due)) observed(traffic, message, due + 1);
      }
      if (random.chance(0.2)) await sleep(random.skewed(1, 30));
      else await nextTurn();
    }
  }
}

function observed(
  traffic: Traffic,
  { sequence, value }: SlotMessage,
  least: number,
): void {
  traffic.scene.count("observed");
  if (sequence < least) traffic.find("lost", `an observer finds ${sequence}, of ${least}`);
  if (traffic.isMessage(value, sequence)) return;
  traffic.find("corrupt", `an observer finds another message ${sequence} than was written`);
}

// ---- the workload ----

/** A newcomer to a slot that nobody uses: it can write, and finds all that can be looked back at. */
function visit(scene: Scene<CellName>, traffic: Traffic): void {
  using domain = domainOf(scene);
  using station = new Station(traffic, domain);
  const { slot } = station;
  const { depth } = slot;
  station.begin();
  const last = soon(() => slot.tryWrite(new Uint8Array(0)));
  station.end(last);
  if (last === undefined) return traffic.find("leaked", "nobody can write, and nobody does");
  for (let age = 0; age < depth; age++) {
    station.copy(age);
    station.peek(age, AT_ONCE);
  }
  const messages = slot.since(last - depth);
  station.news(last - depth, messages, last);
  if (messages.length < depth) traffic.find("lost", `only ${messages.length} are left`);
}

/** Whether all seats of writers are there for newcomers. */
function checkSeats(traffic: Traffic, { region }: SlotWords): void {
  using seats = new DisposableStack();
  for (let seat = 0; seat < SEATS; seat++) {
    const role = soon(() => region.tryHold(seat));
    if (role === undefined) return traffic.find("leaked", `nobody can have seat ${seat}`);
    seats.use(role);
  }
}

function settleAll(scene: Scene<CellName>, held: readonly SlotWords[]): void {
  traffics(scene).forEach((traffic, i) =>
    settle(traffic, () => {
      visit(scene, traffic);
      checkSeats(traffic, held[i]!);
    })
  );
}

/** Makes the slots, as if much had been written already, and holds them. */
function beginSlots(scene: Scene<CellName>): SlotWords[] {
  scene.cells.startedAt[0]!.store(now());
  return traffics(scene).map((traffic) => {
    const { name, depth, size } = traffic.plan;
    const words = new SlotDefinition({ domain: scene.name("domain"), name }, { depth, size })
      .open();
    const { mapping, controlOffset } = words.region;
    words.bell.word.store(FIRST_BELL);
    new Word32(mapping, SLOT_CONTROL.fields.owner_bell, controlOffset).store(FIRST_BELL);
    words.published.store(START - depth);
    using domain = domainOf(scene);
    using station = new Station(traffic, domain);
    for (let left = depth; left > 0; left--) station.slot.writeSync(new Uint8Array(0));
    traffic.noted.store(START);
    return words;
  });
}

/** The violations, from the notes and the current state. */
function countsOf(scene: Scene<CellName>, held: readonly SlotWords[]) {
  const all = traffics(scene);
  let lost = scene.total("lost");
  let duplicated = scene.total("duplicated");
  const facts: Record<string, string> = {};
  all.forEach((traffic, i) => {
    const { plan, noted, begun, failed, sent, received, told } = traffic;
    const [known, came, vain] = [noted.load(), sent.load(), failed.load()]; // before the number
    const sequence = held[i]!.last();
    const most = START + begun.load() - vain; // after it
    lost += Math.max(0, known - sequence, START + came - sequence);
    duplicated += Math.max(0, sequence - most);
    traffic.note(sequence);
    const figures = [`${came} sent`, `${received.load()} read`, `${told.load()} reported as lost`];
    facts[`slot ${plan.name}`] = figures.join(", ");
  });
  return { lost, duplicated, facts };
}

const WRITER_HARM: Harm = {
  steps: ["stamp store", "published store", "bell load", "owner", "claim", "copy in", "lock"],
  lifeMs: [20, 3000],
};

const READER_HARM: Harm = {
  steps: ["published", "stamp", "copy out", "length out", "peek", "bell or", "sleep", "lock"],
  lifeMs: [20, 3000],
  stopMs: [2, 900],
};

const OBSERVER_HARM: Harm = {
  steps: ["published", "stamp", "copy out", "length out", "map", "statPath", "open lock file"],
  lifeMs: [20, 3000],
  stopMs: [2, 900],
};

/** The workload, with a way to look at messages in place. */
export function babusWorkload(viewing: (actor: Party) => Viewing): Workload<CellName> {
  const contended = SLOTS.filter(({ writers }) => writers === "many");
  return defineWorkload({
    about: "writers, readers and listeners die; messages are whole, and nobody is stuck",
    cells: CELLS,
    facts: {
      "overwritten in sight": "overwritten",
      "bursts that were watched": "bursts",
      "waits for news": "wakes",
      "messages observed": "observed",
      ...SLEEP_FACTS,
    },
    wanted: { resources: contended.map((plan) => resourceOf({ plan })), withinMs: 20_000 },
    parts: {
      "writer": { seats: 3, harm: WRITER_HARM, run: write },
      "seldom writer": {
        seats: 1,
        harm: { ...WRITER_HARM, steps: ["bell load"] },
        run: writeSeldom,
      },
      "reader": { seats: 2, harm: READER_HARM, run: (actor) => read(actor, viewing(actor)) },
      "observer": { seats: 1, harm: OBSERVER_HARM, run: observe },
      "listener": { seats: 2, harm: READER_HARM, run: listen },
      "patient listener": { seats: 1, run: listenPatiently },
      "steady writer": { seats: 1, run: writeSteadily },
      "watched listener": { seats: WATCHED, run: listenWatched },
    },
    begin(scene) {
      const held = beginSlots(scene);
      return {
        counts: () => countsOf(scene, held),
        alone: () => settleAll(scene, held),
        [Symbol.dispose]: () => held.forEach(({ region }) => region.close()),
      };
    },
  });
}

export default babusWorkload(atLeisure);
