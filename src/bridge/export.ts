/**
 * The common part of everything that a bridge exports.
 *
 * @module
 */

import type { Carrier, Kept } from "./carrier.ts";
import type { Offered } from "./offer.ts";
import type { Kind } from "./subjects.ts";
import type { Window } from "./window.ts";

/** The kinds of regions that a bridge carries. */
export type Carried = Exclude<Kind, "bridge" | "call" | "kept">;

/** The account of something that a bridge exports. */
export interface ExportAccount {
  /** The kind: "topic", "slot", "mpsc" or "calls". */
  readonly kind: string;
  /** The name on this machine. */
  readonly name: string;
  /** The samples, values, messages or answers that were sent. */
  readonly sent: number;
  /** The samples of a topic that were lost before the bridge. */
  readonly before: number;
  /** The samples of a topic that were dropped in the bridge. */
  readonly inside: number;
  /** The samples or values that were not sent because a bridge had published them. */
  readonly skipped: number;
}

/** Something that a bridge exports, until it is disposed. */
export interface Export extends Disposable {
  readonly kind: Carried;
  readonly name: string;
  readonly offered: Offered;
  readonly account: ExportAccount;
  /** Follows it; resolves once this export is disposed. */
  run(): Promise<void>;
  /** Sends the definition again, because a far side asks for it. */
  describe(): void;
}

/** The parts that all exports of a bridge share. */
export interface ExportParts {
  readonly realm: string;
  readonly host: string;
  readonly carrier: Carrier;
  readonly window: Window;
  /** The messages that the network keeps, for a bridge that is reliable. */
  readonly kept: Kept | undefined;
  readonly onProblem: (reason: string) => void;
  /** Whether to send samples that a bridge published. */
  readonly transit: boolean;
  readonly chunkBytes: number;
}

/**
 * Returns the incarnation of a region: 48 bits of its random identity. By that, its messages are
 * numbered: a publisher or a bridge that restarts continues the numbers.
 */
export function incarnationOf(id: string): number {
  return parseInt(id.slice(0, 12), 16);
}
