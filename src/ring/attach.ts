/**
 * Opening the regions that rings stand on.
 *
 * @module
 */

import type { Mapping } from "../memory/mapping.ts";
import { Region } from "../memory/region.ts";
import type { MessageType, RegionKind } from "../memory/region_header.ts";
import { regionPath } from "../memory/region_name.ts";
import { pageSize } from "../os/page.ts";

const DEFAULT_CAPACITY = 2 ** 20;

/** The largest capacity, of data that is mapped twice. */
const LARGEST_CAPACITY = 2 ** 30;

/** How to open a ring. */
export interface RingOptions {
  /**
   * How many bytes the ring holds, rounded up to a power of two of at least a page, at most 1 GiB.
   * Any, when joining one, if it is not given; 1 MiB for a new one.
   */
  capacity?: number;
  /** The permission bits of a new one; 0o600 by default. */
  mode?: number;
  /** Keep it when the last one leaves, until it is unlinked. */
  persist?: boolean;
  /** Attach also if it belongs to another user than you or root. */
  anyOwner?: boolean;
}

/** What a kind of ring adds to the options of its user. */
export interface RingContents {
  /** The type of the messages, on which all must agree. */
  readonly message?: MessageType;
  /** Fills a new region, before anyone can see it. */
  readonly initialise?: (mapping: Mapping) => void;
}

/** Opens the region of a ring, or makes it: the parties may come in any order. */
export function openRing(
  kind: RegionKind,
  name: string,
  options: RingOptions,
  contents: RingContents,
): Region {
  const path = regionPath(kind.name, name);
  const { capacity, mode, persist, anyOwner } = options;
  const { message, initialise } = contents;
  if (capacity === undefined) {
    const joined = Region.tryConnect(kind, path, { message, anyOwner });
    if (joined !== undefined) return joined;
  }
  const dataBytes = roundCapacity(capacity ?? DEFAULT_CAPACITY);
  return Region.open(kind, path, { dataBytes, message, mode, persist, anyOwner, initialise });
}

/** Removes the name of a ring; whoever has it open goes on with it. False if there is none. */
export function unlinkRing(kind: RegionKind, name: string): boolean {
  return Region.unlink(kind, regionPath(kind.name, name));
}

function roundCapacity(capacity: number): number {
  if (!Number.isSafeInteger(capacity) || capacity < 1 || capacity > LARGEST_CAPACITY) {
    throw new RangeError(
      `Cannot make a ring of ${capacity} bytes: the capacity is a whole number of bytes from 1 ` +
        `to ${LARGEST_CAPACITY}`,
    );
  }
  return Math.max(pageSize(), 2 ** Math.ceil(Math.log2(capacity)));
}
