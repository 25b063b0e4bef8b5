/** The header of a region: written, read, and refused when anything in it is not as expected. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CorruptRegionError, LayoutMismatchError, OsError } from "../../src/errors.ts";
import { Region } from "../../src/region/region.ts";
import type { JoinOptions } from "../../src/region/file.ts";
import {
  composeHeader,
  dataOffsetOf,
  HEADER_VERSION,
  HEADER_VERSIONS,
  parseHeader,
  REGION_HEADER,
  type RegionHeader,
  RegionState,
} from "../../src/region/header.ts";
import { regions } from "../../src/region/list.ts";
import { pageSize } from "../../src/os/page.ts";
import {
  CONTROL,
  dataOf,
  forge,
  idAt,
  MIRRORED,
  openFiles,
  patterned,
  Place,
  removeFile,
  TYPE,
} from "./scene.ts";
import { createRegion, joinRegion, openRegion } from "./opening.ts";

const SIZE = 3000;
const PAGE = pageSize();
const MESSAGE = { name: "pose", hash: 0x0123_4567_89ab_cdefn };
const CREATOR = patterned(16);

function header(): Uint8Array<ArrayBuffer> {
  return composeHeader(TYPE, SIZE, { creator: CREATOR, message: MESSAGE, state: 1 });
}

Deno.test("composeHeader() writes what parseHeader() reads", () => {
  assertEquals(parseHeader(header()), {
    magic: "vring",
    header_version: 2,
    byte_order: 0x01020304,
    kind: "test",
    abi_hash: CONTROL.hash,
    message_hash: MESSAGE.hash,
    compatible: 0,
    incompatible: 0,
    page_size: PAGE,
    control_bytes: CONTROL.size,
    byte_length: BigInt(dataOffsetOf(TYPE) + SIZE),
    data_offset: BigInt(dataOffsetOf(TYPE)),
    creator: CREATOR,
    message_name: "pose",
    part_bytes: 0n,
    description_bytes: 0,
    reserved: new Uint8Array(20),
    state: 1,
  });
});

Deno.test("composeHeader() writes the features in use and the lack of a message type", () => {
  const compatible = { hints: 1, tags: 2, unused: 3 };
  const regionType = {
    ...TYPE,
    features: { compatible, incompatible: { sealed: 0, striped: 31 } },
  };
  const features = ["striped", "hints", "tags", "sealed"];
  const bytes = composeHeader(regionType, SIZE, { creator: CREATOR, features, state: 0 });
  const header = REGION_HEADER.read(bytes);
  const { message_hash, message_name, state } = header;
  assertEquals([header.compatible, header.incompatible, state], [6, 2 ** 31 + 1, 0]);
  assertEquals([message_hash, message_name], [0n, ""]);
});

Deno.test("REGION_HEADER is that of its version", () => {
  const hashes = [undefined, 0x1391_0492_5488_b9b7n]; // of version 1, which nobody reads, and on
  assertEquals([HEADER_VERSION, HEADER_VERSIONS.length], [hashes.length, hashes.length]);
  assertEquals(REGION_HEADER.hash, hashes.at(-1), "another header is another version");
});

Deno.test("REGION_HEADER has 256 bytes and its changing word on a line of its own", () => {
  assertEquals(REGION_HEADER.size, 256);
  const { state, ...constant } = REGION_HEADER.fields;
  assertEquals(state.offset % 64, 0);
  for (const { name, offset, size } of Object.values(constant)) {
    assert(offset + size <= state.offset, name);
  }
});

Deno.test("dataOffsetOf() is the page after the header and the control block", () => {
  const at = (size: number) => dataOffsetOf({ ...TYPE, control: { size, hash: 0n } });
  assertEquals([0, 1, PAGE - 256, PAGE - 255, 3 * PAGE].map(at), [
    PAGE,
    PAGE,
    PAGE,
    2 * PAGE,
    4 * PAGE,
  ]);
});

Deno.test("parseHeader() says where a header that is too short ends", () => {
  const bytes = header();
  assertEquals(parseHeader(bytes.subarray(0, 0)), "the file is empty");
  for (let length = 1; length < 256; length++) {
    const problem = `the file ends after ${length} bytes, within the header`;
    assertEquals(parseHeader(bytes.subarray(0, length)), problem);
  }
});

Deno.test("parseHeader() returns names without anything that a terminal obeys", () => {
  const bytes = header();
  overwrite(bytes, "kind", "a\x1b[2J");
  overwrite(bytes, "message_name", "b\n\x9b31m\u202e \u00e9");
  const found = parseHeader(bytes);
  assert(typeof found === "object");
  assertEquals([found.kind, found.message_name], ["a\ufffd[2J", "b\ufffd\ufffd31m\ufffd \u00e9"]);
});

Deno.test("parseHeader() knows a header of the other byte order", () => {
  const bytes = header();
  for (const { shape, offset, size } of Object.values(REGION_HEADER.fields)) {
    if (typeof shape === "string") bytes.subarray(offset, offset + size).reverse();
  }
  assertEquals(parseHeader(bytes), "it was made on a machine of another byte order");
});

// ---- one field after the other, in a region that is in use ----

type FieldName = keyof typeof REGION_HEADER.fields;
type Refusal = [class_: new (message: string) => Error, says: string];
type Mutation = [field: FieldName, value: number | bigint | string, refusal?: Refusal];

const mismatch = (says: string): Refusal => [LayoutMismatchError, says];
const corrupt: Refusal = [CorruptRegionError, "its header states"];
const LENGTH = BigInt(dataOffsetOf(TYPE) + SIZE);
const OFFSET = BigInt(dataOffsetOf(TYPE));
const MAX64 = 2n ** 64n - 1n;

const MUTATIONS: Mutation[] = [
  ["magic", "", mismatch("does not begin as a region does")],
  ["magic", "vrinG", mismatch("does not begin as a region does")],
  ["magic", "vring2", mismatch("does not begin as a region does")],
  ["header_version", 0, mismatch("version 0, and this code knows 2")],
  ["header_version", 1, mismatch("version 1, and this code knows 2")],
  ["header_version", 3, mismatch("version 3, and this code knows 2")],
  ["header_version", 2 ** 32 - 1, mismatch("version 4294967295")],
  ["byte_order", 0, mismatch("another byte order")],
  ["byte_order", 0x04030201, mismatch("another byte order")],
  ["kind", "", mismatch('it is of kind "", not "test"')],
  ["kind", "tes", mismatch('it is of kind "tes", not "test"')],
  ["kind", "test_mirror", mismatch('it is of kind "test_mirror", not "test"')],
  ["abi_hash", 0n, mismatch("made by another version")],
  ["abi_hash", CONTROL.hash ^ 1n, mismatch((CONTROL.hash ^ 1n).toString(16))],
  ["abi_hash", CONTROL.hash ^ 1n << 63n, mismatch("made by another version")],
  ["message_hash", 0n, mismatch("of no declared type")],
  ["message_hash", MESSAGE.hash ^ 1n, mismatch('its messages are "pose" (123456789abcdee)')],
  ["message_hash", MESSAGE.hash ^ 1n << 63n, mismatch("its messages are")],
  ["compatible", 1],
  ["compatible", 2 ** 32 - 1],
  ...Array.from({ length: 32 }, (_, bit): Mutation => {
    const bits = 2 ** bit;
    return ["incompatible", bits, mismatch(`it uses the feature of bit ${bit}, which`)];
  }),
  ["incompatible", 6, mismatch("it uses the features of bit 1, of bit 2, which")],
  ["page_size", 0, mismatch("pages of 0 bytes")],
  ["page_size", 2 * PAGE, mismatch(`pages of ${2 * PAGE} bytes, and pages here have ${PAGE}`)],
  ["control_bytes", 0, corrupt],
  ["control_bytes", CONTROL.size - 1, corrupt],
  ["control_bytes", CONTROL.size + 64, corrupt],
  ["control_bytes", 2 ** 32 - 1, corrupt],
  ["byte_length", 0n, corrupt],
  ["byte_length", LENGTH - 1n, corrupt],
  ["byte_length", LENGTH + 1n, corrupt],
  ["byte_length", OFFSET, corrupt],
  ["byte_length", OFFSET - 1n, corrupt],
  ["byte_length", LENGTH + 2n ** 32n, corrupt],
  ["byte_length", LENGTH + 2n ** 53n, corrupt],
  ["byte_length", MAX64, corrupt],
  ["data_offset", 0n, corrupt],
  ["data_offset", OFFSET - 1n, corrupt],
  ["data_offset", OFFSET + BigInt(PAGE), corrupt],
  ["data_offset", LENGTH, corrupt],
  ["data_offset", LENGTH + 1n, corrupt],
  ["data_offset", OFFSET + 2n ** 32n, corrupt],
  ["data_offset", MAX64, corrupt],
  ["creator", "another identity"],
  ["message_name", ""],
  ["message_name", "called otherwise"],
  ["part_bytes", 1n, corrupt],
  ["part_bytes", BigInt(SIZE), corrupt],
  ["part_bytes", MAX64, corrupt],
  ["description_bytes", 1], // within the page, and not text: the description is invalid
  ["description_bytes", PAGE - 256 - CONTROL.size],
  ["description_bytes", PAGE - 255 - CONTROL.size, corrupt],
  ["description_bytes", 2 ** 14 + 1, corrupt],
  ["description_bytes", 2 ** 32 - 1, corrupt],
  ["reserved", "something of a later time"],
  ["state", 2 ** 32 - 2],
];

/** Overwrites one field in place, whatever it holds. */
function overwrite(bytes: Uint8Array, field: FieldName, value: number | bigint | string): void {
  const { offset, size } = REGION_HEADER.fields[field];
  const place = bytes.subarray(offset, offset + size);
  place.fill(0);
  if (typeof value === "string") place.set(new TextEncoder().encode(value).subarray(0, size));
  const view = new DataView(place.buffer, place.byteOffset, size);
  if (typeof value === "bigint") view.setBigUint64(0, value, true);
  if (typeof value === "number") view.setUint32(0, value, true);
}

