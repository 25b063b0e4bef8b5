/**
 * All products that the contracts test.
 *
 * @module
 */

import type { Product, Ring } from "./product.ts";
import { CALLS } from "./products/calls.ts";
import { CIRCULAR } from "./products/circular.ts";
import { MERGED_TOPIC } from "./products/merged_topic.ts";
import { MPSC } from "./products/mpsc.ts";
import { RW_LOCK } from "./products/rw_lock.ts";
import { SEMAPHORE_LOCK } from "./products/semaphore_lock.ts";
import { SHARED_MEMORY } from "./products/shared_memory.ts";
import { SLOT } from "./products/slot.ts";
import { SPSC } from "./products/spsc.ts";
import { SPSC_BYTES } from "./products/spsc_bytes.ts";
import { TOPIC } from "./products/topic.ts";

/** Those that carry messages from a sender to a receiver. */
export const RINGS: readonly Ring[] = [SPSC, MPSC, CIRCULAR];

export const PRODUCTS: readonly Product[] = [
  SPSC,
  SPSC_BYTES,
  MPSC,
  CALLS,
  CIRCULAR,
  TOPIC,
  MERGED_TOPIC,
  SLOT,
  SHARED_MEMORY,
  RW_LOCK,
  SEMAPHORE_LOCK,
];
