/** Regions within one process: opened, shared, refused, unlinked and closed. */

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ClosedError, LayoutMismatchError, OsError } from "../../src/errors.ts";
import { Region } from "../../src/region/region.ts";
import type { JoinOptions } from "../../src/region/file.ts";
import { REGION_HEADER, type RegionType } from "../../src/region/header.ts";
import { regions } from "../../src/region/list.ts";
import { pageSize } from "../../src/os/page.ts";
import { mappedRanges } from "../../src/os/proc_maps.ts";
import {
  CONTROL,
  dataOf,
  forge,
  idAt,
  idOf,
  MIRRORED,
  openFiles,
  OTHER_TYPE,
  patterned,
  Place,
  removeFile,
  TYPE,
} from "./scene.ts";
import { createRegion, joinRegion, openRegion, type RegionOptions } from "./opening.ts";

/** Parts of its data get memory when they need it. */
const SPARSE: RegionType = { ...TYPE, sparse: true };

const SIZE = 5000;
const PAGE = pageSize();

function open(place: Place, options: Partial<RegionOptions> = {}): Region {
  return openRegion(TYPE, place.path, { dataBytes: SIZE, ...options });
}

function connect(place: Place, options?: JoinOptions): Region {
  const region = joinRegion(TYPE, place.path, options);
  assert(region !== undefined, "there is nothing to connect to");
  return region;
}

/** Fails unless the action leaves no more files and mappings open than there were. */
function keepsNothing(action: () => void): void {
  const mapped = () => mappedRanges().filter(({ path }) => path.startsWith("/dev/shm/")).length;
  const before = [openFiles(), mapped()];
  action();
  assertEquals([openFiles(), mapped()], before);
}

// ---- making ----

Deno.test("openRegion() makes a region of zeroed bytes", () => {
  using place = new Place();
  using region = open(place);
  assert(region.created && !region.readOnly && !region.closed);
  assertEquals(region.dataBytes, SIZE);
  assertEquals(dataOf(region), new Uint8Array(SIZE));
  const { controlOffset, dataOffset, header: { description_bytes } } = region;
  const bytes = region.mapping.bytes.slice(controlOffset, dataOffset);
  bytes.fill(0, CONTROL.size, CONTROL.size + description_bytes);
  assertEquals(bytes, new Uint8Array(bytes.length));
  assert(bytes.length >= CONTROL.size && dataOffset % PAGE === 0);
});

Deno.test("openRegion() makes a file of exactly the region, reserved, with mode 0600", () => {
  using place = new Place();
  using region = open(place);
  const { size, blocks, mode, nlink } = Deno.statSync(place.path);
  assertEquals(size, region.dataOffset + SIZE);
  assertEquals(size, region.mapping.length);
  assert(blocks! * 512 >= size, `${blocks} blocks for ${size} bytes`);
  assertEquals([mode! & 0o7777, nlink], [0o600, 1]);
});

Deno.test("openRegion() makes a region without data", () => {
  using place = new Place();
  using region = open(place, { dataBytes: 0 });
  assertEquals([region.dataBytes, region.mapping.length], [0, region.dataOffset]);
});

Deno.test("openRegion() gives every region another identity", () => {
  using place = new Place();
  const ids = Array.from({ length: 50 }, () => {
    using region = open(place);
    return idOf(region);
  });
  assertEquals(new Set(ids).size, 50);
});

Deno.test("openRegion() calls initialise before the region has a name, and only then", () => {
  using place = new Place();
  const contents = patterned(SIZE);
  let calls = 0;
  const initialise: NonNullable<RegionOptions["initialise"]> = ({ bytes }) => {
    calls++;
    assert(!place.exists);
    bytes.set(contents, bytes.length - SIZE);
  };
  using first = open(place, { initialise });
  using second = open(place, { initialise });
  assertEquals(calls, 1);
  assertEquals(dataOf(first), contents);
  assertEquals(dataOf(second), contents);
});

Deno.test("openRegion() keeps nothing when initialise throws", () => {
  using place = new Place();
  const initialise = () => {
    throw new RangeError("not today");
  };
  keepsNothing(() => {
    assertThrows(() => open(place, { initialise }), RangeError, "not today");
  });
  assert(!place.exists);
});

