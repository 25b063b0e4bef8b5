/**
 * The type stripper of the page, a script of its own that is loaded only for code written there.
 *
 * Sucrase removes types and keeps every line where it is, so the lines of a stack are the reader's.
 * TypeScript itself would do the same with fifty times the weight.
 *
 * @module
 */

import { transform } from "sucrase";

Object.assign(globalThis, {
  stripTypes: (source: string): string =>
    transform(source, {
      transforms: ["typescript", "imports"],
      disableESTransforms: true,
      production: true,
    }).code,
});
