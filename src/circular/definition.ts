/**
 * Definitions of circular buffers.
 *
 * @module
 */

import { checkedOptions, definitionOptions, inWords } from "../arguments.ts";
import type { Codec } from "../codec.ts";
import {
  Definition,
  type DefinitionOptions,
  type HandleOptions,
  nextHandle,
} from "../definition.ts";
import { ringProduct } from "../lane/geometry.ts";
import { type Bytes, type Type, typeIn } from "../message.ts";
import { regionPath } from "../region/names.ts";
import { Again } from "../region/poll.ts";
import { takeRole } from "../region/seats.ts";
import type { WaitOptions } from "../wait/until.ts";
import { CIRCULAR_BUFFER, initialise, ringOf } from "./circular_buffer.ts";
import { CircularBufferObserver } from "./observer.ts";
import { CircularBufferReader, type CircularReaderOptions } from "./reader.ts";
import type { CircularObserverOptions } from "./receiver.ts";
import { CircularBufferWriter } from "./writer.ts";

/** The options of a circular buffer, the same in all programs. */
export interface CircularOptions<K extends Type = Bytes> extends DefinitionOptions {
  /** The type of the messages; bytes by default. */
  type?: K | undefined;
  /**
   * The capacity in bytes, rounded up to a power of two of at least a page, at most 1 GiB; 1 MiB by
   * default. Each message takes 32 bytes more than its length, rounded up to a multiple of 8.
   */
  capacity?: number | undefined;
}

const PRODUCT = ringProduct(CIRCULAR_BUFFER, undefined, initialise);

/** The definition of a circular buffer; its methods open the handles. */
export class CircularDefinition<K extends Type = Bytes> extends Definition {
  readonly #type: Codec<unknown>;

  /** @ignore */
  constructor(name: string, options: CircularOptions<K>) {
    const action = `define circular buffer ${inWords(name)}`;
    const own = checkedOptions(options, action, definitionOptions("type", "capacity"));
    const type = typeIn(own.type, action) as Codec<unknown>;
    const path = regionPath(CIRCULAR_BUFFER.name, name, "the name of a circular buffer");
    super({ product: PRODUCT, name, path, options: own, message: type.type });
    this.#type = type;
  }

  /** Opens the buffer as its writer; throws a RoleTakenError if it has a living one. */
  writer(options?: HandleOptions): CircularBufferWriter<K> {
    const action = `write to ${this.what()}`;
    const { open } = checkedOptions(options, action);
    return this.openHandle(open, ({ region }) => {
      const ring = ringOf(this.name, region);
      takeRole(region, ring.writer.role, { action, holder: "a writer", next: "nextWriter" });
      return new CircularBufferWriter<K>(ring, this.#type);
    });
  }

  /** Waits until the buffer has no living writer, and opens it as `writer()` does. */
  nextWriter(options?: HandleOptions & WaitOptions): Promise<CircularBufferWriter<K>> {
    return nextHandle(() => this.writer(options), `write to ${this.what()}`, options);
  }

  /** Opens the buffer as one of any number of readers, before or after its writer opens it. */
  reader(options?: CircularReaderOptions): CircularBufferReader<K> {
    const own = checkedOptions(options, `read from ${this.what()}`);
    return this.openHandle(
      own.open,
      ({ region }) => new CircularBufferReader<K>(ringOf(this.name, region), this.#type, own),
    );
  }

  /** Opens an observer, which needs only the right to read. The buffer need not exist yet. */
  observer(options?: CircularObserverOptions): CircularBufferObserver<K> {
    const own = checkedOptions(options, `observe ${this.what()}`);
    const attach = () => {
      const opened = this.joinOnce({ readOnly: true });
      return opened === undefined || opened instanceof Again ? opened : opened.region;
    };
    return new CircularBufferObserver<K>(
      { name: this.name, what: this.what(), attach },
      this.#type,
      own,
    );
  }
}

/**
 * Defines a circular buffer: one writer that never waits and overwrites the oldest messages, and any
 * number of readers, each of which receives every message or learns how many it lost.
 *
 * @example Write to any number of readers
 * ```ts
 * import { circular } from "@vring/vring";
 *
 * const ticker = circular("example-ticker", { capacity: 65536 }); // in every program
 * using writer = ticker.writer();
 * using reader = ticker.reader(); // in another process
 * writer.trySend(new TextEncoder().encode("12.50"));
 * const message = await reader.receive();
 * console.log(new TextDecoder().decode(message?.value), message?.lost); // 12.50 0
 * ```
 */
export function circular<K extends Type>(
  name: string,
  options: CircularOptions<K> & { type: K },
): CircularDefinition<K>;
/** Defines a circular buffer whose messages are bytes. */
export function circular(name: string, options?: CircularOptions): CircularDefinition;
export function circular<K extends Type = Bytes>(
  name: string,
  options?: CircularOptions<K>,
): CircularDefinition<K> {
  if (options === undefined) options = {};
  return new CircularDefinition(name, options);
}