Deno.test("openRegion() refuses a message name that does not fit, and makes nothing", () => {
  using place = new Place();
  const message = { name: "m".repeat(65), hash: 1n };
  keepsNothing(() => assertThrows(() => open(place, { message })));
  assert(!place.exists);
});

// ---- sizes ----

const BAD_SIZES: [RegionType, number[]][] = [
  [TYPE, [-1, -PAGE, 0.5, NaN, Infinity, 2 ** 46 + 1, 2 ** 53]],
  [MIRRORED, [0, -PAGE, 1, PAGE - 1, PAGE + 1, PAGE + 0.5, 2 ** 46 + PAGE]],
];

Deno.test("openRegion() and create() refuse impossible sizes and make nothing", () => {
  for (const [regionType, sizes] of BAD_SIZES) {
    using place = new Place(regionType);
    keepsNothing(() => {
      for (const dataBytes of sizes) {
        for (const make of [openRegion, createRegion]) {
          const attempt = () => make(regionType, place.path, { dataBytes });
          assertThrows(attempt, RangeError, `${dataBytes} bytes`);
        }
      }
    });
    assert(!place.exists);
  }
});

// ---- sharing ----

Deno.test("Region.countMembers() counts every member, and no observer", () => {
  using place = new Place();
  using first = open(place);
  using observer = connect(place, { readOnly: true });
  assertEquals([first, observer].map((region) => region.countMembers()), [1, 1]);
  const more = Array.from({ length: 10 }, () => connect(place));
  using _role = first.tryHold(0);
  const all = [first, observer, ...more];
  assertEquals(all.map((region) => region.countMembers()), Array(12).fill(11));
  more.forEach((region, i) => {
    region.close();
    assertEquals([first, observer].map((each) => each.countMembers()), [10 - i, 10 - i]);
  });
});

Deno.test("Region.countMembers() counts those who share a region without a name", () => {
  using place = new Place();
  using first = open(place);
  using second = open(place);
  Region.unlink(TYPE, place.path);
  using newcomer = open(place);
  assertEquals([first, second, newcomer].map((region) => region.countMembers()), [2, 2, 1]);
});

Deno.test("openRegion() compares the message type if the options have one", () => {
  using place = new Place();
  const message = { name: "pose", hash: 0xabcn };
  using _region = open(place, { message });
  open(place, { message: { ...message, name: "called otherwise" } }).close();
  open(place).close();
  const other = { name: "imu", hash: 0xdefn };
  const error = assertThrows(() => open(place, { message: other }), LayoutMismatchError, '"pose"');
  assertStringIncludes(error.message, '"imu"');
  const namesake = () => open(place, { message: { ...message, hash: 0xdefn } });
  assertThrows(namesake, LayoutMismatchError, '"pose" (abc), and this definition says another');
});

Deno.test("openRegion() accepts features that may be ignored or are known", () => {
  using place = new Place();
  const knowing = (...names: string[]): RegionType => {
    const all = { sealed: 0, striped: 2, packed: 3 };
    const known = Object.entries(all).filter(([name]) => names.includes(name));
    return { ...TYPE, features: { incompatible: Object.fromEntries(known) } };
  };
  const made: RegionType = {
    ...TYPE,
    features: { compatible: { hints: 31 }, incompatible: { sealed: 0, striped: 2, packed: 3 } },
  };
  const features = ["sealed", "striped", "hints"];
  using _region = openRegion(made, place.path, { dataBytes: SIZE, features });
  openRegion(knowing("sealed", "striped", "packed"), place.path, { dataBytes: SIZE }).close();
  assertThrows(
    () => openRegion(knowing("sealed", "packed"), place.path, { dataBytes: SIZE }),
    LayoutMismatchError,
    'it uses the feature "striped", which this version does not know; update this program',
  );
  assertThrows(() => open(place), LayoutMismatchError, 'the features "sealed", "striped", which');
});

