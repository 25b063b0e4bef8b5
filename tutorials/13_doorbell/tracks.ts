/**
 * What parties did, as a picture for the stage.
 *
 * @module
 */

import type { Death, TracksPicture } from "../stage/story.ts";
import { type Event, Machine, type Party, type Shared } from "./machine.ts";

/** Draws events in a column for each party, with the words after each. */
export function tracksOf(
  events: readonly Event[],
  parties: readonly { readonly name: string }[],
  about: {
    readonly title: string;
    readonly end?: string;
    /** What happens if a party dies after each event; see {@linkcode deathsIn}. */
    readonly deaths?: readonly (Death | undefined)[];
  },
): TracksPicture {
  const { deaths = [], ...shown } = about;
  const names = parties.map(({ name }) => name);
  const words = Object.keys(events[0]?.state.words ?? {});
  const rows = rowsOf(events, names, words).map((row, i) =>
    deaths[i] === undefined ? row : { ...row, death: deaths[i] }
  );
  return { kind: "tracks", id: "tracks", parties: names, words, rows, ...shown };
}

function rowsOf(events: readonly Event[], names: readonly string[], words: readonly string[]) {
  return events.map(({ party, text, state }) => ({
    party: names.indexOf(party),
    text,
    values: words.map((word) => state.words[word]!),
  }));
}

/** A party that does not end after a death would go on for ever. */
const MOST_OPERATIONS = 60;

/**
 * Kills the party of each event right after it, lets a party with the same code take its place, and
 * lets all run to their end.
 */
export function deathsIn<S = Shared>(
  events: readonly Event[],
  parties: readonly Party<S>[],
): (Death | undefined)[] {
  return events.map(({ party, text }, i) =>
    text === "is killed" ? undefined : deathAfter(events.slice(0, i + 1), parties, party)
  );
}

function deathAfter<S>(
  before: readonly Event[],
  parties: readonly Party<S>[],
  dead: string,
): Death | undefined {
  const heir = parties.find(({ after }) => after === dead)?.name ?? `next ${dead}`;
  const { code } = parties.find(({ name }) => name === dead)!;
  const isThere = parties.some(({ name }) => name === heir);
  const living = isThere ? parties : [...parties, { name: heir, code, after: dead }];
  const all = living.map((party) => ({ ...party, mayDie: true }));
  const words = Object.keys(before[0]!.state.words);
  const machine = new Machine(all, words);
  const indexOf = (name: string) => all.findIndex((party) => party.name === name);
  for (const { party, text } of before) {
    if (text === "is killed") machine.kill(indexOf(party));
    else machine.step(indexOf(party));
  }
  if (!machine.canDie(indexOf(dead))) return undefined; // it has ended with this operation
  machine.kill(indexOf(dead));
  const events: Event[] = [];
  // The heir first: the others sleep, or have a place of their own.
  const order = [indexOf(heir), ...all.keys()];
  for (let next; (next = order.find((index) => machine.canRun(index))) !== undefined;) {
    events.push(machine.step(next));
    if (events.length > MOST_OPERATIONS) throw new Error("After a death somebody does not end");
  }
  const names = all.map(({ name }) => name).filter((name) => name !== dead);
  const told = [...before, ...events];
  const sleeps = told.some(({ text }) => text.includes("sleepWhile"));
  const end = [lookOf(heir, events), ...sleeps ? [sleepersAt(told, without(all, dead))] : []];
  return { parties: names, rows: rowsOf(events, names, words), end: end.join(" ") };
}

function without<S>(parties: readonly Party<S>[], dead: string): readonly Party<S>[] {
  return parties.filter(({ name }) => name !== dead);
}

/** Says which word a successor looks at first. */
function lookOf(heir: string, events: readonly Event[]): string {
  const look = /^(\w+)\.(?:load|exchange|or)\([^)]*\) → (\d+)$/;
  for (const { party, text } of events) {
    const [, word, value] = party === heir ? look.exec(text) ?? [] : [];
    if (word !== undefined) return `The ${heir} starts from \`${word}\`, which is ${value}.`;
  }
  return `The ${heir} looks at no word.`;
}

/** Says in words who sleeps for ever at the end of events. */
export function sleepersAt(
  events: readonly Event[],
  parties: readonly { readonly name: string }[],
): string {
  const asleep = parties.map(({ name }) => name).filter((name) => {
    const at = events.findLastIndex(({ party }) => party === name);
    const isWoken = events.slice(at + 1).some(({ text }) => text.includes(name));
    return events[at]?.text.endsWith("asleep") === true && !isWoken;
  });
  return asleep.length === 0
    ? "Nobody sleeps."
    : `There is a message, and nobody will wake ${asleep.join(" and ")}.`;
}
