/**
 * Two processes wait for each other through a doorbell, next to two C processes that do the same:
 * spinning, where the floor is two words on two cache lines, and sleeping, where it is a futex.
 *
 * Every contender runs with its two main threads on the processors that the heading names. By
 * itself the scheduler puts two sleepers on one processor or on two, and changes its mind; that
 * alone is a factor of ten, and would hide everything else.
 *
 * @module
 */

import { check } from "../src/errors.ts";
import { Mapping } from "../src/memory/mapping.ts";
import { Word32 } from "../src/memory/word.ts";
import { now } from "../src/os/clock.ts";
import * as files from "../src/os/files.ts";
import { pageSize } from "../src/os/page.ts";
import { Doorbell } from "../src/wait/doorbell.ts";
import type { Condition, Waiter } from "../src/wait/condition.ts";
import { until, untilSync } from "../src/wait/until.ts";
import { allowedCpus, CProgram, type Plan, settleOn } from "./harness/machine.ts";
import { Peer, takePart } from "./harness/peer.ts";
import { type Bar, barsOf, unmeasured } from "./harness/report.ts";
import {
  type Contender,
  median,
  ratio,
  type Round,
  type Rounds,
  type Run,
} from "./harness/rounds.ts";
import { compareRuns } from "./harness/settings.ts";

/** How to wait for the other side. */
type Way = "spin" | "sleep" | "promise";

/** Longer than any round: a spinning side never goes to sleep. */
const SPIN_US = 10e6;

/** A side that waits this long gives up, because the other process must be gone. */
const PATIENCE_NS = 20e9;

