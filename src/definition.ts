/**
 * Definitions: plain values that describe a region, such as a topic or a ring. Every program that
 * takes part imports the same one. Nothing is opened until a handle is asked for.
 *
 * A definition has every size and policy: an omitted one is the library's default, in every program.
 * So an existing region either equals the definition, or the error names both values.
 *
 * @module
 */

import { checkedOptions } from "./arguments.ts";
import { Errno, OsError, RoleTakenError } from "./errors.ts";
import { describe } from "./region/file.ts";
import type { MessageType } from "./region/header.ts";
import { namesakesOf, regionAt, type RegionInfo } from "./region/list.ts";
import { pathInside, pathOutside } from "./region/names.ts";
import {
  create,
  type Geometry,
  joinOnce,
  open,
  type Opened,
  type OpenOptions,
  type OpenRequest,
  type Product,
} from "./region/open.ts";
import { Again, attempt, pollUntil, retrySync } from "./region/poll.ts";
import { Region } from "./region/region.ts";
import type { WaitOptions } from "./wait/until.ts";

/** Whether a handle joins an existing region, creates a new one, or does either. */
export type OpenMode = "any" | "create" | "join";

/** The options of every definition. */
export interface DefinitionOptions {
  /** The permission bits of a new region; 0o600 by default, 0o640 with a group. */
  mode?: number | undefined;
  /** The name or number of the group of a new region, whose members can observe it. */
  group?: string | number | undefined;
  /** Keeps the region when its last handle closes, until it is unlinked. */
  persist?: boolean | undefined;
  /** Also opens a region that belongs to another user than you or root. */
  anyOwner?: boolean | undefined;
}

/** The options of every handle. */
export interface HandleOptions {
  /**
   * Whether the handle may create the region, must create it ("create"), or must find it ("join").
   * By default it does either, so programs start in any order.
   */
  open?: OpenMode | undefined;
}

/** The region that a definition describes. */
export interface Described<G extends Geometry, O extends OpenOptions> {
  readonly product: Product<G, O>;
  readonly name: string;
  readonly path: string;
  /** The options of the definition, with all sizes. */
  readonly options: O;
  /** The type of the messages. */
  readonly message?: MessageType | undefined;
}

/**
 * The common part of all definitions. (The parameters are Geometry and OpenOptions of
 * region/open.ts, written out as those are not public.)
 */
export abstract class Definition<
  G extends Readonly<Record<string, number>> = Readonly<Record<string, number>>,
  O extends DefinitionOptions & { readOnly?: boolean | undefined } = DefinitionOptions & {
    readOnly?: boolean | undefined;
  },
> {
  /** The name. */
  readonly name: string;
  readonly #product: Product<G, O>;
  /** The path outside of any namespace: a definition may be made before a test begins one. */
  readonly #path: string;
  readonly #options: O;
  readonly #message: MessageType | undefined;

  /** @ignore */
  constructor({ product, name, path, options, message }: Described<G, O>) {
    this.name = name;
    this.#product = product;
    this.#path = pathOutside(path);
    this.#message = message;
    const all = { ...product.usual, ...options };
    product.plan(all, this.what(path), all); // throws unless a region can have these sizes
    this.#options = all;
  }

  get #request(): OpenRequest<O> {
    return { path: pathInside(this.#path), options: this.#options, message: this.#message };
  }

  /**
   * Resolves once the region exists, whichever program creates it. Rejects if the region differs
   * from this definition.
   */
  async ready(options: WaitOptions = {}): Promise<void> {
    const own = checkedOptions(options, `wait for ${this.what()}`);
    const action = `find ${this.what()}`;
    const look = () => {
      const found = this.joinOnce({ readOnly: true } as Partial<O>);
      if (found === undefined || found instanceof Again) return found;
      found.region.close();
      return true;
    };
    const { path } = this.#request;
    const search = {
      look,
      action,
      get missing() {
        return `which does not exist${namesakesOf(path)}`;
      },
    };
    await pollUntil(search, own);
  }

  /** Describes the region at this moment; returns undefined if it does not exist. */
  info(): RegionInfo | undefined {
    return regionAt(this.#request.path);
  }

  /**
   * Removes the name, so that the next handle creates a new region. Existing handles keep working.
   * Returns false if the region does not exist.
   */
  unlink(): boolean {
    return Region.unlink(this.#product.regionType, this.#request.path);
  }

  /** @ignore */
  protected what(path: string = this.#request.path): string {
    return describe(this.#product.regionType, path);
  }

  /**
   * Opens the region for a handle. Blocks the thread while another process is in the way. `more`
   * are options for joining, such as `readOnly`.
   * @ignore
   */
  protected attach(mode: OpenMode = "any", more: Partial<O> = {}): Opened<G> {
    if (mode === "any") return open(this.#product, this.#request);
    if (mode === "create") return create(this.#product, this.#request);
    const opened = retrySync(() => this.joinOnce(more));
    if (opened !== undefined) return opened;
    throw new OsError(Errno.ENOENT, {
      syscall: "openat",
      action: `open ${this.what()}`,
      state: `it does not exist${namesakesOf(this.#request.path)}`,
      remedy: 'leave out open: "join" to create it, or wait for it with ready()',
    });
  }

  /**
   * Performs one step of joining the region; returns undefined if it does not exist.
   * @ignore
   */
  protected joinOnce(more: Partial<O> = {}): Opened<G> | Again | undefined {
    const { path, options, message } = this.#request;
    return joinOnce(this.#product, { path, options: { ...options, ...more }, message });
  }
}

/**
 * Opens a handle once its role is free, by an `open` that throws a RoleTakenError until then. Leaves
 * the event loop free.
 */
export async function nextHandle<H>(
  open: () => H,
  action: string,
  options: WaitOptions = {},
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
  const search = {
    look,
    action,
    get state() {
      return state;
    },
  };
  return await pollUntil(search, own);
}
