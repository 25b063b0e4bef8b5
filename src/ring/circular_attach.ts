/**
 * Opening circular buffers, from either end.
 *
 * @module
 */

import { Region } from "../memory/region.ts";
import { dataOffsetOf } from "../memory/region_header.ts";
import { regionPath } from "../memory/region_name.ts";
import { pageSize } from "../os/page.ts";
import {
  CIRCULAR_BUFFER,
  initialise,
  LARGEST_CAPACITY,
  type Ring,
  ringOf,
} from "./circular_buffer.ts";

const DEFAULT_CAPACITY = 2 ** 20;

/** How to open a circular buffer. */
export interface CircularBufferOptions {
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

/** Opens a buffer, or makes it: writers and readers may come in any order. */
export function openRing(name: string, options: CircularBufferOptions): Ring {
  const path = regionPath(CIRCULAR_BUFFER.name, name);
  const { capacity, mode, persist, anyOwner } = options;
  if (capacity === undefined) {
    const joined = Region.tryConnect(CIRCULAR_BUFFER, path, { anyOwner });
    if (joined !== undefined) return ringOf(name, joined);
  }
  const region = Region.open(CIRCULAR_BUFFER, path, {
    dataBytes: roundCapacity(capacity ?? DEFAULT_CAPACITY),
    mode,
    persist,
    anyOwner,
    initialise: (mapping) => initialise(mapping, dataOffsetOf(CIRCULAR_BUFFER)),
  });
  return ringOf(name, region);
}

/** Removes the name of a buffer; whoever has it open goes on with it. False if there is none. */
export function unlinkRing(name: string): boolean {
  return Region.unlink(CIRCULAR_BUFFER, regionPath(CIRCULAR_BUFFER.name, name));
}

function roundCapacity(capacity: number): number {
  if (!Number.isSafeInteger(capacity) || capacity < 1 || capacity > LARGEST_CAPACITY) {
    throw new RangeError(
      `Cannot make a circular buffer of ${capacity} bytes: the capacity is a whole number of ` +
        `bytes from 1 to ${LARGEST_CAPACITY}`,
    );
  }
  return Math.max(pageSize(), 2 ** Math.ceil(Math.log2(capacity)));
}
