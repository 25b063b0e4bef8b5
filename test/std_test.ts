/**
 * Checks that the stand-ins of test/std behave like the real packages; `deno task test:jsr` runs
 * the same tests against those. An assertion that never fails would make every other test
 * worthless.
 */

import * as std from "@std/assert";
import { assertType, type IsExact } from "@std/testing/types";

function fails(assertion: () => unknown): void {
  try {
    assertion();
  } catch (error) {
    if (error instanceof std.AssertionError) return;
    throw error;
  }
  throw new Error(`Did not fail: ${assertion}`);
}

async function rejects(assertion: () => Promise<unknown>): Promise<void> {
  const reason = await assertion().then(() => undefined, (error) => error);
  fails(() => {
    throw reason ?? new Error(`Did not fail: ${assertion}`);
  });
}

Deno.test("assert() and its kin fail on the other truth", () => {
  std.assert(1);
  fails(() => std.assert(0));
  std.assertFalse("");
  fails(() => std.assertFalse("a"));
  fails(() => std.fail());
  fails(() => std.unreachable());
});

Deno.test("assertEquals() compares structure and contents", () => {
  std.assertEquals({ a: [1, new Uint8Array([2])] }, { a: [1, new Uint8Array([2])] });
  std.assertEquals(NaN, NaN);
  fails(() => std.assertEquals({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }));
  fails(() => std.assertEquals<unknown>({ a: undefined }, {}));
  fails(() => std.assertEquals<unknown>(1, 1n));
  std.assertNotEquals([1], [2]);
  fails(() => std.assertNotEquals([1], [1]));
});

Deno.test("assertEquals() compares every byte and the kind of array", () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index * 7);
  std.assertEquals(bytes.slice(), bytes);
  fails(() => std.assertEquals(bytes.subarray(1), bytes));
  fails(() => std.assertEquals(bytes.with(69_999, 0), bytes.with(69_999, 1)));
  fails(() => std.assertEquals<unknown>(new Uint8Array(4), new Int8Array(4)));
});

Deno.test("assertStrictEquals() wants the same value", () => {
  const value = {};
  std.assertStrictEquals(value, value);
  fails(() => std.assertStrictEquals(value, {}));
});

Deno.test("assertExists() and assertInstanceOf() narrow the type", () => {
  const found: number | undefined = [1, 2].find((value) => value === 2);
  std.assertExists(found);
  assertType<IsExact<typeof found, number>>(true);
  fails(() => std.assertExists(null));
  const error: unknown = new RangeError();
  std.assertInstanceOf(error, Error);
  std.assertStringIncludes(error.name, "RangeError");
  fails(() => std.assertInstanceOf(error, TypeError));
});

Deno.test("the comparisons of numbers fail outside their range", () => {
  std.assertAlmostEquals(0.1 + 0.2, 0.3);
  fails(() => std.assertAlmostEquals(1, 1.001));
  std.assertAlmostEquals(1, 1.001, 0.01);
  std.assertGreater(2, 1);
  fails(() => std.assertGreater(1, 1));
  std.assertGreaterOrEqual(1n, 1n);
  fails(() => std.assertGreaterOrEqual(0n, 1n));
  std.assertLess(1, 2);
  fails(() => std.assertLess(1, 1));
  std.assertLessOrEqual(1, 1);
  fails(() => std.assertLessOrEqual(2, 1));
});

Deno.test("the searches fail when something is missing", () => {
  std.assertStringIncludes("shared memory", "mem");
  fails(() => std.assertStringIncludes("shared memory", "men"));
  std.assertMatch("errno 28", /\d+$/);
  fails(() => std.assertMatch("errno", /\d+$/));
  std.assertArrayIncludes([1, { a: 1 }, 3], [{ a: 1 }, 3]);
  fails(() => std.assertArrayIncludes([1, 2], [1, 3]));
  std.assertObjectMatch({ a: 1, b: { c: 2, d: 3 }, e: [{ f: 4, g: 5 }] }, {
    b: { c: 2 },
    e: [{ f: 4 }],
  });
  fails(() => std.assertObjectMatch({ a: 1 }, { a: 1, b: 2 }));
  fails(() => std.assertObjectMatch({ b: { c: 2 } }, { b: { c: 3 } }));
});

Deno.test("assertThrows() gives back the error of the class and message it wants", () => {
  const thrower = () => {
    throw new RangeError("Cannot map: out of range");
  };
  const error = std.assertThrows(thrower, RangeError, "out of");
  assertType<IsExact<typeof error, RangeError>>(true);
  std.assertEquals(error.message, "Cannot map: out of range");
  std.assertInstanceOf(std.assertThrows(thrower), RangeError);
  fails(() => std.assertThrows(thrower, TypeError));
  fails(() => std.assertThrows(thrower, RangeError, "into"));
  fails(() => std.assertThrows(() => 1));
});

Deno.test("assertRejects() wants a rejected promise, not a throw", async () => {
  const abort = () => Promise.reject(new DOMException("too late", "TimeoutError"));
  const error = await std.assertRejects(abort, DOMException, "late");
  std.assertEquals(error.name, "TimeoutError");
  await rejects(() => std.assertRejects(abort, RangeError));
  await rejects(() => std.assertRejects(() => Promise.resolve(1)));
  await rejects(() =>
    std.assertRejects(() => {
      throw new Error("thrown");
    }, Error)
  );
});

Deno.test("IsExact tells types apart", () => {
  assertType<IsExact<{ a: number }, { a: number }>>(true);
  assertType<IsExact<{ a: number }, { a?: number }>>(false);
  assertType<IsExact<number, number | string>>(false);
  assertType<IsExact<unknown, number>>(false);
});

Deno.test("deno.jsr.json is deno.json without the stand-ins", () => {
  const read = (name: string): Record<string, unknown> =>
    JSON.parse(Deno.readTextFileSync(new URL(`../${name}`, import.meta.url)));
  const { links, tasks, publish, fmt, lint, ...shared } = read("deno.json");
  std.assert(links && tasks && publish && fmt && lint);
  std.assertEquals(read("deno.jsr.json"), { ...shared, lock: false });
});
