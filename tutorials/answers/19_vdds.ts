/**
 * An answer: take the latest in place, and hold it to the end of the block.
 *
 * @module
 */

import type { Subscriber } from "../../mod.ts";
import { checkShow, type Screen } from "../19_vdds/check.ts";

function show(subscriber: Subscriber, screen: Screen): void {
  using sample = subscriber.tryTakeLatest();
  if (sample === undefined) return;
  if (sample.lost > 0) screen.missed(sample.lost);
  screen.draw(sample.bytes);
}

checkShow(show);
