/**
 * The description that a region stores between its control block and its data. It has the message
 * type, the geometry and policy of the definition that created the region, and the names of the
 * features in use. It is JSON, so that programs of any language and any later version can read it.
 *
 * No program needs it to use the region: the hashes, the control block and the feature words
 * decide. It is for tools and for error messages. Everything in it is an assertion of the creator:
 * readers limit its size, check it and copy it. `describedType` refuses a type whose hash differs
 * from that in the header.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { checkType, objectIn, type TypeDescription } from "../layout/describe.ts";

/** The largest description in bytes. A type that does not fit is left out. */
export const LARGEST_DESCRIPTION = 2 ** 14;

/** Named values, such as a depth or a policy. */
export type Properties = Readonly<Record<string, string | number | boolean>>;

/** The bits of the features that a region uses, by their names. */
export interface FeatureBits {
  /** Those that a program may ignore. */
  readonly compatible: Readonly<Record<string, number>>;
  /** Those that a program must know to attach. */
  readonly incompatible: Readonly<Record<string, number>>;
}

/** A description. */
export interface RegionDescription {
  /** The sizes, by the options that state them. */
  readonly geometry: Properties;
  /** The policy of the creator's definition, such as for a full ring or a late joiner. */
  readonly policy: Properties;
  /** The names of its feature bits. */
  readonly features: FeatureBits;
  /** The message type; undefined if none was declared, or it was too large. */
  readonly type: TypeDescription | undefined;
}

const NO_FEATURES: FeatureBits = { compatible: {}, incompatible: {} };
const MOST_PROPERTIES = 32;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Writes a description; leaves out what is empty. */
export function encodeDescription(
  description: Partial<RegionDescription>,
): Uint8Array<ArrayBuffer> {
  const { geometry, policy, features, type } = description;
  const parts = { geometry, policy, ...bitsInUse(features) };
  const bytes = encoder.encode(JSON.stringify({ ...parts, type }));
  return bytes.length <= LARGEST_DESCRIPTION ? bytes : encoder.encode(JSON.stringify(parts));
}

function bitsInUse(features: FeatureBits = NO_FEATURES): { features?: FeatureBits } {
  const { compatible, incompatible } = features;
  const count = Object.keys(compatible).length + Object.keys(incompatible).length;
  return count === 0 ? {} : { features };
}

/** Reads a description; returns a string with the reason if it is invalid. */
export function parseDescription(bytes: Uint8Array): RegionDescription | string {
  if (bytes.length > LARGEST_DESCRIPTION) {
    return `its description has ${bytes.length} bytes, and at most ${LARGEST_DESCRIPTION} are read`;
  }
  try {
    const stored = objectIn(JSON.parse(decoder.decode(bytes)), "the description");
    const features = objectIn(stored.features ?? {}, "features");
    return {
      geometry: propertiesIn(stored.geometry, isProperty),
      policy: propertiesIn(stored.policy, isProperty),
      features: {
        compatible: propertiesIn(features.compatible, isBit),
        incompatible: propertiesIn(features.incompatible, isBit),
      },
      type: stored.type === undefined ? undefined : checkType(stored.type),
    };
  } catch (error) {
    return `its description is invalid: ${(error as Error).message}`;
  }
}

function propertiesIn<V>(stored: unknown, is: (value: unknown) => value is V): Record<string, V> {
  const entries = Object.entries(objectIn(stored ?? {}, "a part of it"));
  if (entries.length > MOST_PROPERTIES) throw new Error(`it has ${entries.length} properties`);
  const properties: Record<string, V> = Object.create(null);
  for (const [name, value] of entries) {
    if (!isName(name) || !is(value)) throw new Error(`${inWords(name)} is ${inWords(value)}`);
    properties[name] = value;
  }
  return { ...properties };
}

function isName(name: unknown): boolean {
  return typeof name === "string" && /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name) &&
    !(name in Object.prototype);
}

function isProperty(value: unknown): value is string | number | boolean {
  return typeof value === "boolean" || Number.isFinite(value) || isName(value);
}

function isBit(value: unknown): value is number {
  return Number.isInteger(value) && value as number >= 0 && value as number < 32;
}
