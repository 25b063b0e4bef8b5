/**
 * The one opener: it joins the region of a definition, or creates it.
 *
 * It joins an existing region only if that has the sizes and the policy of the definition. So
 * programs start in any order. Its steps never wait. Another process can briefly hold up a step,
 * and the caller decides how to wait for that (poll.ts).
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { Errno, LayoutMismatchError, OsError } from "../errors.ts";
import { isCount } from "../layout/sizes.ts";
import { corrupt } from "../memory/corrupt.ts";
import type { Mapping } from "../memory/mapping.ts";
import { copyOut } from "../memory/word.ts";
import { describe } from "./file.ts";
import {
  encodeDescription,
  parseDescription,
  type Properties,
  type RegionDescription,
} from "./description.ts";
import {
  descriptionOf,
  descriptionOffsetOf,
  featuresOf,
  type MessageType,
  type RegionType,
} from "./header.ts";
import { Again, retrySync } from "./poll.ts";
import { Region } from "./region.ts";
import { isInUse } from "./removal.ts";

/** The sizes of a region, by the names of the options that state them. */
export type Geometry = Readonly<Record<string, number>>;

/** The options that every definition has: who may open a region, and whether it persists. */
export interface OpenOptions {
  /** The permission bits of a new region; 0o600 by default, 0o640 with a group. */
  mode?: number | undefined;
  /**
   * The group of a new region, by name or number. By default its members can observe the region.
   */
  group?: string | number | undefined;
  /** Keeps the region after its last handle closes, until it is unlinked; false by default. */
  persist?: boolean | undefined;
  /**
   * Also opens a region of a user other than you or root. That user can make your operations fail,
   * and show you any bytes.
   */
  anyOwner?: boolean | undefined;
  /**
   * The directory of the region's file, as an absolute path; `/dev/shm` by default. It must be on a
   * tmpfs, or each store is written to a disk.
   */
  directory?: string | undefined;
}

/** The memory of a new region. */
export interface Plan<G extends Geometry> {
  /** The sizes of the new region, for instance rounded up. */
  readonly geometry: G;
  /** The number of data bytes. */
  readonly dataBytes: number;
  /** The number of data bytes in each part that is mapped twice. */
  readonly partBytes?: number | undefined;
  /** The number of data bytes that get memory now; all by default. */
  readonly reservedBytes?: number | undefined;
  /** Fills the control block and the data before any other process can see them. */
  readonly initialise?: ((mapping: Mapping, dataOffset: number) => void) | undefined;
  /** The policy of the definition, which the region's description states beside the sizes. */
  readonly policy?: Properties | undefined;
  /** The names of the features that the region uses, of those that its type declares. */
  readonly features?: readonly string[] | undefined;
}

/** The properties of a product that the opener needs. */
export interface Product<G extends Geometry, O extends OpenOptions = OpenOptions> {
  /** The name and the layout of its regions. */
  readonly regionType: RegionType;
  /** The default sizes of a new region. */
  readonly usual: G;
  /**
   * Plans the memory for these sizes and this size of pages; throws a RangeError if no region can
   * have them.
   */
  plan(geometry: G, what: string, options: O, pageBytes: number): Plan<G>;
  /** The sizes of an existing region; undefined if its memory states impossible ones. */
  geometryOf(region: Region): G | undefined;
  /** The policy that an existing region states, if all its definitions must share that. */
  policyOf?(region: Region): Properties;
}

/** Throws a RangeError unless a size of a definition is a whole number from 1 to `most`. */
export function checkSize(
  what: string,
  option: string,
  value: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  if (isCount(value, most) && value > 0) return;
  const noun = nounFor(option, value);
  const range = most === Number.MAX_SAFE_INTEGER ? "a whole number from 1 on" : `1 to ${most}`;
  throw new RangeError(`Cannot define ${what}: the ${noun} is ${inWords(value)}; pass ${range}`);
}

/** Names an option in messages that go on with `is`. */
function nounFor(option: string, value: unknown): string {
  if (typeof value === "boolean") return `option ${option}`;
  return option.endsWith("s") && typeof value === "number" ? `number of ${option}` : option;
}

