/**
 * The messages between the page and the Worker that runs the explorer.
 *
 * @module
 */

import type { Bounds, FindingKind, Report } from "../../../test/explore/engine/mod.ts";
import type { Film } from "./film.ts";
import type { Place } from "./places.ts";

/** The subject of a game: a scenario of the explorer by its name, or code written in the page. */
export type Subject = { readonly name: string } | { readonly source: string };

/** A request of the page. */
export type Request =
  /** The scenarios; also makes the Worker load the type stripper. */
  | { readonly ask: "list" }
  | { readonly ask: "prepare" }
  | { readonly ask: "film"; readonly subject: Subject; readonly token: string }
  | { readonly ask: "search"; readonly subject: Subject; readonly isWeak: boolean };

/** A scenario in the list. */
export interface Listed {
  readonly name: string;
  readonly about: string;
  readonly expect: FindingKind | undefined;
  readonly bounds: Bounds;
  readonly parties: readonly string[];
}

/** The result of a search. */
export interface Found {
  readonly report: Report;
  readonly bounds: Bounds;
  /** What differs when own code runs twice. */
  readonly changing: string | undefined;
}

/** An answer of the Worker; those with `id` belong to a request. */
export type Answer =
  | { readonly id: number; readonly list: readonly Listed[] }
  | { readonly id: number; readonly ready: true }
  | { readonly id: number; readonly film: Film }
  | { readonly id: number; readonly found: Found }
  | { readonly id: number; readonly progress: Report }
  /** A party reached an operation; the last of these tells where an endless loop began. */
  | { readonly id: number; readonly reached: Reached }
  | { readonly id: number; readonly error: string };

/** A party at an operation. */
export interface Reached {
  readonly party: string;
  readonly place: Place | undefined;
}
