/**
 * The robot and its sensors, simulated: wheels follow the command, and turn the robot.
 *
 *     deno run --allow-ffi examples/robot/simulator.ts
 *
 * @module
 */

import { setInterval } from "node:timers/promises";
import { robot } from "./robot.ts";

using all = robot.open();
const { accel, gyro, heading, battery, bumper, left, right, target, command } = all.slots;
let [angle, charge] = [0, 1];
for await (const _ of setInterval(5)) {
  const wanted = command.latest()?.value ?? { left: 0, right: 0 };
  const turn = wanted.right - wanted.left;
  angle += turn * 0.005;
  charge -= 0.000_01;
  accel.writeSync([0, 0, 9.81]);
  gyro.writeSync([0, 0, turn]);
  heading.writeSync(angle);
  battery.writeSync(charge);
  bumper.writeSync(false);
  left.writeSync({ speed: wanted.left, current: Math.abs(wanted.left) });
  right.writeSync({ speed: wanted.right, current: Math.abs(wanted.right) });
  target.writeSync(Math.sin(Date.now() / 2000));
}
