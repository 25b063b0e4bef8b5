/**
 * The messages that go through the slots of the babus workload, and their account.
 *
 * A writer draws a ticket for each attempt. The message begins with it, and the ticket determines
 * all its other bytes. The ledger shows for each slot whether the numbers of messages are right:
 *
 * - `begun` and `failed`, by writers: attempts to write, and failed ones. There are at most as many
 *   messages as other attempts. A ticket is the value of `begun`.
 * - `given`: the number of a message, and its ticket, once its writer knows the number. No other
 *   writer gets the same number, and nobody finds another ticket under it. If the writer died before
 *   that, its message is only known to be whole.
 * - `noted`: the greatest number that is known to be published. From then on nobody finds less.
 * - `stamps`: when a message was first known to be published; sleepers are judged by that.
 *
 * @module
 */

import type { Domain } from "../../../src/babus/domain.ts";
import type { SlotMessage, SlotPeek } from "../../../src/babus/history.ts";
import type { Slot } from "../../../src/babus/slot.ts";
import { bytes, type Codec } from "../../../src/codec.ts";
import { now, time as clock } from "../../../src/os/clock.ts";
import { lengthOf, payload } from "../../circular/scene.ts";
import type { Scene } from "../workload.ts";
import { type Cell, raise } from "../ledger.ts";
import { Track } from "./track.ts";
import { SLEEP_CELLS, watchCells } from "./sleeping.ts";

/** A slot, and how it is used. */
export interface SlotPlan {
  readonly name: string;
  readonly depth: number;
  readonly size: number;
  /** Its writers: many; one, seldom; one that is never harmed; or none. */
  readonly writers: "many" | "seldom" | "steady" | "nobody";
}

/** The large messages take pages that come when they are needed first. */
export const SLOTS: readonly SlotPlan[] = [
  { name: "single", depth: 1, size: 300, writers: "many" },
  { name: "few", depth: 4, size: 20_000, writers: "many" },
  { name: "deep", depth: 1024, size: 100, writers: "many" },
  { name: "seldom", depth: 4, size: 1000, writers: "seldom" },
  { name: "steady", depth: 4, size: 100, writers: "steady" },
  { name: "silent", depth: 1, size: 20, writers: "nobody" },
];

/** The number of messages that are remembered, each at its number modulo this. */
const GIVEN = 128;
const STAMPS = 64;

/** Sleepers that the steady writer watches. */
export const WATCHED = 2;

export const CELLS = {
  startedAt: 1,
  begun: SLOTS.length,
  failed: SLOTS.length,
  observed: 1, // messages that observers found whole
  sent: SLOTS.length, // messages that their writers know to be published
  noted: SLOTS.length,
  received: SLOTS.length, // messages that were read whole
  told: SLOTS.length, // messages that since() counted as lost
  given: SLOTS.length * GIVEN,
  stamps: SLOTS.length * STAMPS,
  overwritten: 1, // views that did not stay valid while they were looked at
  wakes: 1, // waits that ended with news
  bursts: 1, // of the steady writer
  ...SLEEP_CELLS,
  ...watchCells(WATCHED), // numbers of messages
  lost: 1, // times that something was not there that should have been
  duplicated: 1, // numbers that two writers got, or that came again
  corrupt: 1, // messages with other content than was written
  leaked: 1, // seats of writers that nobody can take though nobody has them
};

export type CellName = keyof typeof CELLS;
export type Bytes = Uint8Array<ArrayBuffer>;

/** The last number before it begins: the half of it that waiters watch wraps soon. */
export const START = 2 ** 32 - 300;

/** A stamp is a number and a time in one word, so that the one is always that of the other. */
const STAMP_MS = 2 ** 23;

const TICKET_BYTES = 8;

/** More than there are tickets in a run. */
const TICKETS = 2 ** 26;

/** Returns a number above 0 for each number of a message in the run. */
function ordinalOf(sequence: number): number {
  return sequence - START + 2 * Math.max(...SLOTS.map(({ depth }) => depth));
}

/** A slot of the run, and the notes about it. */
export class Traffic extends Track<CellName> {
  readonly plan: SlotPlan;
  readonly begun = this.at("begun");
  readonly failed = this.at("failed");
  readonly sent = this.at("sent");
  readonly noted = this.at("noted");
  readonly received = this.at("received");
  readonly told = this.at("told");
  readonly #index: number;

  constructor(scene: Scene<CellName>, index: number) {
    const plan = SLOTS[index]!;
    super(scene, `slot ${plan.name}`, index);
    this.plan = plan;
    this.#index = index;
  }

