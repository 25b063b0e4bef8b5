/**
 * Opening the regions that rings stand on.
 *
 * @module
 */

import { checkedOptions, inWords } from "../arguments.ts";
import { CorruptRegionError, LayoutMismatchError, RoleTakenError } from "../errors.ts";
import type { Role } from "../region/liveness.ts";
import { Again, lookUntil, retrySync } from "../region/poll.ts";
import type { Mapping } from "../memory/mapping.ts";
import { joinOrMake, Region } from "../region/region.ts";
import { describe, type OpenOptions } from "../region/file.ts";
import type { MessageType, RegionKind } from "../region/header.ts";
import { regionPath } from "../region/names.ts";
import { pageSize } from "../os/page.ts";

const DEFAULT_CAPACITY = 2 ** 20;

/** The largest capacity, of data that is mapped twice. */
const LARGEST_CAPACITY = 2 ** 30;

/** How to open a ring. */
export interface RingOptions {
  /**
   * How many bytes the ring holds, rounded up to a power of two of at least a page, at most 1 GiB.
   * Any, when joining one, if it is not given; 1 MiB for a new one.
   */
  capacity?: number;
  /** The permission bits of a new one; 0o600 by default. */
  mode?: number;
  /** Keep it when the last one leaves, until it is unlinked. */
  persist?: boolean;
  /** Attach also if it belongs to another user than you or root. */
  anyOwner?: boolean;
}

/** How to join a ring that somebody else makes. */
export interface RingConnectOptions {
  /** Milliseconds to wait for it to appear, then a TimeoutError; for ever by default. */
  timeout?: number;
  /** Ends the wait with the signal's reason. */
  signal?: AbortSignal;
  /** Attach also if it belongs to another user than you or root. */
  anyOwner?: boolean;
}

/** How many lanes a ring has: parts of its data, each of the ring's capacity. */
export interface Lanes {
  /** Exactly so many; any when joining, if it is not given. */
  readonly wanted: number | undefined;
  /** How many a new one gets if nobody wants another number. */
  readonly usual: number;
}

const ONE_LANE: Lanes = { wanted: 1, usual: 1 };

/** What a kind of ring adds to the options of its user. */
export interface RingContents {
  /** How many lanes; one by default. */
  readonly lanes?: Lanes;
  /** The type of the messages, on which all must agree. */
  readonly message?: MessageType;
  /** Fills a new region, before anyone can see it. */
  readonly initialise?: (mapping: Mapping) => void;
}

/** The options of a ring, each read once and checked. */
export function checkedRing<O extends object>(name: string, options: O): O {
  return checkedOptions(options, `open ring ${inWords(name)}`);
}

/** Opens the region of a ring, or makes it: the parties may come in any order. */
export function openRing(
  kind: RegionKind,
  name: string,
  options: RingOptions,
  contents: RingContents,
): Region {
  const { wanted } = contents.lanes ?? ONE_LANE;
  if (options.capacity !== undefined && wanted !== undefined) {
    return Region.open(kind, regionPath(kind.name, name), regionOptions(options, contents));
  }
  return joinOrMake(
    () => tryJoin(kind, name, options, contents),
    () => createRing(kind, name, options, contents),
  );
}

/** Makes the region of a ring; an OsError (EEXIST) if somebody uses one of this name. */
export function createRing(
  kind: RegionKind,
  name: string,
  options: RingOptions,
  contents: RingContents,
): Region {
  return Region.create(kind, regionPath(kind.name, name), regionOptions(options, contents));
}

/** Joins a ring of the sizes that are given, and any others; undefined if there is none. */
function tryJoin(
  kind: RegionKind,
  name: string,
  options: RingOptions,
  contents: RingContents,
): Region | undefined {
  const joined = retrySync(() => connectOnce(kind, name, options, contents));
  if (joined === undefined || !options.persist) return joined;
  using _meanwhile = joined; // a wish to keep it is put down by opening only, which needs the sizes
  const { dataBytes, partBytes } = joined;
  const path = regionPath(kind.name, name);
  return Region.open(kind, path, { ...regionOptions(options, contents), dataBytes, partBytes });
}

/** A step of joining, of sizes that a ring can have: positions are masked by the capacity. */
function connectOnce(
  kind: RegionKind,
  name: string,
  { anyOwner, capacity }: RingConnectOptions & RingOptions,
  { message, lanes = ONE_LANE }: RingContents,
): Region | Again | undefined {
  const partBytes = capacity === undefined ? undefined : roundCapacity(capacity);
  const expected = { message, anyOwner, partBytes };
  const path = regionPath(kind.name, name);
  const region = Region.connectOnce(kind, path, expected);
  if (region === undefined || region instanceof Again) return region;
  const action = `Cannot join ${describe(kind, path)}`;
  using stack = new DisposableStack();
  stack.use(region);
  const count = region.dataBytes / region.partBytes;
  if (!isCapacity(region.partBytes)) {
    throw new CorruptRegionError(
      `${action}: it holds ${region.partBytes} bytes, and its kind holds a power of two from a ` +
        `page to ${LARGEST_CAPACITY}; unlink it and make a new one`,
    );
  }
  if (count !== (lanes.wanted ?? count)) {
    throw new LayoutMismatchError(
      `${action}: it has ${count} lanes, not ${lanes.wanted}; leave the number out, or use ` +
        "another name",
    );
  }
  stack.move();
  return region;
}

/** Joins a ring once there is one. */
export function connectRing(
  kind: RegionKind,
  name: string,
  options: RingConnectOptions,
  contents: RingContents,
): Promise<Region> {
  const look = () => connectOnce(kind, name, options, contents);
  const action = `connect to ${describe(kind, regionPath(kind.name, name))}`;
  return lookUntil({ look, action, missing: "which is not there" }, options);
}

/** Takes a role of a region; a RoleTakenError if a living party has it. */
export function takeRole(region: Region, role: number, name: string, title: string): Role {
  const taken = region.tryHold(role);
  if (taken !== undefined) return taken;
  throw new RoleTakenError(
    `Cannot open ring "${name}" as its ${title}: it has one, which is alive; close that first`,
  );
}

/** Removes the name of a ring; whoever has it open goes on with it. False if there is none. */
export function unlinkRing(kind: RegionKind, name: string): boolean {
  return Region.unlink(kind, regionPath(kind.name, name));
}

function regionOptions(options: RingOptions, contents: RingContents): OpenOptions {
  const { capacity = DEFAULT_CAPACITY, mode, persist, anyOwner } = options;
  const { message, initialise, lanes = ONE_LANE } = contents;
  const partBytes = roundCapacity(capacity);
  const dataBytes = partBytes * (lanes.wanted ?? lanes.usual);
  return { dataBytes, partBytes, mode, persist, anyOwner, message, initialise };
}

function roundCapacity(capacity: number): number {
  if (!Number.isSafeInteger(capacity) || capacity < 1 || capacity > LARGEST_CAPACITY) {
    throw new RangeError(
      `Cannot use ${
        inWords(capacity)
      } bytes as a capacity: it is a whole number of bytes from 1 to ` +
        `${LARGEST_CAPACITY}`,
    );
  }
  return Math.max(pageSize(), 2 ** Math.ceil(Math.log2(capacity)));
}

function isCapacity(dataBytes: number): boolean {
  return dataBytes > 0 && dataBytes <= LARGEST_CAPACITY && roundCapacity(dataBytes) === dataBytes;
}
