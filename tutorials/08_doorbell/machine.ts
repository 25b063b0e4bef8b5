/**
 * Parties that share a few words of memory and are run one operation at a time, in any order.
 *
 * The words are real, and so is every operation on them. Only the sleep is not: all parties are in
 * one thread, so none may really sleep. The machine asks the kernel to sleep until a time that has
 * passed. The kernel compares the word and returns either "it differs" or "timed out". In the
 * second case the party counts as asleep until another one wakes it.
 *
 * For each operation, the machine runs a party's code again from its start, and hands it the
 * results of its earlier operations. So the code must depend on nothing else.
 *
 * @module
 */

import { check, Errno } from "../../src/errors.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { pageSize } from "../../src/os/page.ts";
import { addAndWake, wait, wake } from "../../src/os/futex.ts";

/** A word as a party sees it. Each call is one operation. */
export interface SharedWord {
  load(): number;
  store(value: number): void;
  /** This and the next two return the value before. */
  exchange(value: number): number;
  add(value: number): number;
  or(bits: number): number;
  /** System call: sleeps if the word has this value, until woken. */
  sleepWhile(value: number): void;
  /** System call: wakes all that sleep on the word. */
  wakeAll(): void;
  /** System call: adds 1 and wakes all that sleep on the word, in one operation. */
  addAndWake(): void;
}

/** The words that sleepers and wakers share. */
export interface Shared {
  /** How many messages there are. */
  readonly count: SharedWord;
  /** The word that readers raise before they sleep. */
  readonly bell: SharedWord;
}

const BELL_WORDS = ["count", "bell"];

/** A reader or a writer, which works on the words of `S`. */
export interface Party<S = Shared> {
  readonly name: string;
  /** Runs its work once; returns true at its end, and false to begin again. */
  readonly code: (shared: S) => boolean;
  /** It begins when this party has ended, or is dead. */
  readonly after?: string;
  /** It may be killed at any moment. */
  readonly mayDie?: boolean;
}

/** The progress of one party. */
interface Progress {
  readonly results: (number | undefined)[];
  readonly asleepOn: string | undefined;
  readonly end: "" | "done" | "dead";
}

/** The words, and the progress of all parties. */
export interface State {
  readonly words: Readonly<Record<string, number>>;
  readonly parties: readonly Progress[];
}

/** An operation: its party, its text, and the state after it. */
export interface Event {
  readonly party: string;
  readonly text: string;
  readonly state: State;
}

/** The limit for one run of a party's code. */
const MOST_OPERATIONS = 100;
const EVERYONE = 2 ** 31 - 1;
const PAUSE = new Error("the next operation is not done yet");

const memory = Mapping.anonymous(pageSize(), "what the parties share");
const cells = Array.from(
  { length: 4 },
  (_, i) => new Word32(memory, { path: `word ${i}`, offset: 64 * i }),
);

/** The words of a bell themselves. */
export const words = { count: cells[0]!, bell: cells[1]! };

/** Runs parties on a few words, all 0 at first. */
export class Machine<S = Shared> {
  readonly parties: readonly Party<S>[];
  readonly #names: readonly string[];
  #words: Record<string, number>;
  #progress: Progress[];

  constructor(parties: readonly Party<S>[], names: readonly string[] = BELL_WORDS) {
    this.parties = parties;
    this.#names = names;
    this.#words = Object.fromEntries(names.map((name) => [name, 0]));
    this.#progress = parties.map(() => ({ results: [], asleepOn: undefined, end: "" }));
    this.restore(this.state);
  }

