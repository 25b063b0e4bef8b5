/**
 * Measures the four rings between two threads, next to the floor, in rounds that take turns: a stage
 * counts as faster than the one before only if the spreads of the two do not touch. Run it with
 * `deno run --allow-ffi --allow-read --allow-run=taskset tutorials/10_four_rings/measure.ts`: the
 * threads are Workers, and a Worker needs permission to read its source. `taskset` settles each
 * thread on a processor; without the permission, or the program, the kernel may move them. An
 * argument is the number of rounds, 40 by default.
 *
 * A round times windows of some hundred messages, and takes their median. While one of the threads
 * waits for a processor, no window ends. So a round counts as long as both ran at once for a while,
 * also where other programs run.
 *
 * @module
 */

import { copyIn, copyOut, Word32 } from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import { allowedCpus, settleOn } from "../../bench/harness/machine.ts";
import { fit, table, wrap } from "../picture.ts";
import { type Spread, spreadOf, verdictOf } from "../spread.ts";
import type { Job, Ready, Report } from "./measure_worker.ts";
import { makeMemory, STOP } from "./ring_memory.ts";
import { isMessage, MESSAGE_BYTES, messageOf, type Stage, STAGES, WINDOW } from "./rings.ts";

const RUN_MS = 30;
const ROUNDS = Number(Deno.args[0] ?? 40);
/** A round with fewer windows does not count: the threads hardly ran at once. */
const LEAST_WINDOWS = 50;
const FLOOR_MS = 100;

/** One of the two threads. */
class Party {
  readonly #worker = new Worker(new URL("./measure_worker.ts", import.meta.url), {
    type: "module",
  });
  #answer = Promise.withResolvers<Report | Ready>();

  constructor() {
    this.#worker.onmessage = ({ data }) => this.#answer.resolve(data);
    this.#worker.onerror = ({ message }) => this.#answer.reject(new Error(message));
  }

  /** Sends a message; returns the answer. */
  ask(words: Job | "go"): Promise<Report | Ready> {
    this.#answer = Promise.withResolvers();
    this.#worker.postMessage(words);
    return this.#answer.promise;
  }

  end(): void {
    this.#worker.terminate();
  }
}

/** Settles threads on processors of their own; returns whether that could be done. */
function settle(threads: readonly number[]): boolean {
  const cpus = allowedCpus();
  const query = { name: "run", command: "taskset" } as const;
  const isPossible = cpus.length >= threads.length && !threads.includes(0) &&
    Deno.permissions.querySync(query).state === "granted";
  return isPossible && threads.every((thread, i) => settleOn([cpus[i]!], thread));
}

/** A ring and its two threads; each stage has its own, so that each engine compiles one ring only. */
class Measured implements Disposable {
  readonly stage: Stage;
  readonly times: number[] = [];
  readonly looks = { writer: 0, reader: 0 };
  messages = 0;
  isSettled: boolean | undefined;
  readonly #parties = [new Party(), new Party()] as const;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  /** Lets the ring run for a while, from empty. */
  async round(): Promise<void> {
    const { stage } = this;
    const memory = makeMemory();
    const { address } = memory;
    const ready = [
      await this.#parties[0].ask({ stage, address, writes: true }),
      await this.#parties[1].ask({ stage, address, writes: false }),
    ] as Ready[];
    this.isSettled ??= settle(ready.map(({ thread }) => thread));
    const reports = this.#parties.map((party) => party.ask("go"));
    await new Promise((resolve) => setTimeout(resolve, RUN_MS));
    new Word32(memory, STOP).store(1);
    const [writer, reader] = await Promise.all(reports) as [Report, Report];
    const { windows } = reader;
    if (windows.length >= LEAST_WINDOWS) this.times.push(spreadOf(stage, windows).median);
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

/** The median of windows, as in a round. */
function nsEach(work: (number: number) => void): number {
  const windows: number[] = [];
  const last = now() + FLOOR_MS * 1e6;
  for (let messages = 0, begin = now(); begin < last;) {
    for (let i = 0; i < WINDOW; i++) work(messages++);
    const end = now();
    windows.push((end - begin) / WINDOW);
    begin = end;
  }
  return spreadOf("alone", windows).median;
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
  `Two threads, ${ROUNDS} rounds of ${RUN_MS} ms for each stage in turn, messages of ${MESSAGE_BYTES} bytes, every byte
  checked. ${
    measured.every(({ isSettled }) => isSettled)
      ? "Each thread has a processor of its own, by taskset."
      : "The kernel chose the processors: taskset is missing, or not allowed."
  } The floor of ${
    floor.toFixed(0)
  } ns is the slower of the two alone: it copies messages in, or copies
  them out and checks them, and loads no word that another thread writes.`,
);
const caution = wrap(
  `Looks at an empty or a full ring count too, so a side that waits often looks often. A round counts
  if both threads ran at once for ${LEAST_WINDOWS} windows of messages. On one processor none does.`,
);
console.log(`\n${about}\n\n${fit(table([head, ...rows]))}\n`);
for (const verdict of verdicts) console.log(fit(wrap(verdict, 72)));
console.log(`\n${caution}\n`);
