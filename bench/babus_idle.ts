/**
 * The cost of listeners without news: the processor time of twenty of them, each with a slot of its
 * own, with promises in one process, and asleep in a Worker or a process each. Beside them run idle
 * processes and Workers, which take some time, too, and C that sleeps in the same slices, because
 * wake-ups are most of the cost.
 *
 * All of them are idle at the same time. At the end a writer writes to every slot, and all
 * listeners must wake up.
 *
 * @module
 */

import { domain as domainOf } from "../src/babus/definition.ts";
import type { Domain } from "../src/babus/domain.ts";
import { Listener } from "../src/babus/listener.ts";
import { sleep } from "../src/os/clock.ts";
import { SLICE_NS } from "../src/wait/sleep.ts";
import { CProgram } from "./harness/machine.ts";
import { Peer, takePart } from "./harness/peer.ts";
import { type Bar, barsOf, percent, printTable } from "./harness/report.ts";
import { median, type Run, spread } from "./harness/rounds.ts";
import { nextMessage, workerPort } from "./harness/workers.ts";

const LISTENERS = 20;

/** Until a new process has compiled its code and collected its garbage. */
const SETTLE_MS = 3000;

/** Ten seconds in all; each part has as many slices of sleep. */
const PARTS = 5;
const PART_MS = 2000;

/** The limit of the share of a processor, as a multiple of C that sleeps in the same slices. */
const LIMIT = 1;

/** The task of a process. */
type Role = "rest" | "restInWorkers" | "hearAsync" | "hearInWorkers" | "hear";

/** Some listeners, or as many idle processes or Workers. */
interface Group {
  readonly name: string;
  readonly role: Role;
  readonly processes: number;
  /** In each process. */
  readonly listeners: number;
  /** The idle group, which is otherwise the same. */
  readonly idle?: string;
}

const RESTING = "a process";
const WORKERS = `a process with ${LISTENERS} Workers`;
const PROCESSES = `${LISTENERS} processes`;

const GROUPS: Group[] = [
  { name: RESTING, role: "rest", processes: 1, listeners: 0 },
  { name: WORKERS, role: "restInWorkers", processes: 1, listeners: 0 },
  { name: PROCESSES, role: "rest", processes: LISTENERS, listeners: 0 },
  {
    name: `${LISTENERS} listeners, promises, in one process`,
    role: "hearAsync",
    processes: 1,
    listeners: LISTENERS,
    idle: RESTING,
  },
  {
    name: `${LISTENERS} listeners asleep, in a Worker each`,
    role: "hearInWorkers",
    processes: 1,
    listeners: LISTENERS,
    idle: WORKERS,
  },
  {
    name: `${LISTENERS} listeners asleep, in a process each`,
    role: "hear",
    processes: LISTENERS,
    listeners: 1,
    idle: PROCESSES,
  },
];

const IN_C = `C, ${LISTENERS} processes asleep in slices of ${SLICE_NS / 1e6} ms`;

/** A group at work. */
class Crowd implements AsyncDisposable {
  readonly group: Group;
  readonly run: Run;
  readonly #domain: Domain;
  readonly #peers: Peer[];
  #taken = 0;

  constructor(group: Group, number: number) {
    const { name, processes } = group;
    this.group = group;
    this.run = { name, rounds: [] };
    this.#domain = domainOf(`bench-idle-${Deno.pid}-${number}`).open();
    const module = new URL(import.meta.url);
    this.#peers = Array.from({ length: processes }, () => new Peer(module, "peer"));
  }

