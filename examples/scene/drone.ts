/**
 * A drone: it flies to its target, and publishes where it is, what it sees and what it measures.
 *
 *     deno run --allow-ffi examples/scene/drone.ts
 *
 * @module
 */

import { setInterval } from "node:timers/promises";
import { camera, drone, HEIGHT, landAt, lidar, log, POINTS, pose, WIDTH } from "./scene.ts";

using poses = pose.publisher();
using images = camera.publisher();
using clouds = lidar.publisher();
using messages = log.producer({ onPeerGone: "wait" });
using all = drone.open();
const { battery, target, wind } = all.slots;
console.log("The drone flies; Ctrl-C ends it");

let [x, y, z, heading, speed, charge] = [0, 0, 6, 0, 0, 100];
let tick = 0;
for await (const _ of setInterval(10)) {
  const seconds = tick / 100;
  const to = target.latest()?.value ?? { x: 20, y: 0, z: 6 };
  const turn = Math.atan2(to.y - y, to.x - x) - heading;
  heading += 0.03 * Math.atan2(Math.sin(turn), Math.cos(turn));
  speed += 0.02 * (Math.min(6, Math.hypot(to.x - x, to.y - y)) - speed);
  const gust = 0.4 * Math.sin(seconds * 1.7) + 0.25 * Math.sin(seconds * 5.3);
  x += 0.01 * speed * Math.cos(heading);
  y += 0.01 * speed * Math.sin(heading);
  z += 0.01 * ((to.z - z) + gust);
  poses.tryFill(({ view }) => {
    view.time = Date.now();
    view.position.x = x;
    view.position.y = y;
    view.position.z = z;
    view.heading = heading;
    view.speed = speed;
    for (let i = 0; i < 4; i++) view.rotors[i] = 900 + 60 * speed + 40 * Math.sin(seconds * 9 + i);
  });
  if (tick % 7 === 0) look();
  if (tick % 10 === 0) measure();
  if (tick % 25 === 0) {
    charge = charge < 5 ? 100 : charge - 0.05 - 0.01 * speed;
    battery.writeSync(charge);
    wind.writeSync([gust, Math.cos(seconds / 3), 0.1 * gust]);
    messages.trySend(`${seconds.toFixed(1)} s: at ${x.toFixed(1)}, ${y.toFixed(1)}`);
  }
  tick++;
}

/** Draws the land and the sky ahead, as seen from here. */
function look(): void {
  using loan = images.tryLoan();
  if (loan === undefined) return;
  const { view } = loan;
  view.width = WIDTH;
  view.height = HEIGHT;
  view.encoding = "rgb8";
  const pixels = view.data;
  for (let row = 0; row < HEIGHT; row++) {
    for (let column = 0, at = 3 * WIDTH * row; column < WIDTH; column++, at += 3) {
      const up = (HEIGHT * 0.42 - row) / HEIGHT - 0.03 * Math.sin(tick / 170);
      if (up > 0) {
        pixels[at] = 90 + 150 * (0.42 - up);
        pixels[at + 1] = 140 + 160 * (0.42 - up);
        pixels[at + 2] = 225;
        continue;
      }
      const far = Math.min(90, z / -up);
      const side = heading + (column / WIDTH - 0.5) * 1.2;
      const land = landAt(x + far * Math.cos(side), y + far * Math.sin(side));
      const fog = far / 90;
      pixels[at] = (70 + 26 * land) * (1 - fog) + 190 * fog;
      pixels[at + 1] = (112 + 20 * land) * (1 - fog) + 205 * fog;
      pixels[at + 2] = (58 + 14 * land) * (1 - fog) + 225 * fog;
    }
  }
  loan.publish();
}

/** Measures the land around. */
function measure(): void {
  using loan = clouds.tryLoan();
  if (loan === undefined) return;
  const { view } = loan;
  view.count = POINTS;
  for (let i = 0; i < POINTS; i++) {
    const ring = 2 + 1.6 * (i % 12);
    const angle = heading + 2 * Math.PI * i / POINTS;
    const point = view.points[i]!;
    point.x = ring * Math.cos(angle);
    point.y = ring * Math.sin(angle);
    point.z = landAt(x + point.x, y + point.y) - z;
    point.intensity = 1 / ring;
  }
  loan.publish();
}
