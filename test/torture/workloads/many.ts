/**
 * Waits for any of 40 rings, topics and slots, and listeners to 40 slots. Such a wait is kept from
 * one call to the next (src/wait/ready_set.ts). Senders are killed and stopped at every step of their
 * rings, and so are waiters.
 *
 * What a sender has sent before a wait begins, the wait finds at once: it returns the first of its
 * list that is ready, and a look reports all. That holds for the steady sender, which is never
 * harmed, and for all others a slice later. Nobody sleeps longer than a slice with something to see,
 * and no watched sleeper sleeps through a ring of the steady sender (sleeping.ts).
 *
 * @module
 */

import { Listener, waitAny, waitAnySync } from "../../../mod.ts";
import type { AnySlot } from "../../../src/babus/listener.ts";
import type { Slot } from "../../../src/babus/slot.ts";
import { now, sleep, sleepSync } from "../../../src/os/clock.ts";
import { SLICE_NS } from "../../../src/wait/sleep.ts";
import type { Harm } from "../fate.ts";
import {
  cellsOfChannels,
  type Channel,
  channelsOf,
  FACTS_OF_CHANNELS,
  type Mix,
  type Receiver,
  unlinkAll,
} from "../pieces/channels.ts";
import { inTime, tenure } from "../pieces/patience.ts";
import { settle } from "../pieces/settling.ts";
import {
  awaitWatched,
  noteSleep,
  SLEEP_CELLS,
  SLEEP_FACTS,
  watchCells,
} from "../pieces/sleeping.ts";
import { type Actor, defineWorkload, type Scene } from "../workload.ts";

/** The lists; each has one waiter, or one listener. */
const LISTS: readonly Mix[] = ["all kinds", "slots", "all kinds", "slots"];

/** The first list of those that are watched. */
const WATCHED_FROM = 2;
const WATCHED = LISTS.length - WATCHED_FROM;

/**
 * The channels of a list have these senders in turn; the last one is never harmed. Lists that are
 * watched have no other: a sender that dies as it rings a hall makes its owner deaf for a slice.
 */
const SENDERS = 4;
const STEADY = SENDERS - 1;

/** Longer than a waiter may sleep with something to see. */
const LONG_MS = 1500;

const CELLS = {
  ...cellsOfChannels(LISTS.length),
  ...SLEEP_CELLS,
  ...watchCells(WATCHED),
  waits: 1, // that ended with something
  bursts: 1, // of the steady sender
};

type CellName = keyof typeof CELLS;
type Party = Actor<CellName>;

function allChannels(scene: Scene<CellName>): Channel[][] {
  return LISTS.map((mix, list) => channelsOf(scene, list, mix));
}

/** Returns which sender a channel has. */
function senderOf({ list, place }: Channel): number {
  return list < WATCHED_FROM ? place % SENDERS : STEADY;
}

/** The channels of a sender, open. */
function sendersOf(actor: Party, sender: number, stack: DisposableStack): (() => boolean)[] {
  const mine = allChannels(actor).flat().filter((channel) => senderOf(channel) === sender);
  return mine.map((channel) => channel.sender(stack));
}

function sum(channels: readonly Channel[], cell: "sure" | "seen"): number {
  return channels.reduce((total, channel) => total + channel[cell].load(), 0);
}

// ---- senders ----

/** Sends to the channels of its seat, seldom and in bursts. */
function send(actor: Party): void {
  const { random, seat } = actor;
  while (!actor.over) {
    using stack = new DisposableStack();
    const senders = sendersOf(actor, seat, stack);
    for (const trySend of senders) trySend(); // after what a killed predecessor has left half done
    for (const isOver = tenure(actor, 3000); !isOver();) {
      for (let burst = random.small(10); burst > 0; burst--) random.pick(senders)();
      const isLong = random.chance(0.05);
      sleepSync(isLong ? random.between(100, 600) : random.between(0, 20));
    }
  }
}

