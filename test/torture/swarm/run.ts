/**
 * One run of a scene: forked processes fill its seats, and are killed and stopped, several at once.
 *
 * @module
 */

import { now, sleepSync } from "../../../src/os/clock.ts?real";
import { Random } from "../../random.ts";
import { sleepWithoutSlices } from "../../trap/futex.ts";
import { arm } from "../../trap/trap.ts";
import { evidenceOf } from "../evidence.ts";
import { Ledger } from "../ledger.ts";
import { FreeTime } from "../processor_time.ts";
import { Forks, ownChance, SIGCONT, SIGKILL, SIGSTOP } from "./forks.ts";
import { type Player, type Scene, waitFor } from "./scene.ts";

/** The account of a run of a scene. */
export interface SwarmAccount {
  readonly scene: string;
  readonly seed: number;
  readonly seconds: number;
  readonly killsAtRandom: number;
  readonly killsAtSteps: number;
  readonly stops: number;
  readonly sent: number;
  readonly received: number;
  /** The first complaints, in words. */
  readonly complaints: readonly string[];
  readonly complaintCount: number;
  readonly filesLeft: readonly string[];
  /** The state of all processes and regions at the first complaints. */
  readonly evidence: readonly string[];
}

/** How long everybody lives between two looks at the memory. */
const ROUND_MS = 1500;
/** The share of processes that die by themselves, at a step. */
const AT_STEPS = 0.4;
/** The share of processes that wait for so long; others give up soon. */
const PATIENT = 0.3;
const PATIENT_MS = 1e9;
/** Where nobody dies, each process must get so much done: it sleeps several times meanwhile. */
const SLEEPS = 40;
const SLOWEST_END_MS = 10_000;

/**
 * A process that is not harmed makes progress within so many milliseconds, without those for which
 * it waited for a processor.
 */
export const PROGRESS_MS = 5000;

/** How a process lives. */
interface LifeKind {
  /** Whether it may die at a step. */
  readonly isHarmed: boolean;
  /** Whether it looks again after each slice of a sleep. */
  readonly hasSlices: boolean;
}

interface Seat {
  readonly index: number;
  life: number;
  pid: number;
  /** Whether a signal that ends it was sent, or it was to end itself. */
  killed: boolean;
}

/** Runs a scene for so many seconds. Blocks the thread. */
export function swarm(slice: Slice): SwarmAccount {
  const { cells, seats } = slice.scene;
  const own = { diedAtStep: 1, progress: seats.length };
  using ledger = Ledger.create({ cells: { ...cells, ...own }, seats: 0 });
  return new Swarm(slice, ledger).run();
}

/** A run of a scene, as one of several at once. */
export interface Slice {
  readonly name: string;
  readonly scene: Scene;
  readonly seconds: number;
  readonly seed: number;
  /** Whether to end at the first complaint. */
  readonly untilFound: boolean;
  /** The longest time without progress, as `PROGRESS_MS` has it. */
  readonly progressMs: number;
}

