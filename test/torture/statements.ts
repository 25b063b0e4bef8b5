/**
 * Finds statements about one resource that overlap in time and differ.
 *
 * A statement begins after the fact that makes it true and ends before that fact does; that of a
 * killed process ends before the signal is sent. So statements that overlap here did overlap, and a
 * finding is never a matter of timing. Logs arrive late and out of order; a statement is judged once
 * no older one can arrive any more.
 *
 * @module
 */

import type { StatementRecord } from "./ledger.ts";

interface Event extends StatementRecord {
  readonly owner: string;
}

interface Statement {
  readonly owner: string;
  readonly value: number;
}

/** The time during which no actor held a resource that one should hold. */
interface Vacancy {
  since: number | undefined;
  longest: number;
}

/** Judges statements in the order of their times. */
export class Statements {
  readonly #complain: (text: string) => void;
  readonly #pending: Event[] = [];
  readonly #live = new Map<string, Statement[]>();
  readonly #gone = new Set<string>();
  readonly #vacancies: ReadonlyMap<string, Vacancy>;
  #judgedUntil = -Infinity;
  #judged = 0;

  /** Reports statements that contradict each other; measures how long `wanted` are vacant. */
  constructor(complain: (text: string) => void, wanted: readonly string[] = []) {
    this.#complain = complain;
    this.#vacancies = new Map(
      wanted.map((resource) => [resource, { since: undefined, longest: 0 }]),
    );
  }

  /** The number of statements that were judged. */
  get count(): number {
    return this.#judged;
  }

  /** The longest time, in nanoseconds, that a wanted resource was vacant between two statements. */
  get longestVacancy(): number {
    return Math.max(0, ...[...this.#vacancies.values()].map(({ longest }) => longest));
  }

  /** Notes that a statement begins, or ends if the value is negative. */
  add(owner: string, record: StatementRecord): void {
    this.#pending.push({ owner, ...record });
    if (record.time < this.#judgedUntil) {
      this.#complain(`the log of ${owner} came too late to be judged: the machine is overloaded`);
    }
  }

  /** Notes that all statements of the owner ended, at this time at the latest. */
  end(owner: string, time: number): void {
    this.#pending.push({ owner, time, value: 0, resource: "" });
  }

  /** Judges all up to this time. */
  judge(until: number): void {
    this.#pending.sort((a, b) => a.time - b.time || a.value - b.value);
    const late = this.#pending.findIndex(({ time }) => time > until);
    const due = late < 0 ? this.#pending.length : late;
    for (const event of this.#pending.splice(0, due)) this.#judge(event);
    this.#judgedUntil = Math.max(this.#judgedUntil, until);
  }

  #judge({ owner, time, value, resource }: Event): void {
    if (this.#gone.has(owner)) return; // it stated something in the moment of its death
    if (value > 0) this.#begin({ owner, value }, resource, time);
    else if (value < 0) {
      const ended = this.#live.get(resource)?.find((each) =>
        each.owner === owner && each.value === -value
      );
      this.#drop(resource, (each) => each === ended, time);
    } else {
      this.#gone.add(owner);
      for (const held of [...this.#live.keys()]) {
        this.#drop(held, (each) => each.owner === owner, time);
      }
    }
  }

  #begin(statement: Statement, resource: string, time: number): void {
    this.#judged++;
    const live = this.#live.get(resource) ?? [];
    const other = live.find(({ value }) => value !== statement.value);
    if (other !== undefined) {
      this.#complain(
        `${resource}: ${statement.owner} had ${statement.value.toString(16)} while ` +
          `${other.owner} had ${other.value.toString(16)}`,
      );
    }
    this.#live.set(resource, [...live, statement]);
    const vacancy = this.#vacancies.get(resource);
    if (vacancy?.since === undefined) return;
    vacancy.longest = Math.max(vacancy.longest, time - vacancy.since);
    vacancy.since = undefined;
  }

  #drop(resource: string, isDropped: (statement: Statement) => boolean, time: number): void {
    const live = this.#live.get(resource) ?? [];
    const rest = live.filter((statement) => !isDropped(statement));
    if (rest.length > 0) this.#live.set(resource, rest);
    else this.#live.delete(resource);
    const vacancy = this.#vacancies.get(resource);
    if (rest.length < live.length && rest.length === 0 && vacancy) vacancy.since = time;
  }
}
