/**
 * Fair comparisons on a busy machine: many short rounds in turn, and ratios.
 *
 * The speed of a machine changes within a second: the two processors may be neighbours on one core
 * now and far apart later. So the floor is measured before and after each round of a contender, and
 * only the ratio of the round to that floor counts. A round whose two floors differ was disturbed
 * and does not count.
 *
 * @module
 */

/** The measurements of one round of a contender, in nanoseconds. */
export interface Round {
  /** The time that an operation typically takes: the number that is compared. */
  readonly typical: number;
  /** Single operations, timed one by one. */
  readonly each?: Float64Array;
}

/** Something to measure. */
export interface Contender {
  /** Its name in the tables. */
  readonly name: string;
  /** Measures for a few milliseconds. */
  round(): Round | Promise<Round>;
}

/** The rounds of one contender, in the order in which they were run. */
export interface Run {
  readonly name: string;
  readonly rounds: Round[];
}

/** How often {@linkcode interleave} measures. */
export interface Rounds {
  /** How many rounds count. */
  readonly rounds: number;
  /** The number of rounds before, until the engine has compiled the code. */
  readonly warmUp: number;
}

/** Runs everybody in turn, the floor first and last; returns the floor's run, then the others'. */
export async function interleave(
  floor: Contender,
  contenders: Contender[],
  { rounds, warmUp }: Rounds,
): Promise<[floor: Run, ...contenders: Run[]]> {
  const all = [floor, ...contenders];
  for (let i = 0; i < warmUp; i++) {
    for (const contender of all) await contender.round();
  }
  const runs = all.map(({ name }): Run => ({ name, rounds: [] }));
  for (let i = 0; i < rounds; i++) {
    for (const [k, contender] of all.entries()) runs[k]!.rounds.push(await contender.round());
  }
  runs[0]!.rounds.push(await floor.round());
  return runs as [Run, ...Run[]];
}

/** The ratio to something else, over the rounds that count. */
export interface Ratio {
  readonly median: number;
  /** A tenth of the rounds are below this. */
  readonly low: number;
  /** A tenth of the rounds are above this. */
  readonly high: number;
  /** How many rounds count .. */
  readonly counted: number;
  /** .. of how many. */
  readonly of: number;
}

/** By how much the floors around a round may differ. */
const STEADY = 1.25;

/** Where the processors are: two C programs pass a word to and fro in less than this, or more. */
export type Placement = "near" | "far";

const FAR_NS = 150;

/** The floor around each round of the others; NaN where it changed, which makes the round useless. */
export function floorsAround({ rounds }: Run): number[] {
  return rounds.slice(1).map(({ typical: after }, i) => {
    const before = rounds[i]!.typical;
    const isSteady = Math.max(before, after) <= STEADY * Math.min(before, after);
    return isSteady ? (before + after) / 2 : NaN;
  });
}

/** Where the processors were during the rounds with these floors. */
export function placementOf(floorNs: number): Placement {
  return floorNs < FAR_NS ? "near" : "far";
}

/**
 * Compares each round with the floor of the same moment, or with the same round of another run;
 * with a placement, only the rounds in which the processors were there.
 */
export function ratio(floor: Run, contender: Run, base = floor, placement?: Placement): Ratio {
  const ratios = floorsAround(floor).flatMap((around, i) => {
    if (Number.isNaN(around)) return [];
    if (placement !== undefined && placementOf(around) !== placement) return [];
    const { typical } = contender.rounds[i]!;
    return [typical / (base === floor ? around : base.rounds[i]!.typical)];
  });
  return spread(ratios, contender.rounds.length);
}

/** The median of samples and what eight of ten lie between. */
export function spread(samples: number[], of: number = samples.length): Ratio {
  const sorted = Float64Array.from(samples).sort();
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.1),
    high: quantile(sorted, 0.9),
    counted: sorted.length,
    of,
  };
}

/** The value that this share of the sorted samples does not exceed; NaN without samples. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** The median of samples in any order. */
export function median(samples: ArrayLike<number>): number {
  return quantile(Float64Array.from(samples).sort(), 0.5);
}
