/**
 * A mapper: it keeps the highest point that the lidar has seen. The scene kills it now and then.
 *
 *     deno run --allow-ffi examples/scene/mapper.ts
 *
 * @module
 */

import { lidar } from "./scene.ts";

using clouds = lidar.subscriber();
let highest = -Infinity;
console.log("The mapper is there; Ctrl-C ends it");
for await (const { view } of clouds.samples()) {
  for (let i = 0; i < view.count; i++) highest = Math.max(highest, view.points[i]!.z);
}
