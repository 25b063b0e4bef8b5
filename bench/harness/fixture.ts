/**
 * This process and others, each on a processor of its own, for comparisons that a module composes
 * itself. If the traffic is the same for all contenders, `comparison.ts` is shorter.
 *
 * @module
 */

import type { BytePlan } from "./byte_side.ts";
import { FLOOR_PLAN, WORDS } from "./comparison.ts";
import { allowedCpus, type CProgram, peersOf, type Plan, settleOn } from "./machine.ts";
import { Peer } from "./peer.ts";
import { onPostMessage } from "./post_message.ts";
import type { Contender, Rounds, Run } from "./rounds.ts";
import { compareRuns, settings } from "./settings.ts";
import { onWay, type Traffic, type Ways } from "./traffic.ts";

/** The title, the other process and its ways. */
export interface FixtureOptions {
  /** The subject, for the headings. */
  readonly title: string;
  /** The module that, run with a parameter, is the other process. */
  readonly module: string;
  /** The ways that both know. */
  readonly ways: Ways;
}

/** Two processes, each on a processor of its own once the measurement begins. */
export class Fixture implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #cpus = allowedCpus();
  readonly #options: FixtureOptions;
  /** The other process. */
  readonly peer: Peer;

  constructor(options: FixtureOptions) {
    this.#options = options;
    this.peer = this.another();
  }

  /** One more process. */
  another(): Peer {
    return this.#stack.use(new Peer(new URL(this.#options.module), "peer"));
  }

  /** A contender that goes one of the ways. */
  way(name: string, traffic: Traffic, plan: Plan): Promise<Contender> {
    return onWay(this.#options.ways, name, { traffic, plan, peer: this.peer, stack: this.#stack });
  }

  /** A contender that posts messages to a Worker. */
  postMessage(plan: BytePlan, on = onPostMessage): Promise<Contender> {
    return on(plan, this.#cpus[1]!, this.#stack);
  }

  /** The contender that is the floor: C, which passes words. */
  words(program: CProgram): Contender {
    const cpus = this.#cpus.slice(0, 2);
    return program.contender(WORDS, ["pause", "tight"].map((way) => [way, ...cpus]), FLOOR_PLAN);
  }

  /** The peers that the environment names, for round trips. */
  peers({ bytes }: Traffic, plan: Plan): Contender[] {
    const cpus = this.#cpus.slice(0, 2);
    const ways = ["pause", "tight"].map((way) => ["trip", way, ...cpus, bytes, 2 ** 20]);
    return peersOf(settings.bench, ways, plan);
  }

  /** Settles the processes on their processors, measures, and prints the times; the first is the
   * floor. */
  async compare(
    title: string,
    [floor, ...others]: [Contender, ...Contender[]],
    { rounds, warmUp, peers = [this.peer] }: Rounds & { peers?: Peer[] },
  ): Promise<Run[]> {
    const [our, other] = this.#cpus as [number, number];
    const placed = settleOn([our], Deno.pid);
    for (const { pid } of peers) settleOn([other], pid);
    this.#stack.defer(() => void settleOn(this.#cpus, Deno.pid));
    if (!placed) console.log("taskset is missing, so the scheduler chose the processors");
    return await compareRuns(`${this.#options.title}: ${title}`, [floor, ...others], {
      rounds,
      warmUp,
    });
  }

  /** Lets the others end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
