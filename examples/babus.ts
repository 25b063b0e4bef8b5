/**
 * What the parts of the robot agree on: its slots; and how it moves, as there is no robot that the
 * sensors could look at.
 *
 * @module
 */

import { codec, layout } from "../mod.ts";

/** What the inertial sensor says, as it lies in shared memory. */
export const Imu = layout("imu", {
  time: { type: "f64", doc: "when it was measured, by the clock of Domain.now()" },
  heading: { type: "f64", doc: "where the robot looks, in degrees" },
  turn: { type: "f64", doc: "how fast it turns, in degrees per second" },
  accel: { type: layout.array("f32", 3), doc: "in metres per second squared" },
});

/** How many pixels an image has. */
export const PIXELS = { across: 1920, down: 1080 };

/** The bytes of a row of pixels: red, green and blue of each. */
export const ROW = 3 * PIXELS.across;

/** An image, as it lies in shared memory. */
export const Image = layout("image", {
  time: { type: "f64", doc: "when it was taken, by the clock of Domain.now()" },
  pixels: { type: layout.bytes(ROW * PIXELS.down), doc: "red, green, blue; row by row" },
});

/** How all open the sensor's slot: it keeps the readings of more than a second. */
export const IMU = { codec: codec.struct(Imu), maxSize: Imu.size, depth: 256 };

/** How all open the camera's slot: it keeps four images of 6.2 MB. */
export const IMAGE = { codec: codec.struct(Image), maxSize: Image.size, depth: 4 };

/** How far the robot turns to either side. */
export const SWING_DEGREES = 30;

/** What the camera sees of one degree. */
export const PIXELS_PER_DEGREE = 20;

const RADIANS_PER_NS = 2 * Math.PI / 4e9; // to and fro in four seconds

/** How the robot moves at a time. */
export function motion(time: number): { readonly heading: number; readonly turn: number } {
  const phase = RADIANS_PER_NS * time;
  return {
    heading: SWING_DEGREES * Math.sin(phase),
    turn: SWING_DEGREES * RADIANS_PER_NS * 1e9 * Math.cos(phase),
  };
}
