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
export function headOf(parties: readonly string[]): string {
  const width = WIDTH / parties.length;
  return paint("dim", [...parties.map((name) => name.padEnd(width)), "count  bell"].join(""));
}

/** One line of the film. */
export function lineOf(event: Event, parties: readonly string[]): string {
  const { party, text, state } = event;
  const width = WIDTH / parties.length;
  const column = parties.indexOf(party);
  const cells = parties.map((_, i) => (i === column ? text : "").padEnd(width));
  const { count, bell } = state.words;
  return `${cells.join("")}${`${count}`.padEnd(7)}${bell}`.trimEnd();
}

/** Shows a film, line by line. */
export function film(events: readonly Event[], parties: readonly string[]): void {
  console.log(`\n    ${headOf(parties)}`);
  let stops = true;
  for (const [i, event] of events.entries()) {
    if (i > 0) stops &&= oneByOne();
    console.log(`    ${lineOf(event, parties)}`);
  }
}
