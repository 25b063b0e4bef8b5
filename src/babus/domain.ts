/**
 * A domain: slots by name, each a file of its own, created at first use.
 *
 * A domain has no file and no state: it is the common part of its slots' names. So nothing of it
 * can be left over, or disagree with its slots.
 *
 * @module
 */

import { checkedOptions, inWords } from "../arguments.ts";
import { ClosedError } from "../errors.ts";
import { type Codec, codec } from "../codec.ts";
import { Region } from "../region/region.ts";
import { REGION_HEADER } from "../region/header.ts";
import { type RegionInfo, regions } from "../region/list.ts";
import { checkName } from "../region/names.ts";
import { time } from "../os/clock.ts";
import * as files from "../os/files.ts";
import { makeSlot, type Slot } from "./slot.ts";
import { makeObserver, type SlotObserver, type SlotObserverOptions } from "./observer.ts";
import { openSlot, planIn, slotPath, type SlotShapeOptions } from "./geometry.ts";
import { SLOT, SLOT_CONTROL } from "./slot_words.ts";

/** The options for opening a slot. */
export interface SlotOptions<T> extends SlotShapeOptions {
  /** The codec of the messages; plain bytes by default. All programs must use the same. */
  codec?: Codec<T> | undefined;
}

/** The properties of a slot that can be read from outside. */
export interface SlotInfo {
  /** The name within the domain. */
  readonly name: string;
  /** The name of the type of its messages. */
  readonly type: string;
  /** The number of last messages that can be read. */
  readonly depth: number;
  /** The largest message in bytes. */
  readonly maxSize: number;
  /** The number of the newest message; 0 before the first. */
  readonly sequence: number;
  /** The memory it occupies, in bytes. */
  readonly allocatedBytes: number;
}

/**
 * Slots by name, for all processes that open a domain of the same name.
 *
 * @example Write in one process, read in all
 * ```ts
 * import { codec, Domain } from "@vring/vring";
 *
 * using robot = Domain.open("example-robot");
 * const speed = robot.slot("speed", { codec: codec.json<number>(), depth: 4 });
 * for (const value of [0.1, 0.2, 0.3]) speed.writeSync(value); // in another process
 * const outcome = speed.latest();
 * if (outcome.state === "ok") console.log(outcome.message.value); // 0.3
 * console.log(speed.since(1).messages.map(({ value }) => value)); // [ 0.2, 0.3 ]
 * ```
 */
export class Domain implements Disposable {
  /** The name. */
  readonly name: string;
  readonly #slots = new Set<Disposable & { readonly closed: boolean }>();
  #closed = false;

  private constructor(name: string) {
    this.name = checkName(name, "a domain");
  }

  /** Opens the domain of this name. */
  static open(name: string): Domain {
    return new Domain(name);
  }

  /** Removes the names of all slots of a domain; existing handles keep working. */
  static unlink(name: string): boolean {
    const bare = checkName(name, "a domain");
    const removed = slotsOf(bare).map((info) => Region.unlink(SLOT, info.path));
    return removed.includes(true);
  }

  /** Returns the time in milliseconds since 1970, with a fraction, by the clock of messages. */
  static now(): number {
    return time();
  }

  /**
   * Opens a slot of bytes, or creates it. The first program decides its depth and size; others
   * state the same sizes or omit them. It closes with the domain, if not before.
   */
  slot(name: string, options?: SlotOptions<Uint8Array>): Slot<Uint8Array>;
  /** Opens a slot of values, or creates it. It closes with the domain, if not before. */
  slot<T>(name: string, options: SlotOptions<T> & { codec: Codec<T> }): Slot<T>;
  slot<T>(name: string, options: SlotOptions<T> = {}): Slot<T> {
    const action = `open slot ${inWords(name)}`;
    options = checkedOptions(options, action);
    this.#checkOpen(action);
    const chosen = options.codec ?? codec.bytes as unknown as Codec<T>;
    return this.#keep(makeSlot(name, openSlot(this.name, name, options, chosen.type), chosen));
  }

  /**
   * Observes a slot of bytes without any right to write, at once or once it exists. It closes with
   * the domain, if not before.
   */
  observer(name: string, options?: SlotObserverOptions<Uint8Array>): SlotObserver<Uint8Array>;
  /** Observes a slot of values. */
  observer<T>(name: string, options: SlotObserverOptions<T> & { codec: Codec<T> }): SlotObserver<T>;
  observer<T>(name: string, options: SlotObserverOptions<T> = {}): SlotObserver<T> {
    const action = `observe slot ${inWords(name)}`;
    options = checkedOptions(options, action);
    this.#checkOpen(action);
    const { codec: chosen = codec.bytes as unknown as Codec<T>, anyOwner } = options;
    return this.#keep(makeObserver(this.name, name, { codec: chosen, anyOwner }));
  }

  #checkOpen(action: string): void {
    if (!this.#closed) return;
    throw new ClosedError(`Cannot ${action} of domain "${this.name}": it is closed`);
  }

  /** Closes a handle with the domain. */
  #keep<H extends Disposable & { readonly closed: boolean }>(handle: H): H {
    for (const other of this.#slots) {
      if (other.closed) this.#slots.delete(other);
    }
    this.#slots.add(handle);
    return handle;
  }

  /** Lists the slots of the domain by name, whichever program created them. */
  slots(): SlotInfo[] {
    return slotsOf(this.name).map((info) => look(info, this.name)).filter((info) =>
      info !== undefined
    );
  }

  /**
   * Removes the name of a slot; existing handles keep working. Returns false if it does not exist.
   */
  unlink(name: string): boolean {
    return Region.unlink(SLOT, slotPath(this.name, name));
  }

  /** Closes all slots that were opened through this handle. */
  close(): void {
    this.#closed = true;
    using stack = new DisposableStack(); // closes all, even if one of them throws
    for (const slot of this.#slots) stack.use(slot);
    this.#slots.clear();
  }

  /** Closes it, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function slotsOf(domain: string): RegionInfo[] {
  return regions().filter(({ kind, name }) => kind === SLOT.name && name.startsWith(`${domain}/`));
}

/** Reads one slot; returns undefined if it was removed, is unused or is not valid. */
function look(info: RegionInfo, domain: string): SlotInfo | undefined {
  const { details, inUse, path, allocatedBytes } = info;
  if (details === undefined || details.abiHash !== SLOT.control.hash) return undefined;
  if (inUse !== true && !details.persist) return undefined;
  const fd = files.open(path, 0);
  if (fd < 0) return undefined;
  using _file = { [Symbol.dispose]: () => files.close(fd) };
  const control = new Uint8Array(SLOT_CONTROL.size);
  if (files.read(fd, control, REGION_HEADER.size) < control.length) return undefined;
  const plan = planIn(control, details.dataBytes);
  if (plan === undefined) return undefined;
  return {
    name: info.name.slice(domain.length + 1),
    type: details.messageName,
    depth: plan.depth,
    maxSize: plan.maxBytes,
    sequence: Number(SLOT_CONTROL.read(control).published),
    allocatedBytes,
  };
}
