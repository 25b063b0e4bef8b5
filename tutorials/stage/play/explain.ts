/**
 * A finding in words: how the steps of a run led to its end.
 *
 * @module
 */

import type { Ending, Film, Moment } from "./film.ts";
import { inWords, listed, outcomeOf } from "./words.ts";

/** An ending, explained. */
export interface Explanation {
  readonly title: string;
  readonly lines: readonly string[];
}

/** A step of a party, numbered from 1. */
interface Deed {
  readonly step: number;
  readonly party: number;
  readonly operation: string;
  readonly result: string;
}

const TITLES: Readonly<Record<Ending["kind"], string>> = {
  "well": "Everything ended well",
  "lost wake-up": "A wake-up is lost",
  "invariant": "The promise is broken",
  "error": "A party failed",
  "hang": "A party waits for ever",
};

/** Explains how the film ended, if it did. */
export function explain(film: Film, moment: Moment): Explanation | undefined {
  const { ending } = moment;
  if (ending === undefined) return undefined;
  const title = TITLES[ending.kind];
  const deeds = deedsOf(film);
  switch (ending.kind) {
    case "well":
      return {
        title,
        lines: ["Nothing was lost and nothing was torn. Step back, and try another order."],
      };
    case "lost wake-up":
      return { title, lines: sleepers(film, moment, deeds) };
    case "hang":
      return { title, lines: hang(film, moment, deeds, ending) };
    case "invariant":
      return { title, lines: [sentence(ending.message), ...invariant(film, deeds)] };
    case "error":
      return { title, lines: error(ending) };
  }
}

function deedsOf({ parties, moments }: Film): Deed[] {
  return moments.flatMap(({ events, step }, number) =>
    events.flatMap(({ actor, what }) => {
      const party = parties.findIndex(({ name }) => name === actor);
      const isOwn = party >= 0 && step?.party === party;
      return isOwn ? [{ step: number, party, ...outcomeOf(what) }] : [];
    })
  );
}

function sentence(text: string): string {
  return ended(`${text[0]!.toUpperCase()}${text.slice(1)}`);
}

/** Ends a sentence that begins with the name of a party. */
function ended(text: string): string {
  return `${text}${/[.!?]$/.test(text) ? "" : "."}`;
}

// ---- sleeping for ever ----

function sleepers(film: Film, moment: Moment, deeds: readonly Deed[]): string[] {
  const { parties } = film;
  const lines = moment.parties.flatMap(({ status, sleepsOn, operation }, party) => {
    if (status !== "asleep") return [];
    const name = parties[party]!.name;
    const asleep = deeds.findLast((deed) => deed.party === party && deed.result === "falls asleep");
    const step = asleep?.step ?? 0;
    const where = step > 0 ? ` in step ${step}` : "";
    const word = operation === undefined
      ? listed(sleepsOn)
      : inWords(operation).replace(/^sleep /, "");
    const told = [`${name} fell asleep${where}. It sleeps ${word}.`];
    for (const slept of sleepsOn) told.push(...missed(film, deeds, party, slept, step));
    return told;
  });
  const ended = parties.filter((_, i) => moment.parties[i]!.status === "finished");
  if (ended.length > 0) {
    const names = listed(ended.map(({ name }) => name));
    lines.push(`${names} ${ended.length === 1 ? "has" : "have"} ended. Nobody is left to wake it.`);
  }
  return lines;
}

/** Tells what the last other party that touched the word saw there. */
function missed(
  { parties }: Film,
  deeds: readonly Deed[],
  sleeper: number,
  word: string,
  slept: number,
): string[] {
  const others = deeds.filter(({ party, operation }) =>
    party !== sleeper && operation.startsWith(`${word} `) && parties[party] !== undefined
  );
  const last = others.at(-1);
  if (last === undefined) return [`No other party ever touched ${word}.`];
  const name = parties[last.party]!.name;
  const before = last.step < slept ? `, before ${parties[sleeper]!.name} slept` : "";
  const raised = deeds.findLast(({ party, operation, step }) =>
    party === sleeper && operation.startsWith(`${word} `) &&
    /\b(or|store|exchange) /.test(operation) &&
    step > last.step
  );
  const late = raised === undefined
    ? ""
    : ` ${parties[sleeper]!.name} changed it only in step ${raised.step}.`;
  if (/ load$/.test(last.operation)) {
    return [
      `${name} looked at ${word} in step ${last.step}${before}, and saw ${last.result}.${late}`,
    ];
  }
  if (/wake/.test(last.operation)) {
    return [`${name} woke the sleepers of ${word} in step ${last.step}${before}.${late}`];
  }
  return [`${name} did "${inWords(last.operation)}" in step ${last.step}${before}.${late}`];
}

function hang(
  film: Film,
  moment: Moment,
  deeds: readonly Deed[],
  { message }: Ending,
): string[] {
  if (/does not end within/.test(message)) {
    return [
      sentence(message),
      "A party that spins may spin for ever here: the scheduler need not let anyone else act. " +
      "Sleep on a word, pause, or give up after some looks.",
    ];
  }
  const lines: string[] = [];
  for (const [party, { status }] of moment.parties.entries()) {
    if (status !== "dead") continue;
    const death = film.moments.findIndex(({ step }) =>
      step?.kind === "kill" && step.party === party
    );
    const last = deeds.findLast((deed) => deed.party === party && deed.operation !== "DIES");
    const after = last === undefined
      ? "before its first operation"
      : `after "${inWords(last.operation)}" (step ${last.step})`;
    lines.push(`${film.parties[party]!.name} was killed in step ${death}, ${after}.`);
  }
  return [...lines, ...sleepers(film, moment, deeds)];
}

