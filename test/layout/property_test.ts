/** Properties of every layout and every value. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type AnyLayout, type FieldType, layout, type Scalar } from "../../src/layout/layout.ts";
import { choices, declare, placesOf, SCALAR_SIZES, usedBytes, values } from "./random.ts";

Deno.test("layout() places any fields where the rules say", () => {
  fc.assert(fc.property(choices({ plain: false }), (fields) => {
    const expected = placesOf(fields);
    const actual = declare("l", fields);
    assertEquals(Object.values(actual.fields).map(({ offset }) => offset), expected.offsets);
    assertEquals([actual.size, actual.alignment], [expected.size, expected.alignment]);
  }));
});

Deno.test("layout() aligns all fields and lets none overlap or share a line", () => {
  fc.assert(fc.property(choices({ plain: false }), (fields) => checkPlaces(declare("l", fields))));
});

function checkPlaces({ fields, size, alignment }: AnyLayout): void {
  const owners = new Map<number, string>();
  const own = (from: number, to: number, name: string) => {
    for (let byte = from; byte < to; byte++) {
      assertEquals(owners.get(byte), undefined, `byte ${byte} of ${name}`);
      owners.set(byte, name);
    }
  };
  for (const { name, offset, size: fieldSize, line, shape } of Object.values(fields)) {
    own(offset, offset + (line ? 64 : fieldSize), name);
    if (line) assertEquals(offset % 64, 0);
    if (typeof shape === "string") assertEquals(offset % SCALAR_SIZES[shape], 0);
    if (typeof shape === "object" && shape.kind === "layout") checkPlaces(shape);
    assert(offset + fieldSize <= size);
  }
  assertEquals(size % alignment, 0);
}

Deno.test("layout() refuses `at` exactly where a field would overlap or be out of line", () => {
  const field = fc.record({
    type: fc.constantFrom<Scalar>("u8", "u16", "u32", "u64"),
    at: fc.nat(24),
  });
  let refused = 0;
  const runs = 500;
  const placed = fc.property(fc.array(field, { minLength: 1, maxLength: 4 }), (fields) => {
    const bytes = fields.flatMap(({ type, at }) =>
      Array.from({ length: SCALAR_SIZES[type] }, (_, index) => at + index)
    );
    const overlap = new Set(bytes).size < bytes.length;
    const misaligned = fields.some(({ type, at }) => at % SCALAR_SIZES[type] !== 0);
    const declarations = Object.fromEntries(fields.map((field, index) => [`f${index}`, field]));
    if (overlap || misaligned) {
      refused++;
      assertThrows(() => layout("l", declarations), RangeError, 'Cannot lay out "l": field "f');
    } else {
      const offsets = Object.values(layout("l", declarations).fields).map(({ offset }) => offset);
      assertEquals(offsets, fields.map(({ at }) => at));
    }
  });
  fc.assert(placed, { numRuns: runs });
  assert(refused > 0 && refused < runs, `${refused} of ${runs} were refused`);
});

/** A random layout with memory that differs everywhere, and a random value for it. */
const filled = choices({ plain: false }).chain((fields) => {
  const l = declare("l", fields);
  const background = fc.nat(255).map((seed) =>
    Uint8Array.from({ length: l.size + 256 }, (_, index) => index * 151 + seed)
  );
  return fc.record({
    l: fc.constant(l),
    value: values(l) as fc.Arbitrary<never>,
    background,
    offset: fc.nat(128),
  });
});

Deno.test("Layout.write() stores the values that Layout.read() returns, and changes no other byte", () => {
  fc.assert(fc.property(filled, ({ l, value, background, offset }) => {
    const bytes = background.slice();
    l.write(bytes, value, offset);
    assertEquals(l.read(bytes, offset), value);
    const used = new Set(usedBytes(l, offset));
    assertEquals(
      bytes.map((byte, i) => used.has(i) ? 0 : byte),
      background.map((byte, i) => used.has(i) ? 0 : byte),
    );
  }));
});

Deno.test("Layout.view() sees what Layout.write() stored", () => {
  fc.assert(fc.property(filled, ({ l, value, background, offset }) => {
    const at = offset - offset % l.alignment;
    const bytes = background.slice();
    l.write(bytes, value, at);
    assertEquals(seen(l, l.view(bytes, at)), value);
  }));
});

Deno.test("Layout.view() stores the bytes that Layout.write() stores", () => {
  fc.assert(fc.property(filled, ({ l, value, background, offset }) => {
    const at = offset - offset % l.alignment;
    const [written, assigned] = [background.slice(), background.slice()];
    l.write(written, value, at);
    assign(l, l.view(assigned, at), value);
    assertEquals(assigned, written);
  }));
});

Deno.test("Layout.read() and Layout.inspect() take any bytes", () => {
  const inputs = choices({ plain: false }).chain((fields) => {
    const l = declare("l", fields);
    return fc.tuple(fc.constant(l), fc.uint8Array({ minLength: l.size, maxLength: l.size }));
  });
  fc.assert(fc.property(inputs, ([l, bytes]) => {
    assertEquals(seen(l, l.view(bytes.slice())), l.read(bytes));
    const { inspect } = l as unknown as { inspect(bytes: Uint8Array): string };
    assert(!/[^\P{C}\n]/u.test(inspect.call(l, bytes)));
  }));
});

type Fields = Record<string, unknown>;

/** The contents of a view, as a plain value. */
function seen(type: FieldType, view: unknown): unknown {
  if (typeof type === "string") return view;
  if (type.kind === "array" && typeof type.element === "object") {
    return (view as unknown[]).map((one) => seen(type.element, one));
  }
  if (type.kind !== "layout") return typeof view === "string" ? view : (view as Uint8Array).slice();
  return Object.fromEntries(
    Object.values(type.fields).map((
      { name, shape },
    ) => [name, seen(shape, (view as Fields)[name])]),
  );
}

/** Assigns a value through the accessors of a view. */
function assign(l: AnyLayout, view: unknown, value: unknown): void {
  for (const { name, shape } of Object.values(l.fields)) {
    const [target, source] = [view as Fields, (value as Fields)[name]];
    if (typeof shape === "string" || shape.kind === "text") target[name] = source;
    else if (shape.kind === "layout") assign(shape, target[name], source);
    else if (shape.kind === "array" && typeof shape.element === "object") {
      const views = target[name] as unknown[];
      for (let i = 0; i < shape.length; i++) {
        assign(shape.element, views[i], (source as Fields[])[i]);
      }
    } else (target[name] as Uint8Array).set(source as Uint8Array);
  }
}
