/**
 * The processes that hold the roles of regions, as the kernel shows them.
 *
 * A role is a locked byte of the region's file, through a descriptor of its own (liveness.ts).
 * `/proc/PID/fdinfo/FD` names the locks of a descriptor, for processes of this user, or of all users
 * for root. In a PID namespace, only processes of that namespace are there.
 *
 * @module
 */

import * as files from "../os/files.ts";
import { FIRST_BYTE } from "../region/liveness.ts";
import { FIRST_COUNT, FIRST_ROLE } from "../region/opened.ts";

/** A lock on bytes of a file. */
export interface Held {
  readonly pid: number;
  /** The number of the role; undefined for a member. */
  readonly role: number | undefined;
}

const LOCK = /^lock:\s+\d+: OFDLCK +\S+ +(READ|WRITE) +\S+ +\S+:(\d+) +(\d+) +(\d+|EOF)$/gm;

/** Returns the holders of all roles and memberships, by the inode of the file. */
export function holders(): Map<number, Held[]> {
  const found = new Map<number, Held[]>();
  for (const pid of numbersIn("/proc")) {
    for (const fd of numbersIn(`/proc/${pid}/fdinfo`)) {
      const info = files.readAll(`/proc/${pid}/fdinfo/${fd}`);
      if (typeof info === "number") continue; // closed meanwhile
      for (const lock of new TextDecoder().decode(info).matchAll(LOCK)) {
        const [inode, start] = [Number(lock[2]), Number(lock[3]) - FIRST_BYTE];
        const role = start >= FIRST_ROLE && start < FIRST_COUNT ? start - FIRST_ROLE : undefined;
        if (role === undefined && start < FIRST_COUNT) continue; // the byte of all members
        const all = found.get(inode) ?? [];
        all.push({ pid, role });
        found.set(inode, all);
      }
    }
  }
  return found;
}

/** The entries of a directory that are numbers; none if it cannot be read. */
function numbersIn(path: string): number[] {
  const names = files.list(path);
  return typeof names === "number" ? [] : names.map(Number).filter(Number.isInteger);
}
