/**
 * A party that believes the number of seats in shared memory, found by its name.
 *
 * @module
 */

import { Seats, type TakenSeat, type TakeOptions } from "../../../src/region/seats.ts";
import { currentActor } from "../engine/mod.ts";

/** Looks at as many seats as the word says, also at those behind the last one. */
export const CREDULOUS = "credulous";

const { take } = Seats.prototype;
Seats.prototype.take = function (this: Seats, options?: TakeOptions): TakenSeat | undefined {
  const taken = take.call(this, options);
  if (currentActor().name === CREDULOUS) Object.defineProperty(this, "count", { value: 2 ** 32 });
  return taken;
};
