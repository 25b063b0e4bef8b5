/**
 * A camera: 30 frames a second of a moving disc, drawn straight into shared memory.
 *
 *     deno run --allow-ffi examples/camera/camera.ts
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { frames, HEIGHT, WIDTH } from "./frames.ts";

using camera = frames.publisher();
console.log("The camera is on; Ctrl-C ends it");
for (let number = 0;; number++) {
  using loan = await camera.loan();
  const { view } = loan;
  view.number = number;
  view.taken = Date.now();
  const left = WIDTH / 2 + 100 * Math.cos(number / 30);
  const top = HEIGHT / 2 + 60 * Math.sin(number / 20);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const isInside = (x - left) ** 2 + (y - top) ** 2 < 40 ** 2;
      view.pixels[y * WIDTH + x] = isInside ? 220 : (x ^ y) & 31;
    }
  }
  loan.publish();
  await delay(1000 / 30);
}
