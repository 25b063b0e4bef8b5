/**
 * How the publishers of the workloads about vdds publish.
 *
 * @module
 */

import { nextTurn, sleep } from "../../../src/os/clock.ts";
import { VringError } from "../../../src/errors.ts";
import type { Loan } from "../../../src/vdds/publisher.ts";
import type { Publisher } from "../../../src/vdds/publisher.ts";
import { spring } from "../../trap/trap.ts";
import type { Actor } from "../workload.ts";
import { endsInTime, inEitherWay, tenure, WAIT } from "./patience.ts";
import type { CellName, PublishingNotes } from "./vdds_traffic.ts";

/** Where it is most interesting that publishers die. */
export const PUBLISHING_STEPS: readonly string[] = [
  "length in", // also the journal, the last number and the description of a sample
  "pin",
  "row",
  "used",
  "loaned",
  "bell",
  "lock",
];

/** Publishes in all ways, for a while. */
export async function publishTo(
  actor: Actor<CellName>,
  publisher: Publisher,
  notes: PublishingNotes,
): Promise<void> {
  const { random } = actor;
  for (const isOver = tenure(actor, 1500); !isOver();) {
    const way = random.below(6);
    if (way === 0) await burst(actor, () => publisher.trySend(notes.begin()), notes);
    else if (way === 1) await burst(actor, () => tryPublish(actor, publisher, notes), notes);
    else if (way < 4) {
      const bytes = notes.begin();
      const sync = random.chance(0.5);
      const send = sync ? () => publisher.sendSync(bytes, WAIT) : () => publisher.send(bytes, WAIT);
      notes.end(await endsInTime(send));
    } else {
      const options = { length: notes.begin().length, ...WAIT };
      const loan = await inEitherWay(
        actor,
        () => publisher.loanSync(options),
        () => publisher.loan(options),
      );
      notes.end(loan !== undefined && publishLoan(actor, loan, notes));
      publishMore(actor, publisher, notes);
    }
    if (random.chance(0.1)) await sleep(random.skewed(1, 30));
  }
}

/** Sends until the topic is full, or for a while. */
async function burst(
  { random }: Actor<CellName>,
  send: () => boolean,
  notes: PublishingNotes,
): Promise<void> {
  let sent = true;
  for (let left = random.small(60); left > 0 && sent; left--) notes.end(sent = send());
  await nextTurn();
}

function tryPublish(
  actor: Actor<CellName>,
  publisher: Publisher,
  notes: PublishingNotes,
): boolean {
  const { length } = notes.begin();
  const loan = publisher.tryLoan(actor.random.chance(0.5) ? { length } : {});
  return loan !== undefined && publishLoan(actor, loan, notes);
}

/** Takes several loans, and publishes or gives back each, in another order. */
function publishMore(
  actor: Actor<CellName>,
  publisher: Publisher,
  notes: PublishingNotes,
): void {
  const { random } = actor;
  const loans: Loan[] = [];
  const wanted = random.below(publisher.depth);
  while (loans.length < wanted) {
    try {
      notes.begin(); // without a free sample it counts as lost
      const loan = publisher.tryLoan();
      notes.end(false);
      if (loan === undefined) break;
      loans.push(loan);
    } catch (error) {
      if (!(error instanceof VringError)) throw error;
      break; // this publisher has all that it can have
    }
  }
  while (loans.length > 0) {
    const [loan] = loans.splice(random.below(loans.length), 1);
    notes.begin();
    notes.end(publishLoan(actor, loan!, notes));
  }
}

/** Returns false if it was given back. */
function publishLoan({ random }: Actor<CellName>, loan: Loan, notes: PublishingNotes): boolean {
  const bytes = notes.begin();
  const middle = bytes.length >> 1;
  loan.bytes.set(bytes.subarray(0, middle));
  spring("loaned and half filled");
  if (random.chance(0.1)) {
    loan[Symbol.dispose]();
    return false;
  }
  loan.bytes.set(bytes.subarray(middle), middle);
  loan.publish(bytes.length);
  return true;
}
