/**
 * Slots of the latest values: an inertial sensor writes small readings, 200 a second. Any program
 * can read the newest one and those before it; the sensor never waits.
 *
 * Three programs work together, each in a terminal of its own, in any order:
 *
 *     deno run --allow-ffi examples/babus_imu.ts
 *     deno run --allow-ffi examples/babus_image.ts
 *     deno run --allow-ffi examples/babus_control.ts
 *
 * Ctrl-C ends each of them. Kill any (`kill -9`) and start it again: the others keep working, and
 * the numbers of the readings continue. `--seconds 10` ends by itself, and `--domain mine` uses a
 * domain of your own.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { VringError } from "../mod.ts";
import { motion, robotNamed } from "./babus.ts";
import { clock, count, endAfter, options } from "./ticker.ts";

const PERIOD_MS = 5;
const GRAVITY = 9.81;

async function main(): Promise<void> {
  const { domain, seconds } = options({ domain: "robot", seconds: 3600 });
  const end = endAfter(seconds);
  using robot = robotNamed(domain).open();
  const { imu } = robot.slots;
  console.log(`Measuring the motion of "${domain}", ${1000 / PERIOD_MS} times/s; Ctrl-C ends it`);
  let written = 0;
  for (let due = clock(); !end.aborted; due = Math.max(due, clock() - PERIOD_MS) + PERIOD_MS) {
    await delay(Math.max(due - clock(), 0));
    const time = clock();
    const sway = Math.sin(time / 100) / 10;
    const reading = { time, ...motion(time), accel: Float32Array.of(sway, 0, GRAVITY) };
    if (imu.tryWrite(reading) !== undefined) written++; // else another sensor is writing
  }
  console.log(`Wrote ${count(written)} readings, the last is number ${count(imu.sequence)}.`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, another program defines the slot with another depth
  Deno.exitCode = 1;
}
