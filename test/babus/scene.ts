/**
 * What the tests of slots share: a domain of their own, and the inside of a slot, to be looked at and
 * changed.
 *
 * @module
 */

import { domain, type DomainDefinition } from "../../src/babus/definition.ts";
import type { Domain } from "../../src/babus/domain.ts";
import { SlotDefinition, type SlotOptions } from "../../src/babus/geometry.ts";
import type { SlotObserver } from "../../src/babus/observer.ts";
import type { Slot } from "../../src/babus/slot.ts";
import { SLOT_CONTROL, SLOT_ENTRY, type SlotWords } from "../../src/babus/slot_words.ts";
import { storeDouble, Word32, Word64 } from "../../src/memory/word.ts";
import { Name } from "../shared/scene.ts";

/** The sizes of slots, unless a test says otherwise. */
export const SMALL = { depth: 4, size: 256 };

/** A domain that nobody else uses, and whose slots are gone after the test. */
export class Scene implements Disposable {
  readonly name: string;
  readonly definition: DomainDefinition;
  readonly domain: Domain;
  readonly #place = new Name();

  constructor() {
    this.name = this.#place.name;
    this.definition = domain(this.name);
    this.domain = this.definition.open();
  }

  /** A slot of bytes; of four messages of up to 256 bytes unless said otherwise. */
  slot(name = "slot", options: SlotOptions = {}): Slot {
    return this.domain.slot(name, { ...SMALL, ...options });
  }

  /** The same slot for another party. */
  other(name = "slot", options: SlotOptions = {}): Slot {
    return this.definition.open().slot(name, { ...SMALL, ...options });
  }

  /** An observer of the same slot. */
  observer(name = "slot"): SlotObserver {
    return this.definition.observer().slot(name, SMALL);
  }

  /** The files of the domain. */
  files(): string[] {
    return [...Deno.readDirSync("/dev/shm")].map(({ name }) => name)
      .filter((file) => file.startsWith(`vring.slot.${this.name}~`));
  }

  [Symbol.dispose](): void {
    this.domain.close();
    this.definition.unlink();
    this.#place[Symbol.dispose]();
  }
}

/** Looks into a slot. While it is open the slot lives. */
export class Inside implements Disposable {
  readonly words: SlotWords;

  constructor(
    { name: domain }: { readonly name: string },
    name = "slot",
    options: SlotOptions = {},
  ) {
    this.words = new SlotDefinition({ domain, name }, { ...SMALL, ...options }).open();
  }

  /** A 32-bit word of the control block. */
  word(field: "bell" | "owner" | "owner_bell"): Word32 {
    const { mapping, controlOffset } = this.words.region;
    return new Word32(mapping, SLOT_CONTROL.fields[field], controlOffset);
  }

  /** The number that the entry of a message has. */
  stamp(sequence: number): Word64 {
    const { mapping } = this.words.region;
    return new Word64(mapping, SLOT_ENTRY.fields.stamp, this.#entryAt(sequence));
  }

  /** Changes what is noted of a message. */
  note(sequence: number, field: "length" | "time" | "committed", value: number): void {
    const at = this.#entryAt(sequence) + SLOT_ENTRY.fields[field].offset;
    storeDouble(this.words.region.mapping, at, value);
  }

  #entryAt(sequence: number): number {
    const { region, plan } = this.words;
    return region.dataOffset + sequence % plan.entries * SLOT_ENTRY.size;
  }

  [Symbol.dispose](): void {
    this.words.region.close();
  }
}

/** The names of slots, for comparing. */
export function namesOf(slots: readonly { readonly name: string }[]): string[] {
  return slots.map(({ name }) => name);
}