/** Runs several scenes at once, each with a harness that is a fork of this process. */
export function swarms(slices: readonly Slice[]): SwarmAccount[] {
  const [only] = slices;
  if (slices.length === 1) return [swarm(only!)];
  const folder = Deno.makeTempDirSync({ prefix: "vring-swarm-" });
  try {
    const running = new Set(slices.map((slice, i) => {
      return forks().fork(() => {
        const chance = new Random(slice.seed, i, now());
        ownChance(() => chance.next());
        const account = swarm(slice);
        Deno.writeTextFileSync(`${folder}/${i}`, JSON.stringify(account));
      });
    }));
    while (running.size > 0) {
      sleepSync(20);
      for (let ended; (ended = forks().reap()) !== undefined;) running.delete(ended.pid);
    }
    return slices.map((slice, i) => accountIn(`${folder}/${i}`) ?? failed(slice));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function accountIn(file: string): SwarmAccount | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The account of a harness that has left none. */
function failed({ name, seed, seconds }: Slice): SwarmAccount {
  const complaints = ["the harness ended without an account"];
  const nothing = { killsAtRandom: 0, killsAtSteps: 0, stops: 0, sent: 0, received: 0 };
  const none = { complaintCount: 1, filesLeft: [], evidence: [] };
  return { scene: name, seed, seconds, ...nothing, complaints, ...none };
}

class Swarm {
  readonly #name: string;
  readonly #scene: Scene;
  readonly #ledger: Ledger;
  readonly #seed: number;
  readonly #slice: Slice;
  readonly #run: string;
  readonly #forks = forks();
  readonly #harness = this.#forks.pid;
  readonly #random: Random;
  readonly #seats: Seat[];
  #lives = 0;
  #atRandom = 0;
  #stops = 0;
  #rounds = 0;
  readonly #evidence: string[] = [];

  constructor(slice: Slice, ledger: Ledger) {
    const { name, scene, seed } = this.#slice = slice;
    this.#name = name;
    this.#scene = scene;
    this.#ledger = ledger;
    this.#seed = seed;
    this.#run = `swarm${Deno.pid}x${seed.toString(36)}`;
    this.#random = new Random(seed, name, "harness");
    this.#seats = scene.seats.map((_, index) => ({ index, life: 0, pid: 0, killed: false }));
  }

  /** Whether the run ends early. */
  get #isOver(): boolean {
    return this.#slice.untilFound && this.#ledger.complaintCount > 0;
  }

  run(): SwarmAccount {
    const start = performance.now();
    const end = start + this.#slice.seconds * 1000;
    try {
      while (performance.now() < end && !this.#isOver) {
        this.#round(Math.min(end, performance.now() + ROUND_MS));
        const areNew = this.#rounds++ % 4 === 0;
        if (areNew) this.#endAll();
        this.#calm(areNew);
        this.#endAll();
        this.#scene.alone?.(this.#player(0, this.#lives, this.#random));
        this.#examine();
      }
    } finally {
      this.#endAll();
      this.#scene.unlink(this.#player(0, 0, this.#random));
    }
    const filesLeft = this.#removeFiles();
    const sum = (cell: string) => this.#total(cell);
    return {
      scene: this.#name,
      seed: this.#seed,
      seconds: (performance.now() - start) / 1000,
      killsAtRandom: this.#atRandom,
      killsAtSteps: sum("diedAtStep"),
      stops: this.#stops,
      sent: sum("sent"),
      received: sum("received"),
      complaints: this.#ledger.complaints(),
      complaintCount: this.#ledger.complaintCount,
      filesLeft,
      evidence: this.#evidence,
    };
  }

  #total(cell: string): number {
    return (this.#ledger.cells as Record<string, readonly { load(): number }[]>)[cell]!
      .reduce((sum, each) => sum + each.load(), 0);
  }

  #round(end: number): void {
    const longest = this.#random.skewed(0.6, 40); // hectic rounds, and calm ones
    while (performance.now() < end && !this.#isOver) {
      for (const seat of this.#seats) if (seat.pid === 0) this.#fill(seat);
      sleepSync(this.#random.skewed(0.2, longest));
      this.#examine();
      this.#reap();
      this.#harm();
      this.#reap();
    }
  }

  /**
   * Harms nobody until each process has made progress. What the deaths of the round have left must
   * not hold anybody up, whether they have lived through it or come new. If all come new, nobody
   * dies in the calm, and their sleeps have no slices: so a wake-up that is missed is found.
   */
  #calm(areNew: boolean): void {
    for (const pid of this.#stopped) this.#forks.signal(pid, SIGCONT);
    this.#stopped.clear();
    const { progressMs, scene } = this.#slice;
    const progress = this.#ledger.cells.progress!;
    const before = progress.map((cell) => cell.load());
    const wanted = areNew ? SLEEPS : 1;
    const free = new FreeTime();
    for (;;) {
      for (const seat of this.#seats) {
        if (seat.pid === 0) this.#fill(seat, { isHarmed: false, hasSlices: !areNew });
      }
      const behind = this.#seats.filter(({ index }) =>
        !scene.mayRest?.includes(index) && progress[index]!.load() < before[index]! + wanted
      );
      if (behind.length === 0 || this.#isOver) return;
      if (free.least(this.#seats.map(({ pid }) => pid)) > progressMs) {
        const seats = behind.map(({ index, life }) => `${index}.${life}`).join(", ");
        this.#ledger.complain(`${this.#name} ${seats}: no progress, though nobody is harmed`);
        return this.#examine();
      }
      sleepSync(1);
      this.#examine();
      this.#reap();
    }
  }

  /** Takes down the state of everything, if a process has complained. */
  #examine(): void {
    if (!this.#ledger.wantsExamination) return;
    const suspects = this.#seats.filter(({ pid }) => pid !== 0)
      .map(({ index, life, pid }) => ({ who: `seat ${index}, life ${life}`, pid }));
    this.#evidence.push(`${this.#name}: ${evidenceOf(this.#run, suspects)}`);
    this.#ledger.noteExamined();
  }

  /** Kills or stops some of those that live, several at once. */
  #harm(): void {
    const living = this.#seats.filter(({ pid, killed }) => pid !== 0 && !killed);
    const amount = this.#random.chance(0.15) ? living.length : this.#random.small(living.length);
    for (let i = 0; i < amount; i++) {
      const [victim] = living.splice(this.#random.below(living.length), 1);
      if (victim === undefined) return;
      if (this.#random.chance(0.1)) {
        this.#forks.signal(victim.pid, SIGSTOP); // until a later turn
        this.#stops++;
        this.#stopped.add(victim.pid);
        continue;
      }
      this.#forks.signal(victim.pid, SIGKILL);
      victim.killed = true;
    }
    for (const pid of this.#stopped) {
      if (!this.#random.chance(0.4)) continue;
      this.#forks.signal(pid, SIGCONT);
      this.#stopped.delete(pid);
    }
  }

  readonly #stopped = new Set<number>();

  #fill(seat: Seat, kind: LifeKind = { isHarmed: true, hasSlices: true }): void {
    const life = ++seat.life;
    this.#lives = Math.max(this.#lives, life + 1);
    seat.killed = false;
    seat.pid = this.#forks.fork(() => this.#live(seat.index, life, kind));
  }

  /** What a child does. */
  #live(index: number, life: number, { isHarmed, hasSlices }: LifeKind): void {
    const random = new Random(this.#seed, this.#name, index, life);
    const chance = new Random(this.#seed, this.#name, index, life, "chance", now());
    ownChance(() => chance.next());
    const player = this.#player(index, life, random);
    if (!isHarmed || random.chance(PATIENT)) waitFor(PATIENT_MS);
    if (!hasSlices) sleepWithoutSlices();
    if (isHarmed && random.chance(AT_STEPS)) {
      const { steps } = this.#scene;
      const matching = random.chance(0.6) ? random.pick(steps) : undefined;
      const at = random.small(matching === undefined ? 400 : 40);
      arm({ act: "kill", at, matching }, () => {
        this.#ledger.cells.diedAtStep![0]!.add(1);
        this.#forks.signal(this.#forks.pid, SIGKILL);
      });
    }
    try {
      for (;;) this.#scene.seats[index]!(player);
    } catch (error) {
      player.complain(Deno.inspect(error).slice(0, 400));
    }
  }

  #player(seat: number, life: number, random: Random): Player {
    const ledger = this.#ledger;
    const isHarness = this.#forks.pid === this.#harness;
    const complain = (text: string) =>
      isHarness ? ledger.complain(text) : ledger.complainAndWait(text);
    const cells = ledger.cells as Player["cells"];
    return {
      seat,
      life,
      random,
      cells,
      name: (suffix) => `${this.#run}-${suffix}`,
      count: (cell, amount = 1) => {
        cells[cell]![0]!.add(amount);
        ledger.cells.progress![seat]!.add(1);
      },
      rest: () => sleepSync(random.skewed(0.02, 0.5)),
      complain: (text) => complain(`${this.#name} ${seat}.${life}: ${text}`),
    };
  }

  #reap(): void {
    for (let ended; (ended = this.#forks.reap()) !== undefined;) {
      const { pid, signal, code } = ended;
      const seat = this.#seats.find((one) => one.pid === pid);
      if (seat === undefined) continue;
      seat.pid = 0;
      this.#stopped.delete(pid);
      if (signal === SIGKILL) {
        if (seat.killed) this.#atRandom++;
      } else {
        this.#ledger.complain(`seat ${seat.index} ended with signal ${signal}, code ${code}`);
      }
    }
  }

  /** Kills everybody, and waits until all are reaped: then the kernel has dropped their locks. */
  #endAll(): void {
    const end = performance.now() + SLOWEST_END_MS;
    for (const seat of this.#seats) {
      if (seat.pid === 0 || seat.killed) continue;
      this.#forks.signal(seat.pid, SIGKILL);
      seat.killed = true;
    }
    while (this.#seats.some(({ pid }) => pid !== 0)) {
      this.#reap();
      sleepSync(0.2);
      if (performance.now() > end) throw new Error("a killed process does not end");
    }
  }

  #removeFiles(): string[] {
    const ours = [...Deno.readDirSync("/dev/shm")].map(({ name }) => name)
      .filter((name) => name.includes(this.#run));
    for (const name of ours) Deno.removeSync(`/dev/shm/${name}`);
    return ours;
  }
}

let made: Forks | undefined;

function forks(): Forks {
  return made ??= new Forks();
}
