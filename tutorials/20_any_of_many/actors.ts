/**
 * Chapter 20: the other processes, and a look at the bell of a slot.
 *
 * @module
 */

import { domain, spsc, text, topic } from "../../mod.ts";
import { SlotDefinition } from "../../src/babus/geometry.ts";

/** How many slots are busy. */
export const BUSY = 31;
/** How many messages a slot keeps here. */
export const DEPTH = 3;

const SLOT = { type: text(64), depth: DEPTH };

/** The value of a slot's bell: it grows by 2 for each call that woke somebody. */
export function bellOf(domain: string, slot: string): number {
  const words = new SlotDefinition({ domain, name: slot }, SLOT).open();
  using _region = words.region;
  return words.bell.word.load();
}

/** Writes a hundred messages into each busy slot, and one into the quiet one. */
export function busy(name: string): Promise<void> {
  const all = domain(name).open();
  const slots = Array.from({ length: BUSY }, (_, i) => all.slot(`busy${i}`, SLOT));
  for (let i = 1; i <= 100; i++) {
    for (const slot of slots) slot.writeSync(`message ${i}`);
  }
  all.slot("quiet", SLOT).writeSync("hello");
  return new Promise(() => setInterval(() => {}, 60_000));
}

/** Sends one message of each kind, with pauses. */
export async function robot(name: string): Promise<void> {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 40));
  const frames = topic(name, { type: text(64) }).publisher();
  const all = domain(`${name}-robot`, { speed: { type: text(64) } }).open();
  const orders = spsc(name, { type: text() }).producer();
  await pause();
  frames.trySend("a frame");
  await pause();
  all.slots.speed.writeSync("speed is 1");
  await pause();
  orders.trySend("an order");
  await new Promise(() => setInterval(() => {}, 60_000));
}
