/**
 * Exercise: a display.
 *
 * The check calls `show` now and then. Draw the newest frame that you have not drawn, and report
 * how many frames were lost before it, if any were. The screen may throw. You need not catch that,
 * but you must release every sample that you have taken. You have:
 *
 *     subscriber            with all its methods. `tryTake` takes the next frame, and
 *                           `tryTakeLatest` the newest; each returns undefined if there is none
 *     sample.lost           how many were lost before it. Those that tryTakeLatest
 *                           skips are not lost
 *     screen.draw(bytes)    draws a frame, slowly, and reads the bytes meanwhile
 *     screen.missed(count)  shows that so many were lost
 *
 * Run it with `deno run --allow-ffi tutorials/19_vdds/exercise.ts`.
 *
 * @module
 */

import type { Subscriber } from "../../mod.ts";
import { checkShow, type Screen } from "./check.ts";

function show(subscriber: Subscriber, screen: Screen): void {
  const sample = subscriber.tryTake();
  if (sample === undefined) return;
  const { bytes, lost } = sample;
  sample[Symbol.dispose]();
  screen.missed(lost);
  screen.draw(bytes);
}

checkShow(show);
