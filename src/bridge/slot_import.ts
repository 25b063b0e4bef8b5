/**
 * A slot of another machine, whose latest value a bridge writes here. If programs of several
 * machines write it, the last value to arrive counts.
 *
 * @module
 */

import { domain } from "../babus/definition.ts";
import type { Domain } from "../babus/domain.ts";
import type { Slot } from "../babus/slot.ts";
import { VringError } from "../errors.ts";
import type { Bytes } from "../message.ts";
import type { Origin } from "../origin.ts";
import { Assembly } from "./assembly.ts";
import type { Heading } from "./message.ts";
import { hashText, offerIn, slotFrom } from "./offer.ts";
import type { ImportAccount, ImportParts } from "./topic_import.ts";

/** Writes the latest value of one slot. */
export class SlotImport implements Disposable {
  readonly #parts: Pick<ImportParts, "name" | "host" | "onRefusal">;
  readonly #assembly = new Assembly();
  readonly #end = new AbortController();
  #domain: Domain | undefined;
  #slot: Slot<Bytes> | undefined;
  #offer: string | undefined;
  #incarnation: number | undefined;
  #last = 0;
  #next: { bytes: Uint8Array; origin: Origin } | undefined; // waits for the right to write
  #isWriting = false;
  #published = 0;
  #duplicates = 0;
  #missed = 0; // values between those that arrived
  #refusal: string | undefined;

  constructor(parts: Pick<ImportParts, "name" | "host" | "onRefusal">) {
    this.#parts = parts;
  }

  get account(): ImportAccount {
    const { name, host } = this.#parts;
    return {
      kind: "slot",
      name,
      host,
      source: undefined,
      published: this.#published,
      duplicates: this.#duplicates,
      lost: { before: 0, inside: 0, wire: this.#missed, here: 0 },
      refusal: this.#refusal,
    };
  }

  /** Takes a message from a bridge. */
  receive(sender: string, heading: Heading, payload: Uint8Array): void {
    const { stem, sequence, chunk } = heading;
    if (heading.count !== 1 || heading.offer === undefined) return;
    if (stem.incarnation !== this.#incarnation) {
      this.#incarnation = stem.incarnation;
      this.#last = 0;
      this.#assembly.end();
    }
    const slot = this.#open(heading);
    if (slot === undefined) return;
    let bytes: Uint8Array | boolean = payload;
    if (chunk !== undefined) {
      if (chunk.total > slot.size) return;
      if (chunk.index === 0) this.#assembly.begin(sender, heading, new Uint8Array(chunk.total));
      bytes = this.#assembly.add(sender, heading, payload);
      if (typeof bytes === "boolean") return;
    }
    if (bytes.length > slot.size) return this.#refuse("a value is larger than its definition says");
    if (sequence <= this.#last) return void this.#duplicates++;
    if (this.#last > 0) this.#missed += sequence - this.#last - 1;
    this.#last = sequence;
    this.#next = { bytes: bytes.slice(), origin: { ...stem, sequence } };
    if (!this.#isWriting) this.#write(slot);
  }

  async #write(slot: Slot<Bytes>): Promise<void> {
    const { signal } = this.#end;
    this.#isWriting = true;
    try {
      for (let next; (next = this.#next) !== undefined;) {
        this.#next = undefined;
        await slot.write(next.bytes, { origin: next.origin, signal });
        this.#published++;
      }
    } catch (error) {
      if (error !== signal.reason && !(error instanceof VringError)) throw error;
    } finally {
      this.#isWriting = false;
    }
  }

  #open({ offer, hash }: Heading): Slot<Bytes> | undefined {
    if (this.#slot !== undefined && this.#offer === offer) return this.#slot;
    const offered = offerIn(offer!);
    if (offered === undefined || hashText(offered.type) !== hash) {
      this.#refuse("its definition is damaged");
      return undefined;
    }
    const { name } = this.#parts;
    this.#domain?.close();
    try {
      this.#domain = domain(name.slice(0, name.indexOf("/"))).open();
      const own = name.slice(name.indexOf("/") + 1);
      this.#slot = this.#domain.slot(own, slotFrom(offered)) as Slot<Bytes>;
      this.#offer = offer;
      this.#refusal = undefined;
      return this.#slot;
    } catch (error) {
      const isRefusal = error instanceof VringError || error instanceof TypeError ||
        error instanceof RangeError;
      if (!isRefusal) throw error;
      this.#slot = undefined;
      this.#refuse(error.message);
      return undefined;
    }
  }

  #refuse(reason: string): void {
    if (this.#refusal === reason) return;
    this.#refusal = reason;
    const { name, host } = this.#parts;
    this.#parts.onRefusal(`Cannot import slot "${name}" from host "${host}": ${reason}`);
  }

  [Symbol.dispose](): void {
    this.#end.abort();
    this.#domain?.close();
  }
}
