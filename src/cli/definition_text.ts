/**
 * The definition of a region as source text, to paste into a program.
 *
 * @module
 */

import { describedType } from "../described.ts";
import { VringError } from "../errors.ts";
import { isSingle, type TypeDescription } from "../layout/describe.ts";
import type { RegionDetails, RegionInfo } from "../region/list.ts";
import { DIRECTORY, directoryOf } from "../region/names.ts";
import { harmless } from "./output.ts";

/** The functions that define regions, by the kind of the region. */
export const FUNCTIONS: Readonly<Record<string, string>> = {
  topic: "topic",
  sources: "topic",
  spsc: "spsc",
  mpsc: "mpsc",
  calls: "calls",
  circular: "circular",
  slot: "domain",
  shm: "sharedMemory",
  rwlock: "rwLock",
};

/** The definition of a region as source text; undefined for a kind that nobody knows. */
export function definitionOf(
  { kind, name, path }: RegionInfo,
  details: RegionDetails,
): string | undefined {
  const maker = FUNCTIONS[kind];
  if (maker === undefined) return undefined;
  const { type, geometry = {}, policy = {}, dataBytes } = details;
  const description = type?.description;
  const isBytes = type?.name === "bytes without messages";
  const types = isBytes || type === undefined ? [] : typesOf(type.name, description);
  const many = kind === "sources" ? { publishers: "many" } : {};
  const sizes = kind === "shm" ? { size: dataBytes } : { ...geometry, ...policy, ...many };
  const directory = directoryOf(path);
  const place = directory === DIRECTORY ? [] : [`directory: ${JSON.stringify(directory)}`];
  const options = [
    ...types.map(({ option, expression }) => `${option}: ${expression}`),
    ...Object.entries(sizes).map(([key, value]) => `${key}: ${JSON.stringify(value)}`),
    ...(kind === "slot" ? [] : place),
  ].join(", ");
  const ofDomain = place.map((option) => `, { ${option} }`).join("");
  const text = JSON.stringify(harmless(name));
  const declared = types.flatMap(({ declaration }) => declaration ?? []).join("\n");
  const [domainName, slotName] = name.split("/");
  const call = kind === "slot"
    ? `domain(${JSON.stringify(domainName)}, { ${
      JSON.stringify(slotName)
    }: { ${options} } }${ofDomain})`
    : `${isBytes ? "byteRing" : maker}(${text}, { ${options} })`;
  return declared === "" ? call : `${declared}\n${call}`;
}

interface TypeText {
  readonly option: string;
  readonly expression: string;
  readonly declaration?: string;
}

function typesOf(name: string, description: TypeDescription | undefined): TypeText[] {
  if (description === undefined) return [{ option: "type", expression: `/* ${harmless(name)} */` }];
  if ("request" in description) {
    return [
      { ...typeText(description.request), option: "request" },
      { ...typeText(description.response), option: "response" },
    ];
  }
  return [{ ...typeText(description), option: "type" }];
}

/** The source text of a type, and of the declaration that it needs. */
function typeText(description: TypeDescription): Omit<TypeText, "option"> {
  try {
    const { layout, type } = describedType(description);
    if (layout === undefined) {
      const known = ["bytes", "text", "json"].includes(type.name);
      return { expression: known ? `${type.name}()` : `/* ${harmless(type.name)} */` };
    }
    const single = singleIn(description);
    if (single !== undefined) return { expression: single };
    const declaration = layout.toDefinition();
    return { expression: nameIn(declaration), declaration };
  } catch (error) {
    if (!(error instanceof VringError)) throw error;
    return { expression: `/* ${harmless(error.message)} */` };
  }
}

/** Messages of one scalar, or of one array of scalars, as source text; undefined for others. */
function singleIn(description: TypeDescription): string | undefined {
  if (!("struct" in description) || !isSingle(description)) return undefined;
  const { type } = description.fields[0]!;
  if (typeof type === "string") return JSON.stringify(type);
  if (!("array" in type) || typeof type.array !== "string") return undefined;
  return `array(${JSON.stringify(type.array)}, ${type.length})`;
}

/** The constant that the last of these declarations declares. */
function nameIn(declarations: string): string {
  return [...declarations.matchAll(/^const (\w+) = struct/gm)].at(-1)![1]!;
}
