/**
 * A Worker that waits or makes others wait no longer.
 *
 * @module
 */

import type { SyncWaitOptions } from "../../src/wait/until.ts";
import { Errno } from "../../src/errors.ts";
import { now } from "../../src/os/clock.ts";
import { wait as futexWait } from "../../src/os/futex.ts";
import type { Outcome } from "../../src/wait/condition.ts";
import { wait, waitSync } from "./outcome.ts";
import { Scene } from "./scene.ts";

/** The task, in the scene at a path. */
export type Task =
  & { readonly path: string }
  & (
    /** Publishes once somebody waits, several times. */
    | { readonly act: "publish"; readonly times: number }
    /** Publishes once, without ringing: like a waker that is killed in between. */
    | { readonly act: "publish quietly" }
    /** Rings several times without publishing, each time when somebody waits; then publishes. */
    | { readonly act: "ring in vain"; readonly times: number }
    /** Publishes twice, each time when a second counter says that somebody has looked and spins. */
    | { readonly act: "publish to who spins" }
    /** Waits until the counter has reached a number. */
    | {
      readonly act: "wait" | "wait sync";
      readonly count: number;
      readonly timeout?: number;
      readonly spin?: number;
    }
    /** Raises the bell, reports it and sleeps without slices until the bell is rung. */
    | { readonly act: "sleep" }
  );

const port = self as unknown as {
  onmessage: (event: MessageEvent<Task>) => void;
  postMessage(message: unknown): void;
};

/** Returns once somebody sleeps, or is about to. */
function someoneWaits({ bell }: Scene["place"]): void {
  for (let seen = bell.word.load(); seen % 2 === 0; seen = bell.word.load()) {
    bell.word.spinWhile(seen, 1e9);
  }
}

function waitOf({ timeout, spin }: SyncWaitOptions): SyncWaitOptions {
  return { timeout, spin };
}

async function perform(task: Task): Promise<Outcome | "done" | "woken" | "not woken"> {
  using scene = Scene.at(task.path, 2);
  const { place, places } = scene;
  switch (task.act) {
    case "publish":
      for (let i = 0; i < task.times; i++) {
        someoneWaits(place);
        place.publish();
      }
      return "done";
    case "publish quietly":
      someoneWaits(place);
      place.count.add(1);
      return "done";
    case "ring in vain":
      for (let i = 0; i < task.times; i++) {
        someoneWaits(place);
        place.bell.ring();
      }
      someoneWaits(place);
      place.publish();
      return "done";
    case "publish to who spins":
      for (const seen of [0, 1]) {
        while (!places[1]!.count.spinWhile(seen, 1e9));
        place.publish();
      }
      return "done";
    case "wait":
      return await wait(place.reaches(task.count), waitOf(task));
    case "wait sync":
      return waitSync(place.reaches(task.count), waitOf(task));
    case "sleep": {
      const raised = place.bell.raise();
      port.postMessage("raised");
      const result = futexWait(place.bell.word.address, raised, now() + 60e9);
      return result === 0 || result === -Errno.EAGAIN ? "woken" : "not woken";
    }
  }
}

port.onmessage = async ({ data }) => port.postMessage(await perform(data));
port.postMessage("ready");
