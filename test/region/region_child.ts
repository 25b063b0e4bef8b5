/**
 * The program of a {@linkcode Party} at regions.
 *
 * @module
 */

import { LockFile, type Role } from "../../src/region/liveness.ts";
import { Region } from "../../src/region/region.ts";
import { MEMBER } from "../../src/region/opened.ts";
import { dataOffsetOf } from "../../src/region/header.ts";
import { regions, sweep } from "../../src/region/list.ts";
import { lock as defineLock } from "../../src/shared/semaphore_lock.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { becomeUser } from "../shared/become_user.ts";
import { serve } from "../shared/serve_child.ts";
import { inHurry, stepsOf, withTrap } from "../trap/trap.ts";
import { joinRegion, openRegion } from "./opening.ts";
import { forge, idAt, idOf, MIRRORED, openFiles, patterned, TYPE } from "./scene.ts";

/** The values that the functions can use. */
const TOOLS = {
  openRegion,
  joinRegion,
  Region,
  defineLock,
  sharedMemory,
  errorOf,
  LockFile,
  MEMBER,
  regions,
  sweep,
  TYPE,
  MIRRORED,
  dataOffsetOf,
  patterned,
  forge,
  idOf,
  idAt,
  openFiles,
  withTrap,
  stepsOf,
  inHurry,
  /** The handles that stay open between two functions. */
  open: [] as Region[],
  roles: [] as Role[],
  becomeUser,
};

export type Tools = typeof TOOLS;

/** Returns the error that the call throws. */
function errorOf(call: () => unknown): string {
  try {
    return `no error, but ${call()}`;
  } catch (error) {
    return `${error}`;
  }
}

await serve(TOOLS);
