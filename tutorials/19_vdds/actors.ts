/**
 * Chapter 19: the other processes, and what they share with the one that tells.
 *
 * @module
 */

import { topic, type TopicDefinition } from "../../mod.ts";
import { bytesOf, SHAPE } from "./frames.ts";

/** The topic of a telling. */
export function framesOf(name: string): TopicDefinition {
  return topic(name, SHAPE);
}

/** Where an array lies. */
export function addressOf(bytes: Uint8Array): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>)));
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

/** Publishes three frames, waits for room, and stays in the middle of the fourth. */
export function camera(name: string): Promise<void> {
  const publisher = framesOf(name).publisher();
  for (let i = 1; i <= 3; i++) {
    using loan = publisher.loanSync();
    const text = bytesOf(`frame ${i} at ${addressOf(loan.bytes).toString(16)}`);
    loan.bytes.set(text);
    loan.publish(text.length);
  }
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
