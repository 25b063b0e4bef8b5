/**
 * Accessors over memory. A declaration makes one class per layout, with a getter on its prototype
 * for each field. A view is one `DataView`; further parts of a field are made when the field is
 * first used.
 *
 * Accesses are plain. That is right for memory that one party owns at a time. Words that several
 * parties use at once need `Word32` and `Word64`, and a view can only show them.
 *
 * @module
 */

import type { AnyLayout, Field, FieldType, TextType } from "./fields.ts";
import { isScalar, type Scalar, SCALARS } from "./scalars.ts";
import { checkValue, loadText, loadValue, storeValue } from "./values.ts";

/** The constructor of the views of one layout, over memory that begins where the layout does. */
export type ViewClass = new (data: DataView) => object;

// Symbols, so that no field can have the same name.
const DATA = Symbol("data");
const PARTS = Symbol("parts");

class StructView {
  readonly [DATA]: DataView;
  [PARTS]: unknown[] | undefined; // typed arrays and nested views, by the number of their field

  constructor(data: DataView) {
    this[DATA] = data;
    this[PARTS] = undefined;
  }
}

/** Makes the class of the views of a layout. */
export function viewClass(layout: AnyLayout): ViewClass {
  class View extends StructView {
    /** Shows `console.log` the fields. */
    [Symbol.for("Deno.customInspect")](inspect: typeof Deno.inspect, options: object): string {
      return `${layout.name} ${inspect(loadValue(layout, this[DATA], 0), options)}`;
    }
  }
  Object.values(layout.fields).forEach((field, number) => {
    Object.defineProperty(View.prototype, field.name, accessor(field, number));
  });
  return View;
}

function accessor(field: Field, number: number): PropertyDescriptor {
  const { shape, offset, path } = field;
  if (isScalar(shape)) {
    const { load, store } = SCALARS[shape];
    return {
      get(this: StructView) {
        return load(this[DATA], offset);
      },
      set(this: StructView, value: unknown) {
        if (!store(this[DATA], offset, value)) checkValue(shape, value, path);
      },
    };
  }
  if (shape.kind === "text") {
    return {
      get(this: StructView) {
        return loadText(this[DATA], offset, shape.size);
      },
      set(this: StructView, value: unknown) {
        if (!storeValue(shape, this[DATA], offset, value)) checkValue(shape, value, path);
      },
    };
  }
  return {
    get(this: StructView) {
      return (this[PARTS] ??= [])[number] ??= part(shape, this[DATA], offset);
    },
  };
}

/** Returns the accessor of a compound field: a typed array, a view, or an array of views. */
function part(shape: Exclude<FieldType, Scalar | TextType>, data: DataView, offset: number) {
  const start = data.byteOffset + offset;
  if (shape.kind === "bytes") return new Uint8Array(data.buffer, start, shape.size);
  if (shape.kind === "layout") return nested(shape, data, offset);
  const { element, length } = shape;
  if (isScalar(element)) return new SCALARS[element].Array(data.buffer, start, length);
  const views = Array.from(
    { length },
    (_, index) => nested(element, data, offset + index * element.size),
  );
  return Object.freeze(views);
}

function nested(layout: AnyLayout, data: DataView, offset: number): unknown {
  return layout.view(new Uint8Array(data.buffer, data.byteOffset + offset, layout.size));
}
