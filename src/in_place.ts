/**
 * A message that a receiver shows in place until it is released: its bytes, its view and its value.
 *
 * @module
 */

import { VringError } from "./errors.ts";
import { endView } from "./memory/views.ts";
import type { ReadonlyView, Type, Value, View } from "./message.ts";

const NO_BYTES = new Uint8Array(0);
const NOT_DECODED = Symbol("vring.not decoded");

/** A message in place. A poll reuses one for all messages. */
export abstract class InPlace<K extends Type> {
  #isShown = false;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #view: View<K> | undefined;
  #value: Value<K> | typeof NOT_DECODED = NOT_DECODED;

  /** The number of the message, from 1 on, as its sender counts. */
  abstract readonly sequence: number;
  /** The source of the message in errors, such as `ring "demo"`. */
  protected abstract readonly what: string;
  /** Returns the bytes of the message that is shown. */
  protected abstract look(): Uint8Array<ArrayBuffer>;
  /** Returns accessors to the bytes. */
  protected abstract access(bytes: Uint8Array<ArrayBuffer>): View<K>;
  /** Decodes the message that is shown. */
  protected abstract decode(): Value<K>;

  /** The bytes in shared memory, for reading only; empty once the message is released. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes ?? (this.#isShown ? this.#bytes = this.look() : NO_BYTES);
  }

  /**
   * The view in place, of a struct or an array; throws a VringError once the message is released.
   */
  get view(): ReadonlyView<K> {
    this.checkShown();
    return (this.#view ??= this.access(this.bytes)) as ReadonlyView<K>;
  }

  /** The decoded value, yours to keep. Throws a VringError if first read after the release. */
  get value(): Value<K> {
    if (this.#value === NOT_DECODED) {
      this.checkShown();
      this.#value = this.decode();
    }
    return this.#value as Value<K>;
  }

  /** Whether the message is shown, and not released. */
  protected get isShown(): boolean {
    return this.#isShown;
  }

  /** Begins to show a message; `bytes` are a view of it, if one is made already. */
  protected begin(bytes?: Uint8Array<ArrayBuffer>): void {
    if (this.#bytes !== undefined) endView(this.#bytes);
    this.#isShown = true;
    this.#bytes = bytes;
    this.#view = undefined;
    this.#value = NOT_DECODED;
  }

  /** Ends the use of the message in place. */
  hide(): void {
    this.#isShown = false;
    if (this.#bytes === undefined) return;
    endView(this.#bytes);
    this.#bytes = undefined;
  }

  /** Throws once the message is released. */
  protected checkShown(action = "read"): void {
    if (this.#isShown) return;
    throw new VringError(
      `Cannot ${action} message ${this.sequence} of ${this.what}: it was released; ${action} it ` +
        "before that",
    );
  }
}
