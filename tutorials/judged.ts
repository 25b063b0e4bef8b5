/**
 * All exercises with their checks and their wrong answers, for the tests of the judges. Run with a
 * folder and the number of a wrong answer, it judges that one, as its reader's file would be judged:
 * `deno run --allow-ffi tutorials/judged.ts 05_mirror_ring 7`.
 *
 * @module
 */

import { checksOf as plays } from "./00_one_byte/check.ts";
import { wrongAnswers as wrongPlays } from "./00_one_byte/wrong.ts";
import { checksOf as pages } from "./01_pages/check.ts";
import { wrongAnswers as wrongPages } from "./01_pages/wrong.ts";
import { checksOf as mirrors } from "./02_page_tables/check.ts";
import { wrongAnswers as wrongMirrors } from "./02_page_tables/wrong.ts";
import { checksOf as memory } from "./03_memory_file/check.ts";
import { wrongAnswers as wrongMemory } from "./03_memory_file/wrong.ts";
import { checksOf as bytes } from "./04_two_addresses/check.ts";
import { wrongAnswers as wrongBytes } from "./04_two_addresses/wrong.ts";
import { checksOf as mirror } from "./05_mirror_ring/check.ts";
import { wrongAnswers as wrongMirror } from "./05_mirror_ring/wrong.ts";
import { checksOf as repeats } from "./06_heatshrink/check.ts";
import { wrongAnswers as wrongRepeats } from "./06_heatshrink/wrong.ts";
import { checksOf as rollCalls } from "./07_who_is_alive/check.ts";
import { wrongAnswers as wrongRollCalls } from "./07_who_is_alive/wrong.ts";
import { checksOf as purses } from "./08_shared_memory/check.ts";
import { wrongAnswers as wrongPurses } from "./08_shared_memory/wrong.ts";
import { checksOf as locks } from "./09_semaphore_lock/check.ts";
import { wrongAnswers as wrongLocks } from "./09_semaphore_lock/wrong.ts";
import { checksOf as reads } from "./15_overwriting_buffer/check.ts";
import { wrongAnswers as wrongReads } from "./15_overwriting_buffer/wrong.ts";
import { checksOf as rings } from "./10_four_rings/check.ts";
import { wrongAnswers as wrongRings } from "./10_four_rings/wrong.ts";
import { checksOf as orders } from "./11_memory_order/check.ts";
import { wrongAnswers as wrongOrders } from "./11_memory_order/wrong.ts";
import { checksOf as places } from "./12_cache_lines/check.ts";
import { wrongAnswers as wrongPlaces } from "./12_cache_lines/wrong.ts";
import { checksOf as bells } from "./13_doorbell/check.ts";
import { wrongAnswers as wrongBells } from "./13_doorbell/wrong.ts";
import { checksOf as searches } from "./14_explorer/check.ts";
import { wrongAnswers as wrongSearches } from "./14_explorer/wrong.ts";
import { checksOf as leaps } from "./16_leapfrog_ring/check.ts";
import { wrongAnswers as wrongLeaps } from "./16_leapfrog_ring/wrong.ts";
import { checksOf as choices } from "./17_many_producers/check.ts";
import { wrongAnswers as wrongChoices } from "./17_many_producers/wrong.ts";
import { checksOf as publishers } from "./18_vring/check.ts";
import { wrongAnswers as wrongPublishers } from "./18_vring/wrong.ts";
import { checksOf as shows } from "./19_vdds/check.ts";
import { wrongAnswers as wrongShows } from "./19_vdds/wrong.ts";
import { checksOf as listeners } from "./20_any_of_many/check.ts";
import { wrongAnswers as wrongListeners } from "./20_any_of_many/wrong.ts";
import { checksOf as slotReads } from "./21_slots/check.ts";
import { wrongAnswers as wrongSlotReads } from "./21_slots/wrong.ts";
import { checksOf as pending } from "./22_calls/check.ts";
import { wrongAnswers as wrongPending } from "./22_calls/wrong.ts";
import { checksOf as accounts } from "./23_bridge/check.ts";
import { wrongAnswers as wrongAccounts } from "./23_bridge/wrong.ts";
import { checksOf as works } from "./24_your_ring/check.ts";
import { wrongAnswers as wrongWorks } from "./24_your_ring/wrong.ts";
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
  "00_one_byte": judged(plays, wrongPlays),
  "01_pages": judged(pages, wrongPages),
  "02_page_tables": judged(mirrors, wrongMirrors),
  "03_memory_file": judged(memory, wrongMemory),
  "04_two_addresses": judged(bytes, wrongBytes),
  "05_mirror_ring": judged(mirror, wrongMirror),
  "06_heatshrink": judged(repeats, wrongRepeats),
  "07_who_is_alive": judged(rollCalls, wrongRollCalls),
  "08_shared_memory": judged(purses, wrongPurses),
  "09_semaphore_lock": judged(locks, wrongLocks),
  "10_four_rings": judged(rings, wrongRings),
  "11_memory_order": judged(orders, wrongOrders),
  "12_cache_lines": judged(places, wrongPlaces),
  "13_doorbell": judged(bells, wrongBells),
  "14_explorer": judged(searches, wrongSearches),
  "15_overwriting_buffer": judged(reads, wrongReads),
  "16_leapfrog_ring": judged(leaps, wrongLeaps),
  "17_many_producers": judged(choices, wrongChoices),
  "18_vring": judged(publishers, wrongPublishers),
  "19_vdds": judged(shows, wrongShows),
  "20_any_of_many": judged(listeners, wrongListeners),
  "21_slots": judged(slotReads, wrongSlotReads),
  "22_calls": judged(pending, wrongPending),
  "23_bridge": judged(accounts, wrongAccounts),
  "24_your_ring": judged(works, wrongWorks),
};

if (import.meta.main) {
  const [folder = "", number = ""] = Deno.args;
  const answer = JUDGED[folder]?.()[Number(number)];
  if (answer === undefined) throw new RangeError(`There is no wrong answer ${number} in ${folder}`);
  runChecks(import.meta.resolve(`./${folder}/check.ts`), answer.checks());
}
