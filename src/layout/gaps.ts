/**
 * The bytes of a layout that belong to no field. A message zeroes them: the memory that it is
 * written into holds older messages.
 *
 * @module
 */

import { type AnyLayout, byOffset, type FieldType, isArray, isLayout } from "./fields.ts";

/** A range of bytes. */
export interface Gap {
  /** The first byte. */
  readonly from: number;
  /** The byte after the last one. */
  readonly to: number;
}

/** With more gaps than this, zeroing everything is faster. */
const MOST = 8;

/** A shorter gap is zeroed byte by byte, as a view costs more. */
const SHORT = 16;

/** Returns the gaps of a layout; if they are many, one range of all its bytes. */
export function gapsOf(layout: AnyLayout): readonly Gap[] {
  const gaps: Gap[] = [];
  addGaps(layout, 0, gaps);
  return gaps.length <= MOST ? gaps : [{ from: 0, to: layout.size }];
}

function addGaps(layout: AnyLayout, at: number, gaps: Gap[]): void {
  let end = 0;
  for (const { offset, size, shape } of byOffset(layout)) {
    if (offset > end) gaps.push({ from: at + end, to: at + offset });
    addGapsWithin(shape, at + offset, gaps);
    end = offset + size;
  }
  if (layout.size > end) gaps.push({ from: at + end, to: at + layout.size });
}

function addGapsWithin(shape: FieldType, at: number, gaps: Gap[]): void {
  if (isLayout(shape)) return addGaps(shape, at, gaps);
  if (!isArray(shape) || !isLayout(shape.element)) return;
  const { element, length } = shape;
  for (let index = 0; index < length && gaps.length <= MOST; index++) {
    const before = gaps.length;
    addGaps(element, at + index * element.size, gaps);
    if (gaps.length === before) return; // no element has any
  }
}

/** Zeroes the gaps of a layout that begins at `at`. Call it before storing the fields. */
export function zeroGaps(gaps: readonly Gap[], data: DataView, at: number): void {
  for (let index = 0; index < gaps.length; index++) {
    const { from, to } = gaps[index]!;
    if (to - from <= SHORT) {
      for (let byte = from; byte < to; byte++) data.setUint8(at + byte, 0);
    } else new Uint8Array(data.buffer, data.byteOffset + at + from, to - from).fill(0);
  }
}
