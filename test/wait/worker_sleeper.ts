/**
 * A Worker that holds a role and sleeps for ever, and ends in one of many ways.
 *
 * @module
 */

import { Role } from "../../src/region/liveness.ts";
import { wait, waitSync } from "./outcome.ts";
import { Scene } from "./scene.ts";

/** How to sleep, where, holding which byte; or how to end. */
export type Order =
  | { readonly sleep: "sync" | "async"; readonly path: string; readonly byte: number }
  | { readonly end: "close" | "throw" };

const port = self as unknown as {
  onmessage: (event: MessageEvent<Order>) => void;
  postMessage(message: unknown): void;
  close(): void;
};

let role: Role | undefined;

port.onmessage = ({ data }) => {
  if ("end" in data) {
    if (data.end === "throw") throw new Error("on purpose");
    port.close();
    return;
  }
  role = Role.tryHold(data.path, data.byte, "a test");
  const scene = Scene.at(data.path, 2);
  port.postMessage(role === undefined ? "taken" : "held");
  const condition = scene.place.reaches(1, {
    /** A Worker that is blocked gets no message: it sees by a second word that it is to end. */
    beforeSleep() {
      if (scene.places[1]!.count.load() === 1) port.close();
      return undefined;
    },
  });
  if (data.sleep === "sync") waitSync(condition, { spin: 0 });
  else wait(condition, { spin: 0 });
};
port.postMessage("ready");