/** Describes a product whose regions consist of a control block only. */
export function withoutData(regionType: RegionType): Product<Record<never, never>> {
  return {
    regionType,
    usual: {},
    plan: () => ({ geometry: {}, dataBytes: 0 }),
    geometryOf: ({ dataBytes }) => dataBytes === 0 ? {} : undefined,
  };
}

/** An attachment, and the sizes of its region. */
export interface Opened<G extends Geometry> {
  readonly region: Region;
  readonly geometry: G;
}

/** Which region to open, and how. */
export interface OpenRequest<G extends Geometry> {
  readonly product: Pick<Product<G>, "regionType" | "geometryOf" | "policyOf">;
  readonly plan: Plan<G>;
  readonly path: string;
  readonly options: OpenOptions;
  /** The type of the messages, which must be the same in all programs. */
  readonly message?: MessageType | undefined;
}

/** Joins the region, or creates it. Blocks the thread while another process is in the way. */
export function open<G extends Geometry>(request: OpenRequest<G>): Opened<G> {
  return retrySync(() => joinOnce(request) ?? createOnce(request));
}

/** Creates the region; throws an OsError (EEXIST) if a living process uses one of that name. */
export function create<G extends Geometry>(request: OpenRequest<G>): Opened<G> {
  const { product: { regionType }, path, options } = request;
  const what = describe(regionType, path);
  return retrySync(() => {
    if (!isInUse(path, what, options)) return createOnce(request);
    const remedy = "open it to join, or choose another name";
    throw new OsError(Errno.EEXIST, { syscall: "linkat", action: `create ${what}`, remedy });
  });
}

/** Performs one step of creating the region. */
function createOnce<G extends Geometry>(request: OpenRequest<G>): Opened<G> | Again {
  const { product: { regionType }, plan, path, message, options } = request;
  const { geometry, policy = {}, features = [], ...memory } = plan;
  const description = encodeDescription({
    geometry,
    policy,
    features: featuresOf(regionType, features),
    type: message && descriptionOf(message),
  });
  const parts = { ...memory, ...options, description, features, message };
  const region = Region.createOnce(regionType, path, parts);
  return region instanceof Again ? region : { region, geometry };
}

/** Performs one step of joining the region; returns undefined if the region does not exist. */
export function joinOnce<G extends Geometry>(
  { product, plan, path, message, options }: OpenRequest<G>,
  { readOnly = false } = {},
): Opened<G> | Again | undefined {
  const { regionType } = product;
  const { anyOwner, persist } = options;
  const region = Region.joinOnce(regionType, path, { message, anyOwner, readOnly });
  if (region === undefined || region instanceof Again) return region;
  using stack = new DisposableStack();
  stack.use(region);
  const geometry = product.geometryOf(region);
  if (geometry === undefined) {
    const state = `it states sizes that do not fit its ${region.dataBytes} bytes`;
    throw corrupt(describe(regionType, path), state);
  }
  checkSame(regionType, path, { ...geometry, ...product.policyOf?.(region) }, plan);
  if (persist && !readOnly) region.keep();
  stack.move();
  return { region, geometry };
}

/** Throws unless the region has the sizes and the policy of the definition. */
function checkSame(
  regionType: RegionType,
  path: string,
  found: Properties,
  { geometry, policy }: Plan<Geometry>,
): void {
  const wanted: Properties = { ...geometry, ...policy };
  const name = Object.keys(wanted).find((name) => name in found && wanted[name] !== found[name]);
  if (name === undefined) return;
  throw new LayoutMismatchError(
    `Cannot open ${describe(regionType, path)}: its ${nounFor(name, found[name])} is ` +
      `${inWords(found[name])}, and this definition says ${inWords(wanted[name])}; change the ` +
      `definition, or unlink the ${regionType.title ?? "region"} once nobody uses it`,
  );
}

/**
 * Returns a region's description; undefined if it is invalid, because a peer may have damaged it.
 */
export function descriptionIn(
  regionType: RegionType,
  { header, mapping }: Region,
): RegionDescription | undefined {
  const bytes = new Uint8Array(header.description_bytes); // within its limit, as the header was checked
  copyOut(mapping, descriptionOffsetOf(regionType), bytes);
  const description = parseDescription(bytes);
  return typeof description === "string" ? undefined : description;
}
