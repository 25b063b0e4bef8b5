/**
 * Chapter 21: the slot of a telling, the other processes, and a look into its memory.
 *
 * @module
 */

import { domain, type Slot, text } from "../../mod.ts";
import { SlotDefinition } from "../../src/babus/geometry.ts";
import { SLOT_ENTRY, type SlotWords } from "../../src/babus/slot_words.ts";
import { Word64 } from "../../src/memory/word.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene } from "../stage/story.ts";

/** Keeps three short texts. */
const SHAPE = { type: text(64), depth: 3 };

/** A slot of such texts. */
export type TextSlot = Slot<typeof SHAPE.type>;

/** The slots of a telling. */
export function robotOf(name: string) {
  return domain(name, { speed: SHAPE, left: SHAPE, right: SHAPE });
}

/** A text as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes as a text. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Writes the messages up to this number. */
export function write(speed: TextSlot, last: number): void {
  while (speed.sequence < last) speed.writeSync(`speed is ${speed.sequence + 1}`);
}

/** Writes two messages, and stays. */
export function wheel(name: string): Promise<void> {
  const { speed } = robotOf(name).open().slots;
  write(speed, 2);
  return new Promise(() => setInterval(() => speed, 60_000));
}

/** Begins a message, and stays in the middle of it. */
export function painter(name: string): Promise<void> {
  const { speed } = robotOf(name).open().slots;
  const claim = speed.claimSync(11);
  claim.bytes.set(bytesOf("SPEED"));
  return new Promise(() => setInterval(() => claim, 60_000));
}

/** The words of the slot. */
export function wordsOf(domain: string): SlotWords {
  return new SlotDefinition({ domain, name: "speed" }, SHAPE).open();
}

const SHOWN_BYTES = 12;

/** The stamp and the first bytes of each entry. */
export function entriesOf(words: SlotWords): [number, string][] {
  const { region, plan } = words;
  return Array.from({ length: plan.entries }, (_, entry) => {
    const base = region.dataOffset + entry * SLOT_ENTRY.size;
    const stamp = new Word64(region.mapping, SLOT_ENTRY.fields.stamp, base).load();
    const at = words.messageAt(entry);
    return [stamp, textOf(region.mapping.bytes.subarray(at, at + SHOWN_BYTES))];
  });
}

/** Shows the entries, with a dot for each byte that is no letter. */
export function showEntries(scene: Scene, words: SlotWords): void {
  scene.show(tablePicture("entries", "The entries of the slot, in shared memory", [
    ["entry", "stamp", "bytes"],
    ...entriesOf(words).map((
      [stamp, bytes],
      i,
    ) => [i, stamp, bytes.replaceAll(/[^ -~]/g, "·")]),
  ]));
}
