/**
 * How the listeners of the babus workload wait for news, and how the waits are judged.
 *
 * @module
 */

import { domain as domainOf } from "../../../src/babus/definition.ts";
import { type AnySlot, Listener } from "../../../src/babus/listener.ts";
import { nextTurn, now, sleep } from "../../../src/os/clock.ts";
import { waitAny, waitAnySync } from "../../../src/wait/any.ts";
import { type CellName, type SlotPlan, type Station, stationsOf } from "./babus_traffic.ts";
import type { Actor } from "../workload.ts";
import { inTime, tenure } from "./patience.ts";
import { noteSleep } from "./sleeping.ts";

type Party = Actor<CellName>;
type Told = readonly AnySlot[];

/** The number of messages after the last reported one that are looked up in the notes. */
const NEXT = 4;

/** Longer than a listener may sleep with something to see. */
const LONG_MS = 1500;

/** A slot that is listened to. */
interface Ear {
  readonly station: Station;
  wake: boolean;
  /** When `wake` was set. */
  since: number;
  /** The last message that the listener looked at. */
  heard: number;
  /** The last message that was read in the slot. */
  read: number;
}

/** A listener and the notes about it. */
export class Vigil implements Disposable {
  readonly listener: Listener = new Listener();
  readonly #actor: Party;
  readonly #ears: readonly Ear[];
  #dues: readonly number[] = [];
  #beganAt = 0;

  /** Listens to all slots; those that do not wake are reported with others only. */
  constructor(actor: Party, stations: readonly Station[], wakes: (station: Station) => boolean) {
    this.#actor = actor;
    this.#ears = stations.map((station) => {
      const wake = wakes(station);
      this.listener.add(station.slot, { wake });
      return { station, wake, since: now(), heard: 0, read: station.slot.sequence };
    });
  }

  /** Notes that a wait, or a look, is about to begin. */
  begin(): void {
    this.#dues = this.#ears.map(({ station }) => station.traffic.noted.load());
    this.#beganAt = now();
  }

  /** Notes the end of a wait: no waking message was there for long. */
  woken(): void {
    const time = now();
    for (const { station, wake, since, heard } of this.#ears) {
      const known = wake ? knownAfter(station, heard) : undefined;
      if (known === undefined) continue;
      station.traffic.count("wakes");
      noteSleep(this.#actor, Math.max(known, since, this.#beganAt), time);
    }
  }

  /** Checks the slots that the listener reported. */
  told(slots: Told, isWoken = true): void {
    this.#ears.forEach((ear, i) => {
      const { station } = ear;
      if (slots.includes(station.slot)) this.#read(ear);
      else if (ear.heard < this.#dues[i]!) {
        station.traffic.find("lost", `${this.#dues[i]} was not reported, only ${ear.heard}`);
      }
    });
    const waking = this.#ears.filter(({ wake }) => wake).map(({ station }) => station.slot);
    if (!isWoken || waking.some((slot) => slots.includes(slot))) return;
    this.#actor.complain(`was woken for none of ${waking.length} slots`);
  }

  #read(ear: Ear): void {
    const { station } = ear;
    const { slot, due } = station;
    ear.heard = slot.sequence;
    const messages = slot.since(ear.read);
    station.news(ear.read, messages, due);
    ear.read = messages.at(-1)?.sequence ?? ear.read;
  }

  /** Listens to one slot again, or in the other way; also during a wait. */
  change(): void {
    const { random } = this.#actor;
    const ear = random.pick(this.#ears);
    if (random.chance(0.5) && this.listener.remove(ear.station.slot)) ear.heard = 0;
    ear.wake = random.chance(0.7) || !this.#ears.some((other) => other !== ear && other.wake);
    ear.since = now();
    this.listener.add(ear.station.slot, { wake: ear.wake });
  }

  /** Stops listening. */
  [Symbol.dispose](): void {
    this.listener.close();
  }
}

/** Returns when a message after this one was known to be there. */
function knownAfter({ traffic }: Station, sequence: number): number | undefined {
  for (let next = sequence + 1; next <= sequence + NEXT; next++) {
    const time = traffic.notedAt(next);
    if (time !== undefined) return time;
  }
  return undefined;
}