  get #slots(): string[] {
    return Array.from({ length: this.#peers.length * this.group.listeners }, (_, i) => `slot-${i}`);
  }

  /** Has everybody begin. */
  async begin(): Promise<void> {
    const { listeners, role } = this.group;
    for (const [i, peer] of this.#peers.entries()) {
      const slots = this.#slots.slice(i * listeners, (i + 1) * listeners);
      await peer.begin(role, [this.#domain.name, slots]);
    }
  }

  /** Begins to measure. */
  start(): void {
    this.#taken = this.#takenByAll();
  }

  /** Ends a part of the time, and begins the next. */
  note(elapsedNs: number): void {
    const before = this.#taken;
    this.#taken = this.#takenByAll();
    this.run.rounds.push({ typical: 100 * (this.#taken - before) / elapsedNs });
  }

  #takenByAll(): number {
    return this.#peers.reduce((sum, { pid }) => sum + processorTime(pid), 0);
  }

  /** Wakes everybody. */
  async wake(): Promise<void> {
    for (const name of this.#slots) this.#domain.slot(name).writeSync(new Uint8Array(8));
    let heard = 0;
    for (const peer of this.#peers) heard += await peer.end() as number;
    const { name } = this.group;
    if (heard !== this.#slots.length) throw new Error(`${name}: only ${heard} have heard anything`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) await peer[Symbol.asyncDispose]();
    this.#domain.close();
  }
}

/** The nanoseconds that the threads of a process have run for. */
function processorTime(pid: number): number {
  let sum = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    try {
      sum += parseInt(Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // it has just ended
    }
  }
  return sum;
}

/** Measures, prints the shares of a processor and returns the bars. */
export async function measureIdle(): Promise<Bar[]> {
  await using stack = new AsyncDisposableStack();
  const sleepers = stack.use(CProgram.compile(`${import.meta.dirname}/c/sleepers.c`));
  const crowds = GROUPS.map((group, i) => stack.use(new Crowd(group, i)));
  for (const crowd of crowds) await crowd.begin();
  const asleep = sleepers?.run(LISTENERS, SLICE_NS / 1e6, SETTLE_MS, PARTS, PART_MS);
  await sleep(SETTLE_MS);
  for (const crowd of crowds) crowd.start();
  for (let part = 0; part < PARTS; part++) {
    const before = performance.now();
    await sleep(PART_MS);
    for (const crowd of crowds) crowd.note((performance.now() - before) * 1e6);
  }
  for (const crowd of crowds) await crowd.wake();

  console.log("\nIdle: the share of one processor that each takes");
  const runs = new Map(crowds.map(({ group, run }) => [group.name, run]));
  const share = (run: Run) => percent(median(run.rounds.map(({ typical }) => typical)));
  const rows = crowds.map(({ group, run }) => {
    const { name, idle } = group;
    return [name, share(run), idle === undefined ? "" : share(beyond(run, runs.get(idle)!))];
  });
  const inC = asleep && partsOf(IN_C, await asleep);
  if (inC !== undefined) rows.unshift([IN_C, share(inC), ""]);
  printTable("lrr", [["", "in all", "more than idle"], ...rows]);
  return crowds.flatMap(({ group: { name, idle }, run }): Bar[] => {
    if (idle === undefined || inC === undefined) return [];
    const more = beyond(run, runs.get(idle)!).rounds;
    const ratios = more.map(({ typical }, i) => typical / inC.rounds[i]!.typical);
    return barsOf(`idle: ${name} / ${IN_C}`, LIMIT, () => spread(ratios));
  });
}

/** Nanoseconds in each part as shares of a processor. */
function partsOf(name: string, taken: Float64Array): Run {
  return { name, rounds: Array.from(taken, (ns) => ({ typical: 100 * ns / (PART_MS * 1e6) })) };
}

/** The extra processor time of one run over another at the same moments. */
function beyond({ name, rounds }: Run, idle: Run): Run {
  const more = rounds.map(({ typical }, i) => ({ typical: typical - idle.rounds[i]!.typical }));
  return { name, rounds: more };
}

/** A listener and its slot. */
function listenerOf(domain: Domain, slot: string): Listener {
  return new Listener().add(domain.slot(slot));
}

/** Blocks the thread until a slot has news; returns the number of slots that do. */
function hear([name, slots]: [string, string[]]): number {
  using domain = domainOf(name).open();
  const listeners = slots.map((slot) => listenerOf(domain, slot));
  return listeners.reduce((heard, listener) => heard + listener.waitSync().length, 0);
}

async function hearAsync([name, slots]: [string, string[]]): Promise<number> {
  using domain = domainOf(name).open();
  const news = await Promise.all(slots.map((slot) => listenerOf(domain, slot).wait()));
  return news.flat().length;
}

/** Waits in a Worker for each slot; without slots, in Workers that wait for something else. */
async function inWorkers([name, slots]: [string, string[]]): Promise<number> {
  const orders = Array.from({ length: LISTENERS }, (_, i) => slots.slice(i, i + 1));
  const workers = orders.map((slots) =>
    new Worker(import.meta.url, { type: "module", name: JSON.stringify([name, slots]) })
  );
  if (slots.length === 0) return 0;
  const heard = await Promise.all(workers.map((worker) => nextMessage<number>(worker)));
  for (const worker of workers) worker.terminate();
  return heard.reduce((sum, count) => sum + count, 0);
}

const port = workerPort();
if (port !== undefined) {
  const [name, slots]: [string, string[]] = JSON.parse(self.name);
  if (slots.length > 0) port.postMessage(hear([name, slots]));
} else if (import.meta.main) {
  await takePart({
    rest: () => 0,
    restInWorkers: inWorkers,
    hear,
    hearAsync,
    hearInWorkers: inWorkers,
  });
  Deno.exit();
}
