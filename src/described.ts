/**
 * Types from their stored descriptions.
 *
 * @module
 */

import { inWords } from "./arguments.ts";
import { bytes, type Codec, formOf, json, raw, text, withForm } from "./codec.ts";
import { array, scalarCodec, type Struct, structOf } from "./struct.ts";
import { CorruptRegionError } from "./errors.ts";
import {
  checkType,
  type CodecDescription,
  type FieldTypeDescription,
  isSingle,
  type StructDescription,
  type TypeDescription,
} from "./layout/describe.ts";
import type { Declarations } from "./layout/fields.ts";
import type { Scalar } from "./layout/scalars.ts";
import { layoutOf } from "./layout/rebuild.ts";
import { descriptionOf, type MessageType } from "./region/header.ts";

/** A type made from a description. */
export interface DescribedType extends Codec<unknown> {
  /**
   * The struct, to view, inspect or declare its values. Messages of one scalar or array are a struct
   * whose only field is "value". Undefined for other types.
   */
  readonly layout?: Struct<Declarations> | undefined;
}

/**
 * Makes a codec for messages of a type that this program did not declare, from the description that
 * a region stores. The codec converts structs field by field, text and JSON, and passes the
 * messages of any other codec through as bytes. Throws a CorruptRegionError if the description is
 * invalid or does not have the hash of the type. Throws a TypeError if the type is that of calls.
 *
 * @example Print the values of any topic
 * ```ts ignore
 * import { describedType, topic } from "@vring/vring";
 *
 * const { type, geometry, policy } = topic("camera").info()!.details!;
 * const frames = topic("camera", { type: describedType(type!), ...geometry, ...policy });
 * using subscriber = frames.subscriber();
 * for await (const value of subscriber) console.log(value);
 * ```
 */
export function describedType(type: MessageType | TypeDescription): DescribedType {
  if (typeof type !== "object" || type === null) {
    throw new TypeError(
      `Cannot make a codec of ${inWords(type)}: it is not a type; pass that of a region or a codec`,
    );
  }
  const isStored = "hash" in type && typeof type.hash === "bigint";
  const description = checkedDescription(
    isStored ? descriptionOf(type as MessageType) : type as TypeDescription,
  );
  if ("request" in description) {
    throw new TypeError(
      "Cannot make a codec of the type of calls: it has two; pass its `request` or its `response`",
    );
  }
  const made = "struct" in description ? describedStruct(description) : describedCodec(description);
  if (!isStored || made.type.hash === type.hash) return made;
  throw invalid("has another hash than the type");
}

/** Returns a copy of a description, which may come from a peer by any way. */
function checkedDescription(description: TypeDescription): TypeDescription {
  try {
    return checkType(description);
  } catch (error) {
    throw invalid(`is invalid: ${(error as Error).message}`);
  }
}

function describedCodec({ codec: name, hash: hex }: CodecDescription): Codec<unknown> {
  const hash = BigInt(`0x${hex}`);
  const known = [bytes(), text(), json()] as Codec<unknown>[];
  return known.find(({ type }) => type.hash === hash) ??
    raw({ name, hash }) as unknown as Codec<unknown>;
}

function describedStruct(description: StructDescription): DescribedType {
  try {
    const layout = structOf(layoutOf(description));
    const codec = isSingle(description) ? single(description.fields[0]!.type) : layout;
    const { type, sizeBytes, transient, encode, decode } = codec;
    const made = { type, sizeBytes, transient, encode, decode, layout } as DescribedType;
    return withForm(made, formOf(codec)!);
  } catch (error) {
    throw invalid(`is invalid: ${(error as Error).message}`);
  }
}

/** Returns the codec of messages of one value. */
function single(field: FieldTypeDescription): Codec<unknown> {
  if (typeof field === "string") return scalarCodec(field);
  const { array: element, length } = field as { array: Scalar | StructDescription; length: number };
  const made = array(typeof element === "string" ? element : layoutOf(element), length);
  return made as unknown as Codec<unknown>;
}

function invalid(problem: string): CorruptRegionError {
  return new CorruptRegionError(
    `Cannot make a codec of a type: its description ${problem}; use raw(type)`,
  );
}
