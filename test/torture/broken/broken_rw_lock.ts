/**
 * Broken: a writer that does not wait for readers, nor for other writers: it goes in at once.
 *
 * @module
 */

import { rwLockWorkload } from "../workloads/rw_lock.ts";

export default rwLockWorkload((lock) =>
  lock.tryWrite() ?? { recovered: false, release() {}, [Symbol.dispose]() {} }
);
