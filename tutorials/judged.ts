/**
 * All exercises with their checks and their wrong answers, for the tests of the judges. Run with a
 * folder and the number of a wrong answer, it judges that one, as its reader's file would be judged:
 * `deno run --allow-ffi tutorials/judged.ts 04_mirror_ring 7`.
 *
 * @module
 */

import { checksOf as pages } from "./01_pages/check.ts";
import { wrongAnswers as wrongPages } from "./01_pages/wrong.ts";
import { checksOf as memory } from "./02_memory_file/check.ts";
import { wrongAnswers as wrongMemory } from "./02_memory_file/wrong.ts";
import { checksOf as bytes } from "./03_two_addresses/check.ts";
import { wrongAnswers as wrongBytes } from "./03_two_addresses/wrong.ts";
import { checksOf as mirror } from "./04_mirror_ring/check.ts";
import { wrongAnswers as wrongMirror } from "./04_mirror_ring/wrong.ts";
import { checksOf as purses } from "./05_shared_memory/check.ts";
import { wrongAnswers as wrongPurses } from "./05_shared_memory/wrong.ts";
import { checksOf as reads } from "./06_overwriting_buffer/check.ts";
import { wrongAnswers as wrongReads } from "./06_overwriting_buffer/wrong.ts";
import { checksOf as rings } from "./07_four_rings/check.ts";
import { wrongAnswers as wrongRings } from "./07_four_rings/wrong.ts";
import { checksOf as bells } from "./08_doorbell/check.ts";
import { wrongAnswers as wrongBells } from "./08_doorbell/wrong.ts";
import { checksOf as choices } from "./09_many_producers/check.ts";
import { wrongAnswers as wrongChoices } from "./09_many_producers/wrong.ts";
import { checksOf as publishers } from "./10_vring/check.ts";
import { wrongAnswers as wrongPublishers } from "./10_vring/wrong.ts";
import { checksOf as shows } from "./11_vdds/check.ts";
import { wrongAnswers as wrongShows } from "./11_vdds/wrong.ts";
import { checksOf as listeners } from "./12_any_of_many/check.ts";
import { wrongAnswers as wrongListeners } from "./12_any_of_many/wrong.ts";
import { type Check, runChecks } from "./check.ts";
import type { WrongAnswer } from "./wrong_answer.ts";

/** A wrong answer with the checks that it must fail. */
export interface Judged extends Omit<WrongAnswer<unknown>, "answer"> {
  readonly checks: () => Check[];
}

function judged<Answer>(
  checksOf: (answer: Answer) => Check[],
  wrongAnswers: () => WrongAnswer<Answer>[],
): () => Judged[] {
  return () =>
    wrongAnswers().map(({ answer, ...rest }) => ({ ...rest, checks: () => checksOf(answer) }));
}

/** The wrong answers to each exercise, by its folder. */
export const JUDGED: Readonly<Record<string, () => Judged[]>> = {
  "01_pages": judged(pages, wrongPages),
  "02_memory_file": judged(memory, wrongMemory),
  "03_two_addresses": judged(bytes, wrongBytes),
  "04_mirror_ring": judged(mirror, wrongMirror),
  "05_shared_memory": judged(purses, wrongPurses),
  "06_overwriting_buffer": judged(reads, wrongReads),
  "07_four_rings": judged(rings, wrongRings),
  "08_doorbell": judged(bells, wrongBells),
  "09_many_producers": judged(choices, wrongChoices),
  "10_vring": judged(publishers, wrongPublishers),
  "11_vdds": judged(shows, wrongShows),
  "12_any_of_many": judged(listeners, wrongListeners),
};

if (import.meta.main) {
  const [folder = "", number = ""] = Deno.args;
  const answer = JUDGED[folder]?.()[Number(number)];
  if (answer === undefined) throw new RangeError(`There is no wrong answer ${number} in ${folder}`);
  runChecks(folder, answer.checks());
}
