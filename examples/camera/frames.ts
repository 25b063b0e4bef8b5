/**
 * The frames of a camera, and the edges in them. All programs of this folder import these definitions.
 *
 * @module
 */

import { bytes, struct, topic } from "../../mod.ts";

/** The width of a frame in pixels. */
export const WIDTH = 320;
/** The height of a frame in pixels. */
export const HEIGHT = 240;

const Frame = struct("frame", { number: "u32", taken: "f64", pixels: bytes(WIDTH * HEIGHT) });

/** What the camera sees. A slow program misses old frames, and never stops the camera. */
export const frames = topic("camera/frames", { type: Frame, policy: "dropOldest" });

/** The edges in the frames, from several Workers at once. */
export const edges = topic("camera/edges", {
  type: Frame,
  policy: "dropOldest",
  publishers: "many",
  subscribers: 64, // one for each open page
});
