/**
 * Rings on the explorer's memory, in every order, with deaths and in weak memory.
 *
 * @module
 */

import {
  type ActorSpec,
  currentActor,
  decode,
  type End,
  exploreSync,
  type Inode,
  process,
  Run,
  type Scenario,
} from "../../test/explore/engine/mod.ts";
import { addAndWake, wait } from "../../test/explore/leaves/futex.ts";
import { copyIn, copyOut, type Memory, Word32 } from "../../test/explore/leaves/word.ts";
import type { TracksPicture } from "../stage/story.ts";
import { PLACES, type RingMemory, type WordName } from "./memory.ts";

/** A ring is small here, and a message crosses its end. */
export const CAPACITY = 32;
/** The bytes of a message. */
export const SIZE = 12;
const HEADER = 256;
const MOST_STATES = 150_000;

/** How rings are tried. */
export interface Trial {
  /** How many rings there are; 1 by default. */
  readonly lanes?: number;
  /** Where both positions begin. */
  readonly start?: number;
  readonly parties: Readonly<Record<string, Party>>;
  /** How many parties may be killed. */
  readonly deaths?: number;
  /** How many operations may come late or early. */
  readonly reorderings?: number;
  /** How often a party may be interrupted by another one. */
  readonly switches?: number;
  /** Says what is wrong at the end of a run. */
  readonly check: (results: Readonly<Record<string, unknown>>, dead: ReadonlySet<string>) =>
    | string
    | undefined;
}

/** The code of a party, and what may become of it. */
export interface Party {
  readonly code: (lanes: readonly RingMemory[]) => unknown;
  /** Begins once this party has ended or is dead. */
  readonly after?: string;
  readonly mayDie?: boolean;
}

/** What trying every order found. */
export class Tried {
  /** The number of different states. */
  readonly states: number;
  /** What is wrong with a run; undefined if every run ends right. */
  readonly wrong: string | undefined;
  readonly #picture: TracksPicture | undefined;

  constructor(states: number, wrong?: string, picture?: TracksPicture) {
    this.states = states;
    this.wrong = wrong;
    this.#picture = picture;
  }

  /** The operations of that run. */
  get picture(): TracksPicture | undefined {
    return this.#picture;
  }
}

const pathOf = (lane: number) => `/dev/shm/lane${lane}`;

/** Maps a lane into the party whose code runs: a header, and the ring twice. */
function mapped(lane: number, lanes: number): RingMemory {
  const inode: Inode = currentActor().world.names.get(pathOf(lane))!;
  const own = process();
  const address = own.addresses(HEADER + 2 * CAPACITY);
  const data = address + HEADER;
  own.ranges.push(
    { start: address, end: data + CAPACITY, inode, offset: 0 },
    { start: data + CAPACITY, end: data + 2 * CAPACITY, inode, offset: HEADER },
  );
  const bytes = new Uint8Array(HEADER + 2 * CAPACITY);
  const memory = { address, bytes, buffer: bytes.buffer } as Memory;
  return {
    capacity: CAPACITY,
    size: SIZE,
    word: (name) => wordOf(memory, name, lanes === 1 ? name : `${name}${lane}`),
    copyIn: (place, message) => copyIn(memory, HEADER + place, message),
    copyOut: (place) => {
      const message = new Uint8Array(SIZE);
      copyOut(memory, HEADER + place, message);
      return message;
    },
  };
}

function wordOf(memory: Memory, name: WordName, path: string) {
  const word = new Word32(memory, { path, offset: PLACES[name] });
  return {
    load: () => word.load(),
    glance: () => word.glance(),
    store: (value: number) => word.store(value),
    storePlainly: (value: number) => word.storePlainly(value),
    or: (bits: number) => word.or(bits),
    sleepWhile: (value: number) => void wait(word.address, value, Infinity),
    addAndWake: () => void addAndWake(word.address),
  };
}

