/**
 * An archive: it takes every message of the log, and as many images and poses as it can, which is
 * fewer than come. It learns how many it lost.
 *
 *     deno run --allow-ffi examples/scene/archive.ts
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { camera, log, pose } from "./scene.ts";

using images = camera.subscriber();
using poses = pose.subscriber();
using messages = log.consumer({ onPeerGone: "wait" });
console.log("The archive is there; Ctrl-C ends it");

async function keepLog(): Promise<void> {
  for await (const _ of messages.values()) continue;
}

async function keepPoses(): Promise<void> {
  for await (const _ of poses.samples()) await delay(30); // too slow
}

async function keepImages(): Promise<void> {
  for await (const _ of images.samples()) await delay(100);
}

await Promise.all([keepLog(), keepPoses(), keepImages()]);
