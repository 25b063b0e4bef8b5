/**
 * The regions that a command is about.
 *
 * @module
 */

import { type RegionInfo, regions } from "../region/list.ts";
import { type Call, matcher } from "./command.ts";

/** Lists the regions with a name that one of the patterns matches; all of them without a pattern. */
export function found({ names, options }: Pick<Call, "names" | "options">): RegionInfo[] {
  const matches = names.map(matcher);
  return regions().filter(({ name, kind }) =>
    (options.kind === undefined || kind === options.kind) &&
    (matches.length === 0 || matches.some((isMatch) => isMatch(name)))
  );
}

/** Says that nothing has such a name, and what has a similar one. */
export function nothingFound({ names, options }: Pick<Call, "names" | "options">): string {
  const kind = options.kind === undefined ? "region" : `region of kind ${options.kind}`;
  const all = regions().map(({ name }) => name);
  const near = all.filter((name) => names.some((asked) => isSimilar(name, asked))).slice(0, 3);
  const there = all.length === 0
    ? "nothing is open; start a program that opens a region"
    : near.length > 0
    ? `did you mean ${near.join(" or ")}?`
    : "vring ls shows what there is";
  return names.length === 0
    ? `There is no ${kind}: ${there}`
    : `There is no ${kind} named ${names.join(" or ")}: ${there}`;
}

/** Whether two names differ only in letter case, in signs, or in their beginnings. */
export function isSimilar(name: string, asked: string): boolean {
  const bare = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const [a, b] = [bare(name), bare(asked)];
  return b !== "" && (a.includes(b) || b.includes(a));
}
