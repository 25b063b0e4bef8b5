/**
 * Everything that is known of a robot: ten slots, each with the latest values of one kind.
 *
 * @module
 */

import { array, domain, struct } from "../../mod.ts";

const Wheel = struct("wheel", { speed: "f32", current: "f32" });
const Vector = array("f32", 3);

/** The slots of the robot. */
export const robot = domain("robot", {
  accel: { type: Vector },
  gyro: { type: Vector },
  heading: { type: "f64" },
  battery: { type: "f32" },
  bumper: { type: "bool" },
  left: { type: Wheel },
  right: { type: Wheel },
  target: { type: "f64" },
  command: { type: struct("command", { left: "f32", right: "f32" }) },
  status: { type: struct("status", { loops: "u32", error: "f64", stopped: "bool" }) },
});
