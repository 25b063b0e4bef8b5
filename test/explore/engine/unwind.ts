/**
 * How an actor is stopped in the middle of its code.
 *
 * @module
 */

/** Thrown through an actor to stop it at an operation. */
export const UNWIND = new Error("this actor is being unwound");

// Code that is unwound can leave rejected promises behind that nobody waits for.
globalThis.addEventListener("unhandledrejection", (event) => {
  if (isUnwinding(event.reason)) event.preventDefault();
});

// What a listener throws, such as one of an abort signal, goes to the global scope.
globalThis.addEventListener("error", (event) => {
  if (isUnwinding(event.error)) event.preventDefault();
});

function isUnwinding(reason: unknown): boolean {
  if (reason === UNWIND) return true;
  if (!(reason instanceof SuppressedError)) return false;
  return isUnwinding(reason.error) || isUnwinding(reason.suppressed);
}
