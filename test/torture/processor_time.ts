/**
 * The time that processes spend waiting for a processor. A limit in seconds would find fault with
 * a busy machine, so limits leave this time out.
 *
 * @module
 */

import { isGone } from "../os/process_state.ts";

/** How long threads have used a processor, and waited for one, in milliseconds. */
export interface ProcessorTime {
  readonly used: number;
  readonly awaited: number;
}

/** Returns the times of a thread; undefined if it is gone. */
export function timeOfThread(pid: number, thread: number): ProcessorTime | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/task/${thread}/schedstat`);
    const [used, awaited] = text.split(" ").map(Number);
    return { used: used! / 1e6, awaited: awaited! / 1e6 };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Returns the threads of a process; none if it is gone. */
export function threadsOf(pid: number): number[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => Number(name));
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Whether a process wants a processor. */
function isReady(pid: number): boolean {
  try {
    return /\) R /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

interface Look {
  /** When the process was first looked at, and how long it had waited until then. */
  readonly from: number;
  readonly awaited: number;
  /** The processor time at the last look, and since when it has not grown, though it might. */
  used: number;
  since: number;
}

/**
 * Measures the time that the main threads of processes had since they were first looked at, without
 * their waits for a processor.
 */
export class FreeTime {
  readonly #looks = new Map<number, Look>();

  /** Returns the milliseconds of a process. */
  of(pid: number): number {
    const at = performance.now();
    const { used, awaited } = timeOfThread(pid, pid) ?? { used: 0, awaited: 0 };
    let look = this.#looks.get(pid);
    if (look === undefined) this.#looks.set(pid, look = { from: at, awaited, used, since: at });
    // The kernel adds a wait when it ends.
    if (used !== look.used || !isReady(pid)) look.since = at;
    look.used = used;
    return Math.max(0, look.since - look.from - (awaited - look.awaited));
  }

  /** Returns the least of several processes; Infinity without any. */
  least(pids: readonly number[]): number {
    return Math.min(...pids.map((pid) => this.of(pid)));
  }
}

/** Returns how long the threads of this process have waited for a processor, in milliseconds. */
function ownWaits(): number {
  const { pid } = Deno;
  return threadsOf(pid).reduce((sum, one) => sum + (timeOfThread(pid, one)?.awaited ?? 0), 0);
}

/** Notes now and then how long the threads of this process have waited for a processor. */
export class OwnWaits {
  #noted = { at: performance.now(), awaited: ownWaits() };

  /** Notes it, unless it did a moment ago. Call it before what may take long. */
  note(): void {
    const at = performance.now();
    if (at - this.#noted.at > 50) this.#noted = { at, awaited: ownWaits() };
  }

  /** Returns the milliseconds since the last note. */
  get since(): number {
    return ownWaits() - this.#noted.awaited;
  }
}
