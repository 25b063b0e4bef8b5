/**
 * A pause between two looks.
 *
 * @module
 */

/** Waits; returns false if the command must end. */
export function pause(ms: number, end: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (end.aborted) return resolve(false);
    const finish = (goesOn: boolean) => {
      clearTimeout(timer);
      end.removeEventListener("abort", stop);
      resolve(goesOn);
    };
    const stop = () => finish(false);
    const timer = setTimeout(() => finish(true), ms);
    end.addEventListener("abort", stop);
  });
}
