/**
 * A camera of 1920 x 1080 pixels: it paints each image, 6.2 MB, directly into a slot that keeps the
 * last four, where readers look at it. It never waits; a reader that looks at an image for too long
 * learns that it was overwritten.
 *
 *     deno run --allow-ffi examples/babus_image.ts
 *
 * It works together with babus_imu.ts and babus_control.ts, which explains more. The robot turns to
 * and fro, and the camera sees a pole go by in front of a wall.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { VringError } from "../mod.ts";
import { motion, PIXELS, PIXELS_PER_DEGREE, robotNamed, ROW, SWING_DEGREES } from "./babus.ts";
import { clock, count, endAfter, options } from "./ticker.ts";

const PERIOD_MS = 1000 / 30;

async function main(): Promise<void> {
  const { domain, seconds } = options({ domain: "robot", seconds: 3600 });
  const end = endAfter(seconds);
  using robot = robotNamed(domain).open();
  const { image } = robot.slots;
  console.log(`Filming for "${domain}", ${PIXELS.across} x ${PIXELS.down} pixels; Ctrl-C ends it`);
  let written = 0;
  for (let due = clock(); !end.aborted; due = Math.max(due, clock() - PERIOD_MS) + PERIOD_MS) {
    await delay(Math.max(due - clock(), 0));
    const number = image.tryFill(({ view }) => { // in shared memory: not a byte is copied
      view.time = clock();
      paint(view.pixels, motion(view.time).heading);
    });
    if (number !== undefined) written++; // else another camera is painting there
  }
  console.log(`Wrote ${count(written)} images, the last is number ${count(image.sequence)}.`);
}

/** The whole scene as far as the robot turns: a red pole and a grey wall. */
const SCENE = makeScene();

function makeScene(): Uint8Array {
  const across = PIXELS.across + 2 * SWING_DEGREES * PIXELS_PER_DEGREE;
  const scene = Uint8Array.from({ length: 3 * across }, (_, i) => {
    return 128 + 64 * Math.sin(Math.floor(i / 3) / 50);
  });
  scene.set([255, 0, 0], 3 * across / 2);
  return scene;
}

/** Paints the view in a direction. */
function paint(pixels: Uint8Array, heading: number): void {
  const at = 3 * Math.round((heading + SWING_DEGREES) * PIXELS_PER_DEGREE);
  const row = SCENE.subarray(at, at + ROW);
  for (let start = 0; start < pixels.length; start += ROW) pixels.set(row, start);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, /dev/shm is full
  Deno.exitCode = 1;
}