const ATTACH: Record<string, (path: string) => Region | undefined> = {
  joining: (path) => connect(path, {}),
  observing: (path) => connect(path, { readOnly: true }),
  opening: (path) => openRegion(TYPE, path, { dataBytes: SIZE, message: MESSAGE }),
};

function connect(path: string, options: JoinOptions): Region | undefined {
  return joinRegion(TYPE, path, { message: MESSAGE, ...options });
}

for (const field of Object.keys(REGION_HEADER.fields) as FieldName[]) {
  const mutations = MUTATIONS.filter(([name]) => name === field);
  const refusals = mutations.filter(([, , refusal]) => refusal !== undefined);
  const does = refusals.length > 0 ? "refuses a region with another" : "accepts any";
  for (const [name, attach] of Object.entries(ATTACH)) {
    Deno.test(`${name} ${does} ${field}`, () => {
      assert(mutations.length > 0, "nothing is tried");
      using place = new Place();
      using region = openRegion(TYPE, place.path, { dataBytes: SIZE, message: MESSAGE });
      dataOf(region).set(patterned(SIZE));
      const original = region.mapping.bytes.slice(0, REGION_HEADER.size);
      const files = openFiles();
      for (const [, value, refusal] of mutations) {
        overwrite(region.mapping.bytes, field, value);
        if (refusal === undefined) {
          using attached = attach(place.path);
          assertEquals(attached && dataOf(attached), patterned(SIZE), `${value}`);
        } else {
          const error = assertThrows(() => attach(place.path)?.close());
          checkRefusal(error, refusal, name, `${field} ${value}`);
        }
        region.mapping.bytes.set(original);
        assert(place.exists, `${value}`);
      }
      assertEquals(openFiles(), files);
      attach(place.path)!.close(); // it was the field, and nothing else
    });
  }
}

