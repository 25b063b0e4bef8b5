/**
 * Publishes a frame each half second, until it is killed. Run it in a terminal of its own:
 * `deno run --allow-ffi tutorials/19_vdds/camera.ts`.
 *
 * @module
 */

import { text, topic } from "../../mod.ts";

const [name = "tutorial-19"] = Deno.args;

using publisher = topic(name, { type: text(64), depth: 4, policy: "dropOldest" }).publisher();
for (;;) {
  const number = publisher.sequence + 1;
  publisher.trySend(`frame ${number} by process ${Deno.pid}`);
  await new Promise((resolve) => setTimeout(resolve, 500));
}
