import { assertEquals, assertThrows } from "@std/assert";
import { checkedOrigin, HOPS_MAX, ORIGIN, type Origin, originIn } from "../src/origin.ts";

const ORIGINAL: Origin = { host: "robot-1", incarnation: 1.7e12, sequence: 42, hops: 1 };

function stored(origin: Origin): Uint8Array {
  const bytes = new Uint8Array(ORIGIN.size);
  ORIGIN.write(bytes, origin);
  return bytes;
}

Deno.test("originIn() returns the origin that was stored", () => {
  const longest = { host: "h".repeat(64), incarnation: 0, sequence: 2 ** 53 - 1, hops: HOPS_MAX };
  for (const origin of [ORIGINAL, longest]) {
    assertEquals(originIn(stored(checkedOrigin(origin, "a message"))), origin);
  }
});

const BROKEN: Partial<Origin>[] = [
  { host: "" },
  { host: "a b" },
  { host: "\u001b[2J" },
  { host: "é" },
  { incarnation: -1 },
  { incarnation: 0.5 },
  { incarnation: NaN },
  { sequence: 2 ** 53 },
  { sequence: -Infinity },
  { hops: 0 },
  { hops: HOPS_MAX + 1 },
];

for (const part of BROKEN) {
  Deno.test(`an origin with ${JSON.stringify(part)} is refused, stored or passed`, () => {
    const origin = { ...ORIGINAL, ...part };
    assertEquals(originIn(stored(origin)), undefined);
    assertThrows(() => checkedOrigin(origin, "a message"), RangeError, "Cannot mark a message");
  });
}

Deno.test("checkedOrigin() refuses a value that is not an origin", () => {
  for (const value of [undefined, null, "robot-1", {}, { ...ORIGINAL, host: 1 }]) {
    assertThrows(() => checkedOrigin(value as unknown as Origin, "a message"));
  }
  const long = { ...ORIGINAL, host: "h".repeat(65) };
  assertThrows(() => checkedOrigin(long, "a message"), RangeError, "its host is");
});

Deno.test("checkedOrigin() reads each property once", () => {
  let reads = 0;
  const hops = { get: () => reads++ === 0 ? 1 : -1, enumerable: true };
  const origin = Object.defineProperty({ ...ORIGINAL }, "hops", hops);
  assertEquals(checkedOrigin(origin, "a message").hops, 1);
});