/** Sends, and checks whether the watched waiters have seen it. */
function sendSteadily(actor: Party): void {
  const { random } = actor;
  using stack = new DisposableStack();
  const watchedLists = allChannels(actor).slice(WATCHED_FROM);
  const senders = sendersOf(actor, STEADY, stack);
  for (const trySend of senders) { // also what a killed predecessor may have sent
    while (!trySend() && !actor.over) sleepSync(1);
  }
  while (!actor.over) {
    for (let burst = random.small(8); burst > 0; burst--) random.pick(senders)();
    watchedLists.forEach((list, watched) => {
      awaitWatched(watcherOf(actor, watched), sum(list, "sure") + 1);
    });
    actor.count("bursts");
    if (random.chance(0.5)) sleepSync(random.between(0, 5));
    else if (random.chance(0.02)) sleepSync(random.between(100, 600));
  }
}

/** The steady sender, as it watches one waiter. */
function watcherOf(actor: Party, index: number) {
  const { watched, watchedPid } = actor.cells;
  return {
    cells: { watched: [watched[index]!], watchedPid: [watchedPid[index]!] },
    get over() {
      return actor.over;
    },
    complain: (text: string) => actor.complain(`${LISTS[WATCHED_FROM + index]}: ${text}`),
  };
}

// ---- waiters ----

/** The channels that have something before a wait begins: the first of them must end it at once. */
class Dues {
  readonly #actor: Party;
  readonly #receivers: readonly Receiver[];
  readonly #due: boolean[];
  readonly beganAt: number = now();

  constructor(actor: Party, receivers: readonly Receiver[]) {
    this.#actor = actor;
    this.#receivers = receivers;
    this.#due = receivers.map(({ channel }) => {
      const since = channel.news;
      return since !== undefined &&
        (senderOf(channel) === STEADY || since < this.beganAt - SLICE_NS);
    });
  }

  /** Judges a wait that returned the receiver at this place, or none (-1): it is the first ready. */
  first(place: number): void {
    this.noteSleep();
    const due = this.#due.indexOf(true);
    if (due < 0 || place >= 0 && place <= due) return;
    this.#actor.find("lost", `waited until ${place} was ready, and ${due} was before that`);
  }

  /** Judges a look that reported these. */
  reported(handles: readonly unknown[]): void {
    this.#due.forEach((isDue, place) => {
      if (!isDue || handles.includes(this.#receivers[place]!.handle)) return;
      this.#actor.find("lost", `${place} was not reported, and was there before the look`);
    });
  }

  /** Notes the end of a sleep: nothing was there for long. */
  noteSleep(): void {
    const time = now();
    const known = this.#receivers.map(({ channel }) => channel.news ?? Infinity);
    const first = Math.min(...known);
    if (first < Infinity) noteSleep(this.#actor, Math.max(first, this.beganAt), time);
  }
}

/** How a waiter lives. */
interface Life {
  readonly list: number;
  /** The number by which the steady sender knows it. */
  readonly watched?: number;
}

/** Opens a list, and does one turn after the other; shows the steady sender what it has seen. */
async function live(
  actor: Party,
  { list, watched }: Life,
  begin: (receivers: readonly Receiver[], stack: DisposableStack) => () => Promise<void>,
): Promise<void> {
  const { cells, random } = actor;
  const isMortal = watched === undefined;
  while (!actor.over) {
    using stack = new DisposableStack();
    const channels = channelsOf(actor, list, LISTS[list]!);
    const turn = begin(channels.map((channel) => channel.receiver(stack)), stack);
    if (!isMortal) cells.watchedPid[watched]!.store(Deno.pid);
    const leaves = isMortal && random.chance(0.5);
    for (const isOver = leaves ? tenure(actor) : () => actor.over; !isOver();) {
      await turn();
      if (!isMortal) cells.watched[watched]!.store(sum(channels, "seen") + 1);
      if (isMortal && random.chance(0.1)) await sleep(random.skewed(1, 30));
    }
  }
}

