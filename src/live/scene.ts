/**
 * Who is there, and what passes between them: all regions and processes, looked at four times a
 * second.
 *
 * Everything is read as `vring top` reads it, so no party notices. Rates are those of the last second.
 *
 * @module
 */

import type { Activity, Flow, Party } from "../inspect/activity.ts";
import { type Change, changesBetween, lookAt, type Looks } from "../inspect/changes.ts";
import { type Held, HolderSearch, holdersOf } from "../inspect/holders.ts";
import { processOf } from "../inspect/processes.ts";
import { fullestOf, KeptObservers, rowsBetween, type Seen, survey } from "../inspect/survey.ts";
import { type RegionInfo, regions } from "../region/list.ts";
import type { LinkFacts, ProcessFacts, RegionFacts, RegionRow, ViewEvent } from "./protocol.ts";
import { factsOf, type HintFor } from "./region_facts.ts";

/** The looks between which rates are computed: this one, and the one so many before. */
const WINDOW = 4;

/**
 * The looks between two searches for the processes of all roles, which read much of /proc. Whenever a
 * party comes or goes, there is one, too.
 */
const LOOKS_PER_SEARCH = 4;

/** The events that are kept. */
const MOST_EVENTS = 500;

/** The regions that are shown. */
const MOST_REGIONS = 1000;

/** All regions at this moment. */
export interface Scene {
  readonly facts: readonly RegionFacts[];
  /** Whether `facts` differ from those of the look before. */
  readonly isNew: boolean;
  /** The regions that match besides, and are not shown. */
  readonly hidden: number;
  readonly rows: readonly RegionRow[];
  readonly processes: readonly ProcessFacts[];
}

/** Looks at all regions, again and again. */
export class Scenery implements Disposable {
  readonly #matches: (name: string) => boolean;
  readonly #hintFor: HintFor;
  readonly #ids = new Map<string, number>();
  readonly #facts = new Map<number, { identity: string; facts: RegionFacts }>();
  readonly #observers = new KeptObservers();
  readonly #search: Pick<HolderSearch, "search">;
  readonly #most: number;
  #surveys: Map<string, Seen>[] = [];
  #looks: Looks | undefined;
  #processes: ReadonlyMap<number, ProcessFacts> = new Map();
  #holders: readonly ReadonlyMap<number, readonly Held[]>[] = []; // of two searches, the newest first
  #number = 0;
  #parties = "";
  #text = "";
  #regions = new Map<number, RegionInfo>();
  readonly #events: ViewEvent[] = [];
  #lastEvent = 0;

  /** Shows only regions whose names match; `hintFor` states the sizes of images that lack them. */
  constructor(
    matches: (name: string) => boolean,
    hintFor: HintFor,
    search: Pick<HolderSearch, "search"> = new HolderSearch(),
    most = MOST_REGIONS,
  ) {
    this.#matches = matches;
    this.#hintFor = hintFor;
    this.#search = search;
    this.#most = most;
  }

  /** The regions of the last look, by their numbers. */
  get regions(): ReadonlyMap<number, RegionInfo> {
    return this.#regions;
  }

  /** The number of the newest event. */
  get lastEvent(): number {
    return this.#lastEvent;
  }

  /** The events after the one with this number, oldest first. */
  eventsAfter(number: number): ViewEvent[] {
    return this.#events.filter((event) => event.number > number);
  }

