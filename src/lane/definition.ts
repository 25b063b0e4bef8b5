/**
 * The common part of the definitions of rings.
 *
 * @module
 */

import { checkedOptions } from "../arguments.ts";
import { Definition, type HandleOptions, nextHandle } from "../definition.ts";
import type { MessageType } from "../region/header.ts";
import { regionPath } from "../region/names.ts";
import type { Geometry, OpenOptions, Product } from "../region/open.ts";
import type { Region } from "../region/region.ts";
import type { WaitOptions } from "../wait/until.ts";

/** The options of a handle of a ring. */
export interface RingHandleOptions extends HandleOptions {
  /**
   * Whether a wait ends once the other end has ended, closed or died ("end", the default), or
   * continues until another one takes its place ("wait").
   */
  onPeerGone?: "wait" | "end" | undefined;
}

/** The options of a consumer of messages. */
export interface ConsumerOptions extends RingHandleOptions {
  /** Gives each received array of bytes a buffer of its own, which may be posted or transferred. */
  own?: boolean | undefined;
}

/** The region that a handle opened. */
export interface Entered {
  readonly region: Region;
}

/** The definition of a ring. */
export abstract class RingDefinition<
  P,
  C,
  PO extends RingHandleOptions = RingHandleOptions,
  CO extends RingHandleOptions = RingHandleOptions,
> extends Definition {
  /** @ignore */
  constructor(
    product: Product<Geometry>,
    name: string,
    options: OpenOptions,
    message: MessageType,
  ) {
    super({
      product,
      name,
      path: regionPath(product.regionType.name, name, "the name of a ring"),
      options,
      message,
    });
  }

  /** Opens the ring as a producer; throws a RoleTakenError if no place for one is free. */
  abstract producer(options?: PO): P;

  /** Opens the ring as its consumer; throws a RoleTakenError if it has a living one. */
  abstract consumer(options?: CO): C;

  /** Checks the options of a handle, and opens the region for it.
   * @ignore */
  protected enter<O extends RingHandleOptions>(title: string, options: O): O & Entered {
    const own = checkedOptions(options, `open ${this.what()} as its ${title}`);
    return { ...own, region: this.attach(own.open).region };
  }

  /** Waits until a place for a producer is free, and opens the ring as `producer()` does. */
  nextProducer(options?: PO & WaitOptions): Promise<P> {
    return nextHandle(() => this.producer(options), `open ${this.what()} as a producer`, options);
  }

  /** Waits until the ring has no living consumer, and opens it as `consumer()` does. */
  nextConsumer(options?: CO & WaitOptions): Promise<C> {
    return nextHandle(() => this.consumer(options), `open ${this.what()} as its consumer`, options);
  }
}
