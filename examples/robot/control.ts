/**
 * A control loop: 100 times a second it reads the latest values of the sensors, and turns the robot
 * towards its target. It stops when the bumper or an old heading tells it to.
 *
 *     deno run --allow-ffi examples/robot/control.ts
 *
 * @module
 */

import { setInterval } from "node:timers/promises";
import { robot } from "./robot.ts";

const OLDEST_MS = 100;

using all = robot.open();
const { heading, target, bumper, command, status } = all.slots;
let loops = 0;
for await (const _ of setInterval(10)) {
  const now = heading.latest();
  const isOld = now === undefined || Date.now() - now.time > OLDEST_MS;
  const stopped = isOld || bumper.latest()?.value === true;
  const error = stopped ? 0 : (target.latest()?.value ?? 0) - now!.value;
  command.writeSync({ left: -2 * error, right: 2 * error });
  status.writeSync({ loops: ++loops, error, stopped });
  if (loops % 100 === 0) console.log(stopped ? "stopped" : `${error.toFixed(3)} rad to go`);
}