/** A wrong size in the options is the first difference that is reported. */
function checkRefusal(error: unknown, refusal: Refusal, name: string, what: string): void {
  const [class_, says] = refusal;
  const bySize = name === "open()" && class_ === CorruptRegionError &&
    error instanceof LayoutMismatchError;
  assert(error instanceof class_ || bySize, `${what}: ${error}`);
  assertStringIncludes(error.message, bySize ? "it holds" : says, what);
}

Deno.test("joinRegion() ignores the message type if the options have none", () => {
  using place = new Place();
  using _region = openRegion(TYPE, place.path, { dataBytes: SIZE, message: MESSAGE });
  using other = joinRegion(TYPE, place.path);
  assertEquals(other?.header.message_name, "pose");
});

Deno.test("joinRegion() refuses a file that is longer or shorter than its header says", () => {
  using place = new Place();
  for (const change of [1, -1, -SIZE, -SIZE - 1, PAGE, 2 ** 32]) {
    forge(place.path, { data: patterned(SIZE), persist: true });
    Deno.truncateSync(place.path, Number(LENGTH) + change);
    for (const options of [{}, { readOnly: true }]) {
      const attempt = () => joinRegion(TYPE, place.path, options)?.close();
      assertThrows(attempt, CorruptRegionError, `the file has ${Number(LENGTH) + change}`);
    }
  }
});

