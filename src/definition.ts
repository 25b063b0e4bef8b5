/**
 * Definitions: plain values that describe a region, such as a topic or a ring. All programs that
 * use the region import the same definition. A definition opens nothing until a method opens a
 * handle.
 *
 * A definition has every size and policy: omitted ones take the library's defaults in all programs.
 * So an existing region either equals the definition, or the error names both values.
 *
 * @module
 */

import { checkedOptions } from "./arguments.ts";
import { Errno, OsError, RoleTakenError } from "./errors.ts";
import { pageSize, SMALLEST_PAGE } from "./os/page.ts";
import { describe } from "./region/file.ts";
import type { MessageType } from "./region/header.ts";
import { namesakesOf, regionAt, type RegionInfo } from "./region/list.ts";
import { fileOutside, pathInside } from "./region/names.ts";
import {
  create,
  type Geometry,
  joinOnce,
  open,
  type Opened,
  type OpenOptions,
  type OpenRequest,
  type Plan,
  type Product,
} from "./region/open.ts";
import { Again, attempt, pollUntil, retrySync } from "./region/poll.ts";
import { Region } from "./region/region.ts";
import type { WaitOptions } from "./wait/until.ts";

export type { OpenOptions as DefinitionOptions } from "./region/open.ts";

/** Whether a handle joins an existing region, creates a new one, or does either. */
export type OpenMode = "any" | "create" | "join";

/** The options of every handle. */
export interface HandleOptions {
  /**
   * Whether the handle joins or creates the region ("any"), must create it ("create"), or must find
   * it ("join"). The default is "any", so programs start in any order.
   */
  open?: OpenMode | undefined;
}

/** The region that a definition describes. */
export interface Described<G extends Geometry, O extends OpenOptions> {
  readonly product: Product<G, O>;
  readonly name: string;
  readonly path: string;
  /** The options of the definition; the omitted sizes take the product's defaults. */
  readonly options: O;
  /** The type of the messages. */
  readonly message?: MessageType | undefined;
}

// The type parameters are Geometry and OpenOptions of region/open.ts, written out: those are not public.
/** Describes a region by its name, its sizes and its policy: the base of all definitions. */
export abstract class Definition<
  G extends Readonly<Record<string, number>> = Readonly<Record<string, number>>,
  O extends OpenOptions = OpenOptions,
> {
  /** The name of the region, such as `camera/front`. */
  readonly name: string;
  readonly #asked: Omit<OpenRequest<G>, "plan" | "path">;
  /** The name outside of any namespace: a definition may be made before a test begins one. */
  readonly #file: string;
  readonly #planFor: (pageBytes: number) => Plan<G>;
  #plan: Plan<G> | undefined;

  /** @ignore */
  constructor({ product, name, path, options, message }: Described<G, O>) {
    this.name = name.startsWith("/") ? name.slice(1) : name; // as in the path
    const given = options as Readonly<Record<string, unknown>>;
    const sizes = Object.entries(product.usual).map((
      [name, usual],
    ) => [name, given[name] ?? usual]);
    const what = describe(product.regionType, path);
    this.#planFor = (page) => product.plan(Object.fromEntries(sizes), what, options, page);
    this.#planFor(SMALLEST_PAGE); // throws unless it is possible, and asks nothing of the system
    const { mode, group, persist, anyOwner, directory } = options;
    const own = { mode, group, persist, anyOwner, directory };
    this.#asked = { product, options: own, message };
    this.#file = fileOutside(path);
  }

  get #path(): string {
    return pathInside(this.#file, this.#asked.options.directory);
  }

  get #request(): OpenRequest<G> {
    const plan = this.#plan ??= this.#planFor(pageSize());
    return { ...this.#asked, plan, path: this.#path };
  }

  /**
   * Resolves once the region exists, whichever program creates it. Rejects if the region differs
   * from this definition.
   */
  async ready(options?: WaitOptions): Promise<void> {
    const own = checkedOptions(options, `wait for ${this.what()}`);
    const action = `find ${this.what()}`;
    const look = () => {
      const found = this.joinOnce({ readOnly: true });
      if (found === undefined || found instanceof Again) return found;
      found.region.close();
      return true;
    };
    const path = this.#path;
    const missing = () => `which does not exist${namesakesOf(path)}`;
    await pollUntil({ look, action, missing }, own);
  }

  /** Describes the region at this moment; returns undefined if it does not exist. */
  info(): RegionInfo | undefined {
    return regionAt(this.#path);
  }

  /**
   * Removes the name, so that the next handle creates a new region. Existing handles keep working.
   * Returns false if the region does not exist.
   */
  unlink(): boolean {
    return Region.unlink(this.#asked.product.regionType, this.#path);
  }

  /** @ignore */
  protected what(): string {
    return describe(this.#asked.product.regionType, this.#path);
  }

  /**
   * Opens the region for a handle. Blocks the thread while another process is in the way.
   * @ignore
   */
  protected attach(
    mode: OpenMode = "any",
    options: { readOnly?: boolean | undefined } = {},
  ): Opened<G> {
    if (mode === "any") return open(this.#request);
    if (mode === "create") return create(this.#request);
    const opened = retrySync(() => this.joinOnce(options));
    if (opened !== undefined) return opened;
    throw new OsError(Errno.ENOENT, {
      syscall: "openat",
      action: `open ${this.what()}`,
      state: `it does not exist${namesakesOf(this.#path)}`,
      remedy: 'leave out open: "join" to create it, or wait for it with ready()',
    });
  }

  /**
   * Opens the region and makes a handle of it, or closes the region if that throws.
   * @ignore
   */
  protected openHandle<H>(mode: OpenMode | undefined, make: (opened: Opened<G>) => H): H {
    using stack = new DisposableStack();
    const opened = this.attach(mode);
    stack.use(opened.region);
    const handle = make(opened);
    opened.region.mapping.checkWhole();
    stack.move();
    return handle;
  }

  /**
   * Performs one step of joining the region; returns undefined if it does not exist.
   * @ignore
   */
  protected joinOnce(
    options: { readOnly?: boolean | undefined } = {},
  ): Opened<G> | Again | undefined {
    return joinOnce(this.#request, options);
  }
}

/**
 * Retries `open` until it no longer throws a RoleTakenError, and resolves with the handle. Leaves
 * the event loop free.
 */
export async function nextHandle<H>(
  open: () => H,
  action: string,
  options?: WaitOptions,
): Promise<H> {
  const own = checkedOptions(options, action);
  let state: string | undefined;
  const look = () => {
    try {
      return attempt(open);
    } catch (error) {
      if (!(error instanceof RoleTakenError)) throw error;
      state = /: ([^;]+)/.exec(error.message)?.[1]; // without the attempt and the remedy
      return undefined;
    }
  };
  return await pollUntil({ look, action, state: () => state }, own);
}
