/**
 * One run of a workload: starts its processes, does to them what chance has planned, lets them come to
 * an end, and takes the account. Whatever happens, nothing is left behind.
 *
 * @module
 */

import { now } from "../../src/os/clock.ts";
import type { Account } from "./account.ts";
import { evidenceOf } from "./evidence.ts";
import { FreeTime } from "./processor_time.ts";
import { Statements } from "./statements.ts";
import { planFate, UNHARMED } from "./fate.ts";
import type { Counts, Overseer, Part, Workload } from "./workload.ts";
import { Scene } from "./workload.ts";
import { Ledger, type SeatBook } from "./ledger.ts";
import { Life, pause } from "./life.ts";
import { type Ending, ledgerPlan, processesOf, Reserve } from "./process.ts";
import { Random } from "../random.ts";

/** How to run a workload. */
export interface TortureOptions {
  /** How long processes are harmed. */
  readonly seconds: number;
  /** The seed of all chance. */
  readonly seed: number;
  /** Returns whether the account of the run so far is enough, so that the run ends. */
  readonly enough?: (account: Account) => boolean;
  /**
   * How many milliseconds everybody has to come to an end, besides those spent waiting for a
   * processor; 20,000 by default.
   */
  readonly endingMs?: number;
  /** Whether to examine all parties when one complains; true by default. */
  readonly examine?: boolean;
  /** Aborts the run. */
  readonly signal?: AbortSignal;
  /** Receives the account so far a few times a second. */
  readonly onProgress?: (account: Account) => void;
}

/** A workload and the module it is in. */
export interface WorkloadModule {
  /** The name on the command line. */
  readonly name: string;
  /** The module. */
  readonly url: string;
}

const TICK_MS = 100;

/** Processes are stopped for at most 1 s: nothing arrives later than this. */
const LATEST_LOG_NS = 5e9;

const ENDING_MS = 20_000;

const ALL_KILLED_EVERY_MS = [2000, 5000] as const;

/** Where one process after the other does the same. */
interface Seat {
  readonly part: string;
  readonly spec: Part;
  readonly index: number;
  readonly number: number;
  readonly book: SeatBook;
  life: Life | undefined;
  lives: number;
  /** The time of the last record in its log. */
  lastNote: number;
}

const NOTHING: Counts = { sent: 0, received: 0, lost: 0, duplicated: 0, corrupt: 0, leaked: 0 };

/** Takes stock: the counters of a workload, and what its overseer counts otherwise. */
function takeStock({ cells, facts = {} }: Workload, scene: Scene, overseer: Overseer): Counts {
  const names = Object.keys(NOTHING).filter((name) => name in cells);
  const { facts: further, ...counts } = overseer.counts?.() ?? {};
  const rows = Object.entries(facts).map(([label, name]): [string, number] => {
    const total = scene.total(name);
    return [label, label.endsWith("(ms)") ? total / 1e6 : total];
  });
  return {
    ...NOTHING,
    ...Object.fromEntries(names.map((name) => [name, scene.total(name)])),
    ...counts,
    facts: { ...further, ...Object.fromEntries(rows) },
  };
}

/** Runs a workload. */
export async function torture(module: WorkloadModule, options: TortureOptions): Promise<Account> {
  const workload: Workload = (await import(module.url)).default;
  using ledger = Ledger.create(ledgerPlan(workload));
  return await new Run(module, workload, ledger, options).perform();
}

class Run {
  readonly #module: WorkloadModule;
  readonly #workload: Workload;
  readonly #options: TortureOptions;
  readonly #name: string;
  readonly #ledger: Ledger;
  readonly #scene: Scene;
  readonly #statements: Statements;
  readonly #reserve: Reserve;
  readonly #seats: Seat[];
  readonly #over = Promise.withResolvers<void>();
  readonly #startedAt = performance.now();
  #gate: Promise<void> | undefined;
  #endedAt: number | undefined;
  #interrupted = false;
  #overseer: Overseer | undefined;
  #counts = NOTHING;
  #kills = { "at random": 0, "at a step": 0 };
  #stops = 0;
  readonly #steps = new Map<string, number>();
  readonly #evidence: string[] = [];
  #filesLeft: string[] = [];
  #processesLeft: number[] = [];