function scenarioOf(trial: Trial): Scenario {
  const { lanes = 1, start = 0, parties, deaths = 0, reorderings = 0, switches = 2 } = trial;
  const indices = Array.from({ length: lanes }, (_, lane) => lane);
  const actor = ({ code, after, mayDie = false }: Party): ActorSpec => ({
    arrange: () => indices.map((lane) => mapped(lane, lanes)),
    body: (memories: readonly RingMemory[]) => code(memories),
    immortal: !mayDie,
    ...after !== undefined && { after },
  });
  return {
    name: "ring",
    about: "",
    setup: () => {
      for (const lane of indices) {
        const inode = process().makeInode(`lane ${lane}`, HEADER + CAPACITY);
        currentActor().local((world) => {
          for (const name of ["head", "tail"] as const) {
            world.setWord(inode, PLACES[name] / 4, start >>> 0);
          }
          world.share(inode);
          world.setName(pathOf(lane), inode);
        });
      }
    },
    actors: Object.fromEntries(Object.entries(parties).map(([name, each]) => [name, actor(each)])),
    bounds: { preemptions: switches, deaths, noise: 0, ...reorderings > 0 && { reorderings } },
    check: ({ results, dead }: End) => trial.check(results, dead),
  };
}

/** Tries every order within the bounds. */
export function tryRings(trial: Trial): Tried {
  const scenario = scenarioOf(trial);
  const { finding, states, exhausted } = exploreSync(scenario, {
    shortest: true,
    states: MOST_STATES,
  });
  if (finding === undefined) {
    return exhausted
      ? new Tried(states)
      : new Tried(states, "it has no end: a party does something again and again");
  }
  const isSleep = finding.kind === "lost wake-up" || /cannot continue/.test(finding.message);
  const why = isSleep ? "a party sleeps, and nobody will wake it" : finding.message.split("\n")[0]!;
  return new Tried(states, why, pictureOf(trial, finding.token, why));
}

/** The last operations of a run; more do not fit. */
const MOST_ROWS = 40;

function pictureOf(trial: Trial, token: string, end: string): TracksPicture {
  const scenario = scenarioOf(trial);
  const parties = Object.keys(trial.parties);
  const words = trial.lanes === undefined ? ["head", "tail", "bell"] as const : [];
  const rows: TracksPicture["rows"][number][] = [];
  const { codes } = decode(token);
  const bounds = { preemptions: Infinity, deaths: Infinity, noise: 0, reorderings: Infinity };
  const weak = trial.reorderings === undefined ? { ...bounds, reorderings: 0 } : bounds;
  const run = new Run(scenario, weak, {
    anyMayDie: true,
    observe: ({ actor = "", what }) => {
      const party = parties.indexOf(actor);
      if (party === -1) return;
      const lane = run.world.names.get(pathOf(0))!;
      const values = words.map((word) => lane.words[PLACES[word] / 4]!);
      rows.push({ party, text: inWords(what), values });
    },
  });
  void run.begin(); // no party is asynchronous
  for (const code of codes) {
    void run.follow(run.choices().find((each) => each.code === code), { next: () => undefined });
  }
  const title = rows.length > MOST_ROWS ? `Its last ${MOST_ROWS} operations` : "Its operations";
  return {
    kind: "tracks",
    id: "tracks",
    title,
    parties,
    words: [...words],
    rows: rows.slice(-MOST_ROWS),
    end,
  };
}

/** An operation of the explorer in short words. */
function inWords(what: string): string {
  return what
    .replace(/copy in (\w+) at (\d+)/, (_, hex, at) => `writes ${hex} at ${at - HEADER}`)
    .replace(/copy out at (\d+) -> (\w+)/, (_, at, hex) => `reads ${hex} at ${at - HEADER}`)
    .replace(/plain store/, "store")
    .replace(/\(its store becomes visible\) (.*)/, "$1: now visible")
    .replace(" (not visible yet)", ": not visible yet")
    .replace(" (served early)", ": served early");
}
