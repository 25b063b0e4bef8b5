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

const NO_DATA = new DataView(new ArrayBuffer(0));

class StructView {
  [DATA]: DataView = NO_DATA; // so that it is there to be assigned
  [PARTS]: unknown[] | undefined = undefined; // typed arrays and nested views, by the number of their field

  constructor(data: DataView) {
    this[DATA] = data;
  }
}

// The end of the prototypes of all views: only an assignment to a name that is no field gets here. To
// prevent extensions of each view would cost as much as to make it.
Object.setPrototypeOf(
  StructView.prototype,
  new Proxy({}, {
    set(_, name, _value, { constructor: { name: struct } }) {
      throw new TypeError(
        `Cannot write ${struct}.${String(name)}: the struct has no such field; check the name`,
      );
    },
  }),
);

/** Makes the class of the views of a layout. */
export function viewClass(layout: AnyLayout): ViewClass {
  class View extends StructView {
    /** Shows `console.log` the fields. */
    [Symbol.for("Deno.customInspect")](inspect: typeof Deno.inspect, options: object): string {
      return `${layout.name} ${inspect(loadValue(layout, this[DATA], 0), options)}`;
    }
  }
  Object.defineProperty(View, "name", { value: layout.name });
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
        try {
          return load(this[DATA], offset);
        } catch {
          throw released(path);
        }
      },
      set(this: StructView, value: unknown) {
        let stored;
        try {
          stored = store(this[DATA], offset, value);
        } catch {
          throw released(path);
        }
        if (!stored) checkValue(shape, value, path);
      },
    };
  }
  if (shape.kind === "text") {
    return {
      get(this: StructView) {
        checkAttached(this[DATA], path);
        return loadText(this[DATA], offset, shape.size);
      },
      set(this: StructView, value: unknown) {
        checkAttached(this[DATA], path);
        if (!storeValue(shape, this[DATA], offset, value)) checkValue(shape, value, path);
      },
    };
  }
  return {
    get(this: StructView) {
      return (this[PARTS] ??= [])[number] ??= part(shape, this[DATA], field);
    },
    set(this: StructView, value: unknown) {
      checkAttached(this[DATA], path);
      checkValue(shape, value, path); // first, so that an array is stored whole or not at all
      storeValue(shape, this[DATA], offset, value);
    },
  };
}

function checkAttached({ buffer }: DataView, path: string): void {
  if ((buffer as ArrayBuffer).detached) throw released(path);
}

function released(path: string): TypeError {
  return new TypeError(
    `Cannot use field ${path}: its memory was closed or transferred; use it before that`,
  );
}

/** Returns the accessor of a compound field: a typed array, a view, or an array of views. */
function part(
  shape: Exclude<FieldType, Scalar | TextType>,
  data: DataView,
  { offset, path }: Field,
) {
  checkAttached(data, path);
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