Deno.test("an opener names the features that it does not know as the region does", () => {
  using place = new Place();
  const featured = {
    ...TYPE,
    features: { compatible: { hints: 4 }, incompatible: { sealed: 0, striped: 2 } },
  };
  const features = ["striped", "hints"];
  using region = openRegion(featured, place.path, { dataBytes: 0, features });
  assertThrows(() => open(place), LayoutMismatchError, 'the feature "striped", which this version');
  const listed = () => regions().find(({ path }) => path === place.path)?.details?.features;
  assertEquals(listed(), ["hints", "striped"]);
  region.mapping.bytes[REGION_HEADER.fields.incompatible.offset]! |= 2;
  assertThrows(() => open(place), LayoutMismatchError, 'the features of bit 1, "striped", which');
  assertEquals(listed(), ["hints", "bit 1", "striped"]);
});

// ---- what was left ----

Deno.test("an abandoned region is removed, and replaced where a new one is asked for", () => {
  using place = new Place();
  const attach: ((place: Place) => Region | undefined)[] = [
    (place) => open(place),
    (place) => createRegion(TYPE, place.path, { dataBytes: SIZE }),
    (place) => joinRegion(TYPE, place.path),
  ];
  for (const [way, attempt] of attach.entries()) {
    for (
      const regionType of way < 2 ? [TYPE, OTHER_TYPE, { ...TYPE, name: "tset" }] : [TYPE]
    ) {
      const dead = forge(place.path, {
        regionType,
        data: patterned(SIZE + regionType.name.length),
      });
      keepsNothing(() => {
        using region = attempt(place);
        if (region === undefined) return assertEquals(way, 2);
        assertEquals([region.created, dataOf(region)], [true, new Uint8Array(SIZE)]);
        assertNotEquals(idOf(region), dead);
      });
      assert(!place.exists);
    }
  }
});

Deno.test("joinRegion() with readOnly joins a kept region, and leaves an abandoned one", () => {
  using place = new Place();
  const id = forge(place.path);
  keepsNothing(() => {
    assertEquals(joinRegion(TYPE, place.path, { readOnly: true }), undefined);
  });
  assertEquals(idAt(place.path), id);
  forge(place.path, { data: patterned(SIZE), persist: true });
  using reader = connect(place, { readOnly: true });
  assertEquals([reader.persist, dataOf(reader)], [true, patterned(SIZE)]);
});

Deno.test("joinRegion() joins a kept region, but not with another layout", () => {
  using place = new Place();
  const id = forge(place.path, { data: patterned(SIZE), persist: true });
  using region = connect(place);
  assertEquals([idOf(region), dataOf(region)], [id, patterned(SIZE)]);
  region.close();
  assertThrows(() => joinRegion(OTHER_TYPE, place.path), LayoutMismatchError, "layout");
  assertEquals(idAt(place.path), id);
});

Deno.test("Region.close() does not remove a file that another program put in its place", () => {
  using place = new Place();
  const region = open(place);
  removeFile(place.path);
  Deno.writeTextFileSync(place.path, "not ours");
  region.close();
  assertEquals(Deno.readTextFileSync(place.path), "not ours");
});

// ---- close ----

Deno.test("Region.close() empties the views that were taken of it", () => {
  using place = new Place();
  for (const regionType of [TYPE, { ...MIRRORED, name: "test" }]) {
    const region = openRegion(regionType, place.path, { dataBytes: PAGE });
    const views = [
      region.mapping.bytes,
      dataOf(region),
      new Float64Array(region.mapping.bytes.buffer, region.dataOffset, 8),
    ];
    dataOf(region).set(patterned(PAGE));
    region.close();
    for (const view of views) assertEquals([view.length, view[0]], [0, undefined]);
    assertEquals(region.mapping.bytes.length, 0);
  }
});

Deno.test("every method of a closed Region throws a ClosedError", () => {
  using place = new Place();
  const region = open(place);
  region.close();
  const uses = [
    () => region.tryHold(0),
    () => region.isHeld(0),
    () => region.countMembers(),
    () => region.checkOpen(),
    () => region.persist,
    () => region.allocate(0, PAGE),
  ];
  for (const use of uses) assertThrows(use, ClosedError, "closed");
});

// ---- reading only ----

