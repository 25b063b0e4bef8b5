/**
 * Waits that are broken on purpose, each beside its twin, as in broken.ts.
 *
 * @module
 */

import { Word32 } from "../../../src/memory/word.ts";
import { Doorbell, FencedDoorbell } from "../../../src/wait/doorbell.ts";
import { waitSync } from "../../wait/outcome.ts";
import * as waits from "../broken/waits.ts";
import { mapMemory, pair, type Parts, type Row, type Scenario, scenarios } from "../scenario.ts";
import { alone } from "./fan_in.ts";
import { survivors } from "./spsc.ts";

const HINTS: readonly Row[] = [
  ...pair(
    {
      name: "alone-forgets-lane",
      about: "a receiver that leaves the hint of a lane set, and does not look at the lane",
      expect: "lost wake-up",
    },
    [waits.ForgetsItsLane, waits.Hints],
    alone,
  ),
  ...pair(
    {
      name: "alone-forgets-others",
      about: "a receiver that leaves the hint of a lane set, and so sees no other hint",
      expect: "lost wake-up",
    },
    [waits.ForgetsOthers, waits.Hints],
    alone,
  ),
  ...pair(
    {
      name: "alone-looks-first",
      about: "a sender that loads the hint before it stores its head",
      expect: "lost wake-up",
    },
    [waits.LooksFirst, waits.Hints],
    alone,
  ),
];

/** The bell as the waker sees it: the sleeper takes it for a FencedDoorbell. */
class WithFence {
  readonly Bell: typeof Doorbell = FencedDoorbell;
}

/** Broken: the waker leaves the order to the sleeper, which leaves it to the waker. */
class WithoutFence extends WithFence {
  override readonly Bell = Doorbell;
}

function fenced(make: () => WithFence): Parts {
  const open = (Bell: typeof Doorbell) => {
    const memory = mapMemory("shared");
    return {
      bell: new Bell(memory, { path: "bell", offset: 0 }),
      count: new Word32(memory, { path: "count", offset: 64 }),
    };
  };
  const sleeper = () => {
    const { bell, count } = open(FencedDoorbell);
    for (let target = 1; target <= 2; target++) {
      waitSync({ bell, watch: count, ready: () => count.load() >= target }, { spin: 0 });
    }
  };
  const waker = () => {
    const { bell, count } = open(make().Bell);
    for (let i = 1; i <= 2; i++) bell.publish(count, i);
  };
  return { actors: { sleeper, waker }, bounds: "1/0/0/1", check: () => undefined };
}

const FENCES: readonly Row[] = pair(
  {
    name: "fence-on-neither",
    about: "a sleeper that trusts in the fence of its waker, which has none",
    expect: "lost wake-up",
  },
  [WithoutFence, WithFence],
  fenced,
);

const RESTS: readonly Row[] = pair(
  {
    name: "rests-for-ever",
    about: "a wait for two rings that never asks again for a producer that was alive",
    expect: "hang",
  },
  [waits.TrustsForEver, waits.Guise],
  (make) => survivors((consumer) => make().of(consumer)),
);

/** All broken waits, each followed by its twin. */
export const BROKEN_WAITS: readonly Scenario[] = scenarios([...HINTS, ...FENCES, ...RESTS]);
