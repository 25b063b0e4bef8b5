/**
 * What parties do, one operation in a line: a column for each party, and the words after that.
 *
 * @module
 */

import { paint } from "../paint.ts";
import { oneByOne } from "../stage.ts";
import type { Event } from "./machine.ts";

const WIDTH = 81;

/** The names of the parties above their columns. */
export function headOf(
  parties: readonly string[],
  words: readonly string[] = ["count", "bell"],
): string {
  const width = Math.floor(WIDTH / parties.length);
  return paint("dim", [...parties.map((name) => name.padEnd(width)), words.join("  ")].join(""));
}

/** One line of the film. */
export function lineOf(event: Event, parties: readonly string[]): string {
  const { party, text, state } = event;
  const width = Math.floor(WIDTH / parties.length);
  const column = parties.indexOf(party);
  const cells = parties.map((_, i) => (i === column ? text : "").padEnd(width));
  const words = Object.entries(state.words).map(([name, value]) =>
    `${value}`.padEnd(name.length + 2)
  );
  return [...cells, ...words].join("").trimEnd();
}

/** Shows a film, line by line. */
export function film(events: readonly Event[], parties: readonly string[]): void {
  const words = Object.keys(events[0]!.state.words);
  console.log(`\n    ${headOf(parties, words)}`);
  let stops = true;
  for (const [i, event] of events.entries()) {
    if (i > 0) stops &&= oneByOne();
    console.log(`    ${lineOf(event, parties)}`);
  }
}