function timeoutOf({ random }: Party, watched?: number): number {
  return watched === undefined && random.chance(0.3) ? random.skewed(1, LONG_MS) : LONG_MS;
}

/** Waits for any of a list, on its thread or in its event loop. */
function waitForAny(actor: Party, life: Life): Promise<void> {
  return live(actor, life, (receivers) => {
    const handles = receivers.map(({ handle }) => handle);
    if (actor.random.chance(0.5)) Object.freeze(handles);
    return async () => {
      const inSync = actor.random.chance(0.5);
      const wait = { timeout: timeoutOf(actor, life.watched) };
      const dues = new Dues(actor, receivers);
      const found = await inTime(() =>
        inSync ? waitAnySync(handles, wait) : waitAny(handles, wait)
      );
      const place = found === undefined ? -1 : handles.indexOf(found);
      dues.first(place);
      if (place < 0) return;
      actor.count("waits");
      receivers[place]!.takeAll();
    };
  });
}

/** Listens to the slots of a list; for some time it does no more than look. */
function listen(actor: Party, life: Life): Promise<void> {
  return live(actor, life, (receivers, stack) => {
    const listener = stack.use(new Listener());
    const { random } = actor;
    let onlyLooks = false;
    let until = 0;
    for (const { handle } of receivers) listener.add(handle as Slot);
    return async () => {
      if (now() > until) {
        onlyLooks = !onlyLooks;
        until = now() + random.between(300e6, 1500e6);
      }
      const way = onlyLooks ? 0 : random.below(3);
      const wait = { timeout: timeoutOf(actor, life.watched) };
      const dues = new Dues(actor, receivers);
      let told: AnySlot[] | undefined;
      if (way === 0) told = listener.look();
      else {
        told = await inTime(() => way === 1 ? listener.waitSync(wait) : listener.wait(wait));
        dues.noteSleep();
      }
      if (told === undefined) return;
      dues.reported(told);
      actor.count("waits");
      for (const { handle, takeAll } of receivers) if (told.includes(handle as Slot)) takeAll();
      if (way === 0) await sleep(random.skewed(0.1, 10));
    };
  });
}

// ---- the workload ----

const SENDER_HARM: Harm = {
  steps: ["loop load", "hints or", "groups or"],
  lifeMs: [20, 3000],
};

const WAITER_HARM: Harm = {
  steps: ["groups exchange", "hints", "loop compareExchange", "bell or", "sleep", "loop load"],
  lifeMs: [50, 4000],
  stopMs: [2, 900],
};

/** It lives so long that it hears of the successors of senders that died meanwhile. */
const LISTENER_HARM: Harm = { ...WAITER_HARM, lifeMs: [300, 6000] };

export default defineWorkload<CellName>({
  about: "waits for any of 40, whose senders die; the first that is ready ends each",
  cells: CELLS,
  facts: {
    ...FACTS_OF_CHANNELS,
    "waits that ended with something": "waits",
    "bursts that were watched": "bursts",
    ...SLEEP_FACTS,
  },
  parts: {
    "mortal sender": { seats: STEADY, harm: SENDER_HARM, run: send },
    "steady sender": { seats: 1, run: sendSteadily },
    "mortal waiter": { seats: 1, harm: WAITER_HARM, run: (a) => waitForAny(a, { list: 0 }) },
    "mortal listener": { seats: 1, harm: LISTENER_HARM, run: (a) => listen(a, { list: 1 }) },
    "watched waiter": { seats: 1, run: (a) => waitForAny(a, { list: 2, watched: 0 }) },
    "watched listener": { seats: 1, run: (a) => listen(a, { list: 3, watched: 1 }) },
  },
  begin(scene) {
    const all = allChannels(scene).flat();
    return {
      alone: () => all.forEach((channel) => settle(scene, () => channel.settle())),
      [Symbol.dispose]: () => unlinkAll(all),
    };
  },
});
