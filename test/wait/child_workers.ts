/**
 * A program whose Workers sleep in a scene, hold roles and end in the middle of it. It tells each
 * step and must then end by itself.
 *
 * @module
 */

import { LockFile } from "../../src/region/liveness.ts";
import { wait } from "./outcome.ts";
import { until } from "../os/until.ts";
import { Scene } from "./scene.ts";
import type { Order } from "./worker_sleeper.ts";
import { untilFree } from "../region/opening.ts";

const [path, sleep, end, count] = Deno.args;
const scene = Scene.at(path!, 2);
const workers: Worker[] = [];

for (let byte = 0; byte < Number(count); byte++) {
  const worker = new Worker(new URL("./worker_sleeper.ts", import.meta.url), { type: "module" });
  const answer = () => new Promise<MessageEvent>((resolve) => worker.onmessage = resolve);
  await answer();
  const held = answer();
  const way = sleep === "mixed" ? (byte % 2 === 0 ? "sync" : "async") : sleep;
  worker.postMessage({ sleep: way, path, byte } as Order);
  console.log((await held).data);
  workers.push(worker);
}
await until("a Worker sleeps", () => scene.place.bell.word.load() % 2 === 1);

for (const worker of workers) {
  worker.onerror = (event) => event.preventDefault();
  if (end === "terminate" || end === "exit") worker.terminate();
  else if (sleep === "sync") scene.places[1]!.count.store(1);
  else worker.postMessage({ end } as Order);
}
if (end === "exit") Deno.exit(5);
// Deno ends no Worker in the middle of JavaScript, however often it returns there from a sleep.
if (sleep !== "async" && end === "terminate") scene.place.publish();

using file = new LockFile(path!, { write: true, what: "a test" });
for (let byte = 0; byte < Number(count); byte++) {
  await untilFree(file, byte, { timeout: 20_000 });
}
console.log("free");
console.log(await wait(scene.place.reaches(2), { timeout: 300 })); // longer than a slice
