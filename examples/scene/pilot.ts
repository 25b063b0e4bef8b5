/**
 * A pilot: five times a second it looks where the drone is, asks the planner, and sets the target.
 *
 *     deno run --allow-ffi examples/scene/pilot.ts
 *
 * @module
 */

import { setInterval } from "node:timers/promises";
import { drone, pose, route } from "./scene.ts";

using poses = pose.subscriber();
using planner = route.client({ onPeerGone: "wait" });
using all = drone.open();
console.log("The pilot is there; Ctrl-C ends it");
for await (const _ of setInterval(200)) {
  let latest;
  for (let sample; (sample = poses.tryReceive()) !== undefined;) latest = sample.value;
  if (latest === undefined) continue;
  const { x, y } = latest.position;
  await all.slots.target.write(await planner.call({ x, y }));
}
