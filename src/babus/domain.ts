/**
 * The handle of a domain: all its slots at once, and others by name.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import type { DefinitionOptions } from "../definition.ts";
import { ClosedError } from "../errors.ts";
import type { Bytes, Type } from "../message.ts";
import { SlotDefinition, type SlotOptions } from "./geometry.ts";
import type { SlotObserver } from "./observer.ts";
import type { Slot } from "./slot.ts";

/** The slots of a definition, by name. */
export type SlotTable = Readonly<Record<string, SlotOptions<Type>>>;

/** The type of a slot in a definition; bytes unless it is stated. */
export type SlotType<O> = O extends { readonly type: infer K extends Type } ? K : Bytes;

/** The handle of a slot by its role: one that also writes, or an observer. */
export type SlotHandle<R extends "slot" | "observer", K extends Type> = R extends "slot" ? Slot<K>
  : SlotObserver<K>;

/** The parts of a definition that the handle of its domain uses. */
export interface DomainPlace {
  readonly domain: string;
  /** The options of all regions. */
  readonly region: DefinitionOptions;
  readonly definitions: readonly SlotDefinition<Type>[];
}

type Handle = Slot<Type> | SlotObserver<Type>;

/** Holds the open slots of a domain, or observers of them, and closes them together. */
export class Domain<
  S extends SlotTable = Record<never, never>,
  R extends "slot" | "observer" = "slot",
> implements Disposable {
  /** The name. */
  readonly name: string;
  /** The slots of the definition, by name. */
  readonly slots: { readonly [N in keyof S]: SlotHandle<R, SlotType<S[N]>> };
  readonly #place: DomainPlace;
  readonly #open: (definition: SlotDefinition<Type>) => Handle;
  readonly #handles = new Set<Handle>();
  #closed = false;

  /** @ignore */
  constructor(place: DomainPlace, open: (definition: SlotDefinition<Type>) => Handle) {
    this.name = place.domain;
    this.#place = place;
    this.#open = open;
    using stack = new DisposableStack();
    stack.use(this); // all slots are open, or none is
    const all = place.definitions.map((each) => [each.name, this.#keep(each)] as const);
    this.slots = Object.freeze(Object.fromEntries(all)) as unknown as typeof this.slots;
    stack.move();
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Opens a slot that the definition does not list; it closes with this handle. All programs must
   * pass the same type and sizes for it. Throws a ClosedError once this handle is closed.
   */
  slot<K extends Type>(name: string, options: SlotOptions<K> & { type: K }): SlotHandle<R, K>;
  /** Opens a slot of bytes that the definition does not list; it closes with this handle. */
  slot(name: string, options?: SlotOptions): SlotHandle<R, Bytes>;
  slot<K extends Type = Bytes>(name: string, options?: SlotOptions<K>): SlotHandle<R, K> {
    const { domain, region } = this.#place;
    if (this.#closed) {
      throw new ClosedError(
        `Cannot open slot ${
          inWords(name)
        }: this handle of domain "${domain}" is closed; open another`,
      );
    }
    const definition = new SlotDefinition(
      { ...region, domain, name },
      options as SlotOptions<Type>,
    );
    return this.#keep(definition) as SlotHandle<R, Type> as SlotHandle<R, K>;
  }

  /** Closes all slots that were opened through this handle. */
  close(): void {
    this.#closed = true;
    using stack = new DisposableStack(); // closes all, even if one of them throws
    for (const handle of this.#handles) stack.use(handle);
    this.#handles.clear();
  }

  /** Closes the handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  #keep(definition: SlotDefinition<Type>): Handle {
    for (const other of this.#handles) {
      if (other.closed) this.#handles.delete(other);
    }
    const handle = this.#open(definition);
    this.#handles.add(handle);
    return handle;
  }
}
