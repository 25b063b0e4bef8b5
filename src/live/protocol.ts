/**
 * The messages between the server and its page. Texts are JSON; pictures and points are binary.
 *
 * @module
 */

import type { Presence } from "../inspect/activity.ts";

/** The subprotocol of the page. */
export const PAGE_PROTOCOL = "vring.view.v1";

/** A region, as long as it does not change. */
export interface RegionFacts {
  /** A number for a kind and a name, for as long as the server runs. */
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  /** The type of its messages, such as `f64[3]` or `pose`. */
  readonly type: string;
  /** The reason why it cannot be read. */
  readonly problem?: string | undefined;
  readonly sizeBytes: number;
  /** The definition's sizes and policy in words, such as `depth 8, dropOldest`. */
  readonly sizes: string;
  /** Whether its messages can be shown. */
  readonly isReadable: boolean;
  /** The numbers that can be drawn as curves. */
  readonly curves: readonly string[];
  /** Whether its messages are images, or point clouds; "maybe" if only a message can tell. */
  readonly picture: "no" | "maybe" | "image" | "points";
}

/** A process at a region. */
export interface LinkFacts {
  /** The process; 0 if it cannot be seen. */
  readonly pid: number;
  readonly role: string;
  readonly seat: number;
  readonly presence: Presence;
  /** Whether messages go into the region, out of it, or both. */
  readonly way: "in" | "out" | "both";
  /** Messages per second; null if nobody counts them. */
  readonly rate: number | null;
  readonly backlog: number | null;
  readonly room: number | null;
}

/** What a region does at one moment. */
export interface RegionRow {
  readonly id: number;
  readonly memory: number;
  readonly rate: number | null;
  readonly bytes: number | null;
  /** Lost messages per second, and in all. */
  readonly lost: number | null;
  readonly lostAll: number | null;
  /** The fullest flow. */
  readonly backlog: number | null;
  readonly room: number | null;
  readonly sleepers: number;
  readonly wakes: number;
  readonly links: readonly LinkFacts[];
}

/** A process. */
export interface ProcessFacts {
  readonly pid: number;
  readonly name: string;
  readonly isStopped: boolean;
}

/** Something that happened. */
export interface ViewEvent {
  readonly number: number;
  /** In ms since 1970. */
  readonly time: number;
  readonly what: "appeared" | "gone" | "joined" | "left" | "died" | "lost" | "repaired";
  /** The sentence. */
  readonly text: string;
  readonly kind: string;
  readonly name: string;
}

/** A message from the server, as text. */
export type FromServer =
  | {
    readonly op: "hello";
    readonly host: string;
    readonly tickMs: number;
  }
  | { readonly op: "scene"; readonly regions: readonly RegionFacts[] }
  | {
    readonly op: "tick";
    /** In ms since 1970. */
    readonly time: number;
    readonly rows: readonly RegionRow[];
    /** The regions that are not shown, because there are too many. */
    readonly hidden: number;
    readonly processes: readonly ProcessFacts[];
    /** The number of the newest event. */
    readonly events: number;
    /** The frames that this client did not get, because it was too slow. */
    readonly dropped: number;
  }
  | { readonly op: "events"; readonly events: readonly ViewEvent[] }
  | ValueMessage
  | SeriesMessage
  | { readonly op: "problem"; readonly id: number; readonly reason: string };

/** The newest message of a region. */
export interface ValueMessage {
  readonly op: "value";
  readonly id: number;
  readonly sequence: number;
  /** In ms since 1970; null where messages have no time. */
  readonly time: number | null;
  readonly length: number;
  /** The messages that this view did not see. */
  readonly missed: number;
  readonly value: Shown;
}

/** Points of curves. */
export interface SeriesMessage {
  readonly op: "series";
  readonly id: number;
  /** In ms since 1970. */
  readonly times: readonly number[];
  /** The values by path, in the order of `times`. */
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
}

/** A value in a form that JSON has, and of a size that a page can show. */
export type Shown =
  | string
  | number
  | boolean
  | null
  | { readonly fields: readonly (readonly [name: string, value: Shown])[] }
  | {
    /** The number of elements. */
    readonly array: number;
    readonly head: readonly Shown[];
    /** The numbers as a curve of at most 256 points. */
    readonly plot?: readonly number[] | undefined;
  }
  | { readonly bytes: number; readonly hex: string }
  | { readonly cut: string };

/** A message from the page. */
export type FromPage =
  | {
    readonly op: "watch";
    readonly id: number;
    readonly curves: readonly string[];
    readonly value: boolean;
    readonly picture: boolean;
  }
  | { readonly op: "unwatch"; readonly id: number }
  | { readonly op: "events"; readonly after: number };

/** The form of a binary message, in its first byte. */
export const PictureForm = {
  /** One byte per pixel. */
  gray: 1,
  /** Three bytes per pixel. */
  rgb: 2,
  /** A file, such as a JPEG. */
  file: 3,
  /** Three numbers of 32 bits per point. */
  points: 4,
} as const;

/**
 * The bytes before the content of a binary message, little-endian: form (u8), 3 unused, region (u32),
 * width and height shown (u32), width and height of the original (u32), sequence (f64).
 */
export const PICTURE_HEAD = 32;
