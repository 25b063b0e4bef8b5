/**
 * Colour, where a terminal shows it and nobody has asked for none (`NO_COLOR`).
 *
 * @module
 */

import { styleText } from "node:util";

/** Whether the output is a terminal. */
export const onTerminal: boolean = Deno.stdout.isTerminal();

/** Text in a style, or as it is. */
export function paint(style: Parameters<typeof styleText>[0], text: string): string {
  if (!onTerminal || Deno.noColor) return text;
  return styleText(style, text, { validateStream: false });
}
