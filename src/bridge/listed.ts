/**
 * The lists of names that a bridge exports and imports. A pattern is for topics, unless it
 * begins with another kind: `slot:robot/*`, `mpsc:jobs`, `calls:lookup`.
 *
 * @module
 */

import { matcher } from "../region/pattern.ts";
import type { Carried } from "./export.ts";

/** A pattern, and the kind that it is for. */
export interface Listed {
  readonly kind: Carried;
  readonly pattern: string;
  readonly matches: (name: string) => boolean;
}

const KINDS: readonly string[] = ["topic", "slot", "mpsc", "calls"] satisfies Carried[];

/** Reads a pattern; throws a TypeError for one that nothing that bridges carry can match. */
export function listedIn(text: string): Listed {
  const [, kind = "topic", pattern = ""] = /^(?:([^:]*):)?(.*)$/s.exec(text)!;
  const action = `Cannot bridge ${JSON.stringify(text)}`;
  if (!KINDS.includes(kind)) {
    const kinds = KINDS.map((each) => `${each}:`).join(", ");
    throw new TypeError(`${action}: pass a pattern, or one after ${kinds}`);
  }
  if (!/^[\w./*?-]+$/.test(pattern)) {
    throw new TypeError(
      `${action}: names have letters, digits, ".", "_", "-" and "/", and patterns "*" and "?"`,
    );
  }
  if (kind === "slot" && !/[^/]\/|\*\*/.test(pattern)) {
    throw new TypeError(`${action}: a slot has its domain before it; pass slot:DOMAIN/NAME`);
  }
  return { kind: kind as Carried, pattern, matches: matcher(pattern) };
}

/** Makes the test whether a region is among what these patterns list. */
export function isListed(patterns: readonly string[]): (kind: Carried, name: string) => boolean {
  const all = patterns.map(listedIn);
  return (kind, name) => all.some((listed) => listed.kind === kind && listed.matches(name));
}
