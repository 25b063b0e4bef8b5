/**
 * Arguments for the functions of the public face: what they declare, and what no caller should pass.
 *
 * @module
 */

import fc from "fast-check";
import { array, bytes, json, struct, text } from "../../mod.ts";

/** The error that the caller's own functions throw. */
export const MINE = new Error("thrown by the caller");

const EDGES = [0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 255, 1000, 4096, 65_536];
const FAR = [-1, -0, 1.5, NaN, Infinity, -Infinity, -(2 ** 31), 2 ** 50, 2 ** 53, 1e300, 5e-324];

/** A value, made anew for each call, and its source text. */
export interface Given {
  readonly text: string;
  make(): unknown;
}

/** A value of {@linkcode Given} that fast-check shows as its text. */
function given(text: string, make: () => unknown): Given {
  return { text, make, [fc.toStringMethod]: () => text } as Given;
}

const NUMBER = fc.constantFrom(
  ...[...EDGES, ...FAR].map((value) => given(shown(value), () => value)),
);

function shown(value: number): string {
  return Object.is(value, -0) ? "-0" : `${value}`;
}

function transferred(): Uint8Array {
  const array = new Uint8Array(8);
  array.buffer.transfer();
  return array;
}

const POSE = struct("pose", { x: "f64", y: "f64" });

/** What some parameter of the public face takes, and most do not. */
const STRANGE: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => true,
  () => false,
  () => 5n,
  () => -(2n ** 70n),
  () => Symbol("strange"),
  () => Symbol.iterator,
  () => "",
  () => "1",
  () => "any",
  () => "block",
  () => "\ud800",
  () => "a\0b",
  () => "x".repeat(5000),
  () => ({}),
  () => ({ length: 3 }),
  () => ({ then: 5 }),
  () => ({ valueOf: () => 1, toString: () => "1" }),
  () => Object.create(null),
  () => [],
  () => [1, 2, 300],
  () => new Array(3),
  () => new Date(0),
  () => /a/,
  () => new Map(),
  () => new Error("strange"),
  () => () => {},
  () => class {},
  transferred,
  () => Object.create(Uint8Array.prototype),
  () => new Uint8Array(0),
  () => new Uint8Array(8),
  () => new Uint8Array(70_000),
  () => new Float64Array(2),
  () => new DataView(new ArrayBuffer(8)),
  () => new ArrayBuffer(8),
  () => new SharedArrayBuffer(8),
  () => new Uint8Array(new SharedArrayBuffer(8)),
  () => AbortSignal.abort(MINE),
  () => new AbortController().signal,
  () => POSE,
  () => ({ x: 1, y: 2 }),
  () => ({ x: "1" }),
];

/** Any value. */
export const ANY: fc.Arbitrary<Given> = fc.oneof(
  NUMBER,
  fc.constantFrom(...STRANGE.map((make) => given(`${make}`.replace("() => ", ""), make))),
);

/** Valid values of options, by name. Sizes are small: a test may not fill the memory. */
const USUAL: Readonly<Record<string, readonly unknown[]>> = {
  mode: [0o600, 0o640, 0o777],
  group: [0, "root"],
  persist: [true, false],
  anyOwner: [true, false],
  open: ["any", "create", "join"],
  onPeerGone: ["wait", "end"],
  onLoss: ["throw", "skip"],
  own: [true, false],
  retry: [true, false],
  reserve: [true, false],
  interop: [true, false],
  hugePages: [false],
  wake: [true, false],
  policy: ["block", "dropNewest", "dropOldest"],
  start: ["oldest", "newest", "now"],
  afterLoss: ["oldest", "newest"],
  publishers: ["one", "many"],
  source: ["left", "right"],
  type: ["f64", "u8", text(16), bytes(), json(64), array("f32", 3), POSE],
  request: ["f64", text(), bytes()],
  response: ["f64", json()],
  spin: [0, 1, 20.5],
  directory: ["/dev/shm", "/dev/shm/"],
};

/** A value from these, shown by its source text. */
export function oneOf(...values: readonly unknown[]): fc.Arbitrary<Given> {
  return fc.constantFrom(...values.map((value) => {
    const text = typeof value === "function" ? `${value}` : Deno.inspect(value);
    return given(text.split("\n")[0]!, () => value);
  }));
}

/** Times to wait that end soon, and such as cannot be waited for. No wait may be without a limit. */
const TIMEOUT = fc.oneof(
  { weight: 4, arbitrary: oneOf(0, 0.2, 1) },
  { weight: 1, arbitrary: oneOf(-1, NaN, -Infinity, "1", 5n, null, {}, true) },
);

/** Values of one option: one that it takes, or any other. */
function optionValue(name: string): fc.Arbitrary<Given> {
  const usual = USUAL[name];
  if (usual === undefined) return ANY;
  return fc.oneof({ weight: 2, arbitrary: oneOf(...usual) }, ANY);
}

/** An object of these values. */
export function object(pairs: readonly (readonly [name: string, value: Given])[]): Given {
  const text = pairs.map(([name, value]) => `${name}: ${value.text}`).join(", ");
  const make = () => Object.fromEntries(pairs.map(([name, value]) => [name, value.make()]));
  return given(`{ ${text} }`, make);
}

function pairsOf(names: readonly string[]): fc.Arbitrary<[string, Given][]> {
  const pair = fc.constantFrom(...names).chain((name) =>
    fc.tuple(fc.constant(name), optionValue(name))
  );
  return fc.array(pair, { maxLength: 3 });
}

/** Options of a call that may wait, which have a time to wait; and values that are no options. */
function optionsOf(names: readonly string[]): fc.Arbitrary<Given> {
  const options = fc.tuple(pairsOf(names), TIMEOUT).map(([pairs, timeout]) =>
    object([...pairs, ["timeout", timeout]])
  );
  return fc.oneof(
    { weight: 6, arbitrary: options },
    { weight: 1, arbitrary: oneOf(null, 5, "options", 5n, true, new Uint8Array(3), () => {}) },
  );
}

/** Options of a function that never waits, and values that are no options. */
export function definitionOptionsOf(names: readonly string[]): fc.Arbitrary<Given> {
  return fc.oneof(
    { weight: 6, arbitrary: pairsOf(names).map(object) },
    { weight: 1, arbitrary: ANY },
  );
}

const HANDLER = oneOf(
  () => undefined,
  () => new Uint8Array(3),
  () => 3,
  () => {
    throw MINE;
  },
  async () => await undefined,
  null,
  5,
  {},
);

const NAME: fc.Arbitrary<Given> = fc.oneof(
  { weight: 3, arbitrary: oneOf("a", "b", "a/b", "/a") },
  {
    weight: 1,
    arbitrary: fc.string({ unit: "binary", maxLength: 6 })
      .map((name) => given(JSON.stringify(name), () => name)),
  },
  { weight: 1, arbitrary: ANY },
);

const LIST: fc.Arbitrary<Given> = fc.oneof(
  fc.array(ANY, { maxLength: 3 }).map((all) =>
    given(`[${all.map(({ text }) => text).join(", ")}]`, () => all.map((one) => one.make()))
  ),
  ANY,
);

/** A value for a parameter of this name. */
export function argument(parameter: string, options: readonly string[]): fc.Arbitrary<Given> {
  switch (parameter) {
    case "options":
      return optionsOf(options);
    case "handler":
      return HANDLER;
    case "name":
    case "kind":
      return NAME;
    case "values":
    case "waitables":
      return LIST;
    default:
      return ANY;
  }
}
