/**
 * What a run of the benches measures, and the record of what it has measured.
 *
 * @module
 */

import { printTimes } from "./report.ts";
import { type Contender, interleave, type Rounds, type Run } from "./rounds.ts";

/** The settings of this run; `run.ts` changes them before it measures. */
export const settings = {
  /** Whether there are few rounds, and only this package and C. */
  quick: false,
  /** The name of the bench that measures now. */
  bench: "",
};

/** The rounds of a quick run. */
const FEW: Rounds = { rounds: 11, warmUp: 5 };

/** The rounds of one contender, in the form of the file. */
export interface Recorded {
  /** The bench and the comparison; the first record of a title is the floor of the others. */
  readonly title: string;
  readonly name: string;
  /** The typical nanoseconds of each round. */
  readonly times: readonly number[];
}

/** Everything that has been measured. */
export const recorded: Recorded[] = [];

/** Measures, prints the times, records them, and returns the runs; the first is the floor. */
export async function compareRuns(
  title: string,
  [floor, ...others]: [Contender, ...Contender[]],
  rounds: Rounds,
): Promise<[floor: Run, ...contenders: Run[]]> {
  console.log(`\n${title}`);
  const runs = await interleave(floor, others, settings.quick ? FEW : rounds);
  printTimes([runs]);
  for (const { name, rounds } of runs) {
    recorded.push({
      title: `${settings.bench}, ${title}`,
      name,
      times: rounds.map(({ typical }) => typical),
    });
  }
  return runs;
}
