/**
 * Regions of every kind, and their files filled with chance by a hostile peer.
 *
 * @module
 */

import { domain } from "../../src/babus/definition.ts";
import { calls } from "../../src/calls/definition.ts";
import { circular } from "../../src/circular/definition.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { rwLock } from "../../src/shared/rw_lock.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { topic } from "../../src/vdds/definition.ts";
import type { Random } from "../random.ts";

/** Opens a region of every kind, with something in it. */
export function openAll(): DisposableStack {
  const stack = new DisposableStack();
  const use = <D extends Disposable>(handle: D) => stack.use(handle);
  use(spsc("ring", { capacity: 4096 }).producer()).trySend(new Uint8Array(7));
  use(mpsc("many", { capacity: 4096 }).producer()).trySend(new Uint8Array(7));
  use(topic("t", { depth: 4, size: 64, subscribers: 2 }).publisher()).trySend(new Uint8Array(7));
  use(topic("t", { depth: 4, size: 64, subscribers: 2 }).subscriber());
  use(circular("log", { capacity: 4096 }).writer()).trySend(new Uint8Array(7));
  use(domain("d", { s: {} }).open()).slots.s.writeSync(new Uint8Array(7));
  use(calls("work", { clients: 2, capacity: 4096 }).client());
  use(rwLock("lock").open()).tryWrite();
  use(sharedMemory("memory", { size: 64 }).open());
  return stack;
}

const ODD = [0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff];

/** The words at the beginning of a file that are overwritten. */
const WORDS = 8192;

/** Overwrites words of the file of a region by chance. */
export interface Scribbler extends Disposable {
  /** Restores the file, and overwrites 64 words from an offset on. */
  again(fromByte: number): void;
}

/** Begins to scribble into a file; its end restores it, for the handles that close. */
export function scribbler(path: string, chance: Random): Scribbler {
  const whole = Deno.readFileSync(path);
  const file = Deno.openSync(path, { write: true });
  const write = (bytes: Uint8Array) => {
    file.seekSync(0, Deno.SeekMode.Start);
    file.writeSync(bytes);
  };
  return {
    again(fromByte) {
      const bytes = whole.slice();
      const words = new Uint32Array(bytes.buffer, 0, bytes.length >>> 2);
      const from = fromByte >>> 2;
      for (let i = 0; i < 64; i++) {
        const at = from + chance.below(Math.min(words.length, WORDS) - from);
        words[at] = chance.next() < 0.5 ? ODD[chance.below(ODD.length)]! : chance.next() * 2 ** 32;
      }
      write(bytes);
    },
    [Symbol.dispose]() {
      write(whole);
      file.close();
    },
  };
}
