/**
 * The program of a {@linkcode Party} at regions.
 *
 * @module
 */

import { LockFile, type Role } from "../../src/region/liveness.ts";
import { Region } from "../../src/region/region.ts";
import { MEMBER } from "../../src/region/file.ts";
import { dataOffsetOf } from "../../src/region/header.ts";
import { regions, sweep } from "../../src/region/list.ts";
import { SemaphoreLock } from "../../src/shared/semaphore_lock.ts";
import { SharedMemory } from "../../src/shared/shared_memory.ts";
import { serve } from "../shared/serve_child.ts";
import { dieAmid, inHurry, stepsOf, withTrap } from "../trap/trap.ts";
import { together } from "./race.ts";
import { forge, idAt, idOf, KIND, MIRRORED, openFiles, patterned } from "./scene.ts";

const SIZE = 600;

/** What a process does with the region at a path until it is killed. */
const ACTS = {
  open: (path: string): void => Region.open(KIND, path, { dataBytes: SIZE }).close(),
  mirror: (path: string): void =>
    Region.create({ ...MIRRORED, name: "test" }, path, { dataBytes: 65_536 }).close(),
  persist: (path: string): void =>
    Region.open(KIND, path, {
      dataBytes: SIZE,
      persist: true,
      initialise: ({ bytes }) => bytes.set(patterned(SIZE, 5), bytes.length - SIZE),
    }).close(),
  unlink: (path: string): void => void Region.unlink(KIND, path),
};

/** What the functions can use. */
const TOOLS = {
  Region,
  SemaphoreLock,
  SharedMemory,
  errorOf,
  LockFile,
  MEMBER,
  regions,
  sweep,
  KIND,
  MIRRORED,
  dataOffsetOf,
  patterned,
  forge,
  idOf,
  idAt,
  openFiles,
  together,
  withTrap,
  ACTS,
  dieAmid,
  stepsOf,
  inHurry,
  /** What stays open between two functions. */
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

/** Gives up root for good. The process stays one that may look into its own /proc entry. */
function becomeUser(id: number): void {
  const libc = Deno.dlopen("libc.so.6", {
    setgroups: { parameters: ["usize", "pointer"], result: "i32" },
    setresgid: { parameters: ["u32", "u32", "u32"], result: "i32" },
    setresuid: { parameters: ["u32", "u32", "u32"], result: "i32" },
    prctl: { parameters: ["i32", "usize", "usize", "usize", "usize"], result: "i32" },
  }).symbols;
  const PR_SET_DUMPABLE = 4;
  const failed = libc.setgroups(0n, null) || libc.setresgid(id, id, id) ||
    libc.setresuid(id, id, id) || libc.prctl(PR_SET_DUMPABLE, 1n, 0n, 0n, 0n);
  if (failed !== 0) throw new Error(`Cannot become user ${id}`);
}

await serve(TOOLS);
