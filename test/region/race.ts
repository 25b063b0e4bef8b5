/**
 * What several processes do at the same name at the same time. Runs in a {@linkcode Party}; throws
 * as soon as a rule is broken.
 *
 * @module
 */

import { Region } from "../../src/region/region.ts";
import { Word32 } from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import { addAndWake, wait } from "../../src/os/futex.ts";
import { CONTROL, dataOf, idAt, idOf, KIND, patterned } from "./scene.ts";

const DEADLINE_NS = 30e9;

/** A place where processes wait until all of them are there. */
class Meeting implements Disposable {
  readonly #region: Region;
  readonly #turn: Word32;
  readonly #parties: number;
  #arrivals = 0;

  constructor(path: string, parties: number) {
    this.#region = Region.open(KIND, path, { dataBytes: 0 });
    this.#turn = wordOf(this.#region, "turn");
    this.#parties = parties;
  }

  /** Returns, as far as that can be, at the same time for all. */
  meet(): void {
    this.#arrivals += this.#parties;
    addAndWake(this.#turn.address);
    const deadline = now() + DEADLINE_NS;
    for (let turn; (turn = this.#turn.load()) < this.#arrivals;) {
      if (this.#turn.spinWhile(turn, 20_000)) continue;
      wait(this.#turn.address, turn, deadline);
      if (now() >= deadline) throw new Error("The other processes did not come");
    }
  }

  [Symbol.dispose](): void {
    this.#region.close();
  }
}

function wordOf(region: Region, name: keyof typeof CONTROL.fields): Word32 {
  return new Word32(region.mapping, CONTROL.fields[name], region.controlOffset);
}

/** Spends up to so many microseconds, so that the parties come in ever new orders. */
function dawdle(microseconds: number): void {
  const end = now() + Math.random() * microseconds * 1000;
  while (now() < end);
}

function rule(kept: boolean, broken: string): void {
  if (!kept) throw new Error(broken);
}

/** The task of one party of a race. */
export interface RaceOptions {
  readonly path: string;
  /** A name to meet at. */
  readonly meeting: string;
  readonly parties: number;
  /** Which of them this is, from 0. */
  readonly party: number;
  readonly rounds: number;
}

/** What happened to one party in one round. */
export interface Round {
  readonly created: boolean;
  readonly id: string;
}

const PART = 100;

/** All open at once, use the region together, and close at once, again and again. */
export function together(options: RaceOptions): Round[] {
  const { path, party, parties, rounds } = options;
  using meeting = new Meeting(options.meeting, parties);
  const seen: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    meeting.meet();
    dawdle(50);
    const region = Region.open(KIND, path, { dataBytes: PART * parties });
    seen.push({ created: region.created, id: idOf(region) });
    const data = dataOf(region);
    const partOf = (which: number) => data.subarray(PART * which, PART * (which + 1));
    rule(partOf(party).every((byte) => byte === 0), "the region is not fresh");
    partOf(party).set(patterned(PART, round + party));
    meeting.meet();
    for (let other = 0; other < parties; other++) {
      const expected = patterned(PART, round + other);
      const agrees = partOf(other).every((byte, i) => byte === expected[i]);
      rule(agrees, `the bytes of party ${other} are not the same for all`);
    }
    rule(idAt(path) === idOf(region), "a member holds what has not the name");
    meeting.meet();
    dawdle(50);
    region.close();
    meeting.meet();
    rule(idAt(path) === undefined, "something is left");
  }
  return seen;
}
