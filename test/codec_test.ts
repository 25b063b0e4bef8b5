import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { assertType, type IsExact } from "@std/testing/types";
import { CorruptRegionError } from "../src/errors.ts";
import { bytes, type Codec, json, text } from "../src/codec.ts";
import { struct } from "../src/struct.ts";
import { layout } from "../src/layout/layout.ts";
import { bytesFrom } from "./memory/bytes.ts";

/** Encodes into memory of the stated size that holds other bytes, as a sender does. */
function encode<I>(codec: Codec<unknown, I, unknown>, value: I): Uint8Array<ArrayBuffer> {
  const { sizeBytes } = codec;
  const size = typeof sizeBytes === "function" ? sizeBytes(value) : sizeBytes;
  const into = new Uint8Array(size).fill(0xa5);
  return into.subarray(0, codec.encode(value, into));
}

function carry<T, I>(codec: Codec<T, I, unknown>, value: I): T {
  return codec.decode(encode(codec, value));
}

Deno.test("bytes() carries bytes unchanged", () => {
  for (const length of [0, 1, 7, 1000]) {
    assertEquals(carry(bytes(), bytesFrom(3, length)), bytesFrom(3, length));
  }
  const part = bytesFrom(0, 100).subarray(10, 20);
  assertEquals(carry(bytes(), part), bytesFrom(10, 10));
});

Deno.test("bytes() refuses a value that is not a Uint8Array", () => {
  for (const value of ["text", [1, 2], new Float64Array(2), new ArrayBuffer(8), null, undefined]) {
    assertThrows(
      () => bytes().encode(value as unknown as Uint8Array, new Uint8Array(8)),
      TypeError,
      "not a Uint8Array",
    );
  }
});

Deno.test("text() carries every text that can be UTF-8", () => {
  for (const words of ["", "plain", "äß€😀", "\uFEFFafter a mark", "\0\r\n", "x".repeat(5000)]) {
    assertEquals(carry(text(), words), words);
  }
  assertEquals(carry(text(), "\uD800"), "\uFFFD"); // half a character is not a character
});

Deno.test("json() carries every value of JSON", () => {
  for (const value of [null, 0, -1.5, "", "ä", true, [], [1, [2]], {}, { a: { b: ["c"] } }]) {
    assertEquals(carry(json<unknown>(), value), value);
  }
});

Deno.test("json() refuses values without a JSON representation", () => {
  const any = json<unknown>();
  for (const value of [undefined, () => 1, Symbol("s")]) {
    assertThrows(() => encode(any, value), TypeError, `Cannot send ${typeof value} as JSON`);
  }
  assertThrows(() => encode(any, 1n), TypeError);
  assertThrows(() => any.decode(new Uint8Array(0)), SyntaxError);
});

const Sample = struct("sample", { time: "f64", id: "u32", tag: layout.text(4) });

Deno.test("struct() carries the fields of a layout", () => {
  const struct = Sample;
  const value = { time: 1.5, id: 0xdeadbeef, tag: "ab" };
  assertEquals(carry(struct, value), value);
  assertEquals(encode(struct, value).length, Sample.size);
  const next = { time: 0, id: 1, tag: "" };
  assertEquals(carry(struct, next), next); // nothing of the last value shows through
});

Deno.test("struct() refuses a value that does not fit and a message of another length", () => {
  const struct = Sample;
  const large = { time: 0, id: 2 ** 32, tag: "" };
  assertThrows(() => encode(struct, large), RangeError, "Cannot write sample.id: 4294967296 does");
  for (const length of [0, Sample.size - 1, Sample.size + 1]) {
    const error = assertThrows(() => struct.decode(new Uint8Array(length)), CorruptRegionError);
    assertEquals(
      error.message,
      `Cannot read a message as "sample": it has ${length} bytes, not ${Sample.size}`,
    );
  }
});

Deno.test("codecs refuse an array that is too small for the value", () => {
  const short = new Uint8Array(3);
  assertThrows(() => bytes().encode(new Uint8Array(4), short), RangeError);
  assertThrows(() => text().encode("four", short), RangeError, "a text of 4 characters into 3");
  assertThrows(() => json<number>().encode(1234, short), RangeError, "4 characters into 3");
  const struct = Sample;
  const value = { time: 1, id: 2, tag: "" };
  assertThrows(() => struct.encode(value, short), RangeError, '"sample" into 3 bytes: it takes 16');
});

Deno.test("text() refuses a value that is not a string", () => {
  const value = 5 as unknown as string;
  assertThrows(() => encode(text(), value), TypeError, "Cannot send 5 as text");
});

Deno.test("struct() zeroes the bytes that belong to no field", () => {
  const Inner = layout("inner", { a: "u8", b: "u32" });
  const small = { inner: Inner, list: layout.array(Inner, 2), end: "u8", last: "f64" } as const;
  const Word = { type: "u32", line: true } as const;
  const one = { a: 1, b: 2 };
  for (const count of [2, 20]) { // few gaps, and many
    const Outer = struct("outer", { ...small, list: layout.array(Inner, count), word: Word });
    const list = Array.from({ length: count }, () => one);
    const value = { inner: one, list, end: 3, last: 4, word: 5 };
    const expected = new Uint8Array(Outer.size);
    Outer.write(expected, value);
    assertEquals(encode(Outer, value), expected);
  }
});

Deno.test("struct() names a value that cannot be stored though it can be checked", () => {
  let turn = 0;
  const value = {
    time: 0,
    tag: "",
    get id() {
      return turn++ % 2 === 0 ? -1 : 1;
    },
  };
  const message = "Cannot write sample: a getter of the value returns something else each time";
  assertThrows(() => encode(Sample, value), TypeError, message);
});

Deno.test("the type of a codec differs from every other", () => {
  const other = struct("sample", { time: "f64", id: "i32", tag: layout.text(4) });
  const codecs = [bytes(), text(), json(), Sample, other];
  const hashes = codecs.map(({ type }) => type.hash);
  assertEquals(new Set(hashes).size, codecs.length);
  for (const hash of hashes) assertNotEquals(hash, 0n); // which means no type
  const { name, hash } = Sample.type;
  assertEquals([name, hash], ["sample", Sample.hash]);
  assertEquals(json<string>().type, json<number>().type);
});

Deno.test("codecs know the types of their values", () => {
  assertType<IsExact<ReturnType<typeof json<string>>, Codec<string>>>(true);
  assertType<
    IsExact<
      ReturnType<typeof Sample.decode>,
      { time: number; id: number; tag: string }
    >
  >(true);
});

Deno.test("struct() encodes a value whose getter encodes another one", () => {
  const pair = struct("pair", { a: "u8", b: "u8" });
  const value = {
    a: 1,
    get b() {
      encode(pair, { a: 8, b: 9 });
      return 2;
    },
  };
  assertEquals([...encode(pair, value)], [1, 2]);
});
