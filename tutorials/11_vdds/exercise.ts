/**
 * Exercise 11: a display.
 *
 * `show` is called now and then. It draws the newest frame, if there is one that was not drawn, and
 * says how many frames were lost before it, if any were. The screen may throw; that is not for you to
 * catch, but everything that you have taken must be given back. What you have:
 *
 *     subscriber            with all its methods: `tryTake`, `tryReceive`, `tryTakeLatest` ..
 *     screen.draw(bytes)    draws a frame; it takes its time, and looks at the bytes meanwhile
 *     screen.missed(count)  says that so many were lost
 *
 * Run it with `deno run --allow-ffi tutorials/11_vdds/exercise.ts`.
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
