/**
 * The errors that the documentation names.
 *
 * @module
 */

import { VringError } from "../../mod.ts";
import { MINE } from "./values.ts";

/** Whether an error is one that the documentation names, with its own words. */
export function isDocumented(error: unknown): boolean {
  if (error === MINE || error instanceof VringError) return true;
  if (error instanceof DOMException) return ["TimeoutError", "AbortError"].includes(error.name);
  if (/^Class constructor/.test(Object(error).message)) return true; // passed as a function
  const ours = [TypeError, RangeError, SyntaxError].some((one) => error instanceof one);
  return ours && /^Cannot [^:]+: /s.test(Object(error).message); // the engine has no colon there
}
