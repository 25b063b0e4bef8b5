/**
 * A scene of the swarm: what the processes in its seats do, and what must be true when none lives.
 * Everything is synchronous, because a forked child has no event loop.
 *
 * @module
 */

import { LostError, PeerLostError, RoleTakenError } from "../../../mod.ts";
import type { Random } from "../../random.ts";
import type { Cell, Cells } from "../ledger.ts";

/** A process in its seat. */
export interface Player<C extends string = string> {
  readonly seat: number;
  /** The number of processes that were in this seat before. */
  readonly life: number;
  readonly random: Random;
  readonly cells: Cells<C>;
  /** A name of this run. */
  name(suffix: string): string;
  /** Counts something that is done, which is progress. */
  count(cell: C, amount?: number): void;
  complain(text: string): void;
  /** Sleeps for a moment: who spins takes the processors from those who must be killed. */
  rest(): void;
}

/** What the harness knows of a scene. */
export interface Scene<C extends string = string> {
  /** The numbers of cells by their names; `sent` and `received` are rows of the account. */
  readonly cells: Readonly<Record<C, number>>;
  /** What the process in each seat does, again and again, until it is killed. */
  readonly seats: readonly ((player: Player<C>) => void)[];
  /** The seats that need not make progress, since others may do all there is to do. */
  readonly mayRest?: readonly number[];
  /** Parts of the names of steps at which deaths are most interesting. */
  readonly steps: readonly string[];
  /** Looks at the memory while no process lives. */
  alone?(player: Player<C>): void;
  /** Removes what persists. */
  unlink(player: Pick<Player<C>, "name">): void;
}

/** Gives a scene its types. */
export function defineScene<C extends string>(scene: Scene<C>): Scene {
  return scene as unknown as Scene;
}

/** The wait of every call: mostly short, since a peer may be dead. */
export const WAIT = { timeout: 5 };

/** From now on, calls of this process wait for so long. */
export function waitFor(ms: number): void {
  WAIT.timeout = ms;
}

/** Runs something that a dead, absent or busy peer may prevent; whether it was done. */
export function mayFail(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (error instanceof RoleTakenError || error instanceof PeerLostError) return false;
    if (error instanceof DOMException && error.name === "TimeoutError") return false;
    if (error instanceof LostError) return false;
    throw error;
  }
}

const LIFE = 2 ** 24;

/** The lives of a seat that the account remembers: more than a round has. */
export const LIVES = 2048;

/** The number of a message: the life of its sender, and which of its messages it is, from 1. */
export function numberOf(life: number, k: number): number {
  return life * LIFE + k;
}

/** The cells that account for the messages of one seat, by its life modulo `LIVES`. */
export interface WayCells {
  /** The last message that the life surely sent. */
  readonly sure: readonly Cell[];
  /** The last message of the life that a receiver has noted. */
  readonly seen: readonly Cell[];
}

/**
 * Accounts for the way from the senders in a seat to the only receiver. A life sends its messages
 * 1, 2, 3 and so on, and notes each afterwards: so at least these must arrive, in this order.
 */
export class Way {
  readonly #cells: WayCells;
  readonly #complain: (text: string) => void;

  constructor(cells: WayCells, complain: (text: string) => void) {
    this.#cells = cells;
    this.#complain = complain;
  }

  /** Notes that a life has surely sent its first k messages. */
  sent(life: number, k: number): void {
    this.#cells.sure[life % LIVES]!.store(numberOf(life, k));
  }

  /** Takes a message down, before it is acknowledged; whether it is new. */
  received(number: number, redelivered: boolean): boolean {
    const [life, k] = parts(number);
    const cell = this.#cells.seen[life % LIVES]!;
    const seen = cell.load();
    if (number <= seen) {
      if (!redelivered) {
        this.#complain(`${shown(number)} came again after ${shown(seen)}, not flagged`);
      }
      return false;
    }
    const [seenLife, seenK] = parts(seen);
    const before = seenLife === life ? seenK : 0;
    if (k !== before + 1) this.#complain(`${shown(number)} came, and ${before} messages before it`);
    cell.store(number);
    return true;
  }

  /** Complains of lives whose sure messages have not arrived. Nothing may be under way. */
  check(): void {
    for (let i = 0; i < LIVES; i++) {
      const [life, sure] = parts(this.#cells.sure[i]!.load());
      const [seenLife, seen] = parts(this.#cells.seen[i]!.load());
      const arrived = seenLife === life ? seen : 0;
      if (sure > arrived) this.#complain(`life ${life} sent ${sure}, and ${arrived} arrived`);
    }
  }
}

function parts(number: number): [life: number, k: number] {
  return [Math.floor(number / LIFE), number % LIFE];
}

function shown(number: number): string {
  return parts(number).join(".");
}

/** Makes a message: the seat and the number, and bytes that depend on the number and their place. */
export function message(seat: number, number: number, extra: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16 + extra);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, number);
  view.setUint32(8, seat);
  view.setUint32(12, extra);
  for (let i = 0; i < extra; i++) bytes[16 + i] = patternAt(number, i);
  return bytes;
}

/** Reads a message; undefined if a byte is wrong. */
export function parse(bytes: Uint8Array): { seat: number; number: number } | undefined {
  if (bytes.length < 16) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [number, seat, extra] = [view.getFloat64(0), view.getUint32(8), view.getUint32(12)];
  if (bytes.length !== 16 + extra) return undefined;
  for (let i = 0; i < extra; i++) if (bytes[16 + i] !== patternAt(number, i)) return undefined;
  return { seat, number };
}

function patternAt(number: number, at: number): number {
  return number % 251 + at * 31 + (at >> 8) & 255;
}
