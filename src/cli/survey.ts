/**
 * The table of rates that `vring top` and its siblings show.
 *
 * @module
 */

import type { Row } from "../inspect/survey.ts";
import { barOf, bytesInWords, type Cell, harmless, rateInWords } from "./output.ts";

/** The columns of a table of rates, each with its cell and the number to sort by. */
export const COLUMNS: readonly {
  readonly title: string;
  cell(row: Row): Cell;
  order(row: Row): number | string;
}[] = [
  { title: "KIND", cell: ({ region }) => region.kind, order: ({ region }) => region.kind },
  {
    title: "NAME",
    cell: ({ region }) => harmless(region.name),
    order: ({ region }) => region.name,
  },
  {
    title: "MSG/S",
    cell: ({ rates: { messages } }) => messages === undefined ? "?" : rateInWords(messages),
    order: ({ rates }) => rates.messages ?? -1,
  },
  {
    title: "BYTES/S",
    cell: ({ rates: { bytes } }) => bytes === undefined ? "" : bytesInWords(bytes),
    order: ({ rates }) => rates.bytes ?? -1,
  },
  {
    title: "BACKLOG",
    cell: ({ fullest }) => fullest === undefined ? "" : barOf(fullest.backlog, fullest.room),
    order: ({ fullest }) => fullest === undefined ? -1 : fullest.backlog / fullest.room,
  },
  {
    title: "LOST/S",
    cell: ({ rates: { lost } }) => lost === undefined ? "" : rateInWords(lost),
    order: ({ rates }) => rates.lost ?? -1,
  },
  {
    title: "ASLEEP",
    cell: ({ activity }) => activity.sleepers,
    order: ({ activity }) => activity.sleepers,
  },
  {
    title: "WAKES/S",
    cell: ({ rates }) => rateInWords(rates.wakeUps),
    order: ({ rates }) => rates.wakeUps,
  },
];

/** A row as an object for programs. */
export function factsIn({ region: { kind, name }, rates, activity }: Row): object {
  return { kind, name, ...rates, sleepers: activity.sleepers, flows: activity.flows };
}
