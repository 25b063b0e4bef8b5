/**
 * Values as JSON has them, made to fit a type that a region describes.
 *
 * @module
 */

import type { FieldTypeDescription, TypeDescription } from "../layout/describe.ts";
import { isSingle } from "../layout/describe.ts";

/**
 * Makes a value from JSON fit a type: numbers of 64 bits may be texts, bytes may be texts or arrays.
 * The codec of the type says what else is wrong with it.
 */
export function fitted(value: unknown, type: TypeDescription): unknown {
  if (!("struct" in type)) return value;
  if (isSingle(type)) return fittedField(value, type.fields[0]!.type);
  if (typeof value !== "object" || value === null) return value; // the codec says what is wrong
  const given = value as Readonly<Record<string, unknown>>;
  const fields = new Map(type.fields.map(({ name, type }) => [name, type]));
  return Object.fromEntries(
    Object.entries(given).map(([name, inner]) => {
      const field = fields.get(name);
      return [name, field === undefined ? inner : fittedField(inner, field)];
    }),
  );
}

function fittedField(value: unknown, type: FieldTypeDescription): unknown {
  if (type === "u64" || type === "i64") return whole(value);
  if (typeof type === "string") return value;
  if ("struct" in type) return fitted(value, type);
  if ("bytes" in type) return bytesIn(value);
  if ("array" in type && Array.isArray(value)) {
    const { array: element } = type;
    return value.map((one) => fittedField(one, element));
  }
  return value;
}

function whole(value: unknown): unknown {
  const isWhole = Number.isInteger(value) || typeof value === "string" && /^-?\d+$/.test(value);
  return isWhole ? BigInt(value as number | string) : value;
}

function bytesIn(value: unknown): unknown {
  if (typeof value === "string") return new TextEncoder().encode(value);
  return Array.isArray(value) ? Uint8Array.from(value as number[]) : value;
}