  /** The state now. */
  get state(): State {
    return { words: { ...this.#words }, parties: [...this.#progress] };
  }

  /** Returns to a state. */
  restore(state: State): void {
    this.#words = { ...state.words };
    this.#progress = [...state.parties];
    for (const [i, name] of this.#names.entries()) cells[i]!.store(state.words[name]!);
  }

  /** Whether a party can take a step. */
  canRun(index: number): boolean {
    const { asleepOn, end } = this.#progress[index]!;
    const { after } = this.parties[index]!;
    const before = this.parties.findIndex(({ name }) => name === after);
    return end === "" && asleepOn === undefined &&
      (before === -1 || this.#progress[before]!.end !== "");
  }

  /** Whether a party sleeps. */
  isAsleep(index: number): boolean {
    return this.#progress[index]!.asleepOn !== undefined;
  }

  /** Kills a party. */
  kill(index: number): Event {
    this.#progress[index] = { results: [], asleepOn: undefined, end: "dead" };
    return { party: this.parties[index]!.name, text: "is killed", state: this.state };
  }

  /** Lets a party do its next operation. */
  step(index: number): Event {
    const { code } = this.parties[index]!;
    const results = [...this.#progress[index]!.results];
    const turn: Turn = { index, results, used: 0, asleepOn: undefined };
    let end: Progress["end"] = "";
    try {
      const shared = this.#names.map((name, i) => [name, this.#shown(name, cells[i]!, turn)]);
      if (code(Object.fromEntries(shared) as S)) end = "done";
      results.length = 0; // the next run begins without results
    } catch (error) {
      if (error !== PAUSE) throw error;
    }
    this.#progress[index] = { results, asleepOn: turn.asleepOn, end };
    for (const [i, name] of this.#names.entries()) this.#words[name] = cells[i]!.load();
    return {
      party: this.parties[index]!.name,
      text: turn.text ?? "does nothing",
      state: this.state,
    };
  }

  #shown(name: string, word: Word32, turn: Turn): SharedWord {
    const operation = <T extends number | void>(what: string, run: () => T): T => {
      if (turn.used < turn.results.length) return turn.results[turn.used++] as T;
      if (turn.text !== undefined) throw PAUSE;
      if (turn.used === MOST_OPERATIONS) throw new Error("a hundred operations, and no end");
      const result = run();
      turn.results.push(result as number | undefined);
      turn.used++;
      const gives = result === undefined ? "" : ` → ${result}`;
      turn.text = `${name}.${what}${turn.note ?? gives}`;
      return result;
    };
    return {
      load: () => operation("load()", () => word.load()),
      store: (value) => operation(`store(${value})`, () => word.store(value)),
      exchange: (value) => operation(`exchange(${value})`, () => word.exchange(value)),
      add: (value) => operation(`add(${value})`, () => word.add(value)),
      or: (bits) => operation(`or(${bits})`, () => word.or(bits)),
      sleepWhile: (value) =>
        operation(`sleepWhile(${value})`, () => {
          const sleeps = wouldSleep(word, value);
          turn.note = sleeps ? ": asleep" : ": differs";
          if (sleeps) turn.asleepOn = name;
        }),
      wakeAll: () =>
        operation("wakeAll()", () => {
          check(wake(word.address, EVERYONE), { syscall: "futex", action: "wake" });
          turn.note = this.#wake(name);
        }),
      addAndWake: () =>
        operation("addAndWake()", () => {
          check(addAndWake(word.address), { syscall: "futex", action: "wake" });
          turn.note = this.#wake(name);
        }),
    };
  }

  /** Wakes the parties that count as asleep, and returns them. */
  #wake(name: string): string {
    const woken = this.#progress.flatMap(({ asleepOn }, i) => asleepOn === name ? [i] : []);
    for (const i of woken) this.#progress[i] = { ...this.#progress[i]!, asleepOn: undefined };
    const names = woken.map((i) => this.parties[i]!.name);
    return names.length === 0 ? ": nobody" : `: ${names.join(", ")}`;
  }
}

/** One operation of a party. */
interface Turn {
  readonly index: number;
  readonly results: (number | undefined)[];
  used: number;
  asleepOn: string | undefined;
  text?: string;
  note?: string;
}

function wouldSleep(word: Word32, value: number): boolean {
  const result = wait(word.address, value >>> 0, 0);
  if (result === -Errno.EAGAIN) return false;
  if (result === -Errno.ETIMEDOUT) return true;
  throw new Error(`Cannot ask the kernel whether it would sleep: errno ${-result}`);
}

/** The result of trying all orders. */
export interface Exploration {
  /** The number of different states that the parties can reach. */
  readonly states: number;
  /** The shortest way to an end at which a party sleeps for ever. */
  readonly lost: readonly Event[] | undefined;
}

const MOST_STATES = 50_000;

/** Tries every order of the parties' operations. Every party should reach its end. */
export function explore<S = Shared>(
  parties: readonly Party<S>[],
  names: readonly string[] = BELL_WORDS,
): Exploration {
  const machine = new Machine(parties, names);
  const first: Path = { state: machine.state };
  const seen = new Set([JSON.stringify(first.state)]);
  for (let queue = [first]; queue.length > 0;) {
    const next: Path[] = [];
    for (const path of queue) {
      let stuck = true;
      for (const event of eventsFrom(machine, path.state)) {
        stuck = false;
        const key = JSON.stringify(event.state);
        if (seen.has(key)) continue;
        seen.add(key);
        if (seen.size > MOST_STATES) {
          throw new Error("Cannot explore: the number of states has no end");
        }
        next.push({ state: event.state, event, before: path });
      }
      const sleeper = path.state.parties.some(({ asleepOn }) => asleepOn !== undefined);
      if (stuck && sleeper) return { states: seen.size, lost: eventsOf(path) };
    }
    queue = next;
  }
  return { states: seen.size, lost: undefined };
}

function* eventsFrom<S>(machine: Machine<S>, state: State): Generator<Event> {
  for (const [index, { mayDie }] of machine.parties.entries()) {
    machine.restore(state);
    if (!machine.canRun(index)) continue;
    yield machine.step(index);
    machine.restore(state);
    if (mayDie) yield machine.kill(index);
  }
}

/** How a state was reached. */
interface Path {
  readonly state: State;
  readonly event?: Event;
  readonly before?: Path;
}

function eventsOf(path: Path): Event[] {
  const events: Event[] = [];
  for (let at: Path | undefined = path; at?.event !== undefined; at = at.before) {
    events.unshift(at.event);
  }
  return events;
}