/** One of the two ways: a word that the sender writes, and the bell that the receiver sleeps on. */
class Direction implements Condition {
  readonly bell: Doorbell;
  readonly watch: Word32;
  readonly #waiter: Waiter = {
    action: "hear of the other process",
    conditions: () => [this],
    lost() {
      throw new Error("The other process of the measurement is silent");
    },
  };
  #wanted = 0;
  #patience = Infinity;

  constructor(mapping: Mapping, base: number) {
    this.watch = new Word32(mapping, { path: "ping_pong.word", offset: base });
    this.bell = new Doorbell(mapping, { path: "ping_pong.bell", offset: base + 128 });
  }

  /** Whether the wanted value has arrived. */
  ready(): boolean {
    return this.watch.load() === this.#wanted;
  }

  /** Asked only when about to sleep. */
  beforeSleep(): "lost" | undefined {
    return now() > this.#patience ? "lost" : undefined;
  }

  /** The time limit for all further waits, from now on. */
  setPatience(): void {
    this.#patience = now() + PATIENCE_NS;
  }

  pass(value: number): void {
    this.watch.store(value);
    this.bell.ring();
  }

  await(value: number, spin: number): void {
    this.#wanted = value;
    untilSync(this.#attempt, this.#waiter, { spin });
  }

  async awaitAsync(value: number): Promise<void> {
    this.#wanted = value;
    await until(this.#attempt, this.#waiter, { spin: 0 });
  }

  readonly #attempt = () => this.ready() || undefined;
}

/** Both directions, and the current count. */
class Table {
  readonly #ping: Direction;
  readonly #pong: Direction;
  #value = 0;

  constructor(mapping: Mapping) {
    this.#ping = new Direction(mapping, 0);
    this.#pong = new Direction(mapping, 256);
  }

  /** The side that measures: one trip after the other. */
  ping(trips: number, spin: number, each?: Float64Array): void {
    this.#pong.setPatience();
    let before = now();
    for (let i = 0; i < trips; i++) {
      this.#ping.pass(++this.#value);
      this.#pong.await(this.#value, spin);
      if (each === undefined) continue;
      const after = now();
      each[i] = after - before;
      before = after;
    }
  }

  /** The side that answers. */
  pong(trips: number, spin: number): void {
    this.#ping.setPatience();
    for (let i = 0; i < trips; i++) {
      this.#ping.await(++this.#value, spin);
      this.#pong.pass(this.#value);
    }
  }

  /** Measures like `ping`, with promises. */
  async pingAsync(trips: number, each: Float64Array): Promise<void> {
    this.#pong.setPatience();
    let before = now();
    for (let i = 0; i < trips; i++) {
      this.#ping.pass(++this.#value);
      await this.#pong.awaitAsync(this.#value);
      const after = now();
      each[i] = after - before;
      before = after;
    }
  }

  /** Answers like `pong`, with promises. */
  async pongAsync(trips: number): Promise<void> {
    this.#ping.setPatience();
    for (let i = 0; i < trips; i++) {
      await this.#ping.awaitAsync(++this.#value);
      this.#pong.pass(this.#value);
    }
  }
}

/** The memory between the two: a file without a name, which the peer opens by way of our fd. */
function makeMemory(): { mapping: Mapping; path: string } {
  const fd = files.memfd("ping_pong");
  check(fd, { syscall: "memfd_create", action: "make memory for a measurement" });
  check(files.truncate(fd, pageSize()), { syscall: "ftruncate", action: "size it" });
  return { mapping: mapMemory(fd), path: `/proc/${Deno.pid}/fd/${fd}` };
}

function mapMemory(fd: number): Mapping {
  return Mapping.ofFile(fd, { length: pageSize(), what: "a measurement" });
}

/** A contender of this package: this process and a peer. */
function ours(way: Way, plan: Plan, table: Table, peer: Peer): Contender {
  const { trips, blocks, blockTrips } = plan;
  const spin = way === "spin" ? SPIN_US : 0;
  const warmUp = Math.floor(trips / 10);
  const each = new Float64Array(trips);
  const round = async (): Promise<Round> => {
    await peer.begin(way, warmUp + trips + blocks * blockTrips);
    if (way === "promise") {
      await table.pingAsync(warmUp, each);
      await table.pingAsync(trips, each);
    } else {
      table.ping(warmUp, spin);
      table.ping(trips, spin, each);
    }
    const times = Array.from({ length: blocks }, () => {
      const before = now();
      table.ping(blockTrips, spin);
      return (now() - before) / blockTrips;
    });
    await peer.end();
    return { typical: median(blocks > 0 ? times : each), each: each.slice() };
  };
  return { name: NAMES[way], round };
}

/** The processors of the two sides; -1 is any. */
type Cpus = readonly [ours: number, peers: number];

/** One comparison: the ways, their processors, and the limit of the ratio. */
interface Comparison {
  readonly title: string;
  /** On how many processors. */
  readonly spread: 1 | 2;
  readonly plan: Plan;
  readonly rounds: Rounds;
  /** The work of the C program, and its ways. */
  readonly floor: { readonly name: string; readonly modes: string[] };
  /** Our ways. */
  readonly ways: Way[];
  /** The limit of the first way, as a multiple of the floor. */
  readonly limit: number;
}

const COMPARISONS: Comparison[] = [{
  title: "spinning, on two processors",
  spread: 2,
  plan: { trips: 5000, blocks: 20, blockTrips: 500 },
  rounds: { rounds: 41, warmUp: 5 },
  floor: { name: "C, spinning on two lines", modes: ["pause", "tight"] },
  ways: ["spin"],
  limit: 2.5,
}, {
  title: "sleeping, on two processors",
  spread: 2,
  plan: { trips: 400, blocks: 0, blockTrips: 0 },
  rounds: { rounds: 31, warmUp: 3 },
  floor: { name: "C, futex", modes: ["futex"] },
  ways: ["sleep", "promise"],
  limit: 1.3,
}, {
  title: "sleeping, on one processor",
  spread: 1,
  plan: { trips: 400, blocks: 0, blockTrips: 0 },
  rounds: { rounds: 31, warmUp: 3 },
  floor: { name: "C, futex", modes: ["futex"] },
  ways: ["sleep", "promise"],
  limit: 1.3,
}];

const NAMES: Record<Way, string> = {
  spin: "untilSync",
  sleep: "untilSync",
  promise: "await until",
};

/** Measures, prints the times and returns the bars. */
export async function measurePingPong(): Promise<Bar[]> {
  using c = CProgram.compile(`${import.meta.dirname}/c/ping_pong.c`);
  const { mapping, path } = makeMemory();
  using _ = mapping;
  await using peer = new Peer(new URL(import.meta.url), path);
  const table = new Table(mapping);
  const allowed = allowedCpus();
  const bars: Bar[] = [];
  for (const comparison of COMPARISONS) {
    const { title, spread, ways, limit } = comparison;
    const what = `${NAMES[ways[0]!]} / C, ping-pong ${title}`;
    const runs = allowed.length < spread
      ? "there is one processor"
      : await compare(comparison, [allowed[0]!, allowed[spread - 1]!], table, peer, c);
    bars.push(
      ...typeof runs === "string"
        ? unmeasured(what, limit, runs)
        : barsOf(what, limit, () => ratio(runs[0]!, runs[1]!)),
    );
  }
  settleOn(allowed, Deno.pid);
  return bars;
}

/** Measures one comparison; returns the runs, the floor first, or why there is none. */
async function compare(
  { title, plan, rounds, floor, ways }: Comparison,
  cpus: Cpus,
  table: Table,
  peer: Peer,
  c: CProgram | undefined,
): Promise<Run[] | string> {
  const placed = settleOn([cpus[0]], Deno.pid) && settleOn([cpus[1]], peer.pid);
  if (!placed) console.log("taskset is missing, so the scheduler chose the processors");
  const contenders = ways.map((way) => ours(way, plan, table, peer));
  if (c) {
    const modes = floor.modes.map((mode) => [mode, ...placed ? cpus : [-1, -1]]);
    contenders.unshift(c.contender(floor.name, modes, plan));
  }
  const runs = await compareRuns(
    `Ping-pong ${title}: round trips (p50 to p99.9 include a look at the clock)`,
    contenders as [Contender, ...Contender[]],
    rounds,
  );
  return c ? runs : "there is no C compiler";
}

/** The other process. */
async function takePartAsPeer(path: string): Promise<void> {
  const fd = files.open(path, files.Open.follow | files.Open.write);
  check(fd, { syscall: "openat", action: "open the memory of the measurement" });
  const table = new Table(mapMemory(fd));
  await takePart({
    spin: (trips: number) => table.pong(trips, SPIN_US),
    sleep: (trips: number) => table.pong(trips, 0),
    promise: (trips: number) => table.pongAsync(trips),
  });
}

if (import.meta.main) {
  await takePartAsPeer(Deno.args[0]!);
}
