/**
 * What the output can show: how many columns, and colour unless `NO_COLOR` is set.
 *
 * @module
 */

import { styleText } from "node:util";

/** Whether the output is a terminal. */
export const onTerminal: boolean = Deno.stdout.isTerminal();

/** Longer lines are hard to read. */
const WIDEST = 92;

/** How many columns a line may have. */
export const COLUMNS: number = Math.min(columnsOfTerminal(), WIDEST);

function columnsOfTerminal(): number {
  return (onTerminal ? Deno.consoleSize().columns : 0) || 80; // a terminal can have no size
}

/** Returns text in a style, or plain where the output shows no colour. */
export function paint(style: Parameters<typeof styleText>[0], text: string): string {
  if (!onTerminal || Deno.noColor) return text;
  return styleText(style, text, { validateStream: false });
}
