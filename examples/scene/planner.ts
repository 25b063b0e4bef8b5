/**
 * A planner: asked for the next place, it names one on a large circle, above the land.
 *
 *     deno run --allow-ffi examples/scene/planner.ts
 *
 * @module
 */

import { landAt, route } from "./scene.ts";

using server = route.server();
console.log("The planner is there; Ctrl-C ends it");
await server.serve(({ x, y }) => {
  const angle = Math.atan2(y, x) + 0.9;
  const [toX, toY] = [24 * Math.cos(angle), 24 * Math.sin(angle)];
  return { x: toX, y: toY, z: landAt(toX, toY) + 6 };
});