  /** Returns the message of a ticket. */
  messageOf(ticket: number): Bytes {
    const message = payload(ticket, TICKET_BYTES + lengthOf(ticket, this.plan.size - TICKET_BYTES));
    const ticketed = message.slice();
    new DataView(ticketed.buffer).setFloat64(0, ticket);
    return ticketed;
  }

  /** Returns whether these bytes are one whole message, and the one that was given the number. */
  isMessage(bytes: Uint8Array, sequence: number): boolean {
    if (bytes.length < TICKET_BYTES) return false;
    const ticket = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0);
    const expected = this.messageOf(ticket);
    if (bytes.length !== expected.length) return false;
    if (!bytes.every((byte, i) => byte === expected[i])) return false;
    const given = this.#given(sequence).load();
    return Math.floor(given / TICKETS) !== ordinalOf(sequence) || given % TICKETS === ticket;
  }

  /** Notes that a writer knows the number of the message with this ticket. */
  give(sequence: number, ticket: number): void {
    const cell = this.#given(sequence);
    const ordinal = ordinalOf(sequence);
    const own = ordinal * TICKETS + ticket;
    for (let seen; Math.floor((seen = cell.load()) / TICKETS) <= ordinal;) {
      if (Math.floor(seen / TICKETS) === ordinal) {
        return this.find("duplicated", `two writers were given the number ${sequence}`);
      }
      if (cell.compareExchange(seen, own) === seen) return;
    }
  }

  #given(sequence: number): Cell {
    return this.scene.cells.given[this.#index * GIVEN + sequence % GIVEN]!;
  }

  /** This number is known to be published. */
  note(sequence: number): void {
    raise(this.noted, sequence);
    const ms = Math.ceil((now() - this.#startedAt) / 1e6);
    const cell = this.#stamp(sequence);
    const stamp = (sequence - START) * STAMP_MS + ms;
    for (let seen; numberOf(seen = cell.load()) < sequence - START && ms < STAMP_MS;) {
      if (cell.compareExchange(seen, stamp) === seen) return;
    }
  }

  /** When a message was known to be there; undefined if that was not noted, or long ago. */
  notedAt(sequence: number): number | undefined {
    const stamp = this.#stamp(sequence).load();
    if (numberOf(stamp) !== sequence - START) return undefined;
    return this.#startedAt + stamp % STAMP_MS * 1e6;
  }

  #stamp(sequence: number): Cell {
    return this.scene.cells.stamps[this.#index * STAMPS + sequence % STAMPS]!;
  }

  get #startedAt(): number {
    return this.scene.cells.startedAt[0]!.load();
  }
}

function numberOf(stamp: number): number {
  return Math.floor(stamp / STAMP_MS);
}

/** All slots of the run. */
export function traffics(scene: Scene<CellName>): Traffic[] {
  return SLOTS.map((_, slot) => new Traffic(scene, slot));
}

/** How a reader looks at messages in place. */
export interface Viewing {
  /** Passes time before the look. */
  pause(): void;
  /** Whether the message was whole until now. */
  isValid(peek: SlotPeek): boolean;
}

/** A slot that an actor has open, and what the actor knows about it. */
export class Station implements Disposable {
  readonly traffic: Traffic;
  readonly slot: Slot;
  /** The greatest number that it has seen. */
  seen = 0;
  #ticket = 0;

  constructor(traffic: Traffic, domain: Domain) {
    const { name, depth, size } = traffic.plan;
    this.traffic = traffic;
    const plain = bytes();
    const own: Codec<Uint8Array> = {
      ...plain,
      sizeBytes: size,
      encode: (_, into) => plain.encode(this.message, into),
    };
    this.slot = domain.slot(name, { depth, size, type: own }) as Slot;
  }

  // ---- writing ----

