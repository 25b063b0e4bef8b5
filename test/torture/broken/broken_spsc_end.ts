/**
 * Broken: a producer of bytes that says it has ended whenever it leaves, with half of its work done
 * too.
 *
 * @module
 */

import { HANDS, spscWorkload } from "../workloads/spsc.ts";

export default spscWorkload({ ...HANDS, leave: (producer) => producer.end() });
