/**
 * Runs one traffic by several ways of this package, by C, and by the means of Deno and others, in
 * one table. The floor is C that passes words on two lines, or that sleeps on a futex where the
 * sender thinks between messages.
 *
 * @module
 */

import { allowedCpus, CProgram, peersOf, type Plan, settleOn } from "./machine.ts";
import { Peer } from "./peer.ts";
import { onPostMessage } from "./post_message.ts";
import { type Bar, barsOf, type Limit, printRates, unmeasured } from "./report.ts";
import { onRingbuf } from "./ringbuf.ts";
import { type Contender, ratio, type Rounds, type Run } from "./rounds.ts";
import { compareRuns, settings } from "./settings.ts";
import { onPipe } from "./stdio_pipe.ts";
import { onWay, type Setting, type Traffic, type Ways } from "./traffic.ts";
import { onSocket } from "./unix_socket.ts";

/** One comparison between processes. */
export interface Comparison {
  readonly title: string;
  readonly traffic: Traffic;
  readonly plan: Plan;
  readonly rounds: Rounds;
  /** The number of answers in a round of Deno's own means, which take microseconds. */
  readonly slowAnswers: number;
  /** The floor where it is C that passes the messages themselves. */
  readonly floor?: typeof RINGS;
  /** The ways, and the limit of each: a multiple of C that passes the messages, or sleeps. */
  readonly ways: Readonly<Record<string, Limit | undefined>>;
}

/** Plain round trips. Blocks are short, because other programs may want the processors in between.
 */
export const ROUND_TRIPS = {
  plan: { trips: 1000, blocks: 20, blockTrips: 100 },
  rounds: { rounds: 31, warmUp: 4 },
  slowAnswers: 200,
};

/** Measures, prints the tables and returns the bars. The module, run with a parameter, is the peer.
 */
export async function compareAll(
  comparisons: Comparison[],
  ways: Ways,
  module: string,
): Promise<Bar[]> {
  using words = CProgram.compile(`${import.meta.dirname}/../c/ping_pong.c`);
  using rings = CProgram.compile(`${import.meta.dirname}/../c/masked_ring.c`);
  const bars: Bar[] = [];
  for (const comparison of comparisons) {
    const runs = allowedCpus().length < 2
      ? "there is one processor"
      : await new Bench(comparison, words, rings).run(ways, module);
    bars.push(...barsFor(comparison, runs));
  }
  return bars;
}

function barsFor({ title, traffic, ways }: Comparison, runs: Run[] | string): Bar[] {
  const inC = traffic.thinkMs === undefined ? RINGS : FUTEX;
  return Object.entries(ways).flatMap(([way, limit]): Bar[] => {
    if (limit === undefined) return [];
    const what = `${way} / ${inC}, ${title}`;
    if (typeof runs === "string") return unmeasured(what, limit, runs);
    const named = (wanted: string) => runs.find(({ name }) => name === wanted)!;
    const [floor] = runs as [Run];
    return barsOf(what, limit, (at) => ratio(floor, named(way), named(inC), at));
  });
}

/** The name of the floor. */
export const WORDS = "C, words on two lines";

/** The name of C that sleeps. */
const FUTEX = "C, futex";

/** The name of C that passes the messages. */
export const RINGS = "C, masked rings";

/** The plan of the floor where the others are not round trips. */
export const FLOOR_PLAN: Plan = { trips: 0, blocks: 20, blockTrips: 500 };

/** One comparison. */
class Bench {
  readonly #comparison: Comparison;
  readonly #words: CProgram | undefined;
  readonly #rings: CProgram | undefined;

  constructor(
    comparison: Comparison,
    words: CProgram | undefined,
    rings: CProgram | undefined,
  ) {
    this.#comparison = comparison;
    this.#words = words;
    this.#rings = rings;
  }

  /** Measures and prints the times; returns the runs, the floor first, or why it cannot. */
  async run(ways: Ways, module: string): Promise<Run[] | string> {
    const { title, traffic, plan, rounds } = this.#comparison;
    await using stack = new AsyncDisposableStack();
    const allowed = allowedCpus();
    const [our, other] = allowed as [number, number];
    const peer = stack.use(new Peer(new URL(module), "peer"));
    const contenders: Contender[] = [];
    for (const way of Object.keys(this.#comparison.ways)) {
      contenders.push(await onWay(ways, way, { traffic, plan, peer, stack }));
    }
    contenders.push(...await this.#others({ traffic, plan, peer, stack }, other));
    // Last, because threads and processes inherit the processors of their creator, and a program
    // that sees a single processor when it begins never spins.
    const placed = settleOn([other], peer.pid) && settleOn([our], Deno.pid);
    contenders.unshift(...this.#inC(placed ? [our, other] : [-1, -1]));
    stack.defer(() => void settleOn(allowed, Deno.pid));

    if (!placed) console.log("taskset is missing, so the scheduler chose the processors");
    const runs = await compareRuns(
      `Between two processes: ${title}`,
      contenders as [Contender, ...Contender[]],
      rounds,
    );
    if (traffic.answerEvery > 1) {
      printRates(traffic.bytes, runs.filter(({ name }) => name !== WORDS));
    }
    return this.#words ? runs : "there is no C compiler";
  }

  async #others({ traffic, plan, peer, stack }: Setting, cpu: number): Promise<Contender[]> {
    if (settings.quick) return [];
    const slow = { ...traffic, answers: this.#comparison.slowAnswers };
    const contenders = [
      await onSocket(slow, peer),
      onPipe(slow, cpu, stack),
      await onPostMessage(slow, cpu, stack),
    ];
    // It cannot sleep.
    if (traffic.thinkMs === undefined) {
      contenders.unshift(await onRingbuf({ traffic, plan, stack }, cpu));
    }
    return contenders;
  }

  #inC(cpus: number[]): Contender[] {
    const { traffic, plan, floor } = this.#comparison;
    const { bytes, capacity, answerEvery, thinkMs } = traffic;
    if (!this.#words || !this.#rings) return [];
    if (thinkMs !== undefined) {
      return [this.#words.contender(FUTEX, [["think", ...cpus]], plan)];
    }
    const inC = ["pause", "tight"].map((way) => [way, ...cpus]);
    const mode = answerEvery === 1 ? "trip" : "stream";
    const messages = inC.map((way) => [mode, ...way, bytes, capacity]);
    const rings = this.#rings.contender(RINGS, messages, plan);
    if (floor === RINGS) return [rings];
    return [
      this.#words.contender(WORDS, inC, answerEvery === 1 ? plan : FLOOR_PLAN),
      rings,
      ...peersOf(settings.bench, messages, plan),
    ];
  }
}
