/**
 * Descriptions of types: plain values that say everything about a message type, so that a program
 * that does not know the type can read its messages. A region stores one as JSON.
 *
 * A stored description is an assertion of a peer. `checkType` copies what it knows, and refuses the
 * rest: names are identifiers, fields lie within their struct and do not overlap, structs nest at
 * most 8 deep and have at most 1,024 fields in all. `layoutOf` declares the layout again, so that
 * all rules of a declaration hold, and the hash is computed and never believed.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { type AnyLayout, type FieldType, isLayout } from "./fields.ts";
import { isScalar, type Scalar } from "./scalars.ts";

/** The description of a message type: a struct, the messages of a codec, or those of calls. */
export type TypeDescription = StructDescription | CodecDescription | CallsDescription;

/** The description of a struct: its name, its version and its fields with their offsets. */
export interface StructDescription {
  /** The name of the layout. */
  readonly struct: string;
  /** Its version. */
  readonly version: number;
  /** Its fields, in the order declared. */
  readonly fields: readonly FieldDescription[];
}

/** A field of a struct. */
export interface FieldDescription {
  /** The name. */
  readonly name: string;
  /** The type. */
  readonly type: FieldTypeDescription;
  /** The offset in bytes. */
  readonly at: number;
  /** Whether all parties use it with atomic operations. */
  readonly atomic?: true | undefined;
  /** Whether it has a 64-byte line for itself. */
  readonly line?: true | undefined;
}

/** The type of a field. */
export type FieldTypeDescription =
  | Scalar
  | { readonly bytes: number }
  | { readonly text: number }
  | { readonly array: Scalar | StructDescription; readonly length: number }
  | StructDescription;

/** The description of messages whose codec is no struct: only a name and a hash. */
export interface CodecDescription {
  /** The name of the codec's type. */
  readonly codec: string;
  /** The identity of the type, in hexadecimal. */
  readonly hash: string;
}

/** The description of calls: the types of their requests and responses. */
export interface CallsDescription {
  /** The type of the requests. */
  readonly request: TypeDescription;
  /** The type of the responses. */
  readonly response: TypeDescription;
}

const DEEPEST = 8;
const MOST_FIELDS = 1024;
const LONGEST_NAME = 64;

/** Describes a layout. */
export function describeLayout(layout: AnyLayout): StructDescription {
  const fields = Object.values(layout.fields).map(({ name, shape, offset, atomic, line }) => ({
    name,
    type: describeFieldType(shape),
    at: offset,
    ...(atomic && { atomic }),
    ...(line && { line }),
  }));
  return { struct: layout.name, version: layout.version, fields };
}

/** Describes the type of a field. */
export function describeFieldType(type: FieldType): FieldTypeDescription {
  if (typeof type === "string") return type;
  if (isLayout(type)) return describeLayout(type);
  if (type.kind === "bytes") return { bytes: type.size };
  if (type.kind === "text") return { text: type.size };
  const { element, length } = type;
  return { array: isLayout(element) ? describeLayout(element) : element, length };
}

/** The name of the struct that stands for messages of one value, whose only field is "value". */
export function singleName(type: FieldTypeDescription): string {
  if (typeof type === "string") return `single_${type}`;
  if (!("array" in type)) return "";
  const { array, length } = type;
  return `${typeof array === "string" ? array : array.struct}_${length}`;
}

/** Whether a struct stands for messages of one value. */
export function isSingle({ struct, fields: [field, ...others] }: StructDescription): boolean {
  return field?.name === "value" && others.length === 0 && struct === singleName(field.type);
}

/** Describes the messages of a codec. */
export function describeCodec({ name, hash }: { name: string; hash: bigint }): CodecDescription {
  return { codec: name, hash: hash.toString(16) };
}

// ---- what a peer has stored ----

type Stored = Readonly<Record<string, unknown>>;

/** The remaining limits while a description is checked. */
interface Budget {
  fields: number;
  deep: number;
}

/** Returns a copy of a stored description; throws an Error that says what is wrong with it. */
export function checkType(stored: unknown, deep = DEEPEST): TypeDescription {
  const type = objectIn(stored, "the type");
  if (deep === 0) throw new Error(`its type is nested more than ${DEEPEST} deep`);
  if ("struct" in type) return checkStruct(type, { fields: MOST_FIELDS, deep });
  if ("codec" in type) {
    return { codec: nameIn(type.codec), hash: matching(type.hash, /^[1-9a-f][0-9a-f]{0,15}$/) };
  }
  return {
    request: checkType(type.request, deep - 1),
    response: checkType(type.response, deep - 1),
  };
}

