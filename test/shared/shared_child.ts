/**
 * The program of a {@linkcode Party} that shares memory and locks.
 *
 * @module
 */

import * as semaphores from "../../src/os/semaphore.ts";
import { lock as defineLock, type SemaphoreLock } from "../../src/shared/semaphore_lock.ts";
import type { Permit } from "../../src/shared/permit.ts";
import { type SharedMemory, sharedMemory } from "../../src/shared/shared_memory.ts";
import { byteAt, bytesFrom } from "../memory/bytes.ts";
import { serve } from "./serve_child.ts";

/** The values that the functions can use. */
const TOOLS = {
  defineLock,
  sharedMemory,
  semaphores,
  byteAt,
  bytesFrom,
  /** The handles that stay open between two functions. */
  locks: [] as SemaphoreLock[],
  permits: [] as Permit[],
  memories: [] as SharedMemory[],
  /** The handles that stay open during a function that is still running. */
  under: new Map<string, unknown>(),
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