Deno.test("joinRegion() with readOnly sees the writes of others", () => {
  using place = new Place();
  using region = open(place);
  using reader = connect(place, { readOnly: true });
  dataOf(region).set(patterned(SIZE));
  assertEquals([reader.readOnly, reader.created, idOf(reader)], [true, false, idOf(region)]);
  assertEquals(dataOf(reader), patterned(SIZE));
});

Deno.test("joinRegion() with readOnly maps the memory for reading only", () => {
  for (const regionType of [TYPE, MIRRORED]) {
    using place = new Place(regionType);
    using region = openRegion(regionType, place.path, { dataBytes: PAGE });
    using reader = joinRegion(regionType, place.path, { readOnly: true })!;
    const permissionsOf = ({ mapping }: Region) =>
      mappedRanges()
        .filter(({ start, end }) =>
          start < mapping.address + mapping.length && end > mapping.address
        )
        .map(({ permissions }) => permissions);
    assertEquals(new Set(permissionsOf(region)), new Set(["rw-s"]));
    assertEquals(new Set(permissionsOf(reader)), new Set(["r--s"]));
  }
});

Deno.test("joinRegion() with readOnly cannot hold a role, but sees held ones", () => {
  using place = new Place();
  using region = open(place);
  using reader = connect(place, { readOnly: true });
  assertThrows(() => reader.tryHold(0), TypeError, "for reading only");
  assertEquals(reader.isHeld(0), false);
  using _role = region.tryHold(0);
  assertEquals(reader.isHeld(0), true);
});

Deno.test("Region.close() of a reader does not unlink", () => {
  using place = new Place();
  const region = open(place);
  connect(place, { readOnly: true }).close();
  assertEquals(idAt(place.path), idOf(region));
  region.close();
  assert(!place.exists);
  forge(place.path, { persist: true });
  connect(place, { readOnly: true }).close();
  assert(place.exists);
});

// ---- mirrored ----

Deno.test("Region of mirrored parts shows each byte at two places, part by part", () => {
  using place = new Place(MIRRORED);
  const sizes = { dataBytes: 6 * PAGE, partBytes: 2 * PAGE };
  using region = openRegion(MIRRORED, place.path, sizes);
  using joined = joinRegion(MIRRORED, place.path)!;
  assertEquals([joined.dataBytes, joined.partBytes], [6 * PAGE, 2 * PAGE]);
  assertEquals(Deno.statSync(place.path).size, region.dataOffset + 6 * PAGE);
  for (let part = 0; part < 3; part++) {
    const start = region.dataOffset + 2 * part * sizes.partBytes;
    const contents = patterned(sizes.partBytes, part);
    region.mapping.bytes.set(contents.subarray(PAGE), start + PAGE);
    joined.mapping.bytes.set(contents.subarray(0, PAGE), start + sizes.partBytes);
    for (const { mapping } of [region, joined]) {
      assertEquals(mapping.bytes.slice(start, start + sizes.partBytes), contents);
      const again = start + sizes.partBytes;
      assertEquals(mapping.bytes.slice(again, again + sizes.partBytes), contents);
    }
  }
});

Deno.test("Region of mirrored parts refuses sizes that are not whole parts", () => {
  using place = new Place(MIRRORED);
  for (const [dataBytes, partBytes] of [[3, 2], [2, 0], [2, -1], [1, 2], [2, 0.5], [2, NaN]]) {
    const sizes = { dataBytes: dataBytes! * PAGE, partBytes: partBytes! * PAGE };
    assertThrows(() => openRegion(MIRRORED, place.path, sizes), RangeError, "with");
    assert(!place.exists);
  }
});

Deno.test("Region of mirrored data has its header and its memory once", () => {
  using place = new Place(MIRRORED);
  using region = openRegion(MIRRORED, place.path, { dataBytes: PAGE });
  assertEquals(Deno.statSync(place.path).size, region.dataOffset + PAGE);
  const { mapping: { bytes, address }, dataOffset } = region;
  bytes.set(patterned(PAGE), dataOffset);
  bytes.fill(9, region.controlOffset, dataOffset);
  assertEquals(bytes.slice(dataOffset), new Uint8Array([...patterned(PAGE), ...patterned(PAGE)]));
  assertEquals(REGION_HEADER.read(bytes).kind, MIRRORED.name);
  const offsets = mappedRanges()
    .filter(({ start, end }) => start >= address && end <= address + bytes.length)
    .map(({ offset }) => offset);
  assertEquals(offsets, [0, dataOffset]);
});