/** One wait for the news of one of several listeners, in some way. */
async function waitOnce(actor: Party, vigils: readonly Vigil[]): Promise<void> {
  const { random } = actor;
  const timeout = random.skewed(1, 800);
  const vigil = random.pick(vigils);
  const { listener } = vigil;
  const way = random.below(6);
  if (way === 0) {
    vigil.begin();
    return vigil.told(listener.look(), false);
  }
  if (way < 4) return await waitOne(actor, vigil, { way, timeout });
  for (const each of vigils) each.begin();
  const listeners = vigils.map((each) => each.listener);
  const inSync = way === 4;
  const first = await inTime(() =>
    inSync ? waitAnySync(listeners, { timeout }) : waitAny(listeners, { timeout })
  );
  for (const each of vigils) each.woken();
  vigils[listeners.indexOf(first!)]?.told(first!.look());
}

async function waitOne(
  { random }: Party,
  vigil: Vigil,
  { way, timeout }: { way: number; timeout: number },
): Promise<void> {
  const { listener } = vigil;
  const signal = random.chance(0.3) ? AbortSignal.timeout(random.skewed(1, timeout)) : undefined;
  const change = way > 1 && random.chance(0.2);
  const timer = change ? setTimeout(() => vigil.change(), random.skewed(0.1, timeout)) : undefined;
  vigil.begin();
  const told = await inTime(() =>
    way === 1 ? listener.waitSync({ timeout }) : listener.wait({ timeout, ...signal && { signal } })
  );
  clearTimeout(timer);
  vigil.woken();
  if (told !== undefined) vigil.told(told, !change);
}

/** Goes through the news until the listener is closed. */
async function iterate(actor: Party, vigil: Vigil): Promise<void> {
  const timer = setTimeout(() => vigil.listener.close(), actor.random.skewed(1, 800));
  vigil.begin();
  for await (const told of vigil.listener) {
    vigil.woken();
    vigil.told(told);
    if (actor.over) break;
    vigil.begin();
  }
  clearTimeout(timer);
}

/** Listens to all slots, with one listener or two; sometimes to some of them again. */
export async function listen(actor: Party): Promise<void> {
  const { random } = actor;
  while (!actor.over) {
    using stack = new DisposableStack();
    const domain = stack.use(domainOf(actor.name("domain")).open());
    const stations = stationsOf(actor, domain);
    const make = () => {
      const [must, others] = [random.pick(stations), random.chance(0.5) ? 0 : 0.6];
      const wakes = (station: Station) => station === must || random.chance(others);
      return stack.use(new Vigil(actor, stations, wakes));
    };
    const vigils = [make(), make()];
    for (const isOver = tenure(actor, 3000); !isOver();) {
      if (random.chance(0.1)) random.pick(vigils).change();
      await waitOnce(actor, vigils);
      if (random.chance(0.1)) await sleep(random.skewed(1, 30));
      else await nextTurn();
    }
    if (random.chance(0.5)) await iterate(actor, vigils[0]!);
  }
}

/** Listens to the steady writer, which watches it; other slots do not wake it. */
export async function listenWatched(actor: Party): Promise<void> {
  const { cells, seat } = actor;
  using domain = domainOf(actor.name("domain")).open();
  const stations = stationsOf(actor, domain);
  const steady = stations.find(({ traffic }) => traffic.plan.writers === "steady")!;
  const isQuiet = ({ traffic }: Station) => ["steady", "nobody"].includes(traffic.plan.writers);
  using vigil = new Vigil(actor, stations, isQuiet);
  cells.watchedPid[seat]!.store(Deno.pid);
  while (!actor.over) {
    await wait(vigil, seat === 0, 500);
    cells.watched[seat]!.store(steady.slot.sequence);
  }
}

/** Listens only to the writer that writes seldom, so that no other wakes it. */
export async function listenPatiently(actor: Party): Promise<void> {
  using domain = domainOf(actor.name("domain")).open();
  const isQuiet = ({ writers }: SlotPlan) => ["seldom", "nobody"].includes(writers);
  using vigil = new Vigil(actor, stationsOf(actor, domain, isQuiet), () => true);
  while (!actor.over) await wait(vigil, actor.random.chance(0.5), LONG_MS);
}

async function wait(vigil: Vigil, inSync: boolean, timeout: number): Promise<void> {
  const { listener } = vigil;
  vigil.begin();
  const told = await inTime(() =>
    inSync ? listener.waitSync({ timeout }) : listener.wait({ timeout })
  );
  vigil.woken();
  if (told !== undefined) vigil.told(told);
}