  /** Looks at everything. */
  look(): Scene {
    const matching = regions().filter(({ name }) => this.#matches(name));
    const all = matching.slice(0, this.#most);
    this.#observers.retain(all);
    const seen = survey(all, this.#observers);
    const parties = partiesIn(seen);
    if (this.#number++ % LOOKS_PER_SEARCH === 0 || parties !== this.#parties) {
      this.#holders = [this.#search.search(), ...this.#holders.slice(0, 1)];
    }
    this.#parties = parties;
    this.#surveys = [...this.#surveys.slice(-WINDOW), seen];
    this.#compare(all, seen);
    const ids = all.map((region) => this.#idOf(region));
    this.#regions = new Map(all.map((region, i) => [ids[i]!, region]));
    const facts = all.map((region, i) => this.#factsOf(region, ids[i]!));
    const text = JSON.stringify(facts);
    const isNew = text !== this.#text;
    this.#text = text;
    const rates = new Map(
      rowsBetween(this.#surveys[0]!, seen, this.#observers).map((row) => [row.region.path, row]),
    );
    const rows = all.map((region, i) => {
      const now = seen.get(region.path);
      const row = rates.get(region.path);
      const fullest = now && fullestOf(now.look.activity);
      return {
        id: ids[i]!,
        memory: region.allocatedBytes,
        rate: rounded(row?.rates.messages),
        bytes: rounded(row?.rates.bytes),
        lost: rounded(row?.rates.lost),
        lostAll: now?.look.activity.lost ?? null,
        backlog: fullest?.backlog ?? null,
        room: fullest?.room ?? null,
        sleepers: now?.look.activity.sleepers ?? 0,
        wakes: rounded(row?.rates.wakeUps) ?? 0,
        links: this.#links(region, now?.look.activity, this.#rateOf(region, now)),
      };
    });
    const processes = processesIn(rows, this.#processes);
    this.#processes = new Map(processes.map((process) => [process.pid, process]));
    return { facts, isNew, hidden: matching.length - all.length, rows, processes };
  }

  /** Ends looking. */
  [Symbol.dispose](): void {
    this.#observers[Symbol.dispose]();
  }

  #idOf({ kind, name }: RegionInfo): number {
    const key = `${kind} ${name}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    this.#ids.set(key, this.#ids.size + 1);
    return this.#ids.size;
  }

  /** Describes a region; it is described again only when another one has its name. */
  #factsOf(region: RegionInfo, id: number): RegionFacts {
    const identity = `${region.details?.id} ${region.problem} ${region.sizeBytes}`;
    const known = this.#facts.get(id);
    if (known?.identity === identity) return known.facts;
    const facts = factsOf(region, id, this.#hintFor(region.name));
    this.#facts.set(id, { identity, facts });
    return facts;
  }

  /** The locks of a region, as each of the last searches found them. */
  #held(region: RegionInfo): readonly (readonly Held[])[] {
    return this.#holders.map((found) => holdersOf(region, found));
  }

  #compare(all: readonly RegionInfo[], seen: ReadonlyMap<string, Seen>): void {
    const looks = new Map(all.map((region) => {
      const held = this.#held(region);
      const pidOf = (role: number) => processOfRole(held, role);
      return lookAt(region, seen.get(region.path)?.look.activity, pidOf);
    }));
    if (this.#looks !== undefined) {
      for (const change of changesBetween(this.#looks, looks)) {
        const { what, event, kind, name, party, pid } = change;
        if (isUsual(change)) continue;
        const process = pid === undefined ? "" : ` (${this.#nameOf(pid)}process ${pid})`;
        this.#events.push({
          number: ++this.#lastEvent,
          time: Date.now(),
          what,
          text: party === undefined ? event : `${party}${process} ${event}`,
          kind,
          name,
        });
      }
      this.#events.splice(0, this.#events.length - MOST_EVENTS);
    }
    this.#looks = looks;
  }

  /** The name of the program of a process of this look or the one before, with a comma. */
  #nameOf(pid: number): string {
    const name = this.#processes.get(pid)?.name ?? processOf(pid)?.program;
    return name === undefined ? "" : `${name}, `;
  }

  /** Returns the messages per second of a flow of a region. */
  #rateOf(region: RegionInfo, now: Seen | undefined): (flow: Flow) => number | null {
    const before = this.#surveys[0]!.get(region.path);
    const isSame = before?.region.details?.id === region.details?.id;
    if (before === undefined || now === undefined || before === now || !isSame) return () => null;
    const seconds = (now.look.time - before.look.time) / 1000;
    return ({ label, messages, unit }) => {
      const { flows } = before.look.activity;
      const own = flows.find((flow) => flow.label === label);
      // the messages of a topic are the same in all its flows
      const old = (own ?? (unit === "samples" ? flows[0] : undefined))?.messages ?? 0;
      return messages === undefined ? null : rounded(Math.max(0, messages - old) / seconds);
    };
  }

  #links(
    region: RegionInfo,
    activity: Activity | undefined,
    rateOf: (flow: Flow) => number | null,
  ): LinkFacts[] {
    const held = this.#held(region);
    const parties = (activity?.parties ?? []).filter((party) => !isMomentary(party));
    const links = parties.map((party): LinkFacts => {
      const { role, seat, number, presence } = party;
      const flows = flowsOf(party, activity!.flows);
      const waiting = WAYS[role] === "in" && region.kind === "topic" ? undefined : flows[0];
      const pid = presence === "alive" ? processOfRole(held, number) : 0;
      return {
        pid: pid ?? 0,
        role,
        seat,
        presence,
        way: WAYS[role] ?? "both",
        rate: flows.length === 0 ? null : sum(flows.map(rateOf)),
        backlog: waiting?.backlog ?? null,
        room: waiting?.room ?? null,
      };
    });
    const known = new Set(links.map(({ pid }) => pid));
    for (const { pid, role } of held[0] ?? []) {
      if (role !== undefined || known.has(pid)) continue;
      known.add(pid);
      links.push({ ...MEMBER, pid });
    }
    return links;
  }
}

/** All regions with their parties, to find out whether any has changed. */
function partiesIn(seen: ReadonlyMap<string, Seen>): string {
  return Array.from(seen, ([path, { look: { activity: { parties } } }]) => {
    const states = parties.filter((party) => !isMomentary(party))
      .map(({ number, presence }) => `${number}${presence}`);
    return `${path} ${states.join()}`;
  }).join("\n");
}

/**
 * The process that holds a role. One that ends during a look may be alive in the survey and gone in
 * the newest search: it is in the one before.
 */
function processOfRole(held: readonly (readonly Held[])[], role: number): number | undefined {
  return held.flat().find((lock) => lock.role === role)?.pid;
}

/** Whether a party holds its role only while it writes: then it is shown as a member. */
function isMomentary({ role, presence }: Party): boolean {
  return role === "lock holder" && presence === "alive";
}

/** Whether a change happens all the time, such as that a lock is taken. */
function isUsual({ kind, what, party }: Change): boolean {
  return ["slot", "rwlock"].includes(kind) && party !== undefined &&
    ["joined", "left"].includes(what);
}

const MEMBER: LinkFacts = {
  pid: 0,
  role: "member",
  seat: 0,
  presence: "alive",
  way: "both",
  rate: null,
  backlog: null,
  room: null,
};

/** Whether a role sends into a region or receives from it. */
const WAYS: Readonly<Record<string, LinkFacts["way"]>> = {
  publisher: "in",
  producer: "in",
  writer: "in",
  client: "in",
  subscriber: "out",
  consumer: "out",
  server: "out",
};

/** The flows of a party; the only flow is that of all parties. */
function flowsOf({ role, seat }: Party, flows: readonly Flow[]): readonly Flow[] {
  if (role === "publisher" || flows.length === 1) return flows.slice(0, 1);
  if (role === "client") return flows.filter(({ label }) => label.startsWith(`client ${seat} to`));
  if (role === "server") return flows.filter(({ label }) => label.endsWith(`to server ${seat}`));
  const own = flows.filter(({ label }) => label === `${role} ${seat}`);
  return role === "consumer" ? flows : own;
}

function sum(rates: readonly (number | null)[]): number | null {
  return rates.includes(null) ? null : rates.reduce<number>((all, one) => all + one!, 0);
}

function rounded(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : Math.round(value * 10) / 10;
}

/** The processes of some rows. A process that is ending has no command line: it keeps its name. */
function processesIn(
  rows: readonly RegionRow[],
  known: ReadonlyMap<number, ProcessFacts>,
): ProcessFacts[] {
  const pids = new Set(rows.flatMap(({ links }) => links.map(({ pid }) => pid)));
  pids.delete(0);
  return [...pids].sort((a, b) => a - b).map((pid) => {
    const process = processOf(pid);
    const name = process?.program ?? known.get(pid)?.name ?? process?.name ?? "";
    return { pid, name, isStopped: process?.isStopped ?? false };
  });
}
