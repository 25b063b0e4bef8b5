/**
 * The program of a {@linkcode Party} that shares a reader/writer lock.
 *
 * @module
 */

import { type RwLock, rwLock } from "../../src/shared/rw_lock.ts";
import { RW_LOCK_CONTROL } from "../../src/shared/rw_queue.ts";
import type { Permit } from "../../src/shared/permit.ts";
import { Inside } from "./rw_lock_scene.ts";
import { serve } from "./serve_child.ts";

/** The values that the functions can use. */
const TOOLS = {
  rwLock,
  Inside,
  LOCK_WORDS: RW_LOCK_CONTROL.fields,
  /** The handles that stay open between two functions. */
  locks: [] as RwLock[],
  permits: [] as Permit[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
