/**
 * A film of what parties do: a line for each operation, a column for each party, and the words.
 *
 * @module
 */

import { paint } from "../paint.ts";
import { oneByOne } from "../narrator.ts";
import type { Event } from "./machine.ts";

const WIDTH = 62;
/** Where the last of three columns begins: its text may be long. */
const LAST_OF_THREE = 24;

/** Where the column of a party begins. The text in it may reach into the next column. */
function startOf(column: number, { length }: readonly string[]): number {
  return length < 3 ? column * WIDTH / 2 : column * LAST_OF_THREE / (length - 1);
}

/** The names of the parties above their columns. */
export function headOf(
  parties: readonly string[],
  words: readonly string[] = ["count", "bell"],
): string {
  let line = "";
  for (const [i, name] of parties.entries()) line = line.padEnd(startOf(i, parties)) + name;
  return paint("dim", line.padEnd(WIDTH) + words.join("  "));
}

/** One line of the film. */
export function lineOf(event: Event, parties: readonly string[]): string {
  const { party, text, state } = event;
  const start = " ".repeat(startOf(parties.indexOf(party), parties));
  const words = Object.entries(state.words).map(([name, value]) =>
    `${value}`.padEnd(name.length + 2)
  );
  return [(start + text).padEnd(WIDTH), ...words].join("").trimEnd();
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
