/**
 * Views of shared memory, and how tests of a program detach each at the end of its use.
 *
 * @module
 */

import { bufferAt } from "../os/files.ts";
import type { Memory } from "./word.ts";

/** Whether each view has a buffer of its own, which its end detaches. */
export let detaches = false;
const memories = new WeakMap<ArrayBuffer, Memory>(); // of those buffers; each keeps it mapped
const lives = new WeakMap<Memory, Set<ArrayBuffer>>();
const copies = new WeakSet<ArrayBuffer>(); // which observers show

/**
 * Detaches each view that is made from now on when its message is released or its claim ends;
 * `false` ends that. So a view that a program keeps too long has length 0, and never shows another
 * message. It costs some microseconds for each view, and more with many of them: use it in tests.
 */
export function detachViews(on = true): void {
  detaches = on;
}

/** Ends the use of a view of memory; detaches it where `detachViews()` asks for that. */
export function endView(view: Uint8Array<ArrayBuffer>): void {
  if (detaches) detach(view.buffer);
}

/** Detaches all views of memory that have a buffer of their own, before it is unmapped. */
export function endViews(memory: Memory): void {
  lives.get(memory)?.forEach(detach);
}

/** Makes an array for a copy that is shown as a view is; undefined unless views are detached. */
export function detachableCopy(length: number): Uint8Array<ArrayBuffer> | undefined {
  if (!detaches) return undefined;
  const copy = new Uint8Array(length);
  copies.add(copy.buffer);
  return copy;
}

function detach(buffer: ArrayBuffer): void {
  const memory = memories.get(buffer);
  if (memory === undefined && !copies.has(buffer)) return;
  memories.delete(buffer);
  if (memory !== undefined) lives.get(memory)!.delete(buffer);
  if (!buffer.detached) buffer.transfer(0);
}

/** Makes a view of a part of memory; `subarray` takes half as long again. */
export function viewOf(memory: Memory, offset: number, length: number): Uint8Array<ArrayBuffer> {
  if (detaches && length > 0) return detachable(memory, offset, length);
  return new Uint8Array(memory.buffer, offset, length);
}

function detachable(memory: Memory, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const buffer = bufferAt(memory.address + offset, length);
  memories.set(buffer, memory);
  let live = lives.get(memory);
  if (live === undefined) lives.set(memory, live = new Set());
  live.add(buffer);
  return new Uint8Array(buffer);
}
