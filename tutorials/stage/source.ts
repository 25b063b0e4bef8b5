/**
 * Code and its results as text: the very code that runs, as it is shown.
 *
 * @module
 */

import { errnoName } from "../../src/errors.ts";
import { hex } from "../picture.ts";

/** Returns the text of an arrow function's body, moved to the left margin. */
export function sourceOf(code: () => unknown): string {
  const source = code.toString().replace(/^\(\)\s*=>\s*/, "");
  const indent = /\n( *).*$/.exec(source)?.[1] ?? "";
  return source.replaceAll(`\n${indent}`, "\n")
    .replace(/([{[])\n([^{}[\];]+)\n *([}\]])/g, onOneLine)
    .replace(/\b(for|while)\(/g, "$1 (").replace(/^( *for \(.*?\))(?=\w)/gm, "$1 ").replace(
      /\)(=>|\{)/g,
      ") $1",
    ).replace(/=>(?=\S)/g, "=> ")
    .replace(/ {2,}\{/g, " {");
}

/** An object or an array on one line, if that is short. */
function onOneLine(...[lines, open, body, close]: string[]): string {
  const fields = body!.split("\n").map((line) => line.trim()).join(" ");
  if (fields.length > 56) return lines!;
  return open === "{" ? `{ ${fields} }` : `${open}${fields}${close}`;
}

/** Returns the text of a function with its name and its parameters, moved to the left margin. */
export function declarationOf(code: (...args: never[]) => unknown): string {
  const source = `${code}`;
  const indent = /\n( *)\}$/.exec(source)?.[1] ?? "";
  return source.replace(/^(\w+) \(/, "$1(").replaceAll(`\n${indent}`, "\n")
    .replace(/([{[])\n([^{}[\];]+)\n *([}\]])/g, onOneLine)
    .replace(/\b(for|if|while)\(/g, "$1 (").replace(/^( *for \(.*?\))(?=\w)/gm, "$1 ").replace(
      /\) ?\{/g,
      ") {",
    )
    .replace(/\)\s*=>\s*\{/, ") => {");
}

/** Whether the text of a function's body is a block, which has no result. */
export function isBlock(source: string): boolean {
  return source.startsWith("{");
}

/** Returns the statements of a block without its braces. */
export function statementsOf(block: string): string {
  return block.slice(1, -1).trim().replaceAll("\n  ", "\n");
}

/** Returns a result as text; a negative number with the name of its error. */
export function describe(result: unknown): string {
  if (result instanceof Uint8Array) return `${result.length} byte${result.length === 1 ? "" : "s"}`;
  if (typeof result !== "number") {
    return Deno.inspect(withoutMethods(result), { compact: true, breakLength: Infinity });
  }
  if (result < 0) return `${result}, which is ${errnoName(-result)}`;
  return result < 2 ** 32 ? `${result}` : hex(result);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** An object's fields; of one of a class, those that are simple values. */
function withoutMethods(result: unknown): unknown {
  if (typeof result !== "object" || result === null || Array.isArray(result)) return result;
  const prototype = Object.getPrototypeOf(result);
  const isPlain = prototype === Object.prototype;
  const isShown = (value: unknown) => isPlain ? typeof value !== "function" : !isObject(value);
  const fields = Object.entries(result).filter(([, value]) => isShown(value))
    .map(([key, value]) => [key, withoutBytes(value)]);
  return Object.assign(Object.create(prototype), Object.fromEntries(fields));
}

/** Bytes, shown as how many they are. */
function withoutBytes(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  return { [Symbol.for("Deno.customInspect")]: () => describe(value) };
}
