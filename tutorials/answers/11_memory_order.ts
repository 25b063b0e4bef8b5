/**
 * An answer. Only the writer stores `count`, so it may glance at it.
 *
 * @module
 */

import { checkOrder } from "../11_memory_order/check.ts";
import type { OrderedMemory } from "../11_memory_order/weak.ts";

function overwrite({ count, write }: OrderedMemory, message: string): void {
  const before = count.glance();
  count.storeFirst(before + 1); // the bytes that follow stay behind it
  write(message);
  count.store(before + 2); // the bytes are there once this is seen
}

function copy({ count, read }: OrderedMemory): string | undefined {
  const before = count.load(); // the bytes are read after it
  if (before % 2 === 1) return undefined;
  const message = read();
  return count.loadLast() === before ? message : undefined; // after every byte
}

checkOrder({ overwrite, copy });
