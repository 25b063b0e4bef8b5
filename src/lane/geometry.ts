/**
 * The geometry of a ring: the capacity of a lane, and the number of parties with lanes.
 *
 * @module
 */

import type { DefinitionOptions } from "../definition.ts";
import { isCount } from "../layout/sizes.ts";
import type { Mapping } from "../memory/mapping.ts";
import type { Bytes, Type } from "../message.ts";
import { pageSize } from "../os/page.ts";
import type { RegionType } from "../region/header.ts";
import { checkSize, type Product } from "../region/open.ts";

const DEFAULT_CAPACITY = 2 ** 20;

/** The largest capacity, of data that is mapped twice. */
const LARGEST_CAPACITY = 2 ** 30;

/** The options of a ring. */
export interface RingOptions<K extends Type = Bytes> extends DefinitionOptions {
  /** The type of the messages; bytes by default. */
  type?: K | undefined;
  /**
   * The capacity in bytes, rounded up to a power of two of at least a page, at most 1 GiB; 1 MiB by
   * default. Each message takes 8 bytes more than its length, rounded up to a multiple of 8. With
   * several producers, each has a lane of this capacity.
   */
  capacity?: number | undefined;
}

/** The sizes of a ring: `capacity`, and the number of parties by the name of its option. */
export type RingGeometry = Readonly<Record<string, number>>;

/** The parties that have lanes of their own. */
export interface Parties {
  /** The option that states their number, such as `producers`. */
  readonly option: string;
  /** The most parties. */
  readonly most: number;
  /** The default number of parties. */
  readonly usual: number;
  /** The number of lanes of each party. */
  readonly lanesEach: number;
}

/** Describes a ring to the opener: one lane, unless several parties have lanes. */
export function ringProduct(
  regionType: RegionType,
  parties?: Parties,
  initialise?: (mapping: Mapping, dataOffset: number) => void,
): Product<RingGeometry> {
  const one = { option: "", most: 1, usual: 1, lanesEach: 1 };
  const { option, most, usual, lanesEach } = parties ?? one;
  const geometryWith = (capacity: number, count: number): RingGeometry =>
    parties === undefined ? { capacity } : { capacity, [option]: count };
  return {
    regionType,
    usual: geometryWith(DEFAULT_CAPACITY, usual),
    plan(geometry, what, _options, page) {
      const count = geometry[option] ?? 1;
      checkSize(what, option, count, most);
      const capacity = geometry.capacity!;
      checkSize(what, "capacity", capacity, LARGEST_CAPACITY);
      const partBytes = Math.max(page, 2 ** Math.ceil(Math.log2(capacity)));
      const dataBytes = partBytes * count * lanesEach;
      const rounded = geometryWith(partBytes, count);
      return { geometry: rounded, dataBytes, partBytes, ...(initialise && { initialise }) };
    },
    geometryOf({ dataBytes, partBytes }) {
      const count = dataBytes / partBytes / lanesEach;
      return isCapacity(partBytes) && isCount(count, most)
        ? geometryWith(partBytes, count)
        : undefined; // positions are masked by the capacity
    },
  };
}

function isCapacity(bytes: number): boolean {
  return bytes >= pageSize() && bytes <= LARGEST_CAPACITY && (bytes & (bytes - 1)) === 0;
}
