/**
 * A film of one run: after each step the memory, every party and its line, and the steps that are
 * possible next.
 *
 * The run is made anew for each film, up to the end of its token. So a film depends on nothing but
 * the scenario and the token, and stepping back is a look at an earlier moment.
 *
 * @module
 */

import {
  type Actor,
  type Conventions,
  decode,
  type Event,
  HIGH_HALF,
  type Inode,
  nameOf,
  Run,
  type Scenario,
  type Transition,
} from "../../../test/explore/engine/mod.ts";
import { framesOf, type Locate, type Place } from "./places.ts";

/** A run from its beginning to the last step of a token. */
export interface Film {
  readonly parties: readonly Party[];
  readonly isWeak: boolean;
  readonly regions: readonly Region[];
  /** The moment before the first step, and the one after each step. */
  readonly moments: readonly Moment[];
  /** The first step of the token that is not possible; the film ends before it. */
  readonly refused: string | undefined;
}

/** A party of the scenario. */
export interface Party {
  readonly name: string;
  /** The letter of its steps in tokens. */
  readonly letter: string;
  readonly isImmortal: boolean;
  /** When it begins, if not at once. */
  readonly begins: string;
}

/** A piece of shared memory. */
export interface Region {
  readonly label: string;
  readonly cells: readonly Cell[];
}

/** A word with a name, of 32 or 64 bits, or 4 bytes without a name. */
export interface Cell {
  /** The index of its first 32 bits in the region. */
  readonly index: number;
  readonly name: string | undefined;
  readonly isWide: boolean;
}

/** A word that a party is about to touch. */
export interface Target {
  readonly region: number;
  readonly index: number;
}

/** The state of a party. */
export interface PartyState {
  readonly status: "not begun" | "ready" | "asleep" | "woken" | "finished" | "failed" | "dead";
  /** The next operation, or the one in which the party sleeps. */
  readonly operation: string | undefined;
  /** The words that a sleeping party sleeps on. */
  readonly sleepsOn: readonly string[];
  /** What its code returned, or threw. */
  readonly result: string | undefined;
  /** Where its code is: the innermost line first. */
  readonly places: readonly Place[];
  readonly target: Target | undefined;
}

/** A step that can be taken. */
export interface Choice {
  readonly code: string;
  readonly kind: Transition["kind"];
  /** The party that acts; undefined if time passes. */
  readonly party: number | undefined;
  readonly detail: number;
}

/** How a run ended. */
export interface Ending {
  readonly kind: "well" | "lost wake-up" | "invariant" | "error" | "hang";
  readonly message: string;
}

/** The state after a step. */
export interface Moment {
  /** The step that led here; undefined before the first. */
  readonly step: Choice | undefined;
  /** What happened in it, in words. */
  readonly events: readonly Event[];
  readonly parties: readonly PartyState[];
  /** The words of each region. A region that did not change has the same array as before. */
  readonly memory: readonly Uint32Array<ArrayBuffer>[];
  readonly choices: readonly Choice[];
  readonly ending: Ending | undefined;
}

/** The tools of a film. */
export interface FilmOptions {
  readonly conventions: Conventions;
  /** Finds the source line behind a line of the running script. */
  readonly locate: Locate;
  /** Called with the line of a party that reaches an operation or continues from one. */
  readonly reached?: (party: string, place: Place | undefined) => void;
}

const ENOUGH = 1000;

/** Runs the steps of a token, and records every state. */
export async function film(
  scenario: Scenario,
  token: string,
  options: FilmOptions,
): Promise<Film> {
  const { codes, isWeak } = decode(token);
  const camera = new Camera(scenario, isWeak, options);
  const refused = await camera.record(codes);
  const { moments, regions } = camera;
  return { parties: partiesOf(scenario), isWeak, regions: regions(), moments, refused };
}

class Camera {
  readonly moments: Moment[] = [];
  readonly #run: Run;
  readonly #locate: Locate;
  readonly #reached: FilmOptions["reached"];
  readonly #places: Place[][] = [];
  readonly #inodes: Inode[] = [];
  #events: Event[] = [];

