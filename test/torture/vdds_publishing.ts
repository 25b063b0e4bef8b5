/**
 * How the publishers of the kinds about vdds publish.
 *
 * @module
 */

import { nextTurn, sleep } from "../../src/os/clock.ts";
import type { Publisher } from "../../src/vdds/publisher.ts";
import { spring } from "../trap/trap.ts";
import type { Stage } from "./kind.ts";
import { inTime, tenure, WAIT } from "./patience.ts";
import type { Bytes, CellName, PublishingNotes } from "./vdds_traffic.ts";

/** Where it is most interesting that publishers die. */
export const PUBLISHING_STEPS: readonly string[] = [
  "length in", // also the journal, the last number and what is told of a sample
  "pin",
  "row",
  "used",
  "loaned",
  "bell",
  "lock",
];

/** Publishes in all ways, for a while. */
export async function publishTo(
  stage: Stage<CellName>,
  publisher: Publisher,
  notes: PublishingNotes,
): Promise<void> {
  const { random } = stage;
  for (const isOver = tenure(stage, 1500); !isOver();) {
    const way = random.below(6);
    if (way === 0) await burst(stage, () => publisher.trySend(notes.begin()), notes);
    else if (way === 1) await burst(stage, () => tryPublish(stage, publisher, notes), notes);
    else if (way < 4) {
      const bytes = notes.begin();
      const inSync = way === 2;
      const sent = await inTime(() =>
        inSync ? publisher.sendSync(bytes, WAIT) : publisher.send(bytes, WAIT)
      );
      notes.end(sent === true);
    } else {
      const { length } = notes.begin();
      const inSync = way === 4;
      const loan = await inTime(() =>
        inSync ? publisher.loanSync(length, WAIT) : publisher.loan(length, WAIT)
      );
      notes.end(loan !== undefined && publishLoan(stage, publisher, loan, notes));
    }
    if (random.chance(0.1)) await sleep(random.skewed(1, 30));
  }
}

/** Sends until there is no room, or for a while. */
async function burst(
  { random }: Stage<CellName>,
  send: () => boolean,
  notes: PublishingNotes,
): Promise<void> {
  let sent = true;
  for (let left = random.small(60); left > 0 && sent; left--) notes.end(sent = send());
  await nextTurn();
}

function tryPublish(
  stage: Stage<CellName>,
  publisher: Publisher,
  notes: PublishingNotes,
): boolean {
  const { length } = notes.begin();
  const loan = publisher.tryLoan(stage.random.chance(0.5) ? length : publisher.maxSample);
  return loan !== undefined && publishLoan(stage, publisher, loan, notes);
}

/** False if it is given back. */
function publishLoan(
  { random }: Stage<CellName>,
  publisher: Publisher,
  loan: Bytes,
  notes: PublishingNotes,
): boolean {
  const bytes = notes.begin();
  const middle = bytes.length >> 1;
  loan.set(bytes.subarray(0, middle));
  spring("loaned and half filled");
  if (random.chance(0.1)) {
    publisher.discard();
    return false;
  }
  loan.set(bytes.subarray(middle), middle);
  publisher.publish(bytes.length);
  return true;
}
