/**
 * Waits until asynchronous code rests.
 *
 * @module
 */

/** Resolves once all microtasks have run, and all those that they began. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => nextTask(resolve));
}

/** Calls back in a task of its own, which begins when no microtask is left. */
function nextTask(callback: () => void): void {
  const { setImmediate, MessageChannel } = globalThis;
  if (setImmediate !== undefined) setImmediate(callback);
  else if (MessageChannel !== undefined) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      callback();
    };
    port2.postMessage(undefined);
  } else setTimeout(callback);
}
