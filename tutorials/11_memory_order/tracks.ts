/**
 * Chapter 11: a run that ends wrong, as a picture.
 *
 * @module
 */

import type { TracksPicture } from "../stage/story.ts";
import type { Found } from "./weak.ts";

/** Draws the operations of a run, and what everybody can see after each. */
export function tracksOf({ events, wrong }: Found, title: string): TracksPicture {
  const parties = [...new Set(events.map(({ party }) => party))].sort();
  const words = Object.keys(events[0]!.values);
  const rows = events.map(({ party, text, values }) => ({
    party: parties.indexOf(party),
    text,
    values: words.map((word) => values[word]!),
  }));
  const end = wrong === undefined ? {} : { end: `At the end: ${wrong}.` };
  return { kind: "tracks", id: "tracks", title, parties, words, rows, ...end };
}
