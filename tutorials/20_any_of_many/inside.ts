/**
 * The slots that are used here, and a look into their memory.
 *
 * @module
 */

import { type Domain, type Slot, text } from "../../mod.ts";
import { SlotDefinition } from "../../src/babus/geometry.ts";
import { SLOT_CONTROL, SLOT_ENTRY, type SlotWords } from "../../src/babus/slot_words.ts";
import { Word32, Word64 } from "../../src/memory/word.ts";
import { table } from "../picture.ts";
import { tidyUp } from "../narrator.ts";

/** Keeps three short texts. */
export const SHAPE = { type: text(64), depth: 3 };

/** A slot of such texts. */
export type TextSlot = Slot<typeof SHAPE.type>;

/** A text as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes as a text. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Closes all slots of a domain when the program ends. */
export function closeAtEnd(domain: Domain): void {
  tidyUp({ [Symbol.dispose]: () => domain.close() });
}

/** The words of a slot. */
export function lookInto(domain: string, slot: string): SlotWords {
  const words = new SlotDefinition({ domain, name: slot }, SHAPE).open();
  tidyUp(words.region);
  return words;
}

/** The word that holds the writer's seat, plus 1. */
export function ownerOf({ region }: SlotWords): Word32 {
  return new Word32(region.mapping, SLOT_CONTROL.fields.owner, region.controlOffset);
}

const SHOWN_BYTES = 12;

/** The entries of a slot: the stamp and the first bytes of each. */
export function entriesOf(words: SlotWords): string {
  const { region, plan } = words;
  const rows = Array.from({ length: plan.entries }, (_, entry) => {
    const base = region.dataOffset + entry * SLOT_ENTRY.size;
    const stamp = new Word64(region.mapping, SLOT_ENTRY.fields.stamp, base).load();
    const at = words.messageAt(entry);
    const text = textOf(region.mapping.bytes.subarray(at, at + SHOWN_BYTES));
    return [entry, stamp, text.replace(/[^ -~]/g, "·")];
  });
  return table([["entry", "stamp", "bytes"], ...rows]);
}
