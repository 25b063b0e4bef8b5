/**
 * Stops an actor in the middle of its code, by an exception.
 *
 * @module
 */

/** Thrown through an actor to stop it at an operation. */
export const UNWIND = new Error("this actor is being unwound");

let isListening = false;

/**
 * Keeps the exception from the global error handlers, once and for all. Unwound code can leave
 * rejected promises behind, and an exception in a listener of an abort signal becomes a global
 * error.
 */
export function catchLeftovers(): void {
  if (isListening) return;
  isListening = true;
  globalThis.addEventListener?.("unhandledrejection", (event) => {
    if (isUnwinding(event.reason)) event.preventDefault();
  });
  globalThis.addEventListener?.("error", (event) => {
    if (isUnwinding(event.error)) event.preventDefault();
  });
}

function isUnwinding(reason: unknown): boolean {
  if (reason === UNWIND) return true;
  if (!(reason instanceof SuppressedError)) return false;
  return isUnwinding(reason.error) || isUnwinding(reason.suppressed);
}