function checkStruct(type: Stored, budget: Budget): StructDescription {
  if (budget.deep === 0) throw new Error(`its structs are nested more than ${DEEPEST} deep`);
  budget.deep--;
  const { struct, version, fields } = type;
  if (!Array.isArray(fields)) throw new Error(`the fields of a struct are ${inWords(fields)}`);
  if ((budget.fields -= fields.length) < 0) {
    throw new Error(`its structs have more than ${MOST_FIELDS} fields`);
  }
  const checked = {
    struct: identifierIn(struct),
    version: countIn(version),
    fields: fields.map((field) => checkField(objectIn(field, "a field"), budget)),
  };
  budget.deep++;
  return checked;
}

function checkField(field: Stored, budget: Budget): FieldDescription {
  return {
    name: identifierIn(field.name),
    type: checkFieldType(field.type, budget),
    at: countIn(field.at),
    ...(field.atomic === true && { atomic: true }),
    ...(field.line === true && { line: true }),
  };
}

function checkFieldType(stored: unknown, budget: Budget): FieldTypeDescription {
  if (typeof stored === "string") return scalarIn(stored);
  const type = objectIn(stored, "the type of a field");
  if ("struct" in type) return checkStruct(type, budget);
  if ("bytes" in type) return { bytes: countIn(type.bytes) };
  if ("text" in type) return { text: countIn(type.text) };
  const { array, length } = type;
  const element = typeof array === "string"
    ? scalarIn(array)
    : checkStruct(objectIn(array, "the element of an array"), budget);
  return { array: element, length: countIn(length) };
}

/** Returns a stored value that must be an object; `what` names it in the error. */
export function objectIn(value: unknown, what: string): Stored {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Stored;
  throw new Error(`${what} is ${inWords(value)}`);
}

function matching(value: unknown, pattern: RegExp): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw new Error(`${inWords(value)} does not match ${pattern}`);
}

function identifierIn(value: unknown): string {
  return matching(value, /^[A-Za-z][A-Za-z0-9_]{0,63}$/);
}

/** Returns the name of a codec: it is shown in terminals. */
function nameIn(value: unknown): string {
  return matching(value, new RegExp(`^[\\p{L}\\p{N}\\p{P}\\p{S} ]{1,${LONGEST_NAME}}$`, "u"));
}

function scalarIn(value: string): Scalar {
  if (isScalar(value)) return value;
  throw new Error(`${inWords(value)} names no scalar`);
}

function countIn(value: unknown): number {
  if (Number.isSafeInteger(value) && value as number >= 0) return value as number;
  throw new Error(`${inWords(value)} is not a whole number`);
}

// ---- what differs ----

/** Says in which fields two types of the same kind differ; empty if they differ otherwise. */
export function differences(there: TypeDescription, here: TypeDescription, path = ""): string[] {
  if ("struct" in there && "struct" in here) return structDifferences(there, here, path);
  if (!("request" in there && "request" in here)) return [];
  return [
    ...differences(there.request, here.request, `${path}request.`),
    ...differences(there.response, here.response, `${path}response.`),
  ];
}

function structDifferences(
  there: StructDescription,
  here: StructDescription,
  path: string,
): string[] {
  if (isSingle(there) || isSingle(here)) return []; // their names say it
  const found: string[] = [];
  const inPath = path === "" ? "" : ` of ${path.slice(0, -1)}`;
  if (there.struct !== here.struct) {
    found.push(`the struct${inPath} is "${there.struct}" there and "${here.struct}" here`);
  }
  if (there.version !== here.version) {
    found.push(`the version${inPath} is ${there.version} there and ${here.version} here`);
  }
  const ours = new Map(here.fields.map((field) => [field.name, field]));
  for (const field of there.fields) {
    const own = ours.get(field.name);
    ours.delete(field.name);
    if (own === undefined) found.push(`"${path}${field.name}" is only there`);
    else found.push(...fieldDifferences(field, own, path));
  }
  for (const name of ours.keys()) found.push(`"${path}${name}" is only here`);
  return found;
}

function fieldDifferences(
  there: FieldDescription,
  here: FieldDescription,
  path: string,
): string[] {
  const [a, b] = [fieldInWords(there), fieldInWords(here)];
  const name = `${path}${there.name}`;
  if (a !== b) return [`"${name}" is ${a} there and ${b} here`];
  const [inner, own] = [structIn(there.type), structIn(here.type)];
  return inner && own ? structDifferences(inner, own, `${name}.`) : [];
}

function structIn(type: FieldTypeDescription): StructDescription | undefined {
  if (typeof type === "string") return undefined;
  if ("array" in type) return structIn(type.array);
  return "struct" in type ? type : undefined;
}

function fieldInWords({ type, at, atomic, line }: FieldDescription): string {
  return `${atomic ? "atomic " : ""}${typeInWords(type)} at ${at}${line ? " on its line" : ""}`;
}

function typeInWords(type: FieldTypeDescription): string {
  if (typeof type === "string") return type;
  if ("struct" in type) return type.struct;
  if ("bytes" in type) return `bytes(${type.bytes})`;
  if ("text" in type) return `text(${type.text})`;
  return `${typeInWords(type.array)}[${type.length}]`;
}
