/** The description that a region stores: written, read, bounded, and never believed. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { describeLayout } from "../../src/layout/describe.ts";
import { layout } from "../../src/layout/layout.ts";
import { struct } from "../../src/struct.ts";
import { describedType } from "../../src/described.ts";
import {
  encodeDescription,
  LARGEST_DESCRIPTION,
  parseDescription,
  type RegionDescription,
} from "../../src/region/description.ts";
import { dataOffsetOf, descriptionOffsetOf, REGION_HEADER } from "../../src/region/header.ts";
import { regions } from "../../src/region/list.ts";
import { roundUp } from "../../src/layout/sizes.ts";
import { pageSize } from "../../src/os/page.ts";
import { dataOf, openFiles, patterned, Place, TYPE } from "./scene.ts";
import { joinRegion } from "./opening.ts";
import { Region } from "../../src/region/region.ts";

const Imu = struct("imu", {
  time: "f64",
  accel: layout.array("f32", 3),
  label: layout.text(8),
  pose: layout("pose", { x: "f32", y: "f32" }),
});

const FULL: RegionDescription = {
  geometry: { depth: 8, size: 65_536 },
  policy: { policy: "block", history: 0, reserve: true },
  features: { compatible: { hints: 0 }, incompatible: { striped: 31 } },
  type: describeLayout(Imu),
};

Deno.test("parseDescription() reads what encodeDescription() writes", () => {
  const empty = { geometry: {}, policy: {}, features: { compatible: {}, incompatible: {} } };
  for (const description of [FULL, { ...FULL, type: undefined }, { ...empty, type: undefined }]) {
    assertEquals(parseDescription(encodeDescription(description)), description);
  }
  assertEquals(encodeDescription({ geometry: {} }).length, '{"geometry":{}}'.length);
});

Deno.test("encodeDescription() leaves out a type that is too large", () => {
  const fields = Array.from({ length: 600 }, (_, i) => [`field_${i}`, "f64"] as const);
  const type = describeLayout(layout("large", Object.fromEntries(fields)));
  const bytes = encodeDescription({ ...FULL, type });
  assertEquals(parseDescription(bytes), { ...FULL, type: undefined });
});

Deno.test("parseDescription() refuses what is invalid, and says why", () => {
  const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`p${i}`, i]));
  const invalid: [Uint8Array, string][] = [
    [new Uint8Array(0), "JSON"],
    [new Uint8Array(8), "JSON"],
    [Uint8Array.of(0x22, 0xff, 0x22), "invalid: "],
    [new Uint8Array(LARGEST_DESCRIPTION + 1), "at most 16384 are read"],
    [new TextEncoder().encode("[".repeat(LARGEST_DESCRIPTION)), "invalid: "],
    [text([]), "the description is an Array"],
    [text({ geometry: 1 }), "a part of it is 1"],
    [text({ geometry: many }), "it has 33 properties"],
    [text({ geometry: { depth: null } }), '"depth" is null'],
    [text({ geometry: { "a b": 1 } }), '"a b" is 1'],
    [text({ policy: { policy: "\x1b[2J" } }), '"policy" is "'],
    [text({ policy: { toString: 1 } }), '"toString" is 1'],
    [text({ features: { incompatible: { striped: 32 } } }), '"striped" is 32'],
    [text({ features: { compatible: { hints: -1 } } }), '"hints" is -1'],
    [text({ features: [] }), "features is an Array"],
    [text({ type: { struct: "s" } }), "the fields of a struct are undefined"],
  ];
  for (const [bytes, reason] of invalid) {
    const result = parseDescription(bytes);
    assert(typeof result === "string", `${reason} is accepted`);
    assertStringIncludes(result, reason);
  }
  const later = parseDescription(text({ ...FULL, ofALaterVersion: [1, { a: null }] }));
  assertEquals(later, FULL);
});

/** Makes what a description says, if it can be made, and uses it. */
function use(bytes: Uint8Array): "unread" | "refused" | "used" {
  const description = parseDescription(bytes);
  if (typeof description === "string") return "unread";
  if (description.type === undefined) return "used";
  try {
    const { layout, sizeBytes, ...made } = describedType(description.type);
    if (layout !== undefined && layout.size < 2 ** 16) {
      const message = new Uint8Array(layout.size).fill(0x41);
      assertEquals(made.encode(made.decode(message), new Uint8Array(layout.size)), sizeBytes);
      layout.inspect(message);
    }
    return "used";
  } catch (error) {
    assertEquals((error as Error).name, "CorruptRegionError", `${error}`);
    return "refused";
  }
}

