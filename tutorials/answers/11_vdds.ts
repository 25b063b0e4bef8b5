/**
 * An answer to exercise 11: the latest in place, held to the end of the block, however it ends.
 *
 * @module
 */

import type { Subscriber } from "../../mod.ts";
import { checkShow, type Screen } from "../11_vdds/check.ts";

function show(subscriber: Subscriber, screen: Screen): void {
  using sample = subscriber.tryTakeLatest();
  if (sample === undefined) return;
  if (sample.lost > 0) screen.missed(sample.lost);
  screen.draw(sample.bytes);
}

checkShow(show);
