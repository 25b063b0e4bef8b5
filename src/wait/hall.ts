/**
 * The hall of an isolate: memory in which wakers note which of thousands of bells they have rung.
 *
 * A wait for many things must not look at each of them. So the isolate keeps their bells raised,
 * and claims each for its hall by the word `loop` of the bell (doorbell.ts). A waker that finds a
 * bell up sets a bit for it in the hall, and then rings the hall. The isolate sleeps on the bell of
 * the hall alone, and looks only at things whose bits are set (ready_set.ts).
 *
 * ```
 *   waker                                        waiter
 *   publish                                      claim the bell for the hall, then raise it
 *   bell is odd: add 1 and wake all, as always   look at the thing: from here on it is armed
 *   load loop: it names a hall                   ...
 *   set the bit of the bell in `hints`           take `groups`, then the hints of these groups
 *   set the bit of its group in `groups`         look at things whose bits were set
 *   ring the bell of the hall                    raise the bell of the hall, take again, sleep
 * ```
 *
 * A waker whose receiver is awake makes one system call, for the bell, and one more only if the
 * waiter sleeps. While the bell stays down, it makes none and does not touch the hall.
 *
 * The bit of a bell is a hash of its region and its place there, which both sides compute. So no
 * index of one process is stored in the memory of another. Bells that share a bit cost a look.
 *
 * The file is `vring-hall.<id>` in /dev/shm, beside the FIFO with the same id (os/fifo.ts), which has
 * a reader for as long as the isolate lives. Ids of FIFOs are even; `loop` holds `id + 1` for a hall.
 *
 * I1  Only the isolate clears bits, by taking a whole word. A bit is set only after the bell was taken
 *     down. So each thing is armed, or has a bit set, or is on the list of those to be looked at.
 * P1  A waker publishes, and then sets the bit; the waiter takes the bit, and then looks. All changes
 *     of words here are read-modify-writes: the look sees what was published.
 * P2  A waker sets the hint before its group; the waiter takes the group before its hints. Either it
 *     takes the hint with this group, or the group is set again.
 * P3  A waker sets the group, and then loads the bell of the hall; the waiter raises that bell, and
 *     then takes the groups. Either it takes the group, or the waker sees the bell up.
 * P4  As P2 of the bell: the waiter claims, then raises and looks; the waker adds, then loads `loop`.
 * C1  A waker dies between the add and the hint, or after the hint and before it has rung the hall:
 *     the bell is down, or a bit is set. The waiter compares all armed bells with the values that
 *     it raised them to, once in each slice; and it takes the groups when it wakes up.
 * C2  The waiter dies: its bells are up, and the next ring of each costs system calls in vain. The
 *     claims stay until another isolate claims the bell: it finds that the FIFO has no reader.
 * C3  A peer stores anything in a hall: spurious looks, or a look that comes a slice late. A peer
 *     that truncates the file ends a wait under way with an error; later waits do without a hall.
 *
 * @module
 */

import { Errno } from "../errors.ts";
import { array } from "../layout/fields.ts";
import { layout } from "../layout/layout.ts";
import { Mapping } from "../memory/mapping.ts";
import { Word32, type WordPlace } from "../memory/word.ts";
import { perIsolate } from "../os/clock.ts";
import { hallPathOf, ownId, post } from "../os/fifo.ts";
import * as files from "../os/files.ts";
import { type Doorbell, FencedDoorbell } from "./doorbell.ts";

const GROUPS = 32;

/** The number of hints. */
export const HINTS = 32 * GROUPS;

/** The memory of a hall. */
export const HALL = layout("hall", {
  bell: { type: "u32", line: true, doc: "rung after a hint; the isolate sleeps on it" },
  loop: { type: "u32", atomic: true, doc: "the FIFO of the isolate's event loop; 0 if none" },
  groups: { type: "u32", atomic: true, line: true, doc: "bit g: some bit of hints[g] is set" },
  hints: { type: array("u32", GROUPS), doc: "a bit for each bell that was rung" },
});

/** The words of a hall. */
export class HallWords {
  readonly mapping: Mapping;
  readonly bell: Doorbell;
  readonly groups: Word32;
  readonly hints: readonly Word32[];

  constructor(mapping: Mapping) {
    const { bell, loop, groups, hints } = HALL.fields;
    const hint = (index: number): WordPlace => ({
      path: `${hints.path}[${index}]`,
      offset: hints.offset + 4 * index,
    });
    this.mapping = mapping;
    this.bell = new FencedDoorbell(mapping, bell, 0, loop); // its wakers change a word just before
    this.groups = new Word32(mapping, groups);
    this.hints = Array.from({ length: GROUPS }, (_, index) => new Word32(mapping, hint(index)));
  }
}

/** Hears that a bell with this bit may have been rung. */
export type Hearer = (bit: number) => void;

/** The hall of this isolate. */
export class Hall extends HallWords {
  /** The value of `loop` by which a bell is claimed for this hall. */
  readonly id: number;
  readonly #hearers: (Set<Hearer> | undefined)[] = new Array(HINTS);
  readonly #claims = new Map<number, number>(); // by how many sets; handles can share a bell

  /** Makes it of its memory and the id of the FIFO. */
  constructor(mapping: Mapping, fifo: number) {
    super(mapping);
    this.id = fifo + 1;
  }

