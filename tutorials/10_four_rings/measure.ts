/**
 * Measures the four rings between two threads, next to the floor, in rounds that take turns: a stage
 * counts as faster than the one before only if the spreads of the two do not touch. Run it with
 * `deno run --allow-ffi --allow-read tutorials/10_four_rings/measure.ts`: the threads are Workers,
 * and a Worker needs permission to read its source. An argument is the number of rounds, 40 by default.
 *
 * @module
 */

import { copyIn, copyOut, Word32 } from "../../src/memory/word.ts";
import { fit, table, wrap } from "../picture.ts";
import { type Spread, spreadOf, verdictOf } from "../spread.ts";
import type { Job, Report } from "./measure_worker.ts";
import { makeMemory, STOP } from "./ring_memory.ts";
import { isMessage, MESSAGE_BYTES, messageOf, type Stage, STAGES } from "./rings.ts";

/** Short enough that no other program comes between in most rounds. */
const RUN_MS = 30;
const ROUNDS = Number(Deno.args[0] ?? 40);
/** A round counts if each thread has waited for a processor for less than this part of it. */
const MOST_WAIT = 0.05;
const FLOOR_MS = 100;

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

/** A ring and its two threads; each stage has its own, so that each engine compiles one ring only. */
class Measured implements Disposable {
  readonly stage: Stage;
  readonly times: number[] = [];
  readonly looks = { writer: 0, reader: 0 };
  messages = 0;
  readonly #parties = [new Party(), new Party()] as const;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  /** Lets the ring run for a while, from empty. */
  async round(): Promise<void> {
    const { stage } = this;
    const memory = makeMemory();
    const { address } = memory;
    await this.#parties[0].ask({ stage, address, writes: true });
    await this.#parties[1].ask({ stage, address, writes: false });
    const reports = this.#parties.map((party) => party.ask("go"));
    await new Promise((resolve) => setTimeout(resolve, RUN_MS));
    new Word32(memory, STOP).store(1);
    const [writer, reader] = await Promise.all(reports) as [Report, Report];
    const bothRan = [writer, reader].every(({ ns, waited }) => waited < MOST_WAIT * ns);
    if (bothRan) this.times.push(reader.ns / reader.messages);
    this.messages += reader.messages;
    this.looks.writer += writer.looks;
    this.looks.reader += reader.looks;
  }

  get spread(): Spread {
    return spreadOf(this.stage, this.times);
  }

  [Symbol.dispose](): void {
    for (const party of this.#parties) party.end();
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
  } while (performance.now() < start + FLOOR_MS);
  return (performance.now() - start) * 1e6 / messages;
}

const floor = measureFloor();
using stages = new DisposableStack();
const measured = STAGES.map((stage) => stages.use(new Measured(stage)));
for (let turn = 0; turn < 3 * ROUNDS; turn++) {
  for (const each of measured) if (each.times.length < ROUNDS) await each.round();
}
const shown = (ns: number) => Number.isNaN(ns) ? "-" : ns.toFixed(0);
const rows = measured.map(({ stage, spread, looks, messages }) => {
  const { median, least, most } = spread;
  return [
    stage,
    messages,
    shown(median),
    `${shown(least)} to ${shown(most)}`,
    spread.rounds,
    `${(looks.writer / messages).toFixed(3)}, ${(looks.reader / messages).toFixed(3)}`,
  ];
});
const head = ["stage", "messages", "ns", "8 of 10 rounds", "rounds", "looks: writer, reader"];
const verdicts = measured.slice(1).map(({ stage, spread }, i) =>
  `${stage} beside ${measured[i]!.stage}: ${verdictOf(measured[i]!.spread, spread)}`
);

const about = wrap(
  `Two threads, up to ${ROUNDS} rounds of ${RUN_MS} ms for each stage in turn, in which both had a processor, messages of ${MESSAGE_BYTES} bytes, every byte
  checked. The floor of ${
    floor.toFixed(0)
  } ns is the slower of the two alone: it copies messages in, or copies
  them out and checks them, and loads no word that another thread writes.`,
);
const caution = wrap(
  `Looks at an empty or a full ring count too, so a side that waits often looks often. Where other
  programs want the processors, few rounds count.`,
);
console.log(`\n${about}\n\n${fit(table([head, ...rows]))}\n`);
for (const verdict of verdicts) console.log(fit(wrap(verdict, 72)));
console.log(`\n${caution}\n`);
