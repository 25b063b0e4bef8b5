/**
 * The geometry of a ring: the capacity of a lane, and the number of parties with lanes.
 *
 * @module
 */

import { checkedOptions, inWords } from "../arguments.ts";
import { isCount } from "../layout/sizes.ts";
import type { Mapping } from "../memory/mapping.ts";
import { pageSize } from "../os/page.ts";
import type { MessageType, RegionType } from "../region/header.ts";
import { regionPath } from "../region/names.ts";
import { create, join, joinOnce, open, type OpenRequest, type Product } from "../region/open.ts";
import { Again } from "../region/poll.ts";
import { Region } from "../region/region.ts";

const DEFAULT_CAPACITY = 2 ** 20;

/** The largest capacity, of data that is mapped twice. */
const LARGEST_CAPACITY = 2 ** 30;

/** The options for opening a ring. */
export interface RingOptions {
  /**
   * The capacity in bytes, rounded up to a power of two of at least a page, at most 1 GiB. If
   * omitted, joining accepts any, and a new ring gets 1 MiB.
   */
  capacity?: number | undefined;
  /** The permission bits of a new ring; 0o600 by default, 0o640 with a group. */
  mode?: number | undefined;
  /** The name or number of its group, whose members can observe it. */
  group?: string | number | undefined;
  /** Keeps the ring when its last member leaves, until it is unlinked. */
  persist?: boolean | undefined;
  /** Also attaches if the ring belongs to another user than you or root. */
  anyOwner?: boolean | undefined;
}

/** The options for joining a ring that another program creates. */
export interface RingConnectOptions {
  /** The milliseconds to wait for the ring, then a TimeoutError; for ever by default. */
  timeout?: number | undefined;
  /** Ends the wait with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Also attaches if the ring belongs to another user than you or root. */
  anyOwner?: boolean | undefined;
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
    plan(geometry, what) {
      const count = geometry[option] ?? 1;
      if (!isCount(count, most) || count === 0) {
        throw new RangeError(
          `Cannot open ${what} for ${inWords(count)} ${option}: pass a number from 1 to ${most}`,
        );
      }
      const partBytes = roundCapacity(geometry.capacity!, what);
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

/** Copies the options of a ring and checks them. */
export function checkedRing<O extends object>(name: string, options: O): O {
  return checkedOptions(options, `open ring ${inWords(name)}`);
}

/** Opens the regions of one product of rings, by name. */
export class RingRegions<O extends object> {
  readonly #product: Product<RingGeometry>;
  readonly #typeOf: (options: O) => MessageType | undefined;

  /**
   * Makes the opener of a product; `typeOf` returns the message type that all programs must share.
   */
  constructor(
    product: Product<RingGeometry>,
    typeOf: (options: O) => MessageType | undefined = () => undefined,
  ) {
    this.#product = product;
    this.#typeOf = typeOf;
  }

  /** Opens the region of a ring, or creates it: programs start in any order. */
  open(name: string, options: O & RingOptions): Region {
    return open(this.#product, this.#request(name, options)).region;
  }

  /**
   * Creates the region of a ring; throws an OsError (EEXIST) if a living process uses one of that
   * name.
   */
  create(name: string, options: O & RingOptions): Region {
    return create(this.#product, this.#request(name, options)).region;
  }

  /** Joins the region of a ring once it exists. */
  async connect(name: string, options: O & RingConnectOptions): Promise<Region> {
    return (await join(this.#product, this.#request(name, options))).region;
  }

  /** Performs one step of attaching to the region of a ring as an observer. */
  observeOnce(
    name: string,
    options: { anyOwner?: boolean | undefined },
  ): Region | Again | undefined {
    const path = regionPath(this.#product.regionType.name, name);
    const opened = joinOnce(this.#product, { path, options: { ...options, readOnly: true } });
    return opened === undefined || opened instanceof Again ? opened : opened.region;
  }

  /** Removes the name of a ring; existing handles keep working. Returns false when the name is free. */
  unlink(name: string): boolean {
    return Region.unlink(this.#product.regionType, regionPath(this.#product.regionType.name, name));
  }

  #request<P extends O>(name: string, options: P): OpenRequest<P> {
    const path = regionPath(this.#product.regionType.name, name);
    return { path, options, message: this.#typeOf(options) };
  }
}

function roundCapacity(capacity: number, what: string): number {
  if (!isCount(capacity, LARGEST_CAPACITY) || capacity === 0) {
    throw new RangeError(
      `Cannot open ${what} with a capacity of ${inWords(capacity)} bytes: pass a whole number ` +
        `from 1 to ${LARGEST_CAPACITY}`,
    );
  }
  return Math.max(pageSize(), 2 ** Math.ceil(Math.log2(capacity)));
}

function isCapacity(bytes: number): boolean {
  return bytes >= pageSize() && bytes <= LARGEST_CAPACITY && (bytes & (bytes - 1)) === 0;
}
