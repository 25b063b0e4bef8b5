/**
 * The part of `@std/assert` this suite uses, over Node's assertions, so that the tests also run
 * where that package's registry cannot be reached. Names, signatures and outcomes are those of the
 * real one. Two things differ: the wording of a failure, and `assertEquals` tells `-0` from `0`.
 *
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";
import { inspect, isDeepStrictEqual } from "node:util";

type Class<T> = abstract new (...args: never[]) => T;
type Fields = Record<PropertyKey, unknown>;

/** The error of every failed assertion. */
export class AssertionError extends Error {
  /**
   * @param message What was expected and what was found.
   * @param options The usual options of an error.
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

function show(value: unknown): string {
  return inspect(value, { depth: 4, sorted: true });
}

function broken(what: string, msg?: string): AssertionError {
  return new AssertionError(msg === undefined || msg === "" ? what : `${what}: ${msg}`);
}

/** Fails, always. */
export function fail(msg?: string): never {
  throw broken("Failed assertion", msg);
}

/** Marks a place that no execution may reach. */
export function unreachable(msg?: string): never {
  throw broken("Unreachable", msg);
}

/** Fails unless the value is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Fails unless the value is falsy. */
export function assertFalse(
  expr: unknown,
  msg = "",
): asserts expr is false | 0 | 0n | "" | null | undefined {
  if (expr) throw new AssertionError(msg);
}

/** Fails unless the two values have the same structure and contents. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw broken(`Values are not equal:\n${difference(actual, expected)}`, msg);
}

/** Node draws a fine difference of two objects, but takes seconds to draw that of two buffers. */
function difference(actual: unknown, expected: unknown): string {
  if (actual instanceof Uint8Array && expected instanceof Uint8Array) {
    const shared = Math.min(actual.length, expected.length);
    let index = 0;
    while (index < shared && actual[index] === expected[index]) index++;
    return `${actual.length} and ${expected.length} bytes (${actual.constructor.name} and ` +
      `${expected.constructor.name}), first different at ${index}: ` +
      `${actual[index]} instead of ${expected[index]}`;
  }
  try {
    deepStrictEqual(actual, expected);
  } catch (error) {
    return (error as Error).message;
  }
  return `${show(actual)} instead of ${show(expected)}`;
}

/** Fails if the two values have the same structure and contents. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!isDeepStrictEqual(actual, expected)) return;
  throw broken(`Expected anything but ${show(expected)}`, msg);
}

/** Fails unless the two values are the same, as `Object.is` sees it. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  throw broken(`Expected exactly ${show(expected)}, found ${show(actual)}`, msg);
}

/** Fails if the value is null or undefined. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw broken(`Expected a value, found ${actual}`, msg);
}

/** Fails unless the value is an instance of the class. */
export function assertInstanceOf<T>(
  actual: unknown,
  expectedType: Class<T>,
  msg?: string,
): asserts actual is T {
  if (actual instanceof expectedType) return;
  throw broken(`Expected an instance of ${expectedType.name}, found ${show(actual)}`, msg);
}

/** Fails unless two numbers are within a tolerance, by default a ten-millionth of the second. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance: number = Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7,
  msg?: string,
): void {
  if (Object.is(actual, expected) || Math.abs(expected - actual) <= tolerance) return;
  throw broken(`Expected ${expected} give or take ${tolerance}, found ${actual}`, msg);
}

/** Fails unless the first value is greater. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (actual > expected) return;
  throw broken(`Expected more than ${show(expected)}, found ${show(actual)}`, msg);
}

/** Fails unless the first value is greater or equal. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (actual >= expected) return;
  throw broken(`Expected at least ${show(expected)}, found ${show(actual)}`, msg);
}

/** Fails unless the first value is less. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (actual < expected) return;
  throw broken(`Expected less than ${show(expected)}, found ${show(actual)}`, msg);
}

/** Fails unless the first value is less or equal. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (actual <= expected) return;
  throw broken(`Expected at most ${show(expected)}, found ${show(actual)}`, msg);
}

/** Fails unless the text contains the other. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (actual.includes(expected)) return;
  throw broken(`Expected ${show(actual)} to contain ${show(expected)}`, msg);
}

/** Fails unless the text matches the pattern. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (expected.test(actual)) return;
  throw broken(`Expected ${show(actual)} to match ${expected}`, msg);
}

/** Fails unless each expected value equals one of the actual ones. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T> & object,
  expected: ArrayLike<T> & object,
  msg?: string,
): void {
  const present = Array.from(actual);
  const missing = Array.from(expected)
    .filter((wanted) => !present.some((value) => isDeepStrictEqual(value, wanted)));
  if (missing.length === 0) return;
  throw broken(`Expected ${show(actual)} to contain ${show(missing)}`, msg);
}

/** Fails unless the object has all that the expected one has, at every depth. */
export function assertObjectMatch(actual: Fields, expected: Fields, msg?: string): void {
  assertEquals(matching(actual, expected), expected, msg);
}

/** The expected value with everything plain in it replaced by what the actual one has there. */
function matching(actual: unknown, expected: unknown): unknown {
  if (!isPlain(expected) || typeof actual !== "object" || actual === null) return actual;
  if (Array.isArray(expected) !== Array.isArray(actual)) return actual;
  const picked: Fields = Array.isArray(expected) ? [] as unknown as Fields : {};
  for (const key of Reflect.ownKeys(expected)) {
    if (key in actual) picked[key] = matching((actual as Fields)[key], expected[key]);
  }
  return picked;
}

function isPlain(value: unknown): value is Fields {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

/** Fails unless the value is an error of the class whose message contains or matches the text. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: Class<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  if (!(error instanceof Error)) throw broken(`Expected an Error, found ${show(error)}`, msg);
  if (ErrorClass && !(error instanceof ErrorClass)) {
    throw broken(`Expected an error of class ${ErrorClass.name}, found ${error}`, msg);
  }
  if (msgMatches === undefined) return;
  const matches = typeof msgMatches === "string"
    ? error.message.includes(msgMatches)
    : msgMatches.test(error.message);
  if (matches) return;
  throw broken(`Expected an error saying ${show(msgMatches)}, found ${show(error.message)}`, msg);
}

/**
 * Fails unless the function throws; returns the thrown value.
 *
 * @param fn The function to call.
 * @param msg What to add to the failure.
 */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/**
 * Fails unless the function throws an error of the class; returns that error.
 *
 * @param fn The function to call.
 * @param ErrorClass The class the error must have.
 * @param msgIncludes What its message must contain.
 * @param msg What to add to the failure.
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMsg?: Class<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  try {
    fn();
  } catch (error) {
    if (typeof classOrMsg === "function") assertIsError(error, classOrMsg, msgIncludes, msg);
    return error;
  }
  throw broken("Expected function to throw", typeof classOrMsg === "string" ? classOrMsg : msg);
}

/**
 * Fails unless the promise is rejected; resolves to the reason.
 *
 * @param fn The function to call; one that throws instead of returning a promise fails too.
 * @param msg What to add to the failure.
 */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/**
 * Fails unless the promise is rejected with an error of the class; resolves to that error.
 *
 * @param fn The function to call; one that throws instead of returning a promise fails too.
 * @param ErrorClass The class the error must have.
 * @param msgIncludes What its message must contain.
 * @param msg What to add to the failure.
 */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: Class<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const added = typeof classOrMsg === "string" ? classOrMsg : msg;
  const promise = promised(fn, added);
  try {
    await promise;
  } catch (error) {
    if (typeof classOrMsg === "function") assertIsError(error, classOrMsg, msgIncludes, msg);
    return error;
  }
  throw broken("Expected function to reject", added);
}

function promised(fn: () => PromiseLike<unknown>, msg?: string): PromiseLike<unknown> {
  let result: PromiseLike<unknown> | undefined;
  try {
    result = fn();
  } catch (error) {
    throw broken(`Function throws when expected to reject: ${error}`, msg);
  }
  if (typeof result?.then !== "function") {
    throw broken("Function throws when expected to reject: it returned no promise", msg);
  }
  return result;
}