Deno.test("a description with any byte changed is unread, refused or used", () => {
  const bytes = encodeDescription(FULL);
  const seen = new Set<string>();
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [0, 0x20, 0x22, 0x30, 0x39, 0x5b, 0x7b, 0x80, bytes[at]! ^ 1]) {
      const changed = bytes.slice();
      changed[at] = value;
      seen.add(use(changed));
    }
  }
  assertEquals([...seen].sort(), ["refused", "unread", "used"]);
});

Deno.test("a description of any shape is unread, refused or used", () => {
  const seen = new Set<string>();
  const name = fc.constantFrom("a", "b", "x".repeat(70), "if", "a b", "\u0000");
  const count = fc.oneof(fc.nat(20), fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 53, 1e300));
  const { type } = fc.letrec((tie) => ({
    type: fc.oneof(
      { maxDepth: 10, depthSize: "max" },
      fc.constantFrom("u8", "f64", "u64", "i9"),
      fc.record({ bytes: count }),
      fc.record({ text: count }),
      fc.record({ array: tie("type"), length: count }),
      fc.record({
        struct: name,
        version: count,
        fields: fc.array(
          fc.record({
            name,
            type: tie("type"),
            at: count,
            line: fc.boolean(),
            atomic: fc.boolean(),
          }),
          { maxLength: 3 },
        ),
      }),
      fc.record({ request: tie("type"), response: tie("type") }),
    ),
  }));
  fc.assert(
    fc.property(fc.oneof(type, fc.json().map((text) => JSON.parse(text))), (type) => {
      const bytes = new TextEncoder().encode(JSON.stringify({ type }));
      const used = use(bytes);
      seen.add(used);
    }),
    { numRuns: 3000, seed: 11 },
  );
  assertEquals(seen.has("unread") && seen.has("refused"), true, [...seen].join());
});

// ---- in a region ----

const OPTIONS = { dataBytes: 3000, message: Imu.type };

function regionWith(place: Place, description: Uint8Array<ArrayBuffer>): Region {
  return Region.createOnce(TYPE, place.path, { ...OPTIONS, description }) as Region;
}

Deno.test("a region stores its description between its control block and its data", () => {
  using place = new Place();
  const description = encodeDescription(FULL);
  using region = regionWith(place, description);
  dataOf(region).set(patterned(3000));
  const at = descriptionOffsetOf(TYPE);
  assertEquals(region.header.description_bytes, description.length);
  assertEquals(region.mapping.bytes.slice(at, at + description.length), description);
  assertEquals(region.dataOffset, dataOffsetOf(TYPE), "it takes no page of its own");
  using joined = joinRegion(TYPE, place.path);
  assertEquals(dataOf(joined!), patterned(3000));
  const { details } = regions().find(({ path }) => path === place.path)!;
  assertEquals(details?.geometry, FULL.geometry);
  assertEquals(details?.policy, FULL.policy);
  assertEquals(details?.type, OPTIONS.message);
});

Deno.test("a region with a large description has its data on a later page", () => {
  using place = new Place();
  const description = encodeDescription(FULL);
  const at = descriptionOffsetOf(TYPE);
  const padded = new Uint8Array(LARGEST_DESCRIPTION).fill(0x20);
  padded.set(description);
  using region = regionWith(place, padded);
  dataOf(region).set(patterned(3000));
  assertEquals(region.dataOffset, roundUp(at + LARGEST_DESCRIPTION, pageSize()));
  using joined = joinRegion(TYPE, place.path, { readOnly: true });
  assertEquals(dataOf(joined!), patterned(3000));
  const { details } = regions().find(({ path }) => path === place.path)!;
  assertEquals(details?.type, OPTIONS.message);
});

Deno.test("a region whose description is corrupt is used and listed as before", () => {
  using place = new Place();
  const description = encodeDescription(FULL);
  using region = regionWith(place, description);
  const { bytes } = region.mapping;
  const at = descriptionOffsetOf(TYPE);
  const files = openFiles();
  for (const junk of ["{", "null", "[[[[[[", "\u0000\u0000", '{"type":{"struct":1}}']) {
    bytes.fill(0x5b, at, at + description.length);
    bytes.set(new TextEncoder().encode(junk), at);
    joinRegion(TYPE, place.path, { message: OPTIONS.message })!.close();
    const { details, problem } = regions().find(({ path }) => path === place.path)!;
    assertEquals([details?.geometry, details?.policy, problem], [undefined, undefined, undefined]);
    const { name, hash } = OPTIONS.message;
    assertEquals(details?.type, { name, hash });
  }
  const size = REGION_HEADER.fields.description_bytes.offset;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(size, 2 ** 32 - 1, true);
  assertEquals(regions().find(({ path }) => path === place.path)?.details?.geometry, undefined);
  assertEquals(openFiles(), files);
});
