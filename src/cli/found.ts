/**
 * The regions that a command is about.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import * as files from "../os/files.ts";
import { type RegionDetails, type RegionInfo, regions } from "../region/list.ts";
import { usualDirectory } from "../region/names.ts";
import { isSourceOf } from "../vdds/sources.ts";
import { type Call, matcher, UsageError } from "./command.ts";
import { FUNCTIONS } from "./definition_text.ts";
import { harmless } from "./output.ts";

/** The patterns and the kind that a command is about. */
export type Asked = Pick<Call, "names" | "options">;

/** The kinds of regions that this library makes. */
const KINDS = Object.keys(FUNCTIONS);

/**
 * Lists the regions with a name that one of the patterns matches; all of them without a pattern. A
 * topic of many publishers brings the topics of its sources.
 */
export function found({ names, options: { kind } }: Asked): RegionInfo[] {
  const all = regions();
  if (kind !== undefined && ![...KINDS, ...all.map(({ kind }) => kind)].includes(String(kind))) {
    const near = KINDS.find((known) => isMistyped(known, String(kind)));
    const hint = near === undefined ? `pass ${KINDS.join(", ")}` : `did you mean ${near}?`;
    throw new UsageError(`Cannot use --kind ${kind}: no region has this kind; ${hint}`);
  }
  const matches = names.map(matcher);
  const isNamed = ({ name }: RegionInfo) =>
    matches.length === 0 || matches.some((isMatch) => isMatch(name));
  const many = all.filter((region) => region.kind === "sources" && isNamed(region));
  return all.filter((region) =>
    (kind === undefined || region.kind === kind) &&
    (isNamed(region) || many.some((topic) => isSourceOf(topic, region)))
  );
}

/** Of these regions, those with exactly the name that was asked for, if there are such. */
export function exactly(name: string, all: readonly RegionInfo[]): readonly RegionInfo[] {
  const exact = all.filter((region) => region.name === name.replace(/^\//, ""));
  return exact.length > 0 ? exact : all;
}

/** As `found()`; throws a VringError that says which names there are, if nothing matches. */
export function needed(asked: Asked): RegionInfo[] {
  const all = found(asked);
  if (all.length > 0) return all;
  throw new VringError(nothingFound(asked));
}

/** Returns what the header of a region says; throws if it cannot be read. */
export function detailsOf({ kind, name, details, problem }: RegionInfo): RegionDetails {
  if (details !== undefined) return details;
  throw new VringError(`Cannot read ${kind} ${harmless(name)}: ${problem}`);
}

/** Says that nothing has such a name, and what has a similar one. */
export function nothingFound({ names, options }: Asked): string {
  const kind = options.kind === undefined ? "region" : `region of kind ${options.kind}`;
  const all = regions().map(({ name }) => harmless(name));
  const near = [...new Set(all)].filter((name) => names.some((asked) => isSimilar(name, asked)))
    .slice(0, 3);
  const there = typeof files.list(usualDirectory()) === "number"
    ? `the directory ${usualDirectory()} cannot be read; pass another --directory`
    : all.length === 0
    ? "nothing is open; start a program that opens a region"
    : near.length > 0
    ? `did you mean ${near.join(" or ")}?`
    : "vring ls shows what there is";
  return names.length === 0
    ? `There is no ${kind}: ${there}`
    : `There is no ${kind} named ${names.join(" or ")}: ${there}`;
}

/** Whether two names differ only in letter case, in signs, in their beginnings, or by a typing error. */
export function isSimilar(name: string, asked: string): boolean {
  const bare = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const [a, b] = [bare(name), bare(asked)];
  return b !== "" && (a.includes(b) || b.includes(a) || isMistyped(a, b));
}

/** Whether one letter in six, or one of fewer, is another, missing or too many; digits are meant. */
export function isMistyped(a: string, b: string): boolean {
  const most = Math.max(1, Math.floor(b.length / 6));
  const isSibling = a.replace(/\d/g, "") === b.replace(/\d/g, "");
  return b.length > 2 && Math.abs(a.length - b.length) <= most && !isSibling &&
    distance(a, b) <= most;
}

/** The least number of letters to change, add or remove to get from one text to the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, k) => k);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let k = 1; k <= b.length; k++) {
      const change = row[k - 1]! + Number(a[i - 1] !== b[k - 1]);
      next.push(Math.min(change, row[k]! + 1, next[k - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