  constructor(module: WorkloadModule, workload: Workload, ledger: Ledger, options: TortureOptions) {
    this.#module = module;
    this.#workload = workload;
    this.#options = options;
    this.#name = `torture${Deno.pid}x${(Math.random() * 2 ** 32 >>> 0).toString(36)}`;
    this.#ledger = ledger;
    this.#scene = new Scene(this.#name, ledger);
    this.#statements = new Statements((text) => ledger.complain(text), workload.wanted?.resources);
    const company = { workloadUrl: module.url, run: this.#name, ledgerPath: ledger.path };
    this.#reserve = new Reserve(company);
    this.#seats = seatsOf(workload, ledger);
  }

  /** Runs to the end and gives the account. */
  async perform(): Promise<Account> {
    await this.#live();
    this.#statements.judge(Infinity);
    this.#checkVacancy();
    return this.#account();
  }

  /** Runs to the end, and leaves nothing behind in whatever way it comes to that. */
  async #live(): Promise<void> {
    await using stack = new AsyncDisposableStack();
    stack.defer(() => {
      this.#processesLeft = endProcessesOf(this.#name);
      this.#filesLeft = removeFilesOf(this.#name);
    });
    stack.defer(() => this.#overseer?.gone?.());
    stack.defer(() => this.#overseer?.[Symbol.dispose]?.());
    stack.defer(() => this.#overseer?.alone?.());
    stack.defer(() => this.#reserve.close());
    stack.defer(() => this.#end());
    const ticking = setInterval(() => this.#tick(), TICK_MS);
    stack.defer(() => clearInterval(ticking));
    const { signal } = this.#options;
    const interrupt = () => this.#interrupt();
    signal?.addEventListener("abort", interrupt);
    stack.defer(() => signal?.removeEventListener("abort", interrupt));
    if (signal?.aborted) interrupt();

    this.#overseer = this.#workload.begin(this.#scene);
    await this.#act();
    this.#counts = takeStock(this.#workload, this.#scene, this.#overseer);
  }

  /** Everything from the first process to the end of the last. */
  async #act(): Promise<void> {
    const seats = Promise.all(this.#seats.map((seat) => this.#occupy(seat)));
    const settled = seats.then(() => {}, () => this.#end());
    const massacres = this.#overseer?.alone ? this.#massacres() : undefined;
    massacres?.catch(() => this.#end()); // it is thrown below
    await pause(this.#options.seconds * 1000, this.#over.promise);
    this.#end();
    await massacres;
    await this.#endings(settled);
    const late = this.#seats.flatMap(({ life }) => life ?? []);
    for (const { who, threadStates } of late) {
      this.#complain(`${who} does not come to an end (threads: ${threadStates})`);
    }
    this.#examine();
    for (const life of late) life.remove();
    await seats;
  }

  /** Waits until all processes have ended, or had the time to. */
  async #endings(settled: Promise<void>): Promise<void> {
    const { endingMs = ENDING_MS } = this.#options;
    const free = new FreeTime();
    let ended = false;
    settled.then(() => ended = true);
    while (!ended) {
      await pause(Math.min(TICK_MS, endingMs), settled);
      if (free.least(this.#pids()) > endingMs) return;
    }
  }

  /** The processes in the seats. */
  #pids(): number[] {
    return this.#seats.flatMap(({ life }) => life === undefined ? [] : [life.pid]);
  }

  /** Takes down the state of everything, if a process has complained. */
  #examine(): void {
    if (!this.#ledger.wantsExamination) return;
    if (this.#options.examine !== false) {
      const suspects = this.#seats.flatMap(({ life }) => life ?? []);
      this.#evidence.push(evidenceOf(this.#name, suspects));
    }
    this.#ledger.noteExamined();
  }

  /** Fills a seat with one process after the other. */
  async #occupy(seat: Seat): Promise<void> {
    const { part, spec, index, number, book } = seat;
    const { seed } = this.#options;
    while (this.#endedAt === undefined) {
      const chance = new Random(seed, part, index, seat.lives, "fate");
      const fate = spec.harm === undefined ? UNHARMED : planFate(chance, spec.harm);
      const process = await this.#reserve.take(fate.trap !== undefined);
      await this.#gate;
      if (process === undefined || this.#endedAt !== undefined) return;
      const life = new Life(`${part} ${index}.${seat.lives}`, process, book);
      seat.life = life;
      const { trap, trapMs } = fate;
      const orders = { part, seat: index, life: seat.lives++, book: number, seed, trap, trapMs };
      const [ending] = await Promise.all([
        life.ended,
        process.order(orders),
        life.suffer(fate, this.#over.promise),
      ]);
      this.#bury(seat, life, ending);
      seat.life = undefined;
    }
  }

  /** Takes down how a life ended. */
  #bury(seat: Seat, life: Life, ending: Ending): void {
    const { book } = seat;
    const death = life.judge(ending);
    this.#stops += life.stops;
    this.#readLog(seat);
    // A process that was not killed has withdrawn its statements, at its last note at the latest.
    this.#statements.end(life.who, life.lastMoment === Infinity ? seat.lastNote : life.lastMoment);
    if (death === "at random" || death === "at a step") this.#kills[death]++;
    if (death === "at a step") {
      const step = plainStep(book.step, this.#name);
      this.#steps.set(step, (this.#steps.get(step) ?? 0) + 1);
    }
    if (death !== "unexpected" || this.#interrupted) return;
    const { signal, code, output } = ending;
    this.#complain(`${life.who} ended with ${signal ?? `code ${code}`}: ${output.trim()}`);
  }

  /** Now and then kills everybody at once and lets the workload look at what is left. */
  async #massacres(): Promise<void> {
    const chance = new Random(this.#options.seed, "massacres");
    for (;;) {
      await pause(chance.between(...ALL_KILLED_EVERY_MS), this.#over.promise);
      if (this.#endedAt !== undefined) return;
      const opened = Promise.withResolvers<void>();
      this.#gate = opened.promise;
      const lives = this.#seats.flatMap(({ life }) => life ?? []);
      for (const life of lives) life.kill();
      while (this.#seats.some(({ life }) => life !== undefined)) await pause(1);
      this.#overseer?.alone?.();
      this.#gate = undefined;
      opened.resolve();
    }
  }

  #readLog(seat: Seat): void {
    if (seat.life === undefined) return;
    for (const record of seat.book.take()) {
      this.#statements.add(seat.life.who, record);
      seat.lastNote = record.time;
    }
  }

  #tick(): void {
    this.#examine();
    const time = now();
    for (const seat of this.#seats) this.#readLog(seat);
    this.#statements.judge(time - LATEST_LOG_NS);
    if (this.#overseer === undefined) return;
    this.#counts = takeStock(this.#workload, this.#scene, this.#overseer);
    const account = this.#account();
    this.#options.onProgress?.(account);
    if (this.#options.enough?.(account)) this.#end();
  }

  #checkVacancy(): void {
    const { wanted } = this.#workload;
    const longestMs = this.#statements.longestVacancy / 1e6;
    if (wanted === undefined || longestMs <= wanted.withinMs) return;
    this.#complain(`nobody took over for ${longestMs.toFixed(0)} ms`);
  }

  #complain(text: string): void {
    this.#ledger.complain(text);
  }

  /** From now on nobody is harmed or replaced, and everybody comes to an end. */
  #end(): void {
    this.#endedAt ??= performance.now();
    this.#ledger.end();
    this.#reserve.retire();
    this.#over.resolve();
  }

  #interrupt(): void {
    this.#interrupted = true;
    this.#end();
    this.#reserve.close();
  }

  #account(): Account {
    const { name } = this.#module;
    const { longestVacancy, count } = this.#statements;
    const vacancy = this.#workload.wanted && { "longest vacancy (ms)": longestVacancy / 1e6 };
    return {
      ...this.#counts,
      facts: { ...this.#counts.facts, ...vacancy },
      workload: name,
      seed: this.#options.seed,
      seconds: ((this.#endedAt ?? performance.now()) - this.#startedAt) / 1000,
      interrupted: this.#interrupted,
      killsAtRandom: this.#kills["at random"],
      killsAtSteps: this.#kills["at a step"],
      steps: this.#steps,
      stops: this.#stops,
      processes: this.#reserve.started,
      statements: count,
      filesLeft: this.#filesLeft,
      processesLeft: this.#processesLeft,
      complaints: this.#ledger.complaints(),
      complaintCount: this.#ledger.complaintCount,
      evidence: this.#evidence,
    };
  }
}

function seatsOf(workload: Workload, ledger: Ledger): Seat[] {
  let number = 0;
  return Object.entries(workload.parts).flatMap(([part, spec]) =>
    Array.from({ length: spec.seats }, (_, index): Seat => {
      const book = ledger.seats[number]!;
      return { part, spec, index, number: number++, book, life: undefined, lives: 0, lastNote: 0 };
    })
  );
}

/** A step without what is different each time. */
function plainStep(step: string, run: string): string {
  return step.replaceAll(run, "").replace(/\/proc\/\S+/g, "/proc/..").replace(/\d{6,}/g, "..");
}

/** Ends the processes of the run, and tells which. */
function endProcessesOf(run: string): number[] {
  const ours = processesOf(run);
  for (const pid of ours) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // it has ended by itself
    }
  }
  return ours;
}

/** Removes the files that have the run in their names, and tells which. */
function removeFilesOf(run: string): string[] {
  const ours = filesOf(run);
  for (const name of ours) Deno.removeSync(`/dev/shm/${name}`);
  return ours;
}

/** The files in /dev/shm that have a text in their names. */
export function filesOf(run: string): string[] {
  return [...Deno.readDirSync("/dev/shm")].map(({ name }) => name).filter((name) =>
    name.includes(run)
  );
}
