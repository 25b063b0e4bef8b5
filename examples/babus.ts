/**
 * The slots that the parts of the robot share, and its motion, which replaces the real robot that
 * its sensors would measure.
 *
 * @module
 */

import { array, bytes, type Domain, domain, type DomainDefinition, struct } from "../mod.ts";

/** A reading of the inertial sensor in its layout in shared memory. */
export const Imu = struct("imu", {
  time: { type: "f64", doc: "when it was measured, in milliseconds since 1970" },
  heading: { type: "f64", doc: "where the robot looks, in degrees" },
  turn: { type: "f64", doc: "how fast it turns, in degrees per second" },
  accel: { type: array("f32", 3), doc: "in metres per second squared" },
});

/** The pixels of an image. */
export const PIXELS = { across: 1920, down: 1080 };

/** The bytes of a row of pixels: red, green and blue of each. */
export const ROW = 3 * PIXELS.across;

/** An image in its layout in shared memory. */
export const Image = struct("image", {
  time: { type: "f64", doc: "when it was taken, in milliseconds since 1970" },
  pixels: { type: bytes(ROW * PIXELS.down), doc: "red, green, blue; row by row" },
});

/** Its slots: more than a second of readings, and four images of 6.2 MB. */
const SLOTS = { imu: { type: Imu, depth: 256 }, image: { type: Image, depth: 4 } };

/** Defines the robot, the same in all programs. */
export function robotNamed(name: string): DomainDefinition<typeof SLOTS> {
  return domain(name, SLOTS);
}

/** The open slots of the robot. */
export type RobotSlots = Domain<typeof SLOTS>["slots"];

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
