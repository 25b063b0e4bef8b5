/**
 * Broken: a writer that does not wait for readers, nor for other writers: it goes in at once.
 *
 * @module
 */

import { rwLockKind } from "../kinds/rw_lock.ts";

export default rwLockKind((lock) =>
  lock.tryWrite() ?? { recovered: false, release() {}, [Symbol.dispose]() {} }
);
