/**
 * A program whose event loop hears the bell of a scene in the file at a path. It tells the id of
 * its FIFO, and then how each wait ended by itself: `heard`, or `looked` at the end of a slice. Or
 * it waits by its hall, until the count is 3.
 *
 * @module
 */

import { inbox, ownId } from "../../src/os/fifo.ts";
import { ReadySet } from "../../src/wait/ready_set.ts";
import { until as patiently, untilSync } from "../../src/wait/until.ts";
import { until } from "../os/until.ts";
import { wait } from "./outcome.ts";
import { Scene } from "./scene.ts";

const [path, story] = Deno.args;

/** Sleeps so often that this isolate makes its FIFO, and waits for that. */
async function becomeHearer(scene: Scene): Promise<number> {
  const { place } = scene;
  for (let i = 0; i < 40; i++) await wait(place.reaches(1e9), { timeout: 1, spin: 0 });
  await until("the FIFO works", () => inbox() !== undefined);
  return inbox()!.id;
}

/** Waits until the count has grown; whether the bell was enough. */
async function hear(scene: Scene): Promise<string> {
  let looks = 0;
  const beforeSleep = () => void looks++;
  await wait(scene.place.reaches(scene.place.count.load() + 1, { beforeSleep }), { spin: 0 });
  return looks === 1 ? "heard" : "looked";
}

async function main(scene: Scene, tell: (line: unknown) => void): Promise<void> {
  tell(await becomeHearer(scene));
  for (;;) {
    const how = await hear(scene);
    tell(how);
    if (how === "heard") break;
  }
}

/** Waits in its thread, or in its event loop, with a set of one thing; tells the id of its FIFO. */
async function waitForMany({ place }: Scene, how: "thread" | "loop"): Promise<void> {
  let seen = place.count.load();
  const condition = { ...place.reaches(0), isSteady: true, ready: () => place.count.load() > seen };
  const set = ReadySet.of([{ owner: "it", condition }])!;
  const waiter = { action: "hear", conditions: () => [set.condition] };
  console.log(ownId());
  for (;; seen = place.count.load()) {
    if (how === "loop") await patiently(() => set.take(), waiter, { spin: 0 });
    else set.take() ?? untilSync(() => set.take(), waiter, { spin: 0 });
    console.log("heard");
    if (place.count.load() >= 3) break;
  }
}

/** In a Worker, for a program that terminates it. */
function beWorker(): void {
  self.onmessage = ({ data }) => void main(Scene.at(data), (line) => self.postMessage(line));
}

declare const self: Worker & typeof globalThis;

if ("WorkerGlobalScope" in globalThis) beWorker();
else if (story === "worker") {
  const worker = new Worker(import.meta.url, { type: "module" });
  worker.onmessage = ({ data }) => {
    console.log(data);
    if (data === "heard") worker.terminate();
  };
  worker.postMessage(path);
} else if (story === "thread" || story === "loop") await waitForMany(Scene.at(path!), story);
else await main(Scene.at(path!), console.log);
