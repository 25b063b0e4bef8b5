import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { assertType, type IsExact } from "@std/testing/types";
import { CorruptRegionError } from "../src/errors.ts";
import { type Codec, codec } from "../src/codec.ts";
import { layout } from "../src/layout/layout.ts";
import { bytesFrom } from "./memory/bytes.ts";

/** As a message goes: the bytes are copied out of the sender's hands. */
function carry<T>(codec: Codec<T>, value: T): T {
  return codec.decode(new Uint8Array(codec.encode(value)));
}

Deno.test("codec.bytes carries bytes as they are, without a copy of its own", () => {
  for (const length of [0, 1, 7, 1000]) {
    assertEquals(carry(codec.bytes, bytesFrom(3, length)), bytesFrom(3, length));
  }
  const part = bytesFrom(0, 100).subarray(10, 20);
  assertEquals(carry(codec.bytes, part), bytesFrom(10, 10));
  assert(codec.bytes.encode(part) === part);
});

Deno.test("codec.bytes refuses a value that is not a Uint8Array", () => {
  for (const value of ["text", [1, 2], new Float64Array(2), new ArrayBuffer(8), null, undefined]) {
    assertThrows(
      () => codec.bytes.encode(value as unknown as Uint8Array),
      TypeError,
      "not a Uint8Array",
    );
  }
});

Deno.test("codec.text carries every text that can be UTF-8", () => {
  for (const text of ["", "plain", "äß€😀", "\uFEFFafter a mark", "\0\r\n", "x".repeat(5000)]) {
    assertEquals(carry(codec.text, text), text);
  }
  assertEquals(carry(codec.text, "\uD800"), "\uFFFD"); // half a character is none
});

Deno.test("codec.json carries what JSON can say", () => {
  for (const value of [null, 0, -1.5, "", "ä", true, [], [1, [2]], {}, { a: { b: ["c"] } }]) {
    assertEquals(carry(codec.json<unknown>(), value), value);
  }
});

Deno.test("codec.json refuses what JSON cannot say", () => {
  const any = codec.json<unknown>();
  for (const value of [undefined, () => 1, Symbol("s")]) {
    assertThrows(() => any.encode(value), TypeError, `Cannot send ${typeof value} as JSON`);
  }
  assertThrows(() => any.encode(1n), TypeError);
  assertThrows(() => any.decode(new Uint8Array(0)), SyntaxError);
});

const Sample = layout("sample", { time: "f64", id: "u32", tag: layout.text(4) });

Deno.test("codec.struct carries the fields of a layout", () => {
  const struct = codec.struct(Sample);
  const value = { time: 1.5, id: 0xdeadbeef, tag: "ab" };
  assertEquals(carry(struct, value), value);
  assertEquals(struct.encode(value).length, Sample.size);
  const next = { time: 0, id: 1, tag: "" };
  assertEquals(carry(struct, next), next); // nothing of the last value shows through
});

Deno.test("codec.struct refuses a value that does not fit and a message of another length", () => {
  const struct = codec.struct(Sample);
  assertThrows(() => struct.encode({ time: 0, id: 2 ** 32, tag: "" }), RangeError);
  for (const length of [0, Sample.size - 1, Sample.size + 1]) {
    const error = assertThrows(() => struct.decode(new Uint8Array(length)), CorruptRegionError);
    assertEquals(
      error.message,
      `Cannot read a message as "sample": it has ${length} bytes, not ${Sample.size}`,
    );
  }
});

Deno.test("the type of a codec tells it from every other", () => {
  const other = layout("sample", { time: "f64", id: "i32", tag: layout.text(4) });
  const codecs = [codec.bytes, codec.text, codec.json(), codec.struct(Sample), codec.struct(other)];
  const hashes = codecs.map(({ type }) => type.hash);
  assertEquals(new Set(hashes).size, codecs.length);
  for (const hash of hashes) assertNotEquals(hash, 0n); // which means that there is none
  assertEquals(codec.struct(Sample).type, { name: "sample", hash: Sample.hash });
  assertEquals(codec.json<string>().type, codec.json<number>().type);
});

Deno.test("codecs know the types of their values", () => {
  assertType<IsExact<typeof codec.text, Codec<string>>>(true);
  const struct = codec.struct(Sample);
  assertType<
    IsExact<
      ReturnType<typeof struct.decode>,
      { time: number; id: number; tag: string }
    >
  >(true);
});

Deno.test("codec.struct() encodes a value whose getter encodes another one", () => {
  const pair = codec.struct(layout("pair", { a: "u8", b: "u8" }));
  const value = {
    a: 1,
    get b() {
      pair.encode({ a: 8, b: 9 });
      return 2;
    },
  };
  assertEquals([...pair.encode(value)], [1, 2]);
});
