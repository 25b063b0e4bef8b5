/** Tests of the arrays that messages are copied into. @module */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { bytes, text } from "../src/codec.ts";
import { Landing, SLAB_PART_BYTES } from "../src/landing.ts";

const SIZES = [0, 1, 7, 8, 24, 64, 1000, SLAB_PART_BYTES];

Deno.test("Landing never gives the same bytes of a slab to two messages", () => {
  const landing = new Landing();
  const arrays = Array.from({ length: 500 }, (_, i) => {
    const array = landing.arrayFor(SIZES[i % SIZES.length]!, bytes());
    assertEquals(array.length, SIZES[i % SIZES.length]);
    assertEquals(array.byteOffset % 8, 0);
    return array.fill(i);
  });
  for (const [i, array] of arrays.entries()) {
    assertEquals(array, new Uint8Array(array.length).fill(i), `message ${i}`);
  }
});

Deno.test("Landing cuts short messages from a slab that no other handle has", () => {
  const landing = new Landing();
  const first = landing.arrayFor(8, bytes());
  assertStrictEquals(landing.arrayFor(SLAB_PART_BYTES, bytes()).buffer, first.buffer);
  assertEquals(
    landing.arrayFor(SLAB_PART_BYTES + 1, bytes()).buffer.byteLength,
    SLAB_PART_BYTES + 1,
  );
  assert(new Landing().arrayFor(8, bytes()).buffer !== first.buffer);
});

Deno.test("Landing makes arrays of their own with own: true", () => {
  const landing = new Landing({ own: true });
  for (const size of SIZES) {
    assertEquals(landing.arrayFor(size, bytes()).buffer.byteLength, size);
  }
});

Deno.test("Landing makes another slab once the caller has transferred one away", () => {
  const landing = new Landing();
  for (const size of [0, 8, 0, 24, 0]) {
    const array = landing.arrayFor(size, bytes());
    assertEquals(array.length, size);
    array.buffer.transfer();
  }
});

Deno.test("Landing reuses one array for codecs that do not keep the bytes", () => {
  const landing = new Landing();
  const first = landing.arrayFor(8, text());
  assertStrictEquals(landing.arrayFor(3, text()).buffer, first.buffer);
});