Deno.test("joinRegion() refuses a file that ends before its data, as its header says", () => {
  using place = new Place();
  for (const length of [REGION_HEADER.size, Number(OFFSET) - 1]) {
    forge(place.path, { data: patterned(SIZE), persist: true });
    const bytes = Deno.readFileSync(place.path).subarray(0, length);
    overwrite(bytes, "byte_length", BigInt(length));
    Deno.writeFileSync(place.path, bytes);
    for (const options of [{}, { readOnly: true }]) {
      const attempt = () => joinRegion(TYPE, place.path, options)?.close();
      assertThrows(attempt, CorruptRegionError, `the file has ${length}`);
    }
  }
});

Deno.test("joinRegion() refuses mirrored data that is not whole pages, or none", () => {
  using place = new Place(MIRRORED);
  for (const length of [0, 1, PAGE - 1, PAGE + 1, PAGE + PAGE / 2]) {
    forge(place.path, { regionType: MIRRORED, data: patterned(length), persist: true });
    for (const options of [{}, { readOnly: true }]) {
      const attempt = () => joinRegion(MIRRORED, place.path, options)?.close();
      assertThrows(attempt, CorruptRegionError, `with data from ${dataOffsetOf(MIRRORED)}`);
    }
  }
});

Deno.test("joinRegion() refuses mirrored data whose parts do not make up the whole", () => {
  using place = new Place(MIRRORED);
  using region = openRegion(MIRRORED, place.path, { dataBytes: 6 * PAGE, partBytes: 3 * PAGE });
  const { bytes } = region.mapping;
  const right = 3n * BigInt(PAGE);
  for (
    const wrong of [0n, 1n, BigInt(PAGE) / 2n, BigInt(PAGE), 4n * BigInt(PAGE), 2n ** 53n, MAX64]
  ) {
    overwrite(bytes, "part_bytes", wrong);
    for (const options of [{}, { readOnly: true }]) {
      const attempt = () => joinRegion(MIRRORED, place.path, options)?.close();
      assertThrows(attempt, CorruptRegionError, `with data from ${dataOffsetOf(MIRRORED)}`);
    }
  }
  overwrite(bytes, "part_bytes", right);
  joinRegion(MIRRORED, place.path)!.close();
});

// ---- anything at all ----

const FUZZ_SIZE = 2 * PAGE;
const FUZZ_OPTIONS = { dataBytes: FUZZ_SIZE, message: MESSAGE };
const FUZZ_LENGTH = OFFSET + BigInt(FUZZ_SIZE);

const U32 = fc.oneof(
  fc.constantFrom(0, 1, PAGE, CONTROL.size, 2 ** 31, 2 ** 32 - 1),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
);
const U64 = fc.oneof(
  fc.constantFrom(0n, 1n, OFFSET, FUZZ_LENGTH, FUZZ_LENGTH - 1n, 2n ** 53n, 2n ** 63n, MAX64),
  fc.bigInt({ min: 0n, max: MAX64 }),
);
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

type Change = [field: FieldName, value: number | bigint | Uint8Array];

/** Another value for one field. */
const CHANGE: fc.Arbitrary<Change> = fc.constantFrom(...Object.values(REGION_HEADER.fields))
  .chain(({ name, type, size }) => {
    const value: fc.Arbitrary<Change[1]> = type === "u32"
      ? U32
      : type === "u64"
      ? U64
      : bytesOf(size);
    return fc.tuple(fc.constant(name as FieldName), value);
  });

/** A header with some fields changed, or any bytes at all. */
const HEADER = fc.oneof(
  { weight: 9, arbitrary: fc.array(CHANGE, { maxLength: 3 }) },
  { weight: 1, arbitrary: bytesOf(REGION_HEADER.size) },
);

