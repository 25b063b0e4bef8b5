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
  return new HolderSearch().search();
}

/** Returns those of the holders that hold a region, which is the file at this path. */
export function holdersOf(
  { path }: { readonly path: string },
  holders: ReadonlyMap<number, readonly Held[]>,
): readonly Held[] {
  const status = files.statPath(path);
  return typeof status === "number" ? [] : holders.get(status.inode) ?? [];
}

/** Of so many processes, one is read again in each search although nothing shows a change. */
const PARTS = 16;

/** The locks of a process when it was read. */
interface Known {
  /** The numbers of its descriptors. */
  readonly fds: string;
  readonly locks: readonly (readonly [inode: number, held: Held])[];
}

/**
 * Searches for holders again and again. A process is read again when the numbers of its descriptors
 * have changed, which each open and each close does, and now and then besides: a descriptor may have
 * taken the number of another one in the meantime.
 */
export class HolderSearch {
  #known = new Map<number, Known>();
  #searches = 0;

  /** Returns the holders of all roles and memberships, by the inode of the file. */
  search(): Map<number, Held[]> {
    const part = this.#searches++ % PARTS;
    const known = new Map<number, Known>();
    const found = new Map<number, Held[]>();
    for (const pid of numbersIn("/proc")) {
      const fds = numbersIn(`/proc/${pid}/fdinfo`);
      const old = pid % PARTS === part ? undefined : this.#known.get(pid);
      const text = fds.join();
      const now = old?.fds === text ? old : { fds: text, locks: locksOf(pid, fds) };
      known.set(pid, now);
      for (const [inode, held] of now.locks) {
        const all = found.get(inode);
        if (all === undefined) found.set(inode, [held]);
        else all.push(held);
      }
    }
    this.#known = known;
    return found;
  }
}

function locksOf(pid: number, fds: readonly number[]): (readonly [number, Held])[] {
  const locks: (readonly [number, Held])[] = [];
  for (const fd of fds) {
    const info = files.readAll(`/proc/${pid}/fdinfo/${fd}`);
    if (typeof info === "number") continue; // closed meanwhile
    for (const lock of new TextDecoder().decode(info).matchAll(LOCK)) {
      const [inode, start] = [Number(lock[2]), Number(lock[3]) - FIRST_BYTE];
      const role = start >= FIRST_ROLE && start < FIRST_COUNT ? start - FIRST_ROLE : undefined;
      if (role === undefined && start < FIRST_COUNT) continue; // the byte of all members
      locks.push([inode, { pid, role }]);
    }
  }
  return locks;
}

/** The entries of a directory that are numbers; none if it cannot be read. */
function numbersIn(path: string): number[] {
  const names = files.list(path);
  return typeof names === "number" ? [] : names.map(Number).filter(Number.isInteger);
}
