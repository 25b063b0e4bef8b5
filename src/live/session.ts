/**
 * What the two kinds of clients, the page and Foxglove's tools, have in common.
 *
 * @module
 */

import type { Feeds } from "./feeds.ts";
import type { Outbox } from "./outbox.ts";
import type { HintFor } from "./region_facts.ts";
import type { Scene, Scenery } from "./scene.ts";

/** The parts of the server that a session uses. */
export interface Stage {
  readonly scenery: Scenery;
  readonly feeds: Feeds;
  readonly hintFor: HintFor;
  /** The scene of the last look. */
  readonly scene: Scene;
  /** The most bytes of an image on the page. */
  readonly imageBytes: number;
  /** Whether clients may publish. */
  readonly publish: boolean;
  /** The time between two looks. */
  readonly tickMs: number;
}

/** A client. */
export interface Session {
  readonly outbox: Outbox;
  /** Handles a message of the client. */
  receive(data: string | Uint8Array<ArrayBuffer>): void;
  /** Shows a new scene. */
  tick(scene: Scene): void;
  /** Sends the messages that came since the last call. */
  flush(now: number): void;
  /** Ends everything that it follows. */
  close(): void;
}

/** A client has sent something that is not of its protocol: the connection ends. */
export class ProtocolError extends Error {}

/** Parses a JSON object of a client. */
export function objectIn(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError("the message is no JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ProtocolError("the message is no object");
  }
  return value as Record<string, unknown>;
}

/** Returns an array in a message of a client. */
export function listIn(value: unknown, most = 10_000): readonly unknown[] {
  if (Array.isArray(value) && value.length <= most) return value;
  throw new ProtocolError("the message lacks a list, or it is too long");
}

/** Returns a number that counts or names something in a message of a client. */
export function numberIn(value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32) {
    return value as number;
  }
  throw new ProtocolError("the message lacks a number");
}

/** Returns a text in a message of a client. */
export function textIn(value: unknown, most = 1000): string {
  if (typeof value === "string" && value.length <= most) return value;
  throw new ProtocolError("the message lacks a text, or it is too long");
}
