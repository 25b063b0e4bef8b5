/**
 * Scenes that are wrong on purpose: the swarm must find them, or its clean accounts prove nothing.
 *
 * @module
 */

import { spsc } from "../../../mod.ts";
import { sleepSync } from "../../../src/os/clock.ts?real";
import { wakeNobody } from "../../trap/futex.ts";
import { LIVES, mayFail, message, numberOf, type Player, type Scene, WAIT, Way } from "./scene.ts";
import { SCENES } from "./scenes.ts";

const ringOf = (run: Pick<Player, "name">) =>
  spsc(run.name("ring"), { persist: true, capacity: 8192 });

/** Notes each message as sent before it sends it. */
function boast(p: Player): void {
  mayFail(() => {
    using producer = ringOf(p).producer();
    const cells = { sure: p.cells.sure!.slice(0, LIVES), seen: p.cells.seen!.slice(0, LIVES) };
    const way = new Way(cells, p.complain);
    for (let k = 1;; k++) {
      way.sent(p.life + 1, k);
      producer.sendSync(message(0, numberOf(p.life + 1, k), 100), WAIT);
      p.count("sent");
    }
  });
}

/** Holds a file that nobody else has locked, as if that were a lock. */
function trespass(p: Player): void {
  const [owner, a, b] = [p.cells.owner![0]!, p.cells.a![0]!, p.cells.b![0]!];
  for (;;) {
    const token = numberOf(p.life + 1, p.seat + 1);
    owner.store(token);
    a.add(1);
    b.add(1);
    p.count("received");
    if (owner.load() !== token) return p.complain("two hold the lock");
  }
}

/** Sends slowly, and wakes nobody: a receiver that sleeps misses it. */
function sendSilently(p: Player): void {
  wakeNobody();
  mayFail(() => {
    using producer = ringOf(p).producer();
    for (let k = 1;;) {
      sleepSync(2); // longer than the receiver spins
      if (producer.trySend(message(0, numberOf(p.life + 1, k), 100))) {
        k++;
        p.count("sent");
      }
    }
  });
}

/** Scenes with one mistake, by name. */
export const BROKEN: Readonly<Record<string, Scene>> = {
  "broken-wake": {
    ...SCENES.spsc!,
    seats: [sendSilently, SCENES.spsc!.seats[1]!],
  },
  "broken-spsc": { ...SCENES.spsc!, seats: [boast, ...SCENES.spsc!.seats.slice(1)] },
  "broken-locks": { ...SCENES.locks!, seats: [trespass, trespass], alone: () => {} },
};
