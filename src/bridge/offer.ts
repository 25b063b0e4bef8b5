/**
 * The definition of a topic as it travels: its type with its layout, its sizes and its policy.
 *
 * @module
 */

import { calls, type CallsDefinition } from "../calls/definition.ts";
import { raw } from "../codec.ts";
import { describedType } from "../described.ts";
import { VringError } from "../errors.ts";
import { checkType } from "../layout/describe.ts";
import type { Bytes } from "../message.ts";
import type { Properties } from "../region/description.ts";
import type { MessageType } from "../region/header.ts";
import type { RegionDetails } from "../region/list.ts";
import { mpsc, type MpscDefinition } from "../mpsc/definition.ts";
import { topic, type TopicDefinition } from "../vdds/definition.ts";

/** The definition of something that a bridge carries. */
export interface Offered {
  readonly type: MessageType | undefined;
  readonly geometry: Properties;
  readonly policy: Properties;
  /** Whether it is a topic with many publishers. */
  readonly isMany: boolean;
}

/** The longest text that is read as a definition. */
const OFFER_MAX = 2 ** 16;

/** Returns the definition that a region states. */
export function offeredIn(details: RegionDetails, isMany = false): Offered {
  const { type, geometry = {}, policy = {} } = details;
  return { type, geometry, policy, isMany };
}

/** Writes a definition as text. */
export function offerText({ type, geometry, policy, isMany }: Offered): string {
  const shown = type && { ...type, hash: hashText(type) };
  return JSON.stringify({ type: shown, geometry, policy, isMany });
}

/** Reads a definition; returns undefined if a peer sent something else. */
export function offerIn(text: string): Offered | undefined {
  if (text.length > OFFER_MAX) return undefined;
  try {
    const { type, geometry, policy, isMany } = JSON.parse(text) as Record<string, unknown>;
    if (!isProperties(geometry) || !isProperties(policy) || typeof isMany !== "boolean") {
      return undefined;
    }
    return { type: typeIn(type), geometry, policy, isMany };
  } catch {
    return undefined; // no JSON, or no type
  }
}

function typeIn(stored: unknown): MessageType | undefined {
  if (stored === undefined) return undefined;
  const { name, hash, description } = stored as Record<string, unknown>;
  if (typeof name !== "string" || typeof hash !== "string") throw new TypeError("no type");
  const described = description === undefined ? {} : { description: checkType(description) };
  return { name, hash: BigInt(`0x${hash}`), ...described };
}

function isProperties(stored: unknown): stored is Properties {
  return typeof stored === "object" && stored !== null &&
    Object.values(stored).every((value) => ["string", "number", "boolean"].includes(typeof value));
}

/** The hash of a type as a header has it; "0" without a type. */
export function hashText(type: MessageType | undefined): string {
  return (type?.hash ?? 0n).toString(16);
}

/** Defines the slot that a region describes, or another bridge offers. */
export function slotFrom({ type, geometry }: Offered) {
  const { depth, size } = geometry as { depth: number; size: number };
  return { ...type && { type: raw(type) }, depth, size };
}

/** Defines the ring that a region describes, or another bridge offers. */
export function ringFrom(name: string, { type, geometry }: Offered): MpscDefinition<Bytes> {
  return defined(name, () => mpsc(name, { ...type && { type: raw(type) }, ...geometry }));
}

/** Defines the calls that a region describes, or another bridge offers. */
export function callsFrom(name: string, offered: Offered): CallsDefinition<Bytes, Bytes> {
  const { type, geometry, policy } = offered;
  const described = type?.description;
  if (described === undefined || !("request" in described)) {
    throw new VringError(`Cannot bridge calls "${name}": their types are not described`);
  }
  const request = raw(describedType(described.request).type);
  const response = raw(describedType(described.response).type);
  return defined(name, () => calls(name, { request, response, ...geometry, ...policy }));
}

/** Defines the topic that another bridge offers. */
export function topicFrom(name: string, offered: Offered): TopicDefinition<Bytes> {
  const { type, geometry, policy, isMany } = offered;
  const { depth, size, subscribers } = geometry;
  const { policy: ifFull, history, reserve } = policy;
  const options = { depth, size, subscribers, policy: ifFull, history, reserve };
  const known = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const publishers = isMany ? "many" : "one";
  return defined(name, () => topic(name, { ...type && { type: raw(type) }, ...known, publishers }));
}

/** Returns a definition; one that a peer made impossible is an error of the bridge. */
function defined<D>(name: string, define: () => D): D {
  try {
    return define();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new VringError(`Cannot bridge ${name}: ${error.message}`, { cause: error });
  }
}
