/**
 * The handles of a domain: all its slots at once, and others by name.
 *
 * @module
 */

import { checkedOptions, inWords } from "../arguments.ts";
import type { DefinitionOptions, HandleOptions } from "../definition.ts";
import { ClosedError } from "../errors.ts";
import { Landing } from "../landing.ts";
import type { Bytes, Type } from "../message.ts";
import { SlotDefinition, type SlotOptions } from "./geometry.ts";
import { SlotObserver } from "./observer.ts";
import { Slot } from "./slot.ts";

/** The slots of a definition, by name. */
export type SlotTable = Readonly<Record<string, SlotOptions<Type>>>;

/** The type of a slot in a definition; bytes unless it is stated. */
export type SlotType<O> = O extends { readonly type: infer K extends Type } ? K : Bytes;

/** The options of a domain's handle. */
export interface DomainHandleOptions extends HandleOptions {
  /** Gives each message of bytes a buffer of its own; by default short ones share one. */
  own?: boolean | undefined;
}

/** What the handles of a domain need of its definition. */
export interface DomainPlace {
  readonly domain: string;
  /** The options of all regions. */
  readonly region: DefinitionOptions;
  readonly definitions: readonly SlotDefinition<Type>[];
}

/** Handles of slots, which close with the domain's. */
class Handles<H extends Disposable & { readonly closed: boolean }> implements Disposable {
  readonly #place: DomainPlace;
  readonly #open: (definition: SlotDefinition<Type>) => H;
  readonly #all = new Set<H>();
  closed = false;

  constructor(place: DomainPlace, open: (definition: SlotDefinition<Type>) => H) {
    this.#place = place;
    this.#open = open;
  }

  /** Opens the slots of the definition, or none if one of them cannot be opened. */
  openAll(): Record<string, H> {
    using stack = new DisposableStack();
    stack.use(this);
    const { definitions } = this.#place;
    const all = Object.fromEntries(definitions.map((each) => [each.name, this.#keep(each)]));
    stack.move();
    return Object.freeze(all);
  }

  /** Opens another slot. */
  open(name: string, options: SlotOptions<Type>, doing: string): H {
    const { domain, region } = this.#place;
    if (this.closed) {
      throw new ClosedError(
        `Cannot ${doing} slot ${inWords(name)} of domain "${domain}": it is closed`,
      );
    }
    return this.#keep(new SlotDefinition({ ...region, domain, name }, options));
  }

  #keep(definition: SlotDefinition<Type>): H {
    for (const other of this.#all) {
      if (other.closed) this.#all.delete(other);
    }
    const handle = this.#open(definition);
    this.#all.add(handle);
    return handle;
  }

  [Symbol.dispose](): void {
    this.closed = true;
    using stack = new DisposableStack(); // closes all, even if one of them throws
    for (const handle of this.#all) stack.use(handle);
    this.#all.clear();
  }
}

/** The open slots of a domain, which close with it. */
export class Domain<S extends SlotTable = Record<never, never>> implements Disposable {
  /** The name. */
  readonly name: string;
  /** The slots of the definition, by name. */
  readonly slots: { readonly [N in keyof S]: Slot<SlotType<S[N]>> };
  readonly #handles: Handles<Slot<Type>>;

  /** @ignore */
  constructor(place: DomainPlace, options: DomainHandleOptions) {
    this.name = place.domain;
    const { open, own } = checkedOptions(options, `open domain "${place.domain}"`);
    this.#handles = new Handles(
      place,
      (definition) => new Slot(definition, definition.open(open), new Landing({ own })),
    );
    this.slots = this.#handles.openAll() as typeof this.slots;
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#handles.closed;
  }

  /**
   * Opens a slot whose name the definition does not have. All programs must state the same type and
   * sizes for it.
   */
  slot<K extends Type = Bytes>(name: string, options: SlotOptions<K> = {}): Slot<K> {
    return this.#handles.open(name, options, "open") as Slot<Type> as Slot<K>;
  }

  /** Closes all slots that were opened through this handle. */
  close(): void {
    this.#handles[Symbol.dispose]();
  }

  /** Closes the handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** The slots of a domain, for reading without any right to write; they close with it. */
export class DomainObserver<S extends SlotTable = Record<never, never>> implements Disposable {
  /** The name. */
  readonly name: string;
  /** The observers of the definition's slots, by name. */
  readonly slots: { readonly [N in keyof S]: SlotObserver<SlotType<S[N]>> };
  readonly #handles: Handles<SlotObserver<Type>>;

  /** @ignore */
  constructor(place: DomainPlace, options: Pick<DomainHandleOptions, "own">) {
    this.name = place.domain;
    const { own } = checkedOptions(options, `observe domain "${place.domain}"`);
    this.#handles = new Handles(
      place,
      (definition) => new SlotObserver(definition, new Landing({ own })),
    );
    this.slots = this.#handles.openAll() as typeof this.slots;
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#handles.closed;
  }

  /** Observes a slot whose name the definition does not have, at once or once it exists. */
  slot<K extends Type = Bytes>(name: string, options: SlotOptions<K> = {}): SlotObserver<K> {
    return this.#handles.open(name, options, "observe") as SlotObserver<Type> as SlotObserver<K>;
  }

  /** Stops observing. */
  close(): void {
    this.#handles[Symbol.dispose]();
  }

  /** Closes the handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }
}
