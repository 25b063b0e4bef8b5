/**
 * One process in its seat, from its orders to its end.
 *
 * @module
 */

import { now } from "../../src/os/clock.ts";
import type { Fate } from "./fate.ts";
import type { SeatBook } from "./ledger.ts";
import type { Ending, Process } from "./process.ts";
import { isGone } from "../os/process_state.ts";

/** How a life ended. */
export type Death = "at random" | "at a step" | "finished" | "removed" | "unexpected";

const TRAP_POLL_MS = 10;

/** Resolves after a while, or as soon as one of the promises does. */
export async function pause(ms: number, ...earlier: Promise<unknown>[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    if (ms < 2 ** 31) timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([late, ...earlier]);
  } finally {
    clearTimeout(timer);
  }
}

/** A process that does its part, and what is done to it. */
export class Life {
  /** Its name in complaints and statements. */
  readonly who: string;
  /** How often it was stopped. */
  stops = 0;
  /** When it was killed from outside, in nanoseconds. */
  killedAt = Infinity;
  readonly #process: Process;
  readonly #book: SeatBook;
  #removed = false;

  constructor(who: string, process: Process, book: SeatBook) {
    this.who = who;
    this.#process = process;
    this.#book = book;
    book.turnPage();
    book.pid.store(process.pid);
  }

  /** The process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves once the kernel has reaped the process. */
  get ended(): Promise<Ending> {
    return this.#process.ended;
  }

  /** The time at which it lived for the last time, as far as that is known. */
  get lastMoment(): number {
    return Math.min(this.killedAt, this.#book.diedAt.load() || Infinity);
  }

  /** Kills it. */
  kill(): void {
    const time = now();
    if (this.#process.signal("SIGKILL")) this.killedAt = Math.min(this.killedAt, time);
  }

  /** Kills it because it does not come to an end. */
  remove(): void {
    this.#removed = true;
    this.kill();
  }

  #continue(): void {
    this.#book.continuedAt.store(now());
    this.#process.signal("SIGCONT");
  }

  /** Does to it what is planned, until it has ended or `over` resolves; leaves it not stopped. */
  async suffer(fate: Fate, over: Promise<unknown>): Promise<void> {
    let calledOff = false;
    over.then(() => calledOff = true);
    const trapped = fate.trap?.act === "stop"
      ? this.#releaseFromTrap(fate.trapMs, over)
      : undefined;
    for (const act of fate.acts) {
      await pause(act.afterMs, this.ended, over);
      if (calledOff || !this.#process.running) break;
      if (act.act === "kill") this.kill();
      else if (this.#process.signal("SIGSTOP")) {
        this.stops++;
        if (act.forMs === Infinity) continue; // it is killed while stopped
        await pause(act.forMs, this.ended, over);
        this.#continue();
      }
    }
    this.#continue();
    await trapped;
  }

  async #releaseFromTrap(forMs: number, over: Promise<unknown>): Promise<void> {
    while (this.#process.running) {
      await pause(TRAP_POLL_MS, this.ended);
      // It notes that first: what is sent before it stops does not continue it.
      if (this.#book.stoppedAt.load() === 0 || !this.threadStates.includes("T")) continue;
      this.stops++;
      await pause(forMs, this.ended, over);
      this.#continue();
      return;
    }
  }

  /** Classifies an ending. */
  judge({ signal, code }: Ending): Death {
    if (this.#removed) return "removed";
    if (signal === "SIGKILL" && this.#book.diedAt.load() !== 0) return "at a step";
    if (signal === "SIGKILL" && this.killedAt !== Infinity) return "at random";
    return code === 0 && signal === null ? "finished" : "unexpected";
  }

  /** The letters by which the kernel describes the threads: S asleep, R running, T stopped. */
  get threadStates(): string {
    return threadStates(this.#process.pid);
  }
}

/** The letters by which the kernel describes the threads of a process; empty if it is gone. */
export function threadStates(pid: number): string {
  try {
    const threads = [...Deno.readDirSync(`/proc/${pid}/task`)];
    return threads.map(({ name }) => {
      const stat = Deno.readTextFileSync(`/proc/${pid}/task/${name}/stat`);
      return stat.slice(stat.lastIndexOf(")") + 2)[0]!;
    }).join("");
  } catch (error) {
    if (isGone(error)) return "";
    throw error;
  }
}