  /** The message that is written next. */
  get message(): Bytes {
    return this.traffic.messageOf(this.#ticket);
  }

  /** Notes that something is about to be written. */
  begin(): void {
    this.#ticket = this.traffic.begun.add(1) + 1;
  }

  /** Notes the number of the message, or that writing failed; false then. */
  end(sequence: number | undefined): boolean {
    const { traffic } = this;
    if (sequence === undefined) {
      traffic.failed.add(1);
      return false;
    }
    traffic.give(sequence, this.#ticket);
    traffic.note(sequence);
    traffic.sent.add(1);
    this.#see(sequence);
    if (this.slot.sequence < sequence) traffic.find("lost", `${sequence} was written and is gone`);
    return true;
  }

  // ---- reading ----

  /** The number that nobody may find less than. */
  get due(): number {
    return Math.max(this.traffic.noted.load(), this.seen);
  }

  /** Checks a copy of the newest message. */
  latest(): void {
    const { due, slot } = this;
    const message = slot.latest();
    if (message === undefined) return this.traffic.find("lost", `there is nothing, of ${due}`);
    this.#message(message);
    this.#found(message.sequence, due);
  }

  /** Checks a copy of the message that was so much older than the newest. */
  copy(age: number): void {
    const { slot } = this;
    const sequence = slot.sequence - age;
    const message = slot.at(sequence);
    if (message === undefined) return this.#missing(sequence);
    this.#message(message);
    if (message.sequence === sequence) return this.#see(sequence);
    this.traffic.find("lost", `${message.sequence} is said to be ${sequence}`);
  }

  /** Checks the number of the newest message, when this was due before. */
  #found(sequence: number, due: number): void {
    const most = this.slot.sequence;
    if (sequence >= due && sequence <= most) return this.#see(sequence);
    this.traffic.find("lost", `${sequence} is said to be the last, of ${due} to ${most}`);
  }

  /** Checks that a message that was one of the last may be overwritten by now. */
  #missing(sequence: number): void {
    const { depth, sequence: most } = this.slot;
    if (sequence > most - depth) this.traffic.find("lost", `${sequence} of ${most} is not found`);
  }

  /** Checks all messages since a number. */
  news(since: number, messages: readonly SlotMessage[], due: number): void {
    const { traffic, slot } = this;
    const most = slot.sequence;
    let last = since;
    messages.forEach((message, i) => {
      const { sequence, lost } = message;
      this.#message(message, messages[i - 1]?.time);
      const expected = last + lost + 1;
      if (sequence !== expected) {
        traffic.find("duplicated", `after ${last} comes ${sequence}, not ${expected}`);
      }
      traffic.told.add(lost);
      if (lost > 0 && last + lost > most - slot.depth) {
        traffic.find("lost", `after ${last} are ${lost} said to be lost, when ${most} is there`);
      }
      last = sequence;
    });
    if (last < due) {
      traffic.find("lost", `since ${since} comes nothing after ${last}, and ${due} is there`);
    }
    this.#see(last);
  }

  /** Checks a message in place, the newest or an older one. */
  peek(age: number, { pause, isValid }: Viewing): void {
    const { traffic, slot, due } = this;
    const wanted = age === 0 ? undefined : slot.sequence - age;
    const peek = slot.peek(wanted);
    if (peek === undefined) return this.#missing(wanted ?? due);
    const { sequence, time, bytes } = peek;
    if (wanted === undefined) this.#found(sequence, due);
    pause();
    const isRight = traffic.isMessage(bytes, sequence);
    if (isValid(peek)) this.#judge(sequence, { isRight, time });
    else if (peek.valid) traffic.complain(`message ${sequence} is valid again`);
    else traffic.count("overwritten");
  }

  /** Checks that what is copied into an array is one whole message. */
  readInto(target: Bytes): void {
    const length = this.slot.readInto(target);
    if (this.traffic.isMessage(target.subarray(0, Math.max(length, 0)), 0)) return;
    this.traffic.find("corrupt", `${length} bytes are no message that was written`);
  }

  #message({ sequence, time, value }: SlotMessage, after = 0): void {
    const isRight = this.traffic.isMessage(value, sequence);
    this.#judge(sequence, { isRight, time, after });
  }

  #judge(
    sequence: number,
    { isRight, time, after = 0 }: { isRight: boolean; time: number; after?: number },
  ): void {
    const { traffic } = this;
    if (!isRight) return traffic.find("corrupt", `message ${sequence} is not what was written`);
    if (time > clock() || time < after) {
      traffic.complain(`the time of message ${sequence} is ${time}`);
    }
    traffic.received.add(1);
  }

  #see(sequence: number): void {
    this.seen = Math.max(this.seen, sequence);
  }

  [Symbol.dispose](): void {
    this.slot.close();
  }
}

/** All slots of the run, or some, opened by an actor. */
export function stationsOf(
  scene: Scene<CellName>,
  domain: Domain,
  isWanted: (plan: SlotPlan) => boolean = () => true,
): Station[] {
  const wanted = traffics(scene).filter(({ plan }) => isWanted(plan));
  return wanted.map((traffic) => new Station(traffic, domain));
}
