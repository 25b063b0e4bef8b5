/**
 * What the programs of this scene share: a drone that flies, sees and measures, and those that work
 * with it.
 *
 * @module
 */

import { array, bytes, calls, domain, spsc, struct, text, topic } from "../../mod.ts";

/** The width of an image in pixels. */
export const WIDTH = 480;
/** The height of an image in pixels. */
export const HEIGHT = 270;
/** The points of one turn of the lidar. */
export const POINTS = 1440;

const Vector = struct("vector", { x: "f64", y: "f64", z: "f64" });
const Pose = struct("pose", {
  time: "f64",
  position: Vector,
  heading: "f64",
  speed: "f64",
  rotors: array("f32", 4),
});
const Image = struct("image", {
  width: "u32",
  height: "u32",
  encoding: text(8),
  data: bytes(3 * WIDTH * HEIGHT),
});
const Point = struct("point", { x: "f32", y: "f32", z: "f32", intensity: "f32" });
const Cloud = struct("cloud", { count: "u32", points: array(Point, POINTS) });

/** Where the drone is, a hundred times a second. */
export const pose = topic("drone/pose", { type: Pose, depth: 16, policy: "dropOldest" });
/** What it sees. */
export const camera = topic("drone/camera", { type: Image, depth: 4, policy: "dropOldest" });
/** The ground below it. */
export const lidar = topic("drone/lidar", { type: Cloud, depth: 4, policy: "dropOldest" });
/** What it has to say; nothing of it is lost. */
export const log = spsc("drone-log", { type: text(), capacity: 4096 });
/** The state that everyone may read and change. */
export const drone = domain("drone", {
  battery: { type: "f32", depth: 8 },
  target: { type: struct("target", { x: "f64", y: "f64", z: "f64" }), depth: 8 },
  wind: { type: array("f32", 3), depth: 8 },
});
/** Finds the next place to fly to. */
export const route = calls("route", {
  request: struct("place", { x: "f64", y: "f64" }),
  response: struct("next_place", { x: "f64", y: "f64", z: "f64" }),
});

/** The height of the land at a place. */
export function landAt(x: number, y: number): number {
  return 2.2 * Math.sin(x / 7) * Math.cos(y / 9) + 1.1 * Math.sin((x + y) / 3.1) +
    0.4 * Math.cos(x * 1.3 - y * 0.7);
}
