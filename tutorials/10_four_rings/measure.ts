/**
 * Measures the four rings between two threads, next to the floor. Run it with
 * `deno run --allow-ffi --allow-read tutorials/10_four_rings/measure.ts`: the threads are Workers,
 * and a Worker needs permission to read its source.
 *
 * @module
 */

import { copyIn, copyOut, Word32 } from "../../src/memory/word.ts";
import { fit, table, wrap } from "../picture.ts";
import type { Job, Report } from "./measure_worker.ts";
import { makeMemory, STOP } from "./ring_memory.ts";
import { isMessage, MESSAGE_BYTES, messageOf, type Stage, STAGES } from "./rings.ts";

const RUN_MS = 300;

/** One of the two threads. */
class Party {
  readonly #worker = new Worker(new URL("./measure_worker.ts", import.meta.url), {
    type: "module",
  });
  #answer = Promise.withResolvers<Report | "ready">();

  constructor() {
    this.#worker.onmessage = ({ data }) => this.#answer.resolve(data);
    this.#worker.onerror = ({ message }) => this.#answer.reject(new Error(message));
  }

  /** Sends a message; returns the answer. */
  ask(words: Job | "go"): Promise<Report | "ready"> {
    this.#answer = Promise.withResolvers();
    this.#worker.postMessage(words);
    return this.#answer.promise;
  }

  end(): void {
    this.#worker.terminate();
  }
}

interface Result {
  readonly nsPerMessage: number;
  readonly writer: Report;
  readonly reader: Report;
}

/** Lets a ring run between two threads for a while. */
async function measure(stage: Stage): Promise<Result> {
  const memory = makeMemory();
  const { address } = memory;
  const parties = [new Party(), new Party()] as const;
  try {
    await parties[0].ask({ stage, address, writes: true });
    await parties[1].ask({ stage, address, writes: false });
    const start = performance.now();
    const reports = parties.map((party) => party.ask("go"));
    await new Promise((resolve) => setTimeout(resolve, RUN_MS));
    new Word32(memory, STOP).store(1);
    const [writer, reader] = await Promise.all(reports) as Report[];
    const nsPerMessage = (performance.now() - start) * 1e6 / reader!.messages;
    return { nsPerMessage, writer: writer!, reader: reader! };
  } finally {
    for (const party of parties) party.end();
  }
}

/** What the slower of the two takes if it is alone and looks at nothing: the two work at once. */
function measureFloor(): number {
  const memory = makeMemory();
  const { data } = memory;
  const target = new Uint8Array(MESSAGE_BYTES);
  const write = nsEach((number) => copyIn(memory, data, messageOf(number)));
  copyIn(memory, data, messageOf(0));
  const read = nsEach(() => {
    copyOut(memory, data, target, MESSAGE_BYTES);
    if (isMessage(target, MESSAGE_BYTES, 0)) return;
    throw new Error("Cannot continue: the message has changed since it was written");
  });
  return Math.max(write, read);
}

function nsEach(work: (number: number) => void): number {
  const start = performance.now();
  let messages = 0;
  do {
    for (let i = 0; i < 1000; i++) work(messages++);
  } while (performance.now() < start + RUN_MS);
  return (performance.now() - start) * 1e6 / messages;
}

function perMessage(looks: number, messages: number): string {
  return (looks / messages).toFixed(3);
}

const floor = measureFloor();
const rows: (string | number)[][] = [[
  "stage",
  "messages",
  "ns each",
  "x floor",
  "writer's looks",
  "reader's looks",
]];
for (const stage of STAGES) {
  const { nsPerMessage, writer, reader } = await measure(stage);
  rows.push([
    stage,
    reader.messages,
    nsPerMessage.toFixed(0),
    (nsPerMessage / floor).toFixed(1),
    perMessage(writer.looks, writer.messages),
    perMessage(reader.looks, reader.messages),
  ]);
}
rows.push(["floor", "", floor.toFixed(0), "1.0", "", ""]);

const about = wrap(
  `Two threads, ${RUN_MS} ms for each stage, messages of ${MESSAGE_BYTES} bytes, every byte checked.
  The floor is the slower of the two alone: it copies messages in, or copies them out and checks
  them, and loads no word that another thread writes.`,
);
const caution = wrap(
  `Looks at an empty or a full ring count too, so a side that waits often looks often. Other
  programs on this machine disturb the result: if the two threads have to share a processor, each
  waits for whole turns of the other, and you measure the scheduler. Run it again, and compare only
  within a run.`,
);
console.log(`\n${about}\n\n${fit(table(rows))}\n\n${caution}\n`);