// ---- broken promises ----

function invariant(film: Film, deeds: readonly Deed[]): string[] {
  const torn = tornCopy(film, deeds) ?? halfWritten(film, deeds);
  const stale = torn === undefined ? staleStore(film, deeds) : undefined;
  const told = [torn, stale].filter((line) => line !== undefined);
  const killed = film.moments.flatMap(({ step }, number) =>
    step?.kind === "kill"
      ? [`${film.parties[step.party!]!.name} was killed in step ${number}.`]
      : []
  );
  return [...killed, ...told, ...resultsOf(film)];
}

/** The two halves of a copy; the second is missing if its party died between them. */
type Halves = readonly [first: Deed, second: Deed | undefined];

/** Returns the halves of the copies of all parties: `copy in ..` or `copy out ..`. */
function halvesOf({ parties, moments }: Film, deeds: readonly Deed[], verb: string): Halves[] {
  const found: Halves[] = [];
  for (const party of parties.keys()) {
    const own = deeds.filter((deed) => deed.party === party);
    const isDead = moments.at(-1)!.parties[party]!.status === "dead";
    for (let i = 0; i < own.length; i++) {
      const [first, second] = [own[i]!, own[i + 1]];
      if (!first.operation.startsWith(verb)) continue;
      if (second !== undefined && offsetOf(second) > offsetOf(first)) {
        found.push([first, second]);
        i++;
      } else if (isDead && second?.operation === "DIES") found.push([first, undefined]);
    }
  }
  return found;
}

/** Returns the offset of a copy; -1 for another operation. */
function offsetOf({ operation }: Deed): number {
  return Number(/^copy (?:in .*at|out at) (\d+)$/.exec(operation)?.[1] ?? -1);
}

/** Finds a copy out of memory between whose halves another party wrote. */
function tornCopy(film: Film, deeds: readonly Deed[]): string | undefined {
  for (const [first, second] of halvesOf(film, deeds, "copy out")) {
    const between = deeds.filter(({ party, step, operation }) =>
      party !== first.party && step > first.step && step < (second?.step ?? 0) &&
      operation.startsWith("copy in")
    );
    if (second === undefined || between.length === 0) continue;
    const [reader, writer] = [first, between[0]!].map(({ party }) => film.parties[party]!.name);
    return `${reader} copied the first half in step ${first.step} and the second half in step ` +
      `${second.step}. In between, in ${stepsOf(between)}, ${writer} copied new bytes in. ` +
      `So ${reader} may have half of one message and half of another.`;
  }
  return undefined;
}

/** Finds a copy out of memory between the halves of a copy in. */
function halfWritten(film: Film, deeds: readonly Deed[]): string | undefined {
  for (const [first, second] of halvesOf(film, deeds, "copy in")) {
    const read = deeds.filter(({ party, step, operation }) =>
      party !== first.party && step > first.step && step < (second?.step ?? Infinity) &&
      operation.startsWith("copy out")
    );
    if (read.length === 0) continue;
    const [writer, reader] = [first, read[0]!].map(({ party }) => film.parties[party]!.name);
    const later = second === undefined
      ? "and died before the second half"
      : `and the second half in step ${second.step}`;
    return `${writer} copied the first half of a message in step ${first.step}, ${later}. ` +
      `${reader} copied in ${stepsOf(read)}, when only half was there.`;
  }
  return undefined;
}

function stepsOf(deeds: readonly Deed[]): string {
  const steps = deeds.map(({ step }) => `${step}`);
  return `${steps.length === 1 ? "step" : "steps"} ${listed(steps)}`;
}

/** Finds a store that rests on a value that another party has changed since. */
function staleStore({ parties }: Film, deeds: readonly Deed[]): string | undefined {
  for (const { step, party, operation } of deeds) {
    const word = /^(\S+) store \d+$/.exec(operation)?.[1];
    if (word === undefined) continue;
    const read = deeds.findLast((deed) =>
      deed.party === party && deed.step < step && deed.operation === `${word} load`
    );
    if (read === undefined) continue;
    const changed = deeds.find((deed) =>
      deed.party !== party && deed.step > read.step && deed.step < step &&
      /^(\S+) (store|add|sub|or|and|exchange|cas)\b/.exec(deed.operation)?.[1] === word
    );
    if (changed === undefined) continue;
    const [own, other] = [parties[party]!.name, parties[changed.party]!.name];
    return `${own} read ${word} in step ${read.step} and stored it in step ${step}. In between, in ` +
      `step ${changed.step}, ${other} changed it, and ${own} did not notice.`;
  }
  return undefined;
}

function resultsOf({ parties, moments }: Film): string[] {
  const last = moments.at(-1)!;
  const results = parties.flatMap(({ name }, i) => {
    const { result, status } = last.parties[i]!;
    return status === "finished" && result !== undefined
      ? [`${name} returned ${short(result)}.`]
      : [];
  });
  return results.length === 0 ? [] : [results.join(" ")];
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

// ---- errors ----

/** Explains an error of the engine or of a party. */
export function error({ message }: Pick<Ending, "message">): string[] {
  if (/is not deterministic/.test(message)) {
    return [
      ended(message.replace(/^.*?threw Error: /, "")),
      "The explorer runs each party many times, and it must do the same each time. Keep all state " +
      "inside of the party or in the memory; use no random numbers and no clock.",
    ];
  }
  return [ended(message)];
}
