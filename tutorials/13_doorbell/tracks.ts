/**
 * What parties did, as a picture for the stage.
 *
 * @module
 */

import type { TracksPicture } from "../stage/story.ts";
import type { Event } from "./machine.ts";

/** Draws events in a column for each party, with the words after each. */
export function tracksOf(
  events: readonly Event[],
  parties: readonly { readonly name: string }[],
  about: { readonly title: string; readonly end?: string },
): TracksPicture {
  const names = parties.map(({ name }) => name);
  const words = Object.keys(events[0]?.state.words ?? {});
  const rows = events.map(({ party, text, state }) => ({
    party: names.indexOf(party),
    text,
    values: words.map((word) => state.words[word]!),
  }));
  return { kind: "tracks", id: "tracks", parties: names, words, rows, ...about };
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
