/**
 * A program that does not use the library itself: its Worker does, and ends in its sleep.
 *
 * @module
 */

import { until } from "../os/until.ts";
import type { Order } from "./worker_sleeper.ts";

const [path, end] = Deno.args;
const worker = new Worker(new URL("./worker_sleeper.ts", import.meta.url), { type: "module" });
const answer = () => new Promise<MessageEvent>((resolve) => worker.onmessage = resolve);
const maps = () => Deno.readTextFileSync("/proc/self/maps");

await answer();
const held = answer();
worker.postMessage({ sleep: "async", path, byte: 0 } as Order);
console.log((await held).data);
await until("the Worker sleeps", () => Deno.readFileSync(path!)[0]! % 2 === 1);

if (end === "terminate") worker.terminate();
else worker.postMessage({ end } as Order);
await until("the Worker is gone", () => !maps().includes("/memfd:vring-sentinel"));
// Its thread of the pool is back at the end of the slice: it needs the code until then.
await new Promise((resolve) => setTimeout(resolve, 500));
console.log(maps().includes("/memfd:vring ") ? "the code stays" : "the code is gone");