  /** Claims a bell, and calls the hearer when it may have been rung; false if another has it. */
  claim(bell: Doorbell, hearer: Hearer): boolean {
    if (this.mapping.isLost || !this.reclaim(bell)) return false;
    this.#claims.set(bell.place, (this.#claims.get(bell.place) ?? 0) + 1);
    (this.#hearers[bitOf(bell)] ??= new Set()).add(hearer);
    return true;
  }

  /** Ends a claim, and all calls of a hearer for this bit. */
  disclaim(bell: Doorbell, hearer: Hearer): void {
    this.#hearers[bitOf(bell)]?.delete(hearer);
    const count = this.#claims.get(bell.place)! - 1;
    if (count > 0) this.#claims.set(bell.place, count);
    else {
      this.#claims.delete(bell.place);
      bell.disclaim(this.id);
    }
  }

  /** Claims a bell again if a peer has ended the claim; false if another has it. */
  reclaim(bell: Doorbell): boolean {
    const owner = bell.claimFor(this.id); // P4 claimed before it is raised ..
    if (owner === 0 || owner === this.id) return true;
    if (!isHall(owner) || !isGone(owner)) return false;
    bell.disclaim(owner); // C2
    return bell.claimFor(this.id) === 0;
  }

  /** Takes the hints and calls their hearers. */
  collect(): void {
    if (this.groups.load() === 0) return;
    const groups = this.groups.exchange(0); // .. P2 before the hints, and .. P3 after the raise
    for (let left = groups; left !== 0; left &= left - 1) {
      const group = 31 - Math.clz32(left & -left);
      const hints = this.hints[group]!.exchange(0); // .. P1 before the look
      for (let bits = hints; bits !== 0; bits &= bits - 1) {
        const bit = 32 * group + 31 - Math.clz32(bits & -bits);
        this.#hearers[bit]?.forEach((hear) => hear(bit));
      }
    }
  }
}

/** Whether the isolate of a hall is gone; it wakes up in vain if it is not. */
function isGone(id: number): boolean {
  const result = post(id - 1);
  return result === -Errno.ENXIO || result === -Errno.ENOENT;
}

/** Returns the bit of a bell. */
export function bitOf({ place }: Doorbell): number {
  const low = Math.imul(place | 0, 0x9e3779b1);
  return Math.imul(low ^ place / 2 ** 32, 0x85ebca6b) >>> 22;
}

/** The hall of this isolate, which the first call makes; undefined if that fails. */
export const hall: () => Hall | undefined = perIsolate(() => {
  const fifo = ownId();
  const mapping = fifo === undefined ? undefined : makeMemory(hallPathOf(fifo));
  return mapping && new Hall(mapping, fifo!);
});

/** Makes the file of a hall; undefined if the system refuses. */
function makeMemory(path: string): Mapping | undefined {
  const directory = path.slice(0, path.lastIndexOf("/"));
  const fd = files.open(directory, files.Open.unnamed | files.Open.write, 0o600);
  if (fd < 0) return undefined;
  try {
    if (files.allocate(fd, 0, HALL.size) < 0) return undefined;
    const mapping = Mapping.ofFile(fd, { length: HALL.size, what: "the hall of this isolate" });
    if (files.link(fd, path) >= 0) return mapping;
    mapping.close();
    return undefined;
  } finally {
    files.close(fd);
  }
}

/** The halls of others, by the value of `loop`; the one that was opened first is closed first. */
const peers = perIsolate(() => new Map<number, HallWords>());
const MOST_PEERS = 16;

/** Whether a value of the word `loop` names a hall. */
export function isHall(id: number): boolean {
  return id % 2 === 1;
}

/** Notes in the hall `id` that a bell was rung, and rings the hall; returns -errno if it cannot. */
export function announce(id: number, bell: Doorbell): number {
  const words = peers().get(id) ?? openPeer(id);
  if (typeof words === "number") return words;
  const bit = bitOf(bell);
  words.hints[bit >>> 5]!.or(1 << (bit & 31)); // P1 after the publish, P2 before the group ..
  words.groups.or(1 << (bit >>> 5)); // P3 before the bell of the hall is loaded ..
  if (!words.mapping.isLost) {
    words.bell.ring();
    return 0;
  }
  peers().delete(id); // C3
  words.mapping.close();
  return -Errno.EFAULT;
}

/** Opens the hall of another isolate of this user; returns -errno if it is not one. */
export function openPeer(id: number): HallWords | number {
  const fd = files.open(hallPathOf(id - 1), files.Open.write);
  if (fd < 0) return fd;
  try {
    const status = files.stat(fd);
    if (typeof status === "number") return status;
    const isOwn = files.isRegular(status.mode) && status.uid === files.userId();
    if (!isOwn || status.size < HALL.size) return -Errno.EACCES;
    const words = new HallWords(
      Mapping.ofFile(fd, { length: HALL.size, what: "the hall of another isolate" }),
    );
    for (const [oldest, its] of peers()) {
      if (peers().size < MOST_PEERS) break;
      peers().delete(oldest);
      its.mapping.close();
    }
    peers().set(id, words);
    return words;
  } finally {
    files.close(fd);
  }
}
