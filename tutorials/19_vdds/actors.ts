/**
 * Chapter 19: the other processes, and what they share with the one that tells.
 *
 * @module
 */

import { type Publisher, topic, type TopicDefinition } from "../../mod.ts";
import { mapsLine } from "../kernel_view.ts";
import { hex } from "../picture.ts";
import { bytesOf, SHAPE } from "./frames.ts";

/** The topic of a telling. */
export function framesOf(name: string): TopicDefinition {
  return topic(name, SHAPE);
}

/** Where an array lies. */
export function addressOf(bytes: Uint8Array): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>)));
}

/** What the kernel lists for the mapping of an array. */
export function mappingOf(bytes: Uint8Array): string {
  return mapsLine(addressOf(bytes))!.replace(/ +\/dev.*/, "");
}

/** The first words of an error. */
export function messageOf(code: () => unknown): string {
  try {
    code();
  } catch (error) {
    return (error as Error).name;
  }
  return "no error";
}

/** Publishes a frame; shown to the reader. */
export function publishOne(publisher: Publisher, number: number): void {
  using loan = publisher.loanSync();
  const text = bytesOf(`frame ${number} at ${hex(addressOf(loan.bytes))}`);
  loan.bytes.set(text);
  loan.publish(text.length);
}

/** Publishes three frames, waits for room, and stays in the middle of the fourth. */
export function camera(name: string): Promise<void> {
  const publisher = framesOf(name).publisher();
  for (let i = 1; i <= 3; i++) publishOne(publisher, i);
  const loan = publisher.loanSync();
  loan.bytes.set(bytesOf("FRA"));
  return new Promise(() => setInterval(() => loan, 60_000));
}

/** Takes whatever comes, and releases nothing. */
export async function keeper(name: string): Promise<void> {
  const subscriber = topic(`${name}-live`, { ...SHAPE, policy: "dropOldest" }).subscriber();
  const kept: unknown[] = [];
  for (;;) kept.push(await subscriber.take());
}