  constructor(scenario: Scenario, isWeak: boolean, options: FilmOptions) {
    this.#locate = options.locate;
    this.#reached = options.reached;
    // What a scenario promises does not hold after more deaths than it allows.
    const bounds = { preemptions: ENOUGH, deaths: scenario.bounds.deaths, noise: ENOUGH };
    this.#run = new Run(scenario, { ...bounds, reorderings: isWeak ? ENOUGH : 0 }, {
      conventions: options.conventions,
      observe: (event) => this.#events.push(event),
      atOperation: (actor) => this.#notePlace(actor),
      anyMayDie: true,
    });
  }

  /** Takes the steps, and returns the first that is not possible. */
  async record(codes: readonly string[]): Promise<string | undefined> {
    const run = this.#run;
    await run.begin();
    let refused: string | undefined;
    let taken: Choice | undefined;
    const next = () => {
      const transitions = run.choices();
      const count = this.moments.length;
      this.moments.push(this.#moment(taken, transitions));
      const code = codes[count];
      const transition = transitions.find((candidate) => candidate.code === code);
      if (code !== undefined && transition === undefined) refused = code;
      taken = transition && choiceOf(transition);
      const actor = transition?.actor;
      if (actor !== undefined) this.#reached?.(actor.name, this.#places[actor.index]?.[0]);
      return transition;
    };
    await run.follow(next(), { next });
    return refused;
  }

  /** Keeps the last place in the party's own code: after an `await`, a stack may have no such line. */
  #notePlace(actor: Actor): void {
    const places = framesOf(new Error().stack ?? "", this.#locate);
    if (places.length > 0) this.#places[actor.index] = places;
    this.#reached?.(actor.name, places[0]);
  }

  #moment(step: Choice | undefined, transitions: readonly Transition[]): Moment {
    const run = this.#run;
    const ended = run.endedWithinBounds(this.moments.length);
    const events = this.#events;
    this.#events = [];
    const before = this.moments.at(-1);
    this.#noteRegions();
    return {
      step,
      events,
      memory: this.#inodes.map(({ words }, i) => {
        const old = before?.memory[i];
        return old !== undefined && words.every((word, at) => word === old[at])
          ? old
          : words.slice();
      }),
      parties: run.actors.map((actor) => this.#stateOf(actor)),
      choices: ended === undefined || ended === "well" ? transitions.map(choiceOf) : [],
      ending: ended === "well" ? { kind: "well", message: "" } : ended && {
        kind: ended.kind,
        message: ended.message.split("\n")[0]!,
      },
    };
  }

  /** Finds the memory that parties share by now. */
  #noteRegions(): void {
    for (const inode of this.#run.world.inodes) {
      if (inode.shared && !this.#inodes.includes(inode)) this.#inodes.push(inode);
    }
  }

  #stateOf(actor: Actor): PartyState {
    const { pending, waits } = actor;
    const { sleepers } = this.#run.world;
    const threads = [actor.index, ...waits.map(({ thread }) => thread)];
    const sleeping = threads.flatMap((thread) => sleepers.get(thread) ?? []);
    const asleep = sleeping.filter(({ woken }) => woken === "");
    return {
      status: statusOf(actor, sleeping.length, asleep.length),
      operation: (pending ?? waits[0]?.operation)?.label().trimEnd(),
      sleepsOn: asleep.flatMap(({ words }) =>
        words.map(({ inode, index }) => nameOf(inode, index))
      ),
      result: resultOf(actor),
      places: this.#places[actor.index] ?? [],
      target: pending && this.#targetOf(pending),
    };
  }

  /** Finds the word of an operation: by its access, or by its name in the label. */
  #targetOf({ access, label }: NonNullable<Actor["pending"]>): Target | undefined {
    const [cell] = access?.cells ?? [];
    const region = cell === undefined ? -1 : this.#inodes.indexOf(cell.inode);
    if (cell !== undefined && region >= 0) return { region, index: cell.from >> 2 };
    const text = label().replace(/^sleep while /, "");
    for (const [region, { names }] of this.#inodes.entries()) {
      for (const [index, name] of names) if (text.startsWith(`${name} `)) return { region, index };
    }
    return undefined;
  }

  /** The last name of a file, or what the machine calls memory that has none. */
  #labelOf(inode: Inode): string {
    const path = [...this.#run.world.names].find(([, named]) => named === inode)?.[0];
    return path?.split("/").at(-1) ?? inode.label;
  }

  /** The regions with all cells that have a name or ever had another value than 0. */
  readonly regions = (): Region[] =>
    this.#inodes.map((inode, i) => ({
      label: this.#labelOf(inode),
      cells: cellsOf(inode, this.moments.map(({ memory }) => memory[i])),
    }));
}

function statusOf(actor: Actor, sleeping: number, asleep: number): PartyState["status"] {
  if (actor.dead) return "dead";
  if (!actor.started) return "not begun";
  if (actor.failure !== undefined) return "failed";
  if (actor.finished) return "finished";
  if (sleeping === 0) return "ready";
  return asleep > 0 ? "asleep" : "woken";
}

function resultOf({ failure, finished, result }: Actor): string | undefined {
  if (failure !== undefined) return `${failure}`.split("\n")[0];
  if (!finished || result === undefined) return undefined;
  return JSON.stringify(result, (_, value) => typeof value === "bigint" ? `${value}` : value);
}

function choiceOf({ code, kind, actor, detail }: Transition): Choice {
  return { code, kind, party: actor?.index, detail };
}

function cellsOf(inode: Inode, values: readonly (Uint32Array | undefined)[]): Cell[] {
  const cells: Cell[] = [];
  for (let index = 0; index < inode.words.length; index++) {
    const name = inode.names.get(index);
    const isWide = inode.names.get(index + 1) === `${name}${HIGH_HALF}`;
    const isUsed = name !== undefined || values.some((words) => words?.[index]);
    if (isUsed) cells.push({ index, name, isWide });
    if (isWide) index++;
  }
  return cells;
}

function partiesOf({ actors }: Scenario): Party[] {
  return Object.entries(actors).map(([name, spec], i) => {
    const { after, last = false, immortal = false } = typeof spec === "function"
      ? { after: undefined }
      : spec;
    const begins = last ? "when all others are gone" : after ? `when ${after} is gone` : "";
    return { name, letter: String.fromCharCode(65 + i), isImmortal: immortal, begins };
  });
}
