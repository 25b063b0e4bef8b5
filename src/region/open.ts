/**
 * The one opener: it joins the region of a product, or creates it.
 *
 * A program may state sizes or omit them. An existing region is joined if it has the stated sizes.
 * A new region gets the stated sizes, and the product's defaults for the rest. So programs start in
 * any order, and the first one decides the omitted sizes.
 *
 * Its steps (`openOnce`, `joinOnce`) never wait. Another process can be in the way for a moment,
 * and the caller decides how to wait for that (poll.ts).
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { LayoutMismatchError } from "../errors.ts";
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
import { Again, type PollOptions, pollUntil, retrySync } from "./poll.ts";
import { Region } from "./region.ts";

/** The sizes of a region, by the names of the options that state them. */
export type Geometry = Readonly<Record<string, number>>;

/** The options that every product has. A product's sizes are options too. */
export interface OpenOptions {
  /** The permission bits of a new region; 0o600 by default, and 0o640 with a group. */
  readonly mode?: number | undefined;
  /** The name or number of a new region's group; the creator's by default. */
  readonly group?: string | number | undefined;
  /** Keeps the region when its last member leaves. */
  readonly persist?: boolean | undefined;
  /** Also joins a region that belongs to another user than you or root. */
  readonly anyOwner?: boolean | undefined;
  /** Attaches as an observer: maps the region for reading only, without becoming a member. */
  readonly readOnly?: boolean | undefined;
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
  readonly initialise?: (mapping: Mapping, dataOffset: number) => void;
  /** What the region's description says of the creator's definition besides the sizes. */
  readonly policy?: Properties | undefined;
  /** The names of the features that the region uses, of those that its type declares. */
  readonly features?: readonly string[] | undefined;
}

/** What the opener knows of a product. */
export interface Product<G extends Geometry, O extends OpenOptions = OpenOptions> {
  /** The name and the layout of its regions. */
  readonly regionType: RegionType;
  /** The sizes of a new region that no option states. */
  readonly usual: G;
  /** Plans the memory for these sizes; throws a RangeError if no region can have them. */
  plan(geometry: G, what: string, options: O): Plan<G>;
  /** The sizes of an existing region; undefined if its memory states impossible ones. */
  geometryOf(region: Region): G | undefined;
  /** The policy that an existing region states, if all its definitions must share that. */
  policyOf?(region: Region): Properties;
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
export interface OpenRequest<O extends OpenOptions> {
  readonly path: string;
  readonly options: O;
  /** The type of the messages, which must be the same in all programs. */
  readonly message?: MessageType | undefined;
}

/** Joins the region, or creates it. Blocks the thread while another process is in the way. */
export function open<G extends Geometry, O extends OpenOptions>(
  product: Product<G, O>,
  request: OpenRequest<O>,
): Opened<G> {
  return retrySync(() => openOnce(product, request));
}

/** Performs one step of `open()`. */
export function openOnce<G extends Geometry, O extends OpenOptions>(
  product: Product<G, O>,
  request: OpenRequest<O>,
): Opened<G> | Again {
  const plan = planOf(product, request);
  const joined = joinOnce(product, request);
  if (joined !== undefined) return joined;
  const made = Region.makeOnce(
    product.regionType,
    request.path,
    optionsOf(product.regionType, plan, request),
  );
  return made instanceof Again ? made : { region: made, geometry: plan.geometry };
}

/** Creates the region; throws an OsError (EEXIST) if a living process uses one of that name. */
export function create<G extends Geometry, O extends OpenOptions>(
  product: Product<G, O>,
  request: OpenRequest<O>,
): Opened<G> {
  const plan = planOf(product, request);
  const region = Region.create(
    product.regionType,
    request.path,
    optionsOf(product.regionType, plan, request),
  );
  return { region, geometry: plan.geometry };
}

/** Joins the region once it exists. Leaves the event loop free. */
export function join<G extends Geometry, O extends OpenOptions & PollOptions>(
  product: Product<G, O>,
  request: OpenRequest<O>,
): Promise<Opened<G>> {
  const action = `connect to ${describe(product.regionType, request.path)}`;
  const look = () => joinOnce(product, request);
  return pollUntil({ look, action, missing: "which is not there" }, request.options);
}

/** Performs one step of `join()`; returns undefined if the region does not exist. */
export function joinOnce<G extends Geometry, O extends OpenOptions>(
  product: Product<G, O>,
  request: OpenRequest<O>,
): Opened<G> | Again | undefined {
  const { path, options, message } = request;
  const { anyOwner, readOnly, persist } = options;
  const region = Region.connectOnce(product.regionType, path, { message, anyOwner, readOnly });
  if (region === undefined || region instanceof Again) return region;
  using stack = new DisposableStack();
  stack.use(region);
  const geometry = product.geometryOf(region);
  if (geometry === undefined) {
    const state = `it states sizes that do not fit its ${region.dataBytes} bytes`;
    throw corrupt(describe(product.regionType, path), state);
  }
  checkStated(product, request, { ...geometry, ...product.policyOf?.(region) });
  if (persist && !readOnly) region.keep();
  stack.move();
  return { region, geometry };
}

/** Throws unless the region has every stated size, and the same policy. */
function checkStated<G extends Geometry, O extends OpenOptions>(
  product: Product<G, O>,
  request: OpenRequest<O>,
  found: Properties,
): void {
  const sizes = Object.keys(statedSizes(product, request.options));
  if (sizes.length === 0) return;
  const { geometry, policy } = planOf(product, request);
  const wanted: Properties = { ...geometry, ...policy };
  const policies = Object.keys(policy ?? {}).filter((name) => name in found);
  const name = [...sizes, ...policies].find((name) => wanted[name] !== found[name]);
  if (name === undefined) return;
  throw new LayoutMismatchError(
    `Cannot open ${describe(product.regionType, request.path)}: its ${name} is ` +
      `${inWords(found[name])}, and this definition says ${inWords(wanted[name])}; change the ` +
      `definition, or unlink the ${product.regionType.title ?? "region"} once nobody uses it`,
  );
}

/** Returns the description of a region, which a peer may have damaged; undefined if it is invalid. */
export function descriptionIn(
  regionType: RegionType,
  { header, mapping }: Region,
): RegionDescription | undefined {
  const bytes = new Uint8Array(header.description_bytes); // within its limit, as the header was checked
  copyOut(mapping, descriptionOffsetOf(regionType), bytes);
  const description = parseDescription(bytes);
  return typeof description === "string" ? undefined : description;
}

function planOf<G extends Geometry, O extends OpenOptions>(
  product: Product<G, O>,
  { path, options }: OpenRequest<O>,
): Plan<G> {
  const geometry = { ...product.usual, ...statedSizes(product, options) };
  return product.plan(geometry, describe(product.regionType, path), options);
}

function statedSizes<G extends Geometry, O extends OpenOptions>(
  { usual }: Product<G, O>,
  options: O,
): Partial<G> {
  const given = options as Readonly<Record<string, unknown>>;
  const names = Object.keys(usual).filter((name) => given[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, given[name]])) as Partial<G>;
}

function optionsOf<G extends Geometry, O extends OpenOptions>(
  regionType: RegionType,
  plan: Plan<G>,
  { options: { mode, group, persist, anyOwner }, message }: OpenRequest<O>,
) {
  const { geometry, policy, features = [], ...memory } = plan;
  const type = message && descriptionOf(message);
  const description = encodeDescription({
    geometry,
    policy: policy ?? {},
    features: featuresOf(regionType, features),
    type,
  });
  return { ...memory, description, features, message, mode, group, persist, anyOwner };
}