function mutate(bytes: Uint8Array, changes: Change[] | Uint8Array): void {
  if (changes instanceof Uint8Array) return bytes.set(changes);
  for (const [field, value] of changes) {
    if (value instanceof Uint8Array) bytes.set(value, REGION_HEADER.fields[field].offset);
    else overwrite(bytes, field, value);
  }
}

/** The length of the file, if it is not right, and whether the header says the same. */
const CUT = fc.option(
  fc.record({ length: fc.integer({ min: 0, max: 4 * PAGE }), told: fc.boolean() }),
);

/** Uses the region if it can attach; throws every error that is not a refusal. */
function tryOut(attach: () => Region | undefined): "used" | "absent" | "refused" {
  try {
    using region = attach();
    if (region === undefined) return "absent";
    const { bytes } = region.mapping;
    let sum = 0;
    for (const byte of bytes) sum += byte; // every page is there
    const windows = region.header.kind === MIRRORED.name ? 2 : 1;
    assertEquals(region.dataOffset + windows * region.dataBytes, bytes.length);
    if (!region.readOnly) bytes[bytes.length - 1] = sum & 255;
    return "used";
  } catch (error) {
    const isRefusal = [LayoutMismatchError, CorruptRegionError, OsError]
      .some((class_) => error instanceof class_);
    if (isRefusal) return "refused";
    throw error;
  }
}

/** Everything that anybody may do with what has the name. */
function tryAll(regionType: typeof TYPE, path: string): Set<string> {
  const options = { dataBytes: FUZZ_SIZE };
  const results = [
    tryOut(() => joinRegion(regionType, path, { readOnly: true })),
    tryOut(() => joinRegion(regionType, path, { message: MESSAGE })),
    tryOut(() => joinRegion(regionType, path)),
    tryOut(() => openRegion(regionType, path, options)),
    tryOut(() => createRegion(regionType, path, options)),
  ];
  regions();
  return new Set(results);
}

for (const regionType of [TYPE, MIRRORED]) {
  const what = regionType.mirrored ? "mirrored " : "";
  Deno.test(`Region of ${what}data is used or refused whatever the header in its file says`, () => {
    using place = new Place(regionType);
    const seen = new Set<string>();
    const files = openFiles();
    fc.assert(
      fc.property(HEADER, CUT, fc.boolean(), (changes, cut, persist) => {
        forge(place.path, { regionType, data: patterned(FUZZ_SIZE), persist, message: MESSAGE });
        const bytes = Deno.readFileSync(place.path);
        if (cut?.told) overwrite(bytes, "byte_length", BigInt(cut.length));
        mutate(bytes, changes);
        Deno.writeFileSync(place.path, bytes);
        if (cut) Deno.truncateSync(place.path, cut.length);
        for (const result of tryAll(regionType, place.path)) seen.add(result);
        if (place.exists) Region.unlink(regionType, place.path);
      }),
      { numRuns: 200 },
    );
    assertEquals([...seen].sort(), ["absent", "refused", "used"]);
    assertEquals(openFiles(), files);
  });

  Deno.test(`Region of ${what}data stays with its member whatever others write into its header`, () => {
    using place = new Place(regionType);
    const seen = new Set<string>();
    const files = openFiles();
    fc.assert(
      fc.property(HEADER, (changes) => {
        using region = openRegion(regionType, place.path, FUZZ_OPTIONS);
        mutate(region.mapping.bytes, changes);
        const id = idAt(place.path);
        for (const result of tryAll(regionType, place.path)) seen.add(result);
        assertEquals(idAt(place.path), id);
        region.close();
        removeFile(place.path); // what came by chance to persist
      }),
      { numRuns: 200 },
    );
    assertEquals([...seen].sort(), ["refused", "used"]);
    assertEquals(openFiles(), files);
  });
}

Deno.test("parseHeader() takes any bytes", () => {
  let accepted = 0;
  fc.assert(
    fc.property(HEADER, fc.integer({ min: 0, max: 300 }), (changes, length) => {
      const bytes = header();
      mutate(bytes, changes);
      const result: RegionHeader | string = parseHeader(bytes.subarray(0, length));
      if (typeof result === "string") return;
      accepted++;
      assertEquals([result.magic, result.header_version], ["vring", 2]);
      assertEquals((result.state & RegionState.persist) >>> 0 <= 1, true);
    }),
    { numRuns: 2000 },
  );
  assert(accepted > 0);
});
