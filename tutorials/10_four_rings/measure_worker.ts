/**
 * One of the two threads of measure.ts: writes as fast as it can, or reads and checks every byte.
 *
 * @module
 */

import { Word32 } from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import { readAll as readFile } from "../../src/os/files.ts";
import { memoryAt, type Ring, STOP } from "./ring_memory.ts";
import { isMessage, MESSAGE_BYTES, messageOf, ringOf, type Stage, WINDOW } from "./rings.ts";

/** The work that begins at "go". */
export interface Job {
  readonly stage: Stage;
  /** Where the memory is; threads of a process have the same addresses. */
  readonly address: number;
  readonly writes: boolean;
}

/** The work of one side. */
export interface Report {
  readonly messages: number;
  readonly looks: number;
  /** What the reader took for a message, in ns, in each of its windows. */
  readonly windows: readonly number[];
}

/** A thread that is ready, by the number that the kernel gave it. */
export interface Ready {
  readonly thread: number;
}

/** The part of a Worker's global that is used here. */
const worker = globalThis as unknown as {
  onmessage: (event: { data: Job | "go" }) => void;
  postMessage(message: Report | Ready): void;
};

let go = (): Report => ({ messages: 0, looks: 0, windows: [] });

worker.onmessage = ({ data }) => {
  if (data === "go") return worker.postMessage(go());
  const { stage, address, writes } = data;
  const memory = memoryAt(address);
  const ring = ringOf(stage, memory);
  const stop = new Word32(memory, STOP);
  go = () => writes ? writeAll(ring, stop) : readAll(ring, stop);
  worker.postMessage({ thread: ownNumber() });
};

/** The number of this thread, with which its line in /proc begins. */
function ownNumber(): number {
  const bytes = readFile("/proc/thread-self/stat");
  return typeof bytes === "number" ? 0 : parseInt(new TextDecoder().decode(bytes));
}

function writeAll(ring: Ring, stop: Word32): Report {
  for (let messages = 0;; messages++) {
    const message = messageOf(messages);
    while (!ring.write(message)) {
      if (stop.load() !== 0) return { messages, looks: ring.looks, windows: [] };
    }
  }
}

/** Reads at least one message, and then until it is asked to stop. */
function readAll(ring: Ring, stop: Word32): Report {
  const target = new Uint8Array(MESSAGE_BYTES);
  const windows: number[] = [];
  for (let messages = 0, begin = now();;) {
    for (let i = 0; i < 100; i++) {
      const length = ring.read(target);
      if (length === undefined) continue;
      if (!isMessage(target, length, messages)) {
        throw new Error(`Cannot continue: message ${messages} has changed since it was written`);
      }
      messages++;
      if (messages % WINDOW > 0) continue;
      const end = now();
      windows.push((end - begin) / WINDOW);
      begin = end;
    }
    if (messages > 0 && stop.load() !== 0) return { messages, looks: ring.looks, windows };
  }
}
