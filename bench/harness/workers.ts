/**
 * What a Worker needs to take part in a measurement.
 *
 * @module
 */

import { settleOn } from "./machine.ts";

/** The port of a Worker to its creator; undefined elsewhere. */
export function workerPort(): MessagePort | undefined {
  const scope = globalThis as unknown as MessagePort;
  return "WorkerGlobalScope" in globalThis ? scope : undefined;
}

/** In a Worker: tells who made it which thread it is. */
export function introduceThread(port: MessagePort): void {
  const path = Deno.readLinkSync("/proc/thread-self"); // <process>/task/<thread>
  port.postMessage(Number(path.split("/").at(-1)));
}

/** A Worker that introduces itself, on this processor. */
export async function settledWorker(module: string, cpu: number, name: string): Promise<Worker> {
  const worker = new Worker(module, { type: "module", name });
  settleOn([cpu], await nextMessage<number>(worker));
  return worker;
}

/** The next message of a Worker. */
export function nextMessage<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(event.error ?? new Error(event.message));
  });
}
