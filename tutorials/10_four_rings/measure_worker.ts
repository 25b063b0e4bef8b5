/**
 * One of the two threads of measure.ts: writes as fast as it can, or reads and checks every byte.
 *
 * @module
 */

import { Word32 } from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import { readAll as readFile } from "../../src/os/files.ts";
import { memoryAt, type Ring, STOP } from "./ring_memory.ts";
import { isMessage, MESSAGE_BYTES, messageOf, ringOf, type Stage } from "./rings.ts";

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
  /** How long it was at work, in ns. */
  readonly ns: number;
  /** How much of that it waited for a processor. */
  readonly waited: number;
}

/** The part of a Worker's global that is used here. */
const worker = globalThis as unknown as {
  onmessage: (event: { data: Job | "go" }) => void;
  postMessage(message: Report | "ready"): void;
};

type Work = Pick<Report, "messages" | "looks">;

let go = (): Work => ({ messages: 0, looks: 0 });

worker.onmessage = ({ data }) => {
  if (data === "go") return worker.postMessage(timed());
  const { stage, address, writes } = data;
  const memory = memoryAt(address);
  const ring = ringOf(stage, memory);
  const stop = new Word32(memory, STOP);
  go = () => writes ? writeAll(ring, stop) : readAll(ring, stop);
  worker.postMessage("ready");
};

function timed(): Report {
  const [begin, before] = [now(), waited()];
  const work = go();
  return { ...work, ns: now() - begin, waited: waited() - before };
}

/** How long this thread has waited for a processor, as the kernel counts it: the second number. */
function waited(): number {
  const bytes = readFile("/proc/thread-self/schedstat");
  if (typeof bytes === "number") throw new Error("Cannot measure: the kernel counts no waiting");
  return Number(new TextDecoder().decode(bytes).split(" ")[1]);
}

function writeAll(ring: Ring, stop: Word32): Work {
  for (let messages = 0;; messages++) {
    const message = messageOf(messages);
    while (!ring.write(message)) {
      if (stop.load() !== 0) return { messages, looks: ring.looks };
    }
  }
}

/** Reads at least one message, and then until it is asked to stop. */
function readAll(ring: Ring, stop: Word32): Work {
  const target = new Uint8Array(MESSAGE_BYTES);
  for (let messages = 0;;) {
    for (let i = 0; i < 100; i++) {
      const length = ring.read(target);
      if (length === undefined) continue;
      if (!isMessage(target, length, messages)) {
        throw new Error(`Cannot continue: message ${messages} has changed since it was written`);
      }
      messages++;
    }
    if (messages > 0 && stop.load() !== 0) return { messages, looks: ring.looks };
  }
}
