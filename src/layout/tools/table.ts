/**
 * A layout as a table in Markdown.
 *
 * @module
 */

import { type AnyLayout, byOffset, type Field } from "../fields.ts";

const HEAD = ["offset", "size", "type", "name", "meaning"];

/** Writes the fields in the order of their offsets, in columns as wide as `deno fmt` makes them. */
export function toMarkdown(layout: AnyLayout): string {
  const rows = [HEAD, ...byOffset(layout).map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const rule = widths.map((width) => "-".repeat(width));
  const [head, ...body] = rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)));
  return [head!, rule, ...body].map((row) => `| ${row.join(" | ")} |\n`).join("");
}

function cells({ offset, size, type, atomic, line, name, doc }: Field): string[] {
  const typeCell = (atomic ? "atomic " : "") + type + (line ? ", own line" : "");
  return [`${offset}`, `${size}`, typeCell, name, doc.replace(/\s+/g, " ").replaceAll("|", "\\|")];
}
