/**
 * A program that waits in a scene in the file at a path, in one of many ways, and tells what came
 * of it.
 *
 * @module
 */

import { wait, waitSync } from "./outcome.ts";
import { Scene } from "./scene.ts";

const [path, story] = Deno.args;
const scene = Scene.at(path!, 2);
const { place, places } = scene;
const FOR_EVER = { spin: 0 };
/** Only its words can end a wait for it. */
const byWords = () => place.reaches(1, { watchTellsAll: true });

/** Tells how a wait ended. */
async function tell(waiting: () => unknown): Promise<void> {
  try {
    console.log(await waiting());
  } catch (error) {
    console.log(error instanceof Error ? `${error.name}: ${error.message}` : error);
  }
}

function listen(): void {
  Deno.addSignalListener("SIGINT", () => {
    console.log("heard");
    Deno.exit(7);
  });
}

const STORIES: Record<string, () => unknown> = {
  sync: () => tell(() => waitSync(place.reaches(1), FOR_EVER)),
  spin: () => tell(() => waitSync(place.reaches(1), { spin: Infinity })),
  async: () => tell(() => wait(place.reaches(1), FOR_EVER)),

  syncListening() {
    listen();
    waitSync(place.reaches(1), FOR_EVER);
  },

  idle: () => tell(() => waitSync(byWords(), FOR_EVER)),

  idleListening() {
    listen();
    waitSync(byWords(), FOR_EVER);
  },

  async syncCatching() {
    listen();
    await tell(() => waitSync(place.reaches(1), FOR_EVER));
    await new Promise(() => setTimeout(() => {}, 60_000)); // until the listener runs
  },

  syncNoLongerListening() {
    const listener = () => console.log("heard");
    Deno.addSignalListener("SIGINT", listener);
    Deno.removeSignalListener("SIGINT", listener);
    waitSync(place.reaches(1), FOR_EVER);
  },

  spinListening() {
    listen();
    place.bell.raise(); // tells that it is about to spin
    waitSync(place.reaches(1), { spin: Infinity });
  },

  asyncListening() {
    listen();
    return tell(() => wait(place.reaches(1), FOR_EVER));
  },

  syncOtherSignal() {
    Deno.addSignalListener("SIGUSR1", () => {});
    return tell(() => waitSync(place.reaches(1), FOR_EVER)).then(() => Deno.exit(0));
  },

  async workerInSync() {
    const worker = new Worker(new URL("./worker_waiter.ts", import.meta.url), { type: "module" });
    const heard = new Promise<void>((resolve) => Deno.addSignalListener("SIGINT", () => resolve()));
    const failure = new Promise<string>((resolve) => {
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(event.message);
      };
    });
    await new Promise((resolve) => worker.onmessage = resolve);
    worker.postMessage({ path, act: "wait sync", count: 1, spin: 0 });
    await Promise.all([
      heard.then(() => console.log("heard")),
      failure.then((message) => console.log(message)),
    ]);
    Deno.exit(7);
  },

  /** Has many waits and is done with all of them. */
  async manyThatEnd() {
    const timeouts = Array.from({ length: 100 }, (_, i) => i % 40);
    const waits = timeouts.map((timeout) => wait(place.reaches(1), { timeout, spin: 0 }));
    const outcomes = new Set(await Promise.all(waits));
    console.log([...outcomes].join());
  },

  /** Waits for ever and ends nevertheless. */
  exit() {
    wait(place.reaches(1), FOR_EVER);
    setTimeout(() => Deno.exit(5), 20);
  },

  throws() {
    wait(place.reaches(1), FOR_EVER);
    setTimeout(() => {
      throw new Error("on purpose");
    }, 20);
  },

  /** Publishes in turn with a partner that does the same the other way round. */
  echo() {
    for (let count = 1; count <= 500; count++) {
      waitSync(place.reaches(count), FOR_EVER);
      places[1]!.publish();
    }
    console.log("done");
  },

  async echoAsync() {
    for (let count = 1; count <= 500; count++) {
      await wait(place.reaches(count), FOR_EVER);
      places[1]!.publish();
    }
    console.log("done");
  },
};

await STORIES[story!]!();
