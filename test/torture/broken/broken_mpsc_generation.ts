/**
 * Broken: a consumer that learns the owner of a lane when it first looks at it, and takes all that
 * comes later for the same producer's.
 *
 * @module
 */

import { mpscWorkload } from "../workloads/mpsc.ts";

const known = new Map<number, number>();

export default mpscWorkload(({ producer, generation }) => {
  if (!known.has(producer)) known.set(producer, generation);
  return { producer, generation: known.get(producer)! };
});
