/** The fingerprint: what changes it, what does not, and that it is the same for ever. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { layout } from "../../src/layout/layout.ts";

const Pose = layout("pose", { x: "f32", y: "f32" });

const Base = layout("base", {
  a: "u32",
  b: "u64",
  c: layout.bytes(4),
  d: Pose,
  e: layout.array(Pose, 2),
  f: layout.array("u16", 2),
});

Deno.test("Layout.hash is the same on every machine and for ever", () => {
  assertEquals(Pose.hash, 0x86c8111cc760202fn);
  assertEquals(Base.hash, 0xacb4898157393fddn);
});

/** FNV-1a, 64 bits, done another way than the library does it: in 16-bit limbs. */
function fnv1a(text: string): bigint {
  const limbs = [0x2325, 0x8422, 0x9ce4, 0xcbf2]; // the lowest first
  for (const byte of new TextEncoder().encode(text)) {
    limbs[0]! ^= byte;
    const [l0, l1, l2, l3] = limbs as [number, number, number, number];
    const sums = [l0 * 0x1b3, l1 * 0x1b3, l2 * 0x1b3 + l0 * 0x100, l3 * 0x1b3 + l1 * 0x100];
    let carry = 0;
    sums.forEach((sum, i) => {
      const total = sum + carry;
      limbs[i] = total % 0x10000;
      carry = Math.floor(total / 0x10000);
    });
  }
  return limbs.reduceRight((hash, limb) => hash << 16n | BigInt(limb), 0n);
}

Deno.test("Layout.hash is FNV-1a over a complete description", () => {
  assertEquals(fnv1a("foobar"), 0x85944171f73967e8n); // from the published test vectors
  assertEquals(Pose.hash, fnv1a("pose/1/8/4{x@0:f32,y@4:f32}"));
  const Words = layout("words", {
    a: { type: "u32", atomic: true },
    b: { type: "u64", line: true },
    c: layout.text(3),
    d: layout.array(Pose, 2),
  }, { version: 3 });
  const pose = "pose/1/8/4{x@0:f32,y@4:f32}";
  const text = `words/3/192/64{a@0:u32!,b@64:u64!|,c@128:text(3),d@132:${pose}[2]}`;
  assertEquals(Words.hash, fnv1a(text));
});

Deno.test("Layout.hash changes with everything that two parties must agree on", () => {
  const fields = Object.fromEntries(
    Object.values(Base.fields).map(({ name, shape }) => [name, shape]),
  );
  const variants = {
    same: layout("base", fields),
    name: layout("other", fields),
    version: layout("base", fields, { version: 2 }),
    "field name": layout("base", { aa: "u32", ...without("a") }),
    "type of the same size": layout("base", { ...fields, a: "i32" }),
    "float of the same size": layout("base", { ...fields, a: "f32" }),
    "type of another size": layout("base", { ...fields, a: "u16" }),
    offset: layout("base", { ...fields, a: { type: "u32", at: 64 } }),
    atomic: layout("base", { ...fields, a: { type: "u32", atomic: true } }),
    line: layout("base", { ...fields, a: { type: "u32", line: true } }),
    "text for bytes": layout("base", { ...fields, c: layout.text(4) }),
    "bytes of another size": layout("base", { ...fields, c: layout.bytes(3) }),
    "an array for bytes": layout("base", { ...fields, c: layout.array("u8", 4) }),
    "another count": layout("base", { ...fields, f: layout.array("u16", 1) }),
    "another count of nested": layout("base", { ...fields, e: layout.array(Pose, 1) }),
    "one for an array of one": layout("base", { ...fields, d: layout.array(Pose, 1) }),
    "one more": layout("base", { ...fields, g: "u8" }),
    "one less": layout("base", without("f")),
    "another order": layout("base", { ...without("a"), a: "u32" }),
    "nested name": layout("base", { ...fields, d: layout("pos", { x: "f32", y: "f32" }) }),
    "nested version": layout("base", {
      ...fields,
      d: layout("pose", { x: "f32", y: "f32" }, { version: 2 }),
    }),
    "nested field": layout("base", { ...fields, d: layout("pose", { x: "f32", z: "f32" }) }),
    "nested field of an array": layout("base", {
      ...fields,
      e: layout.array(layout("pose", { x: "f32", z: "f32" }), 2),
    }),
  };
  assertEquals(variants.same.hash, Base.hash);
  const names = new Map<bigint, string>();
  for (const [name, { hash }] of Object.entries(variants)) {
    assertEquals(names.get(hash), undefined, name);
    names.set(hash, name);
    assert(hash >= 0n && hash < 2n ** 64n);
  }

  function without(name: string) {
    return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));
  }
});

Deno.test("Layout.hash does not change with documentation, or the form of declaration", () => {
  const plain = layout("l", { a: "u32", b: "u64" });
  const variants = [
    layout("l", { a: { type: "u32", doc: "a" }, b: { type: "u64", doc: "b" } }),
    layout("l", { a: { type: "u32", at: 0 }, b: { type: "u64", at: 8 } }),
    layout("l", { b: { type: "u64", at: 8 }, a: { type: "u32", at: 0 } }),
    layout("l", { a: { type: "u32", atomic: false, line: false }, b: "u64" }),
  ];
  for (const { hash } of variants) assertEquals(hash, plain.hash);
  const lined = layout("l", { a: { type: "u32", line: true } });
  assertEquals(layout("l", { a: { type: "u32", line: true, atomic: true } }).hash, lined.hash);
  assertNotEquals(layout("l", { a: { type: "u32", atomic: true } }).hash, lined.hash);
});
