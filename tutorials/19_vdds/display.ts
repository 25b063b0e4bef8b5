/**
 * Prints the frames of one camera after the other. Run it in a terminal of its own:
 * `deno run --allow-ffi tutorials/19_vdds/display.ts`.
 *
 * @module
 */

import { text, topic } from "../../mod.ts";

const [name = "tutorial-19"] = Deno.args;

using frames = topic(name, { type: text(64), depth: 4, policy: "dropOldest" }).subscriber();
for await (const { value, lost } of frames.samples()) {
  console.log(lost === 0 ? value : `${value}, and ${lost} are lost`);
}
