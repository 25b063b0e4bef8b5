/**
 * Who claimed what, when: finds claims for one resource that overlap in time and differ.
 *
 * A claim begins after whatever makes it true and ends before that is given up; that of a killed
 * process ends before the signal is sent. So what is found to overlap did overlap, and a finding is
 * never a matter of timing. Logs arrive late and out of order; claims are judged once nothing older
 * can arrive any more.
 *
 * @module
 */

interface Event {
  readonly time: number;
  readonly owner: string;
  /** Negative for the end of a claim, 0 for the end of all claims of the owner. */
  readonly value: number;
  readonly resource: string;
}

interface Claim {
  readonly owner: string;
  readonly value: number;
}

/** The time during which nobody claimed a resource that somebody should. */
interface Vacancy {
  since: number | undefined;
  longest: number;
}

/** Judges claims in the order of their times. */
export class Claims {
  readonly #complain: (text: string) => void;
  readonly #vacancies: ReadonlyMap<string, Vacancy>;
  readonly #live = new Map<string, Claim[]>();
  readonly #gone = new Set<string>();
  #pending: Event[] = [];
  #judgedUntil = 0;
  #judged = 0;

  /** Complains about claims that contradict each other; watches how long `wanted` are vacant. */
  constructor(complain: (text: string) => void, wanted: readonly string[] = []) {
    this.#complain = complain;
    this.#vacancies = new Map(
      wanted.map((resource) => [resource, { since: undefined, longest: 0 }]),
    );
  }

  /** How many claims were judged. */
  get count(): number {
    return this.#judged;
  }

  /** The longest time, in nanoseconds, that a wanted resource was vacant between two claims. */
  get longestVacancy(): number {
    return Math.max(0, ...[...this.#vacancies.values()].map(({ longest }) => longest));
  }

  /** Takes down that a claim begins, or ends if the value is negative. */
  add(owner: string, record: { time: number; value: number; resource: string }): void {
    this.#pending.push({ owner, ...record });
    if (record.time < this.#judgedUntil) {
      this.#complain(`the log of ${owner} came too late to be judged: the machine is overloaded`);
    }
  }

  /** Takes down that all claims of the owner ended, at this time at the latest. */
  end(owner: string, time: number): void {
    this.#pending.push({ owner, time, value: 0, resource: "" });
  }

  /** Judges all up to this time. */
  judge(until: number): void {
    this.#pending.sort((a, b) => a.time - b.time || a.value - b.value);
    const late = this.#pending.findIndex(({ time }) => time > until);
    const due = late < 0 ? this.#pending.length : late;
    for (const event of this.#pending.splice(0, due)) this.#happen(event);
    this.#judgedUntil = Math.max(this.#judgedUntil, until);
  }

  #happen({ owner, time, value, resource }: Event): void {
    if (this.#gone.has(owner)) return; // it claimed something in the moment of its death
    if (value > 0) this.#begin({ owner, value }, resource, time);
    else if (value < 0) this.#drop(resource, (claim) => claim.owner === owner, -value, time);
    else {
      this.#gone.add(owner);
      for (const held of [...this.#live.keys()]) {
        this.#drop(held, (claim) => claim.owner === owner, undefined, time);
      }
    }
  }

  #begin(claim: Claim, resource: string, time: number): void {
    this.#judged++;
    const live = this.#live.get(resource) ?? [];
    const other = live.find(({ value }) => value !== claim.value);
    if (other !== undefined) {
      this.#complain(
        `${resource}: ${claim.owner} had ${claim.value.toString(16)} while ` +
          `${other.owner} had ${other.value.toString(16)}`,
      );
    }
    this.#live.set(resource, [...live, claim]);
    const vacancy = this.#vacancies.get(resource);
    if (vacancy?.since === undefined) return;
    vacancy.longest = Math.max(vacancy.longest, time - vacancy.since);
    vacancy.since = undefined;
  }

  /** Ends one claim of this value, or all that match. */
  #drop(
    resource: string,
    matches: (claim: Claim) => boolean,
    value: number | undefined,
    time: number,
  ): void {
    const live = this.#live.get(resource) ?? [];
    let dropped = 0;
    const rest = live.filter((claim) => {
      const drop = matches(claim) &&
        (value === undefined || claim.value === value && dropped === 0);
      if (drop) dropped++;
      return !drop;
    });
    if (rest.length > 0) this.#live.set(resource, rest);
    else this.#live.delete(resource);
    const vacancy = this.#vacancies.get(resource);
    if (dropped > 0 && rest.length === 0 && vacancy !== undefined) vacancy.since = time;
  }
}
