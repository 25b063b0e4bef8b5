/**
 * Parties that share a few words of memory and are run one operation at a time, in any order.
 *
 * The words are real ones, and so is every operation on them. Only the sleep is not: as all parties
 * are in one thread, nobody may really go to sleep. So the kernel is asked to sleep until a time
 * that is over. It compares the word and then says either "it differs" or "time is over", and in
 * the second case the party counts as asleep until somebody wakes it.
 *
 * A party's code is run from its start again for each of its operations, and is given the results
 * that it had before. So it must depend on nothing else.
 *
 * @module
 */

import { check, Errno } from "../../src/errors.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { pageSize } from "../../src/os/page.ts";
import { addAndWake, wait, wake } from "../../src/os/futex.ts";

/** A word as a party sees it. Each call is one operation; nothing comes in between. */
export interface SharedWord {
  load(): number;
  store(value: number): void;
  /** These give the value before. */
  exchange(value: number): number;
  add(value: number): number;
  or(bits: number): number;
  /** System call: sleeps if the word has this value, until somebody wakes. */
  sleepWhile(value: number): void;
  /** System call: wakes all who sleep on the word. */
  wakeAll(): void;
  /** System call: adds 1 and wakes all who sleep on the word, in one operation. */
  addAndWake(): void;
}

/** What sleepers and wakers share. */
export interface Shared {
  /** How many messages there are. */
  readonly count: SharedWord;
  /** For those who want to be woken. */
  readonly bell: SharedWord;
}

const BELL_WORDS = ["count", "bell"];

/** Somebody who does things, to words that are called as in `S`. */
export interface Party<S = Shared> {
  readonly name: string;
  /** Goes once through what it does; true if it has reached its end, else it begins again. */
  readonly code: (shared: S) => boolean;
  /** It begins when this one has ended, or is dead. */
  readonly after?: string;
  /** It may be killed at any moment. */
  readonly mayDie?: boolean;
}

/** Where a party is. */
interface Progress {
  readonly results: (number | undefined)[];
  readonly asleepOn: string | undefined;
  readonly end: "" | "done" | "dead";
}

/** Where all are. */
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

/** For each time that a party goes through its code. */
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

  /** How it is now. */
  get state(): State {
    return { words: { ...this.#words }, parties: [...this.#progress] };
  }

  /** Puts everything back to how it was. */
  restore(state: State): void {
    this.#words = { ...state.words };
    this.#progress = [...state.parties];
    for (const [i, name] of this.#names.entries()) cells[i]!.store(state.words[name]!);
  }

  /** Whether a party can do something. */
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

  /** A party dies. */
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
      results.length = 0; // the next time it goes through, it knows nothing of this one
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

/** What came of all ways in which parties can take turns. */
export interface Exploration {
  /** In how many different states they can be. */
  readonly states: number;
  /** The shortest way to an end at which somebody sleeps for ever. */
  readonly lost: readonly Event[] | undefined;
}

const MOST_STATES = 50_000;

/** Tries every way in which the parties can take turns. Everybody should come to an end. */
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
