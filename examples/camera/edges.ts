/**
 * A pool of two Workers that find edges: each takes every second frame, reads it in place, and
 * writes the edges into a sample of its own.
 *
 *     deno run --allow-ffi --allow-read examples/camera/edges.ts
 *
 * @module
 */

import { edges, frames, HEIGHT, WIDTH } from "./frames.ts";

const WORKERS = 2;

if (self.name === "") {
  for (let index = 0; index < WORKERS; index++) {
    new Worker(import.meta.url, { type: "module", name: String(index) });
  }
  console.log(`${WORKERS} Workers look for edges; Ctrl-C ends them`);
} else {
  using input = frames.subscriber();
  using output = edges.publisher({ source: `worker-${self.name}` });
  for await (const { view: frame } of input.samples()) {
    if (frame.number % WORKERS !== Number(self.name)) continue;
    using loan = await output.loan();
    loan.view.number = frame.number;
    loan.view.taken = frame.taken;
    const { pixels } = frame;
    const found = loan.view.pixels.fill(0);
    for (let at = WIDTH + 1; at < WIDTH * (HEIGHT - 1) - 1; at++) {
      const across = pixels[at + 1]! - pixels[at - 1]!;
      const down = pixels[at + WIDTH]! - pixels[at - WIDTH]!;
      found[at] = Math.min(255, Math.abs(across) + Math.abs(down));
    }
    loan.publish();
  }
}
