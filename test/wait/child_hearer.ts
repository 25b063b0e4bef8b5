/**
 * A program whose event loop hears the bell of a scene in the file at a path. It tells the id of
 * its FIFO, and then how each wait ended by itself: `heard`, or `looked` at the end of a slice.
 *
 * @module
 */

import { inbox } from "../../src/os/fifo.ts";
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
} else await main(Scene.at(path!), console.log);
