/**
 * The one opener: it joins the region of a product, or makes it.
 *
 * A program may state sizes, or leave them out. A region that exists is joined if it has the sizes
 * that are stated. A new one gets them, and the product's usual sizes for the rest. So programs start
 * in any order, and the first one decides what all leave out.
 *
 * What it does never waits (`openOnce`, `joinOnce`); another process can be in the way for a moment,
 * and the caller decides how to wait for that (poll.ts).
 *
 * @module
 */

import { LayoutMismatchError } from "../errors.ts";
import { corrupt } from "../memory/corrupt.ts";
import type { Mapping } from "../memory/mapping.ts";
import { describe } from "./file.ts";
import type { MessageType, RegionKind } from "./header.ts";
import { Again, type LookOptions, lookUntil, retrySync } from "./poll.ts";
import { Region } from "./region.ts";

/** The sizes of a region, by the names of the options that state them. */
export type Geometry = Readonly<Record<string, number>>;

/** The options that every product has. Sizes stand among them. */
export interface OpenOptions {
  /** The permission bits of a new region; 0o600 by default. */
  readonly mode?: number | undefined;
  /** Keeps the region when its last member leaves. */
  readonly persist?: boolean | undefined;
  /** Joins also what belongs to another user than you or root. */
  readonly anyOwner?: boolean | undefined;
  /** Maps for reading only: no role can be held, and nothing can be unlinked. */
  readonly readOnly?: boolean | undefined;
}

/** The memory of a new region. */
export interface Plan<G extends Geometry> {
  /** The sizes as they will be, for instance rounded up. */
  readonly geometry: G;
  /** How many bytes of data. */
  readonly dataBytes: number;
  /** How many of them are mapped twice at a time, where data is. */
  readonly partBytes?: number;
  /** How many bytes of data have memory from the beginning; all by default. */
  readonly reservedBytes?: number;
  /** Fills the control block and the data, before any other process can see them. */
  readonly initialise?: (mapping: Mapping) => void;
}

/** What the opener knows of a product. */
export interface Product<G extends Geometry, O extends OpenOptions = OpenOptions> {
  /** What its regions are called, and made of. */
  readonly kind: RegionKind;
  /** The sizes of a new region where no option states them. */
  readonly usual: G;
  /** The memory for these sizes; a RangeError if no region can have them. */
  plan(geometry: G, what: string, options: O): Plan<G>;
  /** The sizes of a region that exists; undefined if its memory states impossible ones. */
  geometryOf(region: Region): G | undefined;
}

/** A product whose regions are only a control block. */
export function withoutData(kind: RegionKind): Product<Record<never, never>> {
  return {
    kind,
    usual: {},
    plan: () => ({ geometry: {}, dataBytes: 0 }),
    geometryOf: ({ dataBytes }) => dataBytes === 0 ? {} : undefined,
  };
}

/** An attachment, and the sizes that were found. */
export interface Opened<G extends Geometry> {
  readonly region: Region;
  readonly geometry: G;
}

/** Which region to open, and how. */
export interface OpenRequest<O extends OpenOptions> {
  readonly path: string;
  readonly options: O;
  /** The type of the messages, on which all programs agree. */
  readonly message?: MessageType | undefined;
}

/** Joins the region, or makes it. Blocks the thread while another process is in the way. */
export function open<G extends Geometry, O extends OpenOptions>(
  product: Product<G, O>,
  request: OpenRequest<O>,
): Opened<G> {
  return retrySync(() => openOnce(product, request));
}

/** A step of `open()`. */
export function openOnce<G extends Geometry, O extends OpenOptions>(
  product: Product<G, O>,
  request: OpenRequest<O>,
): Opened<G> | Again {
  const plan = planOf(product, request);
  const joined = joinOnce(product, request);
  if (joined !== undefined) return joined;
  const made = Region.makeOnce(product.kind, request.path, optionsOf(plan, request));
  return made instanceof Again ? made : { region: made, geometry: plan.geometry };
}

/** Makes the region; an OsError (EEXIST) if a living process uses one of that name. */
export function create<G extends Geometry, O extends OpenOptions>(
  product: Product<G, O>,
  request: OpenRequest<O>,
): Opened<G> {
  const plan = planOf(product, request);
  const region = Region.create(product.kind, request.path, optionsOf(plan, request));
  return { region, geometry: plan.geometry };
}

/** Joins the region once it exists. Leaves the event loop free. */
export function join<G extends Geometry, O extends OpenOptions & LookOptions>(
  product: Product<G, O>,
  request: OpenRequest<O>,
): Promise<Opened<G>> {
  const action = `connect to ${describe(product.kind, request.path)}`;
  const look = () => joinOnce(product, request);
  return lookUntil({ look, action, missing: "which is not there" }, request.options);
}

/** A step of `join()`: undefined if the region does not exist. */
export function joinOnce<G extends Geometry, O extends OpenOptions>(
  product: Product<G, O>,
  request: OpenRequest<O>,
): Opened<G> | Again | undefined {
  const { path, options, message } = request;
  const { anyOwner, readOnly, persist } = options;
  const region = Region.connectOnce(product.kind, path, { message, anyOwner, readOnly });
  if (region === undefined || region instanceof Again) return region;
  using stack = new DisposableStack();
  stack.use(region);
  const geometry = product.geometryOf(region);
  if (geometry === undefined) {
    const state = `it states sizes that do not fit its ${region.dataBytes} bytes`;
    throw corrupt(describe(product.kind, path), state);
  }
  checkWishes(product, request, geometry);
  if (persist) region.keep();
  stack.move();
  return { region, geometry };
}

/** Every size that is stated is the one there is. */
function checkWishes<G extends Geometry, O extends OpenOptions>(
  product: Product<G, O>,
  request: OpenRequest<O>,
  geometry: G,
): void {
  const stated = statedSizes(product, request.options);
  const names = Object.keys(stated);
  if (names.length === 0) return;
  const wanted = planOf(product, request).geometry;
  const name = names.find((name) => wanted[name] !== geometry[name]);
  if (name === undefined) return;
  throw new LayoutMismatchError(
    `Cannot open ${describe(product.kind, request.path)}: its ${name} is ${geometry[name]}, and ` +
      `you asked for ${wanted[name]}; ask for that, leave it out, or unlink it once nobody uses it`,
  );
}

function planOf<G extends Geometry, O extends OpenOptions>(
  product: Product<G, O>,
  { path, options }: OpenRequest<O>,
): Plan<G> {
  const geometry = { ...product.usual, ...statedSizes(product, options) };
  return product.plan(geometry, describe(product.kind, path), options);
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
  { dataBytes, partBytes, reservedBytes, initialise }: Plan<G>,
  { options: { mode, persist, anyOwner }, message }: OpenRequest<O>,
) {
  return { dataBytes, partBytes, reservedBytes, initialise, message, mode, persist, anyOwner };
}