// ---- data with less memory than there will be ----

Deno.test("Region.allocate() gives memory to a part of the data that had none", () => {
  using place = new Place();
  const [dataBytes, reservedBytes] = [64 * PAGE, PAGE];
  const allocated = () => Deno.statSync(place.path).blocks! * 512;
  using region = openRegion(SPARSE, place.path, { dataBytes, reservedBytes });
  const { dataOffset } = region;
  assertEquals(Deno.statSync(place.path).size, dataOffset + dataBytes);
  assertEquals(allocated(), dataOffset + reservedBytes);
  const at = dataOffset + 40 * PAGE;
  region.allocate(at, 2 * PAGE);
  assertEquals(allocated(), dataOffset + reservedBytes + 2 * PAGE);
  region.allocate(at, 2 * PAGE); // again: nothing changes
  region.mapping.bytes.set(patterned(2 * PAGE), at);
  using other = openRegion(SPARSE, place.path, { dataBytes });
  assertEquals(other.mapping.bytes.slice(at, at + 2 * PAGE), patterned(2 * PAGE));
  assertEquals(allocated(), dataOffset + reservedBytes + 2 * PAGE);
});

Deno.test("Region.allocate() refuses more than the free memory", () => {
  using place = new Place();
  using region = open(place, { dataBytes: 4 * PAGE, reservedBytes: 0 });
  const before = Deno.statSync(place.path);
  const error = assertThrows(() => region.allocate(region.dataOffset, 2 ** 45), OsError);
  assertEquals(error.code, "ENOSPC");
  assert(/give region .* more memory: .* free and .* needed/.test(error.message), error.message);
  const { size, blocks } = Deno.statSync(place.path);
  assertEquals([size, blocks], [before.size, before.blocks]);
});

/** A kept region of which only the header has memory. */
function makeHoles(place: Place): { size: number; allocated: () => number } {
  open(place, { dataBytes: 64 * PAGE, persist: true }).close();
  const { size } = Deno.statSync(place.path);
  Deno.truncateSync(place.path, PAGE);
  Deno.truncateSync(place.path, size);
  const allocated = () => Deno.statSync(place.path).blocks! * 512;
  assertEquals(allocated(), PAGE);
  return { size, allocated };
}

Deno.test("joining a region whose file has holes gives them memory", () => {
  using place = new Place();
  const { size, allocated } = makeHoles(place);
  using region = open(place, { dataBytes: 64 * PAGE });
  assertEquals([region.created, allocated()], [false, size]);
  using _second = connect(place, { readOnly: true });
  region.mapping.bytes.fill(7, region.dataOffset);
  assertEquals(allocated(), size);
});

Deno.test("a reader without the right to write refuses a region whose file has holes", () => {
  using place = new Place();
  const { size, allocated } = makeHoles(place);
  const error = assertThrows(
    () => connect(place, { readOnly: true }),
    OsError,
    "open it once with",
  );
  assertEquals([error.code, error.syscall, allocated()], ["ENOSPC", "fstat", PAGE]);
  assertStringIncludes(error.message, `${size - PAGE} of the ${size} bytes of its file`);
});

// ---- roles ----

Deno.test("Region.tryHold() keeps roles apart, from each other and from membership", () => {
  using place = new Place();
  using region = open(place);
  using other = open(place);
  const numbers = [0, 1, 2, 63, 1000];
  using stack = new DisposableStack();
  for (const number of numbers) {
    assertEquals(other.isHeld(number), false);
    const role = region.tryHold(number);
    assert(role !== undefined);
    stack.use(role);
  }
  for (const number of numbers) assert(other.isHeld(number));
  assertEquals([3, 62, 999, 1001].map((number) => other.isHeld(number)), Array(4).fill(false));
  open(place).close();
});
