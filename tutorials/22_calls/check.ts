/**
 * The checks of the exercise. They try every short sequence of calls, answers, time-outs and deaths,
 * the shortest first, so that a failure shows a minimal one.
 *
 * @module
 */

import { type Check, runChecks, Wrong } from "../check.ts";
import { Film } from "../film.ts";

/** How many calls may be without an answer; their numbers are 0 to 3. */
export const NUMBERS = 4;

/** What the client knows of a call; the fields are the answer's own. */
export interface Call {
  server: number;
  deadline: number;
  waits: boolean;
}

/** What the answer remembers: a call for each number, all undefined at first. */
export interface Mind {
  readonly calls: (Call | undefined)[];
}

/** An answer. */
export interface Answer {
  readonly begin: (mind: Mind, server: number, deadline: number) => number | undefined;
  readonly receive: (mind: Mind, number: number) => boolean;
  readonly expire: (mind: Mind, now: number) => number[];
  readonly lose: (mind: Mind, server: number) => number[];
}

/** Checks an answer and prints the results. */
export function checkCalls(answer: Answer): void {
  runChecks(import.meta.url, checksOf(answer));
}

/** The checks that an answer must pass. */
export function checksOf(answer: Answer): Check[] {
  const every = (kinds: readonly Kind[], most: number) => () => tryAll(answer, kinds, most);
  return [
    {
      what: "each answer reaches its call, and a number is free again after it",
      check: every(["begin 0", "first", "last"], 6),
      hint:
        "`begin` takes a number whose call is undefined, and `receive` makes it undefined again.",
    },
    {
      what: "a call fails at its deadline, and only once",
      check: () => tryAll(answer, ["begin 0", "brief 1", "tick"], 6, beginsFirst),
      hint: "`deadline <= now`, for calls that still wait. Each fails only once.",
    },
    {
      what: "a late answer settles no call, neither its own nor another one",
      check: every(["brief 1", "begin 0", "tick", "first"], 5),
      hint: "after a time-out the answer may still come. So the number is in use until it does.",
    },
    {
      what: "the death of a server fails its calls, and no others",
      check: every(["begin 0", "begin 1", "lose 0", "first"], 6),
      hint: "compare `call.server`. No answer will come from it, so its numbers are free.",
    },
    {
      what: "all of that together",
      check: every(["begin 0", "brief 1", "tick", "first", "last", "lose 1"], 5),
      hint:
        "a call that has timed out does not fail again when its server dies. Is its number free?",
    },
  ];
}

/** What may happen: a call with a long or a brief time, an answer, some time, a death. */
type Kind =
  | "begin 0"
  | "begin 1"
  | "brief 1"
  | "tick"
  | "first"
  | "last"
  | "lose 0"
  | "lose 1";

/** A call as the check sees it. */
interface Asked {
  readonly name: string;
  readonly number: number;
  readonly server: number;
  readonly deadline: number;
  /** Whether the caller still waits. */
  waits: boolean;
}

/** Tries all sequences of these events, the shortest first. */
function tryAll(
  answer: Answer,
  kinds: readonly Kind[],
  most: number,
  isWanted: (events: readonly Kind[]) => boolean = () => true,
): void {
  for (let length = 1; length <= most; length++) {
    const total = kinds.length ** length;
    for (let code = 0; code < total; code++) {
      let rest = code;
      const events = Array.from({ length }, () => {
        const kind = kinds[rest % kinds.length]!;
        rest = Math.floor(rest / kinds.length);
        return kind;
      });
      if (!isWanted(events)) continue;
      const story = new Story(answer);
      for (const kind of events) story.play(kind);
    }
  }
}

/** Whether no call begins after some time has passed. */
function beginsFirst(events: readonly Kind[]): boolean {
  return !events.some((kind, i) => kind !== "tick" && events[i - 1] === "tick");
}

/** What an answer remembers of a number. */
function stateOf({ calls }: Mind, number: number): string {
  const call = calls[number];
  return call === undefined ? "-" : call.waits ? "waits" : "kept";
}

/** One sequence of events, and what should come of it. */
class Story {
  readonly #answer: Answer;
  readonly #mind: Mind = { calls: Array<Call | undefined>(NUMBERS).fill(undefined) };
  /** Calls whose answer may still come. */
  readonly #open: Asked[] = [];
  readonly #film = new Film(
    ["client", "servers", "clock"],
    Object.fromEntries(
      this.#mind.calls.map((_, number) => [`calls[${number}]`, () => stateOf(this.#mind, number)]),
    ),
  );
  #now = 0;
  #begun = 0;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  play(kind: Kind): void {
    if (kind === "begin 0" || kind === "begin 1") this.#begin(Number(kind.at(-1)), 10);
    else if (kind === "brief 1") this.#begin(1, 1);
    else if (kind === "tick") this.#tick();
    else if (kind === "first" || kind === "last") this.#receive(kind === "first" ? 0 : -1);
    else this.#lose(Number(kind.at(-1)));
  }

  #begin(server: number, time: number): void {
    const deadline = this.#now + time;
    const number = this.#answer.begin(this.#mind, server, deadline);
    const name = `call ${String.fromCharCode(65 + this.#begun++)}`;
    this.#film.add("client", `begin(mind, ${server}, ${deadline}) → ${number}: ${name}`);
    const used = this.#open.map((call) => call.number);
    if (used.length === NUMBERS) {
      return this.#expect(number === undefined, "all numbers are in use");
    }
    const isNumber = Number.isInteger(number) && number! >= 0 && number! < NUMBERS;
    this.#expect(isNumber, `a number from 0 to ${NUMBERS - 1} is free`);
    const other = this.#open.find((call) => call.number === number);
    this.#expect(
      other === undefined,
      `the answer to ${other?.name} may still come under ${number}`,
    );
    this.#open.push({ name, number: number!, server, deadline, waits: true });
  }

  #receive(which: number): void {
    const asked = this.#open.at(which);
    if (asked === undefined) return;
    this.#open.splice(this.#open.indexOf(asked), 1);
    const settles = this.#answer.receive(this.#mind, asked.number);
    this.#film.add(
      "servers",
      `answer ${asked.name}: receive(mind, ${asked.number}) → ${settles}`,
    );
    this.#expect(
      settles === asked.waits,
      asked.waits ? `${asked.name} waits for it` : `${asked.name} has failed before`,
    );
  }

  #tick(): void {
    const now = ++this.#now;
    const failed = this.#answer.expire(this.#mind, now);
    this.#film.add("clock", `expire(mind, ${now}) → [${failed}]`);
    this.#fail(failed, this.#open.filter(({ waits, deadline }) => waits && deadline <= now));
  }

  #lose(server: number): void {
    const failed = this.#answer.lose(this.#mind, server);
    this.#film.add("servers", `${server} dies: lose(mind, ${server}) → [${failed}]`);
    const its = this.#open.filter((call) => call.server === server);
    this.#fail(failed, its.filter(({ waits }) => waits));
    for (const call of its) this.#open.splice(this.#open.indexOf(call), 1);
  }

  #fail(failed: readonly number[], calls: readonly Asked[]): void {
    const wanted = calls.map(({ number }) => number).sort();
    const names = calls.map(({ name }) => name).join(" and ") || "no call";
    this.#expect(`${failed.toSorted()}` === `${wanted}`, `${names} fails now: [${wanted}]`);
    for (const call of calls) call.waits = false;
  }

  #expect(isSo: boolean, why: string): void {
    if (isSo) return;
    throw new Wrong(`But ${why}.`, this.#film.picture("What happens, and your `mind` after it"));
  }
}
