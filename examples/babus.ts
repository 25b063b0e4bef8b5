/**
 * The slots that the parts of the robot share, and its motion, which replaces the real robot that
 * its sensors would measure.
 *
 * @module
 */

import { codec, layout } from "../mod.ts";

/** A reading of the inertial sensor in its layout in shared memory. */
export const Imu = layout("imu", {
  time: { type: "f64", doc: "when it was measured, by the clock of Domain.now()" },
  heading: { type: "f64", doc: "where the robot looks, in degrees" },
  turn: { type: "f64", doc: "how fast it turns, in degrees per second" },
  accel: { type: layout.array("f32", 3), doc: "in metres per second squared" },
});

/** The pixels of an image. */
export const PIXELS = { across: 1920, down: 1080 };

/** The bytes of a row of pixels: red, green and blue of each. */
export const ROW = 3 * PIXELS.across;

/** An image in its layout in shared memory. */
export const Image = layout("image", {
  time: { type: "f64", doc: "when it was taken, by the clock of Domain.now()" },
  pixels: { type: layout.bytes(ROW * PIXELS.down), doc: "red, green, blue; row by row" },
});

/** The options of the sensor's slot, the same in all programs: it keeps more than a second of
 * readings. */
export const IMU = { codec: codec.struct(Imu), maxSize: Imu.size, depth: 256 };

/** The options of the camera's slot, the same in all programs: it keeps four images of 6.2 MB. */
export const IMAGE = { codec: codec.struct(Image), maxSize: Image.size, depth: 4 };

/** How far the robot turns to either side. */
export const SWING_DEGREES = 30;

/** The width of one degree in the camera's image. */
export const PIXELS_PER_DEGREE = 20;

const RADIANS_PER_MS = 2 * Math.PI / 4000; // to and fro in four seconds

/** The heading and the turn of the robot at a time. */
export function motion(time: number): { readonly heading: number; readonly turn: number } {
  const phase = RADIANS_PER_MS * time;
  return {
    heading: SWING_DEGREES * Math.sin(phase),
    turn: SWING_DEGREES * RADIANS_PER_MS * 1000 * Math.cos(phase),
  };
}
