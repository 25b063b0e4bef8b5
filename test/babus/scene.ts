/**
 * What the tests of slots share: a domain of their own, and the inside of a slot, to be looked at and
 * changed.
 *
 * @module
 */

import { Domain } from "../../src/babus/domain.ts";
import type { SlotMessage, SlotOutcome } from "../../src/babus/history.ts";
import type { Slot } from "../../src/babus/slot.ts";
import { openSlot } from "../../src/babus/geometry.ts";
import { SLOT_CONTROL, SLOT_ENTRY, type SlotWords } from "../../src/babus/slot_words.ts";
import { codec } from "../../src/codec.ts";
import { storeDouble, Word32, Word64 } from "../../src/memory/word.ts";
import { Name } from "../shared/scene.ts";

/** A domain that nobody else uses, and whose slots are gone after the test. */
export class Scene implements Disposable {
  readonly name: string;
  readonly domain: Domain;
  readonly #place = new Name();

  constructor() {
    this.name = this.#place.name;
    this.domain = Domain.open(this.name);
  }

  /** A slot of bytes; of four messages of up to 256 bytes unless said otherwise. */
  slot(name = "slot", options: { depth?: number; maxSize?: number } = {}): Slot {
    return this.domain.slot(name, { depth: 4, maxSize: 256, ...options });
  }

  /** The same slot for another party. */
  other(name = "slot"): Slot & Disposable {
    return Domain.open(this.name).slot(name);
  }

  /** The files of the domain. */
  files(): string[] {
    return [...Deno.readDirSync("/dev/shm")].map(({ name }) => name)
      .filter((file) => file.startsWith(`vring.slot.${this.name}~`));
  }

  [Symbol.dispose](): void {
    this.domain.close();
    Domain.unlink(this.name);
    this.#place[Symbol.dispose]();
  }
}

/** Looks into a slot. While it is open the slot lives. */
export class Inside implements Disposable {
  readonly words: SlotWords;

  constructor(scene: { readonly name: string }, name = "slot") {
    this.words = openSlot(scene.name, name, {}, codec.bytes.type);
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

/** The message that was found. */
export function messageOf<T>(outcome: SlotOutcome<T>): SlotMessage<T> {
  if (outcome.state === "ok") return outcome.message;
  throw new Error("There is no message");
}

/** The names of slots, for comparing. */
export function namesOf(slots: readonly { readonly name: string }[]): string[] {
  return slots.map(({ name }) => name);
}
